"""Poisson regression of counts, with a time of observation, by steps that all see.

`offset` is a column above 0, such as person-years, whose logarithm counts with coefficient 1, as
R's `offset(log(years))`.
"""

from fractions import Fraction

import numpy as np

from quorate.models.glm import Family, contribution
from quorate.models.glm import Rows as Counted
from quorate.models.glm import poisson as family
from quorate.models.outputs import Floats
from quorate.studies.analyses.asked import Asked, Derived, Found, Value
from quorate.studies.analyses.linear import formula_of
from quorate.studies.analyses.stepped import (
    CHOICE,
    Rows,
    Stepping,
    check_stepped,
    sentences_of,
    table_of,
    values_of,
)
from quorate.studies.schema import refuse

KIND = "poisson"


def parameters() -> tuple[str, ...]:
    return "formula", "offset", CHOICE


def check(asked: Asked) -> None:
    check_stepped(asked, always=True)
    outcome = formula_of(asked).outcome
    if not outcome.number or asked.study.table.column(outcome.number).kind != "integer":
        refuse(f"{asked.place}.formula", "the outcome must be a whole number")
    if Fraction(asked.study.table.column(outcome.number).low) < 0:
        refuse(f"{asked.place}.formula", "a count is not below 0", "declare its low bound as 0")
    if asked.values("offset"):
        column = asked.column("offset", "integer", "number")
        if Fraction(column.low) <= 0:
            refuse(f"{asked.place}.offset", f"{column.name} may be 0 or less", "narrow its bounds")


def values(asked: Asked) -> tuple[Value, ...]:
    return values_of(asked, formula_of(asked).terms)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    terms = formula_of(asked).terms
    return tuple(table_of(terms, found, _family(asked).divisor(asked.rows), "rate ratio"))


def sentences(asked: Asked) -> tuple[str, ...]:
    return sentences_of(asked, formula_of(asked))


def stepping(asked: Asked) -> Stepping:
    formula, p = formula_of(asked), len(formula_of(asked).terms)
    divisor = _family(asked).divisor(asked.rows)

    def sums(rows: Rows, estimates: Floats) -> Floats:
        years = rows.raw(asked.one("offset")) if asked.values("offset") else np.ones(1)
        offset = np.broadcast_to(np.log(years), len(rows.numbers))
        outcome = rows.raw(formula.outcome.number)
        of = Counted(rows.design(formula.terms), outcome, offset)
        return contribution(_family(asked), of, estimates, divisor)

    return Stepping(formula.terms, divisor, (p, p + 1), sums, lambda total: total)


def _family(asked: Asked) -> Family:
    return family(max(float(asked.study.table.column(formula_of(asked).outcome.number).high), 1.0))
