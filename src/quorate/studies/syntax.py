"""The syntax tree of one release's SQL: what may be set on a node, and where it stands.

Shared by the readers of a select and of its condition. Every refusal names
release, line, column and the offending text.
"""

from dataclasses import dataclass
from typing import NoReturn

from sqlglot import exp

from quorate.errors import MalformedStudy
from quorate.studies.schema import Column, Table, canonical, check_number
from quorate.studies.tokens import GRAMMAR, Text

COMPARE = (
    "a condition compares a column with numbers or declared categories: "
    "age >= 18, age between 18 and 65, sex = 'F', ward in ('a', 'b')"
)


@dataclass(frozen=True, slots=True)
class Syntax:
    """The text a tree was made of, and the table its names must be declared in."""

    text: Text
    table: Table

    def value(self, column: Column, node: exp.Expression, near: exp.Expression) -> str:
        """Return the literal as canonical text. Raises `MalformedStudy` for any other thing."""
        negative = isinstance(node, exp.Neg)
        if negative:
            self.only(node, "this")
        literal = node.this if negative else node
        at = self._literal_start(literal, near)
        if not isinstance(literal, exp.Literal):
            self.text.refuse(at, node.sql(), "is not a number or a text", COMPARE)
        self.only(literal, "this", "is_string")
        written = ("-" if negative else "") + str(literal.this)
        if column.kind == "category":
            if written not in column.values or (literal.is_string and negative):
                hint = f"declared are {' '.join(column.values[:20])}"
                self.text.refuse(at, written, f"is not a declared value of {column.name}", hint)
            return written
        if literal.is_string:
            self.text.refuse(at, written, f"is text, and {column.name} is a number", COMPARE)
        value = canonical(written)
        try:
            check_number("", value, column.kind)
        except MalformedStudy as e:
            self.text.refuse(at, "", f"{str(e)[2:]}, for the {column.kind} {column.name}")
        return value

    def column(self, node: exp.Expression) -> Column:
        if not isinstance(node, exp.Column):
            self.refuse(node, "is not a column", "only plain columns; no arithmetic yet")
        self.only(node, "this")
        name = self.identifier(node.this)
        if name not in self.table.names:
            hint = f"declare it under [tables.{self.table.name}]"
            self.refuse(node, "is not a declared column", hint)
        return self.table.column(name)

    def identifier(self, node: object) -> str:
        if not isinstance(node, exp.Identifier) or not isinstance(node.this, str):
            self.text.refuse(0, "", "a name is not understood")
        self.only(node, "this", "quoted")
        return node.this

    def only(self, node: exp.Expression, *known: str) -> None:
        """Refuse a node on which anything is set that is not `known`."""
        for key, value in node.args.items():
            if key not in known and value is not None and value != []:
                first = value[0] if isinstance(value, list) else value
                named = first if isinstance(first, exp.Expression) else node
                self.refuse(named, f"{key.replace('_', ' ')} is not allowed here")
        if node.comments:
            self.refuse(node, "a comment has no place in a release")

    def refuse(self, node: exp.Expression, why: str, hint: str = "") -> NoReturn:
        start = self.start(node)
        is_small = sum(1 for _ in node.walk()) <= 40
        found = node.sql() if is_small else self.text.sql[start : start + 40]
        self.text.refuse(start, found, why, hint or GRAMMAR)

    def start(self, node: exp.Expression) -> int:
        """Return where the first word of `node` that knows its place stands."""
        known = [n.meta["start"] for n in node.walk() if "start" in n.meta]
        return min(known, default=0)

    def _literal_start(self, literal: exp.Expression, near: exp.Expression) -> int:
        after = self.start(near)
        for token in self.text.tokens:
            if token.start >= after and token.text == literal.name:
                return token.start
        return after
