"""A release's SQL, read by allow-list into a `Query`, and nothing of it passed over.

    text --tokens--> words and signs --sqlglot--> syntax --here--> Query --select--> text

The second of two allow-lists: a node of the syntax tree is understood only if
its type and every argument set on it are known here. At the end the query is
written as SQL again and compared with the words that were read: a word without
effect is refused too. Every refusal names release, line, column and text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from quorate.errors import MalformedStudy
from quorate.studies.query import Operation, Output, Predicate, Query, Statistic, select
from quorate.studies.schema import Column, Table, canonical, check_name, check_names, check_number
from quorate.studies.tokens import FUNCTIONS, GRAMMAR, Text, check_nothing_lost, read_tokens

MAX_EDGES = 101
MAX_CONDITIONS = 256
MAX_NESTING = 4  # of and, or, not within one another: what a record may hold

_COMPARISONS: dict[type[exp.Expression], Operation] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_AGGREGATES: dict[type[exp.Expression], Statistic] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Variance: "var",
    exp.Stddev: "stddev",
    exp.StddevSamp: "stddev",
}
_WHERE_HINT = (
    "a condition compares a column with numbers or declared categories: "
    "age >= 18, age between 18 and 65, sex = 'F', ward in ('a', 'b')"
)


def read_query(name: str, sql: str, table: Table) -> Query:
    """Return the query that `sql` states over `table`. Raises `MalformedStudy` with the place."""
    check_name("releases", name)
    text = read_tokens(name, sql)
    query = _Reader(text, table).read(_parse(text))
    check_nothing_lost(text, query.sql)
    return query


def _parse(text: Text) -> exp.Select:
    try:
        statements = sqlglot.parse(text.sql)
    except ParseError as e:
        found = e.errors[0] if e.errors else {}
        token = next(
            (t for t in text.tokens if (t.line, t.col) == (found.get("line"), found.get("col"))),
            text.tokens[-1],
        )
        text.refuse(token.start, token.text, "the SQL does not go on like this")
    except RecursionError:
        text.refuse(0, "", "nested too deeply")
    match statements:
        case [exp.Select() as statement]:
            return statement
        case _:
            text.refuse(0, "", "a release is one select")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the syntax tree of `text`."""

    text: Text
    table: Table

    def read(self, statement: exp.Select) -> Query:
        self._only(statement, "expressions", "from", "where", "group")
        self._check_from(statement)
        groups = self._groups(statement.args.get("group"))
        outputs, selected = self._selected(statement)
        if sorted(selected) != sorted(groups):
            odd = sorted(set(selected) ^ set(groups)) or selected
            why = "is not both selected and grouped by, once each"
            self.text.refuse(self._start(statement), odd[0], why)
        where = self._where(statement.args.get("where"))
        ordered = tuple(name for name in self.table.names if name in groups)
        query = Query(self.text.name, "", where, ordered, outputs)
        return Query(self.text.name, select(query, self.table), where, ordered, outputs)

    def _check_from(self, statement: exp.Select) -> None:
        clause = statement.args.get("from")
        if not isinstance(clause, exp.From):
            self._refuse(statement, f"a release reads from {self.table.name}")
        self._only(clause, "this")
        table = clause.this
        if not isinstance(table, exp.Table):
            self._refuse(table, f"is not the table {self.table.name}")
        self._only(table, "this")
        if self._identifier(table.this) != self.table.name:
            self._refuse(table, f"is not the table {self.table.name}")

    def _groups(self, group: object) -> tuple[str, ...]:
        if group is None:
            return ()
        if not isinstance(group, exp.Group):
            self.text.refuse(0, "", "the groups are not understood")
        self._only(group, "expressions")
        columns = [self._column(node) for node in group.expressions]
        for node, column in zip(group.expressions, columns, strict=True):
            if column.kind != "category":
                self._refuse(node, f"is not a category: groups are declared, not {column.kind}s")
        names = tuple(column.name for column in columns)
        if len(set(names)) < len(names):
            self._refuse(group, "a category twice")
        return names

    def _selected(self, statement: exp.Select) -> tuple[tuple[Output, ...], list[str]]:
        outputs: list[Output] = []
        selected: list[str] = []
        for node in statement.expressions:
            if isinstance(node, exp.Column):
                selected.append(self._column(node).name)
            else:
                outputs.append(self._output(node))
        if not outputs:
            self._refuse(statement, "selects no value", "add for instance count(*) as patients")
        names = (*selected, *(output.name for output in outputs))
        try:
            check_names(f"releases.{self.text.name}", names)
        except MalformedStudy as e:
            self.text.refuse(0, "", str(e).split(": ", 1)[1], e.hint)
        return tuple(outputs), selected

    def _output(self, node: exp.Expression) -> Output:
        if not isinstance(node, exp.Alias):
            self._refuse(node, "has no name", "name each value: count(*) as patients")
        self._only(node, "this", "alias")
        name, call = self._identifier(node.args["alias"]), node.this
        if isinstance(call, exp.Anonymous) and isinstance(call.this, str):
            self._only(call, "this", "expressions")
            statistic = FUNCTIONS.get(call.this.lower())
            arguments = call.expressions
        else:
            self._only(call, "this", *(["big_int"] if isinstance(call, exp.Count) else []))
            statistic, arguments = _AGGREGATES.get(type(call)), [call.this]
        if statistic is None or not arguments:
            self._refuse(node, "is not a value of a release")
        return self._call(name, cast("Statistic", statistic), arguments, node)

    def _call(
        self, name: str, statistic: Statistic, arguments: list[exp.Expression], node: exp.Expression
    ) -> Output:
        first, *rest = arguments
        if statistic == "count" and isinstance(first, exp.Star):
            self._only(first)
            return Output(name, "count", "", ())
        column = self._column(first)
        if statistic != "count" and column.kind == "category":
            self._refuse(first, f"is a category, and has no {statistic}")
        if statistic == "histogram":
            return Output(name, statistic, column.name, self._edges(column, rest, node))
        if rest:
            self._refuse(node, f"{statistic} takes one column")
        return Output(name, statistic, column.name, ())

    def _edges(
        self, column: Column, nodes: list[exp.Expression], node: exp.Expression
    ) -> tuple[str, ...]:
        edges = tuple(self._value(column, edge, node) for edge in nodes)
        if not 2 <= len(edges) <= MAX_EDGES:
            self._refuse(node, f"a histogram has 2 to {MAX_EDGES} edges: histogram(age, 0, 40, 80)")
        if list(edges) != sorted(set(edges), key=Fraction):
            self._refuse(node, "the edges of a histogram rise")
        return edges

    def _where(self, clause: object) -> tuple[Predicate, ...]:
        if clause is None:
            return ()
        if not isinstance(clause, exp.Where):
            self.text.refuse(0, "", "the condition is not understood")
        self._only(clause, "this")
        found = self._predicate(clause.this, 0)
        where = found.args if found.op == "and" else (found,)
        if _size(where) > MAX_CONDITIONS:
            self.text.refuse(self._start(clause), "", f"more than {MAX_CONDITIONS} conditions")
        return where

    def _predicate(self, node: exp.Expression, depth: int) -> Predicate:
        if depth > MAX_NESTING:
            self._refuse(node, f"more than {MAX_NESTING} levels of and, or, not")
        match node:
            case exp.Paren():
                self._only(node, "this")
                return self._predicate(node.this, depth)
            case exp.And() | exp.Or():
                parts = list(self._flattened(node, type(node)))
                args = tuple(self._predicate(part, depth + 1) for part in parts)
                return Predicate("and" if isinstance(node, exp.And) else "or", "", (), args)
            case exp.Not():
                self._only(node, "this")
                return Predicate("not", "", (), (self._predicate(node.this, depth + 1),))
            case exp.Between():
                self._only(node, "this", "low", "high")
                return self._compared("between", node, [node.args["low"], node.args["high"]])
            case exp.In():
                self._only(node, "this", "expressions")
                return self._compared("in", node, node.expressions)
            case _ if type(node) in _COMPARISONS:
                self._only(node, "this", "expression")
                return self._compared(_COMPARISONS[type(node)], node, [node.expression])
            case _:
                self._refuse(node, "is not a condition", _WHERE_HINT)

    def _flattened(
        self, node: exp.Expression, kind: type[exp.Expression]
    ) -> Iterator[exp.Expression]:
        """Yield the operands of a chain of one connector, in their order."""
        waiting = [node]
        while waiting:
            part = waiting.pop()
            if isinstance(part, exp.Paren) and type(part.unnest()) is kind:
                self._only(part, "this")
                waiting.append(part.this)
            elif type(part) is kind:
                self._only(part, "this", "expression")
                waiting += [part.args["expression"], part.this]
            else:
                yield part

    def _compared(
        self, op: Operation, node: exp.Expression, values: list[exp.Expression]
    ) -> Predicate:
        if not isinstance(node.this, exp.Column):
            self._refuse(node, "a condition begins with a column", _WHERE_HINT)
        column = self._column(node.this)
        if not values:
            self._refuse(node, "has no values", _WHERE_HINT)
        if column.kind == "category" and op not in {"=", "<>", "in"}:
            self._refuse(node, "a category is equal to a value or not", _WHERE_HINT)
        read = tuple(self._value(column, value, node) for value in values)
        if len(set(read)) < len(read) and op == "in":
            self._refuse(node, "a value twice")
        return Predicate(op, column.name, read, ())

    def _value(self, column: Column, node: exp.Expression, near: exp.Expression) -> str:
        """Return the literal as canonical text. Raises `MalformedStudy` for any other thing."""
        negative = isinstance(node, exp.Neg)
        if negative:
            self._only(node, "this")
        literal = node.this if negative else node
        at = self._literal_start(literal, near)
        if not isinstance(literal, exp.Literal):
            self.text.refuse(at, node.sql(), "is not a number or a text", _WHERE_HINT)
        self._only(literal, "this", "is_string")
        written = ("-" if negative else "") + str(literal.this)
        if column.kind == "category":
            if written not in column.values or (literal.is_string and negative):
                hint = f"declared are {' '.join(column.values[:20])}"
                self.text.refuse(at, written, f"is not a declared value of {column.name}", hint)
            return written
        if literal.is_string:
            self.text.refuse(at, written, f"is text, and {column.name} is a number", _WHERE_HINT)
        value = canonical(written)
        try:
            check_number("", value, column.kind)
        except MalformedStudy as e:
            self.text.refuse(at, "", f"{str(e)[2:]}, for the {column.kind} {column.name}")
        return value

    def _column(self, node: exp.Expression) -> Column:
        if not isinstance(node, exp.Column):
            self._refuse(node, "is not a column", "only plain columns; no arithmetic yet")
        self._only(node, "this")
        name = self._identifier(node.this)
        if name not in self.table.names:
            hint = f"declare it under [tables.{self.table.name}]"
            self._refuse(node, "is not a declared column", hint)
        return self.table.column(name)

    def _identifier(self, node: object) -> str:
        if not isinstance(node, exp.Identifier) or not isinstance(node.this, str):
            self.text.refuse(0, "", "a name is not understood")
        self._only(node, "this", "quoted")
        return node.this

    def _only(self, node: exp.Expression, *known: str) -> None:
        """Refuse a node on which anything is set that is not `known`."""
        for key, value in node.args.items():
            if key not in known and value is not None and value != []:
                named = value if isinstance(value, exp.Expression) else node
                self._refuse(named, f"{key.replace('_', ' ')} is not allowed here")
        if node.comments:
            self._refuse(node, "a comment has no place in a release")

    def _refuse(self, node: exp.Expression, why: str, hint: str = "") -> NoReturn:
        start = self._start(node)
        is_small = sum(1 for _ in node.walk()) <= 40
        found = node.sql() if is_small else self.text.sql[start : start + 40]
        self.text.refuse(start, found, why, hint or GRAMMAR)

    def _start(self, node: exp.Expression) -> int:
        """Return where the first word of `node` that knows its place stands."""
        known = [n.meta["start"] for n in node.walk() if "start" in n.meta]
        return min(known, default=0)

    def _literal_start(self, literal: exp.Expression, near: exp.Expression) -> int:
        after = self._start(near)
        for token in self.text.tokens:
            if token.start >= after and token.text == literal.name:
                return token.start
        return after


def _size(where: tuple[Predicate, ...]) -> int:
    return sum(1 + len(p.values) + _size(p.args) for p in where)
