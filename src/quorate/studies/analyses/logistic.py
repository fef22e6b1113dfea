"""Logistic regression by a formula, trained on rows that nobody sees, revealing no step on the way.

Each member deals its rows to the committee: the columns that the formula names, padded with rows
of zeros to as many as the study allows. Revealed are the coefficients and their standard
errors, or that there are none: the outcome is separated, or columns are collinear. The outcome
is a category of two values; what is explained is the second.

`steps` of Newton's are made, whatever the data. A `penalty` is that of the squares of all
coefficients but the constant, of columns divided by powers of two until their bounds are at
most 1, with which a separated outcome has coefficients too. Ten rows or more are asked for a
coefficient.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.models.glm import LOGISTIC, contribution
from quorate.models.glm import Rows as Counted
from quorate.models.oracle import plain_training
from quorate.models.trained import Training, trained, training
from quorate.mpc.selection import concatenate
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.each_row import (
    check_steps,
    column_of,
    each_row,
    indicator_of,
    plain_column,
    rows_as_declared,
    sentences_of_rows,
    steps_of,
    told,
    units_of,
)
from quorate.studies.analyses.linear import formula_of
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
from quorate.studies.inputs import Input
from quorate.studies.schema import check_number, refuse

KIND = "logistic"
MOST_PENALTY = 1000


def parameters() -> tuple[str, ...]:
    return "formula", "steps", "penalty", CHOICE


def check(asked: Asked) -> None:
    check_stepped(asked, always=False)
    check_steps(asked, "steps", "penalty")
    if not formula_of(asked).outcome.levels:
        refuse(f"{asked.place}.formula", "the outcome must be a category of two values")
    penalty = asked.one("penalty", "0")
    check_number(f"{asked.place}.penalty", penalty, "number")
    if not 0 <= float(penalty) <= MOST_PENALTY:
        refuse(f"{asked.place}.penalty", f"must be 0 to {MOST_PENALTY}")


def needs(asked: Asked) -> tuple[Input, ...]:
    formula = formula_of(asked)
    return each_row(asked, (formula.outcome, *formula.terms))


def values(asked: Asked) -> tuple[Value, ...]:
    return values_of(asked, formula_of(asked).terms)


def together(asked: Asked, sums: Sums) -> Told:
    formula = formula_of(asked)
    sums = rows_as_declared(asked, sums, needs(asked))
    columns = [column_of(asked, sums, term) for term in formula.terms]
    outcome = indicator_of(asked, sums, *formula.outcome.levels[0])
    words = trained(_training(asked), concatenate(columns, axis=1), outcome)
    return told(asked, sums, words)


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    formula = formula_of(asked)
    design = np.column_stack([plain_column(asked, totals, term) for term in formula.terms])
    outcome = plain_column(asked, totals, formula.outcome)
    return plain_training(_training(asked), design, outcome, units_of(asked))


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    stepped = is_stepped(asked)
    divisor = LOGISTIC.divisor(asked.rows) if stepped else _training(asked).divisor
    return tuple(table_of(formula_of(asked).terms, found, divisor, "odds ratio"))


def sentences(asked: Asked) -> tuple[str, ...]:
    formula = formula_of(asked)
    if is_stepped(asked):
        return sentences_of(asked, formula)
    return sentences_of_rows(formula)


def stepping(asked: Asked) -> Stepping:
    formula, p = formula_of(asked), len(formula_of(asked).terms)
    divisor = LOGISTIC.divisor(asked.rows)

    def sums(rows: Rows, estimates: NDArray[np.float64]) -> NDArray[np.float64]:
        outcome = rows.has(formula.outcome.levels)
        of = Counted(rows.design(formula.terms), outcome, np.zeros(len(outcome)))
        return contribution(LOGISTIC, of, estimates, divisor)

    return Stepping(formula.terms, divisor, (p, p + 1), sums, lambda total: total)


def _training(asked: Asked) -> Training:
    columns = len(formula_of(asked).terms)
    penalty = float(asked.one("penalty", "0"))
    return training(asked.rows, columns, steps_of(asked), penalty)
