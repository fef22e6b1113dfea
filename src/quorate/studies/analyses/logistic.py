"""Logistic regression by a formula, trained on rows that nobody sees, revealing no step on the way.

Each member deals its rows to the committee: the columns that the formula names, padded with rows
of zeros to as many as the study allows. A row that is not as declared, whoever dealt it, counts as
none (`rows_as_declared`). Revealed are the coefficients and their standard
errors, or that there are none: the outcome is separated, or columns are collinear. The outcome
is a category of two values; what is explained is the second.

`steps` of Newton's are made, whatever the data. A `penalty` is that of the squares of all
coefficients but the constant, of columns divided by powers of two until their bounds are at
most 1, with which a separated outcome has coefficients too. Ten rows or more are asked for a
coefficient.
"""

from fractions import Fraction
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from quorate.models.glm import LOGISTIC, contribution
from quorate.models.glm import Rows as Counted
from quorate.models.oracle import plain_training
from quorate.models.products import brought, read, times, within
from quorate.models.trained import DESIGN_BITS, Training, trained, training
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.poisoning.secure import kept_rows, rows_in_range
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.linear import ROWS_A_COEFFICIENT, formula_of, unit_of
from quorate.studies.analyses.stepped import (
    CHOICE,
    Rows,
    Stepping,
    check_stepped,
    is_stepped,
    sentences_of,
    table_of,
    values_of,
)
from quorate.studies.analyses.terms import Term, scale_of
from quorate.studies.inputs import EACH_ROW, Axis, Input
from quorate.studies.schema import check_number, refuse

KIND = "logistic"
MOST_ROWS = 1 << 15
MOST_STEPS = 20
MOST_PENALTY = 1000


def parameters() -> tuple[str, ...]:
    return "formula", "steps", "penalty", CHOICE


def check(asked: Asked) -> None:
    check_stepped(asked, always=False)
    if is_stepped(asked):
        for name in ("steps", "penalty"):
            if asked.values(name):
                refuse(f"{asked.place}.{name}", f"is of no use with {CHOICE} = true")
    else:
        asked.check_rows(MOST_ROWS)
    if not formula_of(asked).outcome.levels:
        refuse(f"{asked.place}.formula", "the outcome must be a category of two values")
    steps, penalty = asked.one("steps", "8"), asked.one("penalty", "0")
    check_number(f"{asked.place}.steps", steps, "integer")
    check_number(f"{asked.place}.penalty", penalty, "number")
    if not 2 <= int(steps) <= MOST_STEPS:
        refuse(f"{asked.place}.steps", f"must be 2 to {MOST_STEPS}")
    if not 0 <= float(penalty) <= MOST_PENALTY:
        refuse(f"{asked.place}.penalty", f"must be 0 to {MOST_PENALTY}")


def needs(asked: Asked) -> tuple[Input, ...]:
    formula, found = formula_of(asked), [_rows(asked), asked_count(asked)]
    for term in (formula.outcome, *formula.terms):
        found += [_levels(asked, column) for column, _ in term.levels]
        found += [_number(asked, term)] if term.number else []
    return tuple(dict.fromkeys(found))


def values(asked: Asked) -> tuple[Value, ...]:
    return values_of(asked, formula_of(asked).terms)


def together(asked: Asked, sums: Sums) -> Told:
    formula = formula_of(asked)
    sums = rows_as_declared(asked, sums)
    columns = [_column(asked, sums, term) for term in formula.terms]
    outcome = _indicator(asked, sums, *formula.outcome.levels[0])
    words = trained(_training(asked), concatenate(columns, axis=1), outcome)
    settled, independent = promised(words[-2:-1], 1), promised(words[-1:], 1)
    count = sums(_rows(asked)).sum().reshape(1)
    enough = (count >= ROWS_A_COEFFICIENT * len(columns)) + 0
    sound = concatenate([settled] * (len(words) - 2) + [settled - settled + 1])
    return Told(concatenate([words[:-2], independent]), sound, enough)


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    formula = formula_of(asked)
    design = np.column_stack([_plain_column(asked, totals, term) for term in formula.terms])
    outcome = _plain_column(asked, totals, formula.outcome)
    return plain_training(_training(asked), design, outcome, _units(asked))


def rows_as_declared(asked: Asked, sums: Sums) -> Sums:
    """Return the sums of each row, zeros in place of a row that is not as its table declares.

    A number is within its bounds, and a category has one value; rows are rejected, not clipped,
    and whose they are nobody learns. What is not of each row stays as it is.
    """
    items = [item for item in needs(asked) if EACH_ROW in item.cells.axes]
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


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    stepped = is_stepped(asked)
    divisor = LOGISTIC.divisor(asked.rows) if stepped else _training(asked).divisor
    return tuple(table_of(formula_of(asked).terms, found, divisor, "odds ratio"))


def sentences(asked: Asked) -> tuple[str, ...]:
    formula = formula_of(asked)
    if is_stepped(asked):
        return sentences_of(asked, formula)
    return (
        f"how {formula.outcome.name} depends on {', '.join(t.name for t in formula.terms[1:])}: "
        "coefficients and their standard errors, or that there are none, and no step on the way",
        "every member's rows go to the committee, in shares: two of the three could read them",
        "defended: a row dealt out of range, or with no value or several of a category, is none",
        f"nothing where there are fewer than {ROWS_A_COEFFICIENT} rows for a coefficient",
    )


def stepping(asked: Asked) -> Stepping:
    formula, p = formula_of(asked), len(formula_of(asked).terms)
    divisor = LOGISTIC.divisor(asked.rows)

    def sums(rows: Rows, estimates: NDArray[np.float64]) -> NDArray[np.float64]:
        outcome = rows.has(formula.outcome.levels)
        of = Counted(rows.design(formula.terms), outcome, np.zeros(len(outcome)))
        return contribution(LOGISTIC, of, estimates, divisor)

    return Stepping(formula.terms, divisor, (p, p + 1), sums, lambda total: total)


def asked_count(asked: Asked) -> Input:
    return Input(asked.cells(), "count", "")


def _training(asked: Asked) -> Training:
    columns = len(formula_of(asked).terms)
    steps, penalty = int(asked.one("steps", "8")), float(asked.one("penalty", "0"))
    return training(asked.rows, columns, steps, penalty)


def _rows(asked: Asked) -> Input:
    """Return 1 for each row there is, else 0."""
    return Input(asked.cells(EACH_ROW), "count", "")


def _levels(asked: Asked, column: str) -> Input:
    """Return 1 at each row's own value of a category, else 0."""
    return Input(asked.cells(EACH_ROW, Axis(column, ())), "count", "")


def _number(asked: Asked, term: Term) -> Input:
    return Input(asked.cells(EACH_ROW), "sum", term.number, to=scale_of(asked, term)[0])


def _column(asked: Asked, sums: Sums, term: Term) -> SecretArray:
    """Return a column of the design, (rows, 1), at most 1 and with 26 bits of fraction."""
    inside = _indicators(asked, sums, term)
    if not term.number:
        ones = promised(sums(_rows(asked)), 1) if inside is None else inside
        return brought(ones, DESIGN_BITS).reshape(-1, 1)
    shift = DESIGN_BITS - scale_of(asked, term)[1]
    number = within(read(brought(sums(_number(asked, term)), shift), DESIGN_BITS), 1)
    if inside is not None:
        number = times(number, inside, bound=1, f=DESIGN_BITS)
    return number.reshape(-1, 1)


def _indicators(asked: Asked, sums: Sums, term: Term) -> SecretArray | None:
    """Return 1 for each row with all of a term's levels, else 0; None where it has no level."""
    inside: SecretArray | None = None
    for column, value in term.levels:
        one = _indicator(asked, sums, column, value)
        inside = one if inside is None else promised(inside * one, 1)
    return inside


def _indicator(asked: Asked, sums: Sums, column: str, value: str) -> SecretArray:
    at = asked.study.table.column(column).values.index(value)
    return promised(sums(_levels(asked, column))[:, at], 1)


def _plain_column(asked: Asked, totals: Totals, term: Term) -> NDArray[np.float64]:
    column = totals(_rows(asked))
    for name, value in term.levels:
        at = asked.study.table.column(name).values.index(value)
        column = column * totals(_levels(asked, name))[:, at]
    return column * totals(_number(asked, term)) if term.number else column


def _units(asked: Asked) -> NDArray[np.float64]:
    return np.array([float(unit_of(asked, term)) for term in formula_of(asked).terms])
