"""The condition of a release: and, or, not over comparisons of a column with constants."""

from collections.abc import Iterator

from sqlglot import exp

from quorate.studies.query import Operation, Predicate
from quorate.studies.syntax import COMPARE, Syntax

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


def read_where(syntax: Syntax, clause: object) -> tuple[Predicate, ...]:
    """Return the conditions that all must hold. Raises `MalformedStudy`."""
    if clause is None:
        return ()
    if not isinstance(clause, exp.Where):
        syntax.text.refuse(0, "", "the condition is not understood")
    syntax.only(clause, "this")
    found = _predicate(syntax, clause.this, 0)
    where = found.args if found.op == "and" else (found,)
    if _size(where) > MAX_CONDITIONS:
        syntax.text.refuse(syntax.start(clause), "", f"more than {MAX_CONDITIONS} conditions")
    return where


def _predicate(syntax: Syntax, node: exp.Expression, depth: int) -> Predicate:
    if depth > MAX_NESTING:
        syntax.refuse(node, f"more than {MAX_NESTING} levels of and, or, not")
    match node:
        case exp.Paren():
            syntax.only(node, "this")
            return _predicate(syntax, node.this, depth)
        case exp.And() | exp.Or():
            parts = list(_flattened(syntax, node, type(node)))
            args = tuple(_predicate(syntax, part, depth + 1) for part in parts)
            return Predicate("and" if isinstance(node, exp.And) else "or", "", (), args)
        case exp.Not():
            syntax.only(node, "this")
            return Predicate("not", "", (), (_predicate(syntax, node.this, depth + 1),))
        case exp.Between():
            syntax.only(node, "this", "low", "high")
            return _compared(syntax, "between", node, [node.args["low"], node.args["high"]])
        case exp.In():
            syntax.only(node, "this", "expressions")
            return _compared(syntax, "in", node, node.expressions)
        case _:
            if type(node) not in _COMPARISONS:
                syntax.refuse(node, "is not a condition", COMPARE)
            syntax.only(node, "this", "expression")
            return _compared(syntax, _COMPARISONS[type(node)], node, [node.expression])


def _flattened(
    syntax: Syntax, node: exp.Expression, kind: type[exp.Expression]
) -> Iterator[exp.Expression]:
    """Yield the operands of a chain of one connector, in their order."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.Paren) and type(_within(part)) is kind:
            syntax.only(part, "this")
            waiting.append(part.this)
        elif type(part) is kind:
            syntax.only(part, "this", "expression")
            waiting += [part.args["expression"], part.this]
        else:
            yield part


def _compared(
    syntax: Syntax, op: Operation, node: exp.Expression, values: list[exp.Expression]
) -> Predicate:
    if not isinstance(node.this, exp.Column):
        syntax.refuse(node, "a condition begins with a column", COMPARE)
    column = syntax.column(node.this)
    if not values:
        syntax.refuse(node, "has no values", COMPARE)
    if column.kind == "category" and op not in {"=", "<>", "in"}:
        syntax.refuse(node, "a category is equal to a value or not", COMPARE)
    read = tuple(syntax.value(column, value, node) for value in values)
    if len(set(read)) < len(read) and op == "in":
        syntax.refuse(node, "a value twice")
    return Predicate(op, column.name, read, ())


def _size(where: tuple[Predicate, ...]) -> int:
    return sum(1 + len(p.values) + _size(p.args) for p in where)


def _within(node: exp.Expression) -> exp.Expression:
    """Return what stands in the parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node
