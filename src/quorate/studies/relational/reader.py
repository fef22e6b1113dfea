"""SQL over several tables, read by allow-list into a tree, and nothing of it passed over."""

from collections.abc import Iterator, Sequence

from sqlglot import exp
from sqlglot.tokens import TokenType

from quorate.studies.query import Predicate
from quorate.studies.relational.query import MAX_PARTS, CountDistinct, Part
from quorate.studies.schema import Column, Table, check_name
from quorate.studies.sql import parse
from quorate.studies.syntax import Syntax
from quorate.studies.tokens import Text, check_nothing_lost, read_tokens
from quorate.studies.where import read_where

FORM = (
    "what is understood: select count(distinct key) as name from table where conditions "
    "and key in (select key from table where ...) and key not in (select ...)"
)


def read_count(place: str, sql: str, tables: Sequence[Table]) -> CountDistinct:
    """Return the question that `sql` asks of these tables. Raises `MalformedStudy` with the place.

    The text is one of a release, with the same words and limits (`studies.tokens`).
    """
    check_name("releases", place)
    text = read_tokens(place, sql, also=frozenset({TokenType.DISTINCT}))
    statement = parse(text)
    table = _table(text, statement, tables)
    syntax = Syntax(text, table)
    syntax.only(statement, "expressions", "from", "where")
    name, key = _counted(syntax, statement)
    where, others = _split(syntax, statement)
    parts = [Part(table, where)]
    for select, is_absent in others:
        parts.append(_part(text, select, tables, key, is_absent=is_absent))
    if len(parts) > MAX_PARTS:
        text.refuse(0, "", f"more than {MAX_PARTS} tables", FORM)
    query = CountDistinct(name, key.name, tuple(parts))
    check_nothing_lost(text, query.sql)
    return query


def _table(text: Text, statement: exp.Select, tables: Sequence[Table]) -> Table:
    """Return the table that a select reads from."""
    clause = statement.args.get("from")
    if not isinstance(clause, exp.From) or not isinstance(clause.this, exp.Table):
        text.refuse(0, "", "does not read from a table", FORM)
    syntax = Syntax(text, tables[0])
    syntax.only(clause, "this")
    syntax.only(clause.this, "this")
    name = syntax.identifier(clause.this.this)
    found = next((one for one in tables if one.name == name), None)
    if found is None:
        syntax.refuse(clause.this, "is not a declared table", f"declare it under [tables.{name}]")
    return found


def _counted(syntax: Syntax, statement: exp.Select) -> tuple[str, Column]:
    """Return the name of the count, and what is counted."""
    (node, *more) = statement.expressions
    if more or not isinstance(node, exp.Alias) or not isinstance(node.this, exp.Count):
        syntax.refuse(statement, "is not one count with a name", FORM)
    syntax.only(node, "this", "alias")
    distinct = node.this.this
    syntax.only(node.this, "this", "big_int")
    if not isinstance(distinct, exp.Distinct) or len(distinct.expressions) != 1:
        syntax.refuse(node, "does not count distinct keys", FORM)
    syntax.only(distinct, "expressions")
    name = syntax.identifier(node.args["alias"])
    check_name(f"releases.{syntax.text.name}", name)
    return name, _key(syntax, distinct.expressions[0])


def _key(syntax: Syntax, node: exp.Expression) -> Column:
    key = syntax.column(node)
    if key.kind != "integer":
        syntax.refuse(node, "is not a whole number, as a key is", FORM)
    return key


def _split(
    syntax: Syntax, statement: exp.Select
) -> tuple[tuple[Predicate, ...], list[tuple[exp.In, bool]]]:
    """Return the conditions on rows, and those on keys of other tables: whether they are `not`."""
    clause = statement.args.get("where")
    if clause is None:
        return (), []
    syntax.only(clause, "this")
    rows: list[exp.Expression] = []
    others: list[tuple[exp.In, bool]] = []
    for node in _conjuncts(syntax, clause.this):
        within = node.this if isinstance(node, exp.Not) else node
        if isinstance(within, exp.In) and within.args.get("query") is not None:
            others.append((within, isinstance(node, exp.Not)))
        else:
            rows.append(node)
    if not rows:
        return (), others
    return read_where(syntax, exp.Where(this=exp.and_(*rows, copy=False))), others


def _conjuncts(syntax: Syntax, node: exp.Expression) -> Iterator[exp.Expression]:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.And):
            syntax.only(part, "this", "expression")
            waiting += [part.expression, part.this]
        else:
            yield part


def _part(
    text: Text, node: exp.In, tables: Sequence[Table], key: Column, *, is_absent: bool
) -> Part:
    """Return the part that a condition on keys asks for."""
    syntax = Syntax(text, tables[0])
    syntax.only(node, "this", "query")
    subquery = node.args["query"]
    syntax.only(subquery, "this")
    select = subquery.this
    if not isinstance(select, exp.Select):
        syntax.refuse(node, "is not in a select", FORM)
    syntax.only(select, "expressions", "from", "where")
    within = Syntax(text, _table(text, select, tables))
    asked = [node.this, *select.expressions]
    if len(asked) != 2 or any(_key(within, one) != key for one in asked):
        syntax.refuse(node, f"is not about {key.name}, declared alike in both tables", FORM)
    return Part(within.table, read_where(within, select.args.get("where")), is_absent)
