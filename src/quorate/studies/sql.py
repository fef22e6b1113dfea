"""A release's SQL, read by allow-list into a `Query`, and nothing of it passed over.

    text --tokens--> words and signs --sqlglot--> syntax --here--> Query --select--> text

The second of two allow-lists: a node of the syntax tree is understood only if
its type and every argument set on it are known here. At the end the query is
written as SQL again and compared with the words that were read: a word without
effect is refused too. Every refusal names release, line, column and text.
"""

from fractions import Fraction
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from quorate.studies.query import Output, Query, Statistic, select
from quorate.studies.schema import Column, Table, check_name, is_name
from quorate.studies.syntax import Syntax
from quorate.studies.tokens import FUNCTIONS, Text, check_nothing_lost, read_tokens
from quorate.studies.where import read_where

MAX_EDGES = 101
MAX_CONDITIONS = 256
MAX_NESTING = 4  # of and, or, not within one another: what a record may hold

_AGGREGATES: dict[type[exp.Expression], Statistic] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Variance: "var",
    exp.Stddev: "stddev",
    exp.StddevSamp: "stddev",
}


def read_query(name: str, sql: str, table: Table) -> Query:
    """Return the query that `sql` states over `table`. Raises `MalformedStudy` with the place."""
    check_name("releases", name)
    text = read_tokens(name, sql)
    query = _read(Syntax(text, table), parse(text))
    check_nothing_lost(text, query.sql)
    return query


def parse(text: Text) -> exp.Select:
    """Return the syntax of the one select that a text is. Raises `MalformedStudy`."""
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
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        text.refuse(0, "", "a release is one select")
    return statements[0]


def _read(syntax: Syntax, statement: exp.Select) -> Query:
    syntax.only(statement, "expressions", "from", "where", "group")
    _check_from(syntax, statement)
    groups = _groups(syntax, statement.args.get("group"))
    outputs, selected = _selected(syntax, statement)
    if sorted(selected) != sorted(groups):
        odd = next(iter(sorted(set(selected) ^ set(groups)) or selected))
        node = next(n for n in statement.find_all(exp.Column) if n.name == odd)
        syntax.refuse(node, "is not both selected and grouped by, once each")
    where = read_where(syntax, statement.args.get("where"))
    ordered = tuple(name for name in syntax.table.names if name in groups)
    query = Query(syntax.text.name, "", where, ordered, outputs)
    return Query(syntax.text.name, select(query, syntax.table), where, ordered, outputs)


def _check_from(syntax: Syntax, statement: exp.Select) -> None:
    clause = statement.args.get("from")
    if not isinstance(clause, exp.From):
        syntax.refuse(statement, f"a release reads from {syntax.table.name}")
    syntax.only(clause, "this")
    table = clause.this
    if not isinstance(table, exp.Table):
        syntax.refuse(table, f"is not the table {syntax.table.name}")
    syntax.only(table, "this")
    if syntax.identifier(table.this) != syntax.table.name:
        syntax.refuse(table, f"is not the table {syntax.table.name}")


def _groups(syntax: Syntax, group: object) -> tuple[str, ...]:
    if group is None:
        return ()
    if not isinstance(group, exp.Group):
        syntax.text.refuse(0, "", "the groups are not understood")
    syntax.only(group, "expressions")
    columns = [syntax.column(node) for node in group.expressions]
    for node, column in zip(group.expressions, columns, strict=True):
        if column.kind != "category":
            syntax.refuse(node, f"is not a category: groups are declared, not {column.kind}s")
    names = tuple(column.name for column in columns)
    if len(set(names)) < len(names):
        syntax.refuse(group, "a category twice")
    return names


def _selected(syntax: Syntax, statement: exp.Select) -> tuple[tuple[Output, ...], list[str]]:
    outputs: list[Output] = []
    selected: list[str] = []
    for node in statement.expressions:
        if isinstance(node, exp.Column):
            selected.append(syntax.column(node).name)
        else:
            outputs.append(_output(syntax, node))
    if not outputs:
        syntax.refuse(statement, "selects no value", "add for instance count(*) as patients")
    names = [node.alias_or_name for node in statement.expressions]
    _check_names(syntax, statement.expressions, names)
    return tuple(outputs), selected


def _check_names(syntax: Syntax, outputs: list[exp.Expression], names: list[str]) -> None:
    """Refuse a name that is none, or that another value of the release has."""
    seen: set[str] = set()
    for node, name in zip(outputs, names, strict=True):
        place = node.args.get("alias", node)
        if not is_name(name):
            syntax.refuse(place, "is not a name", "a letter, then letters, digits and _")
        if name.lower() in seen:
            syntax.refuse(place, "is the name of two values", "give each another name")
        seen.add(name.lower())


def _output(syntax: Syntax, node: exp.Expression) -> Output:
    if not isinstance(node, exp.Alias):
        syntax.refuse(node, "has no name", "name each value: count(*) as patients")
    syntax.only(node, "this", "alias")
    name, call = syntax.identifier(node.args["alias"]), node.this
    if isinstance(call, exp.Anonymous) and isinstance(call.this, str):
        syntax.only(call, "this", "expressions")
        statistic, arguments = FUNCTIONS.get(call.this.lower()), call.expressions
    elif type(call) in _AGGREGATES and isinstance(call.this, exp.Expression):
        syntax.only(call, "this", *(["big_int"] if isinstance(call, exp.Count) else []))
        statistic, arguments = _AGGREGATES[type(call)], [call.this]
    else:
        statistic, arguments = None, []
    if statistic is None or not arguments:
        syntax.refuse(node, "is not a value of a release")
    return _call(syntax, name, cast("Statistic", statistic), arguments, node)


def _call(
    syntax: Syntax,
    name: str,
    statistic: Statistic,
    arguments: list[exp.Expression],
    node: exp.Expression,
) -> Output:
    first, *rest = arguments
    if statistic == "count" and isinstance(first, exp.Star):
        syntax.only(first)
        return Output(name, "count", "", ())
    column = syntax.column(first)
    if statistic == "mode" and (column.kind != "category" or len(column.values) < 2):
        syntax.refuse(first, "is no category of two values or more: a mode is of declared values")
    if statistic not in {"count", "mode"} and column.kind == "category":
        syntax.refuse(first, f"is a category, and has no {statistic}")
    if statistic == "histogram":
        return Output(name, statistic, column.name, _edges(syntax, column, rest, node))
    if statistic == "percentile":
        return _percentile(syntax, name, column, rest, node)
    if rest:
        syntax.refuse(node, f"{statistic} takes one column")
    return Output(name, statistic, column.name, ())


def _percentile(
    syntax: Syntax,
    name: str,
    column: Column,
    nodes: list[exp.Expression],
    node: exp.Expression,
) -> Output:
    first = nodes[0] if nodes and isinstance(nodes[0], exp.Literal) else None
    percent = "" if first is None or first.is_string else first.name
    if not percent.isdecimal() or not 1 <= int(percent) <= 99 or percent != str(int(percent)):
        syntax.refuse(node, "a percentile has a percent from 1 to 99: percentile(age, 50, 0, 20)")
    syntax.only(nodes[0], "this", "is_string")
    edges = _edges(syntax, column, nodes[1:], node)
    return Output(name, "percentile", column.name, edges, percent)


def _edges(
    syntax: Syntax, column: Column, nodes: list[exp.Expression], node: exp.Expression
) -> tuple[str, ...]:
    edges = tuple(syntax.value(column, edge, node) for edge in nodes)
    if not 2 <= len(edges) <= MAX_EDGES:
        syntax.refuse(node, f"a histogram has 2 to {MAX_EDGES} edges: histogram(age, 0, 40, 80)")
    if list(edges) != sorted(set(edges), key=Fraction):
        syntax.refuse(node, "the edges of a histogram rise")
    return edges
