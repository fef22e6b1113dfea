"""Rows that members deal to the committee, one by one, for what is trained on them.

Each member deals the columns that a formula names, padded with rows of zeros to as many as the
study allows. A row that is not as declared, whoever dealt it, counts as none (`rows_as_declared`).
Trained are a fixed number of steps, whatever the data; revealed is the result, or
that there is none. Ten rows or more are asked for a coefficient.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from quorate.models.products import brought, read, times, within
from quorate.models.trained import DESIGN_BITS
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.poisoning.secure import kept_rows, rows_in_range
from quorate.studies.analyses.asked import Asked, Sums, Told, Totals
from quorate.studies.analyses.linear import ROWS_A_COEFFICIENT, formula_of, unit_of
from quorate.studies.analyses.stepped import CHOICE, is_stepped
from quorate.studies.analyses.terms import Formula, Term, scale_of
from quorate.studies.inputs import EACH_ROW, Axis, Input
from quorate.studies.schema import check_number, refuse

MOST_ROWS = 1 << 17
MOST_STEPS = 20


def check_steps(asked: Asked, *parameters: str) -> None:
    """Refuse too many rows or steps, and `parameters` of no use. Raises `MalformedStudy`."""
    if is_stepped(asked):
        for name in parameters:
            if asked.values(name):
                refuse(f"{asked.place}.{name}", f"is of no use with {CHOICE} = true")
    else:
        asked.check_rows(MOST_ROWS)
    check_number(f"{asked.place}.steps", asked.one("steps", "8"), "integer")
    if not 2 <= steps_of(asked) <= MOST_STEPS:
        refuse(f"{asked.place}.steps", f"must be 2 to {MOST_STEPS}")


def steps_of(asked: Asked) -> int:
    return int(asked.one("steps", "8"))


def each_row(asked: Asked, terms: Sequence[Term]) -> tuple[Input, ...]:
    """Return what members deal of these columns."""
    found = [rows_there(asked), _count(asked)]
    for term in terms:
        found += [levels_of(asked, column) for column, _ in term.levels]
        found += [number_of(asked, term)] if term.number else []
    return tuple(dict.fromkeys(found))


def told(asked: Asked, sums: Sums, words: SecretArray) -> Told:
    """Return what is to be revealed of a training: its words, then settled, then independent."""
    settled, independent = promised(words[-2:-1], 1), promised(words[-1:], 1)
    count = sums(rows_there(asked)).sum().reshape(1)
    enough = (count >= ROWS_A_COEFFICIENT * len(formula_of(asked).terms)) + 0
    sound = concatenate([settled] * (len(words) - 2) + [settled - settled + 1])
    return Told(concatenate([words[:-2], independent]), sound, enough)


def sentences_of_rows(formula: Formula) -> tuple[str, ...]:
    return (
        f"how {formula.outcome.name} depends on {', '.join(t.name for t in formula.terms[1:])}: "
        "coefficients and their standard errors, or that there are none, and no step on the way",
        "every member's rows go to the committee, in shares: two of the three could read them",
        "defended: a row dealt out of range, or with no value or several of a category, is none",
        f"nothing where there are fewer than {ROWS_A_COEFFICIENT} rows for a coefficient",
    )


def rows_as_declared(asked: Asked, sums: Sums, needs: Sequence[Input]) -> Sums:
    """Return the sums of each row, zeros in place of a row that is not as its table declares.

    A number is within its bounds, and a category has one value; rows are rejected, not clipped,
    and whose they are nobody learns. What is not of each row stays as it is.
    """
    items = [item for item in needs if EACH_ROW in item.cells.axes]
    parts = {item: sums(item).reshape(asked.rows, -1) for item in items}
    columns, ends = list[SecretArray](), list[tuple[int, int]]()
    for item, part in parts.items():
        columns.append(part)
        ends += _ends(asked, item) * part.shape[1]
        if part.shape[1] > 1:
            columns.append(part.sum(axis=1).reshape(-1, 1))
            ends.append((1, 1))
    inside = rows_in_range(concatenate(columns, axis=1), *np.array(ends, np.int64).T)
    kept = {item: kept_rows(part, inside) for item, part in parts.items()}

    def of(item: Input) -> SecretArray:
        whole = sums(item)
        if item not in kept:
            return whole
        return promised(kept[item], whole.node.limit).reshape(*whole.shape)

    return of


def _ends(asked: Asked, item: Input) -> list[tuple[int, int]]:
    """Return between what a row's entries of an input are, of a row there is."""
    if item.amount == "count":
        return [(0, 1)] if len(item.cells.axes) > 1 else [(1, 1)]
    column, unit = asked.study.table.column(item.column), 10 ** (item.to or 0)
    return [(floor(Fraction(column.low) * unit), ceil(Fraction(column.high) * unit))]


def _count(asked: Asked) -> Input:
    return Input(asked.cells(), "count", "")


def rows_there(asked: Asked) -> Input:
    """Return 1 for each row there is, else 0."""
    return Input(asked.cells(EACH_ROW), "count", "")


def levels_of(asked: Asked, column: str) -> Input:
    """Return 1 at each row's own value of a category, else 0."""
    return Input(asked.cells(EACH_ROW, Axis(column, ())), "count", "")


def number_of(asked: Asked, term: Term) -> Input:
    return Input(asked.cells(EACH_ROW), "sum", term.number, to=scale_of(asked, term)[0])


def column_of(asked: Asked, sums: Sums, term: Term) -> SecretArray:
    """Return a column of the design, (rows, 1), at most 1 and with 26 bits of fraction."""
    inside = indicators_of(asked, sums, term)
    if not term.number:
        ones = promised(sums(rows_there(asked)), 1) if inside is None else inside
        return brought(ones, DESIGN_BITS).reshape(-1, 1)
    shift = DESIGN_BITS - scale_of(asked, term)[1]
    number = within(read(brought(sums(number_of(asked, term)), shift), DESIGN_BITS), 1)
    if inside is not None:
        number = times(number, inside, bound=1, f=DESIGN_BITS)
    return number.reshape(-1, 1)


def indicators_of(asked: Asked, sums: Sums, term: Term) -> SecretArray | None:
    """Return 1 for each row with all of a term's levels, else 0; None where it has no level."""
    inside: SecretArray | None = None
    for column, value in term.levels:
        one = indicator_of(asked, sums, column, value)
        inside = one if inside is None else promised(inside * one, 1)
    return inside


def indicator_of(asked: Asked, sums: Sums, column: str, value: str) -> SecretArray:
    at = asked.study.table.column(column).values.index(value)
    return promised(sums(levels_of(asked, column))[:, at], 1)


def plain_column(asked: Asked, totals: Totals, term: Term) -> NDArray[np.float64]:
    column = totals(rows_there(asked))
    for name, value in term.levels:
        at = asked.study.table.column(name).values.index(value)
        column = column * totals(levels_of(asked, name))[:, at]
    return column * totals(number_of(asked, term)) if term.number else column


def units_of(asked: Asked) -> NDArray[np.float64]:
    return np.array([float(unit_of(asked, term)) for term in formula_of(asked).terms])
