"""What one release asks of the pooled table, as a tree; `sql` writes it for people.

A query keeps its normalised SQL beside the tree. Only the tree decides what is
computed; that the text says the same is checked wherever a plan arrives, by
reading it again (`study.check_study`).
"""

from dataclasses import dataclass
from typing import Literal

from sqlglot.tokens import Tokenizer, TokenType

from quorate.studies.schema import Table

Comparison = Literal["=", "<>", "<", "<=", ">", ">="]
Operation = Literal["and", "or", "not", "between", "in", "=", "<>", "<", "<=", ">", ">="]
Statistic = Literal["count", "sum", "avg", "var", "stddev", "histogram", "percentile", "mode"]


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition on one row: and, or, not over `args`; all else over `column` and `values`."""

    op: Operation
    column: str
    values: tuple[str, ...]  # canonical decimals, or declared categories as text
    args: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Output:
    """One named value for each group: `column` is empty for a count of rows.

    A histogram has a value for each bin: edges a, b, c give [a, b) and [b, c];
    rows outside the edges are in no bin. A percentile is one of its edges, for each group; a mode
    is the place of the most frequent of a category's declared values, counted from 0.
    """

    name: str
    statistic: Statistic
    column: str
    edges: tuple[str, ...]
    percent: str = ""  # of a percentile, 1 to 99

    @property
    def has_bins(self) -> bool:
        """Return whether there is a value for each bin."""
        return self.statistic == "histogram"

    @property
    def formula(self) -> str:
        """Return the call in SQL, the name left out."""
        percent = (self.percent,) if self.percent else ()
        column = quoted(self.column) if self.column else "*"
        arguments = ", ".join((column, *percent, *self.edges))
        return f"{self.statistic}({arguments})"


@dataclass(frozen=True, slots=True)
class Query:
    """One release of a study: `outputs` of the rows that satisfy all of `where`, by group."""

    name: str
    sql: str
    where: tuple[Predicate, ...]
    group_by: tuple[str, ...]  # categories, in the order the table declares them
    outputs: tuple[Output, ...]


def condition(where: tuple[Predicate, ...], table: Table) -> str:
    """Return SQL for "every one of `where` holds"; nothing where all rows are meant."""
    if len(where) == 1:
        return _predicate(where[0], table)
    return " and ".join(_nested(p, table) for p in where)


def select(query: Query, table: Table) -> str:
    """Return the one SQL text of `query`: groups first, in the order the table declares them."""
    groups = [quoted(name) for name in query.group_by]
    outputs = [f"{output.formula} as {quoted(output.name)}" for output in query.outputs]
    text = f"select {', '.join(groups + outputs)} from {quoted(table.name)}"  # noqa: S608
    if query.where:
        text += f" where {condition(query.where, table)}"
    return text + (f" group by {', '.join(groups)}" if groups else "")


def is_plain(name: str) -> bool:
    """Return whether `name` needs no quotes: it is not a word of SQL."""
    return [token.token_type for token in Tokenizer().tokenize(name)] == [TokenType.VAR]


def quoted(name: str) -> str:
    return name if is_plain(name) else f'"{name}"'


def _predicate(p: Predicate, table: Table) -> str:
    if p.op in {"and", "or"}:
        return f" {p.op} ".join(_nested(part, table) for part in p.args)
    if p.op == "not":
        return f"not ({_predicate(p.args[0], table)})"
    column = table.column(p.column)
    is_text = column.kind == "category" and not column.are_whole
    values = ["'" + v.replace("'", "''") + "'" if is_text else v for v in p.values]
    match p.op:
        case "between":
            return f"{quoted(p.column)} between {values[0]} and {values[1]}"
        case "in":
            return f"{quoted(p.column)} in ({', '.join(values)})"
        case _:
            return f"{quoted(p.column)} {p.op} {values[0]}"


def _nested(p: Predicate, table: Table) -> str:
    text = _predicate(p, table)
    return f"({text})" if p.op in {"and", "or"} else text
