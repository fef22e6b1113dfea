"""Poisson regression of counts, with a time of observation, on rows that nobody sees, or by steps.

`offset` is a column above 0, such as person-years, whose logarithm counts with coefficient 1, as
R's `offset(log(years))`. Members deal their rows to the committee, which makes `steps` of Newton's
and reveals the result, and none of them; with `reveal_iterations` rows stay at home and all see
each step.
"""

from fractions import Fraction

import numpy as np

from quorate.models.counting import MOST_COUNT, Counting, counted, counting
from quorate.models.glm import Family, contribution
from quorate.models.glm import Rows as Counted
from quorate.models.glm import poisson as family
from quorate.models.oracle import plain_counting
from quorate.models.outputs import Floats
from quorate.mpc.secret import promised
from quorate.mpc.selection import concatenate
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.each_row import (
    check_steps,
    column_of,
    each_row,
    plain_column,
    rows_as_declared,
    sentences_of_rows,
    steps_of,
    told,
    units_of,
)
from quorate.studies.analyses.linear import formula_of, unit_of
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
from quorate.studies.analyses.terms import Term
from quorate.studies.inputs import EACH_ROW, Input
from quorate.studies.schema import refuse

KIND = "poisson"


def parameters() -> tuple[str, ...]:
    return "formula", "offset", "steps", CHOICE


def check(asked: Asked) -> None:
    check_stepped(asked, always=False)
    check_steps(asked, "steps")
    outcome = formula_of(asked).outcome
    if not outcome.number or asked.study.table.column(outcome.number).kind != "integer":
        refuse(f"{asked.place}.formula", "the outcome must be a whole number")
    if Fraction(asked.study.table.column(outcome.number).low) < 0:
        refuse(f"{asked.place}.formula", "a count is not below 0", "declare its low bound as 0")
    if not is_stepped(asked) and _most(asked) > MOST_COUNT:
        refuse(f"{asked.place}.formula", f"{outcome.name} may be above {MOST_COUNT}")
    if asked.values("offset"):
        column = asked.column("offset", "integer", "number")
        if Fraction(column.low) <= 0:
            refuse(f"{asked.place}.offset", f"{column.name} may be 0 or less", "narrow its bounds")


def needs(asked: Asked) -> tuple[Input, ...]:
    terms = [*formula_of(asked).terms, _exposure(asked)]
    return (*each_row(asked, terms), _events(asked))


def values(asked: Asked) -> tuple[Value, ...]:
    return values_of(asked, formula_of(asked).terms)


def together(asked: Asked, sums: Sums) -> Told:
    sums = rows_as_declared(asked, sums, needs(asked))
    columns = [column_of(asked, sums, term) for term in formula_of(asked).terms]
    events = promised(sums(_events(asked)), _most(asked))
    exposure = column_of(asked, sums, _exposure(asked)).reshape(-1)
    words = counted(_counting(asked), concatenate(columns, axis=1), events, exposure)
    return told(asked, sums, words)


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    terms = formula_of(asked).terms
    design = np.column_stack([plain_column(asked, totals, term) for term in terms])
    exposure = plain_column(asked, totals, _exposure(asked))
    return plain_counting(
        _counting(asked), design, totals(_events(asked)), exposure, units_of(asked)
    )


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    stepped = is_stepped(asked)
    divisor = _family(asked).divisor(asked.rows) if stepped else _counting(asked).scale
    return tuple(table_of(formula_of(asked).terms, found, divisor, "rate ratio"))


def sentences(asked: Asked) -> tuple[str, ...]:
    formula = formula_of(asked)
    return sentences_of(asked, formula) if is_stepped(asked) else sentences_of_rows(formula)


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
    return family(float(_most(asked)))


def _most(asked: Asked) -> int:
    return max(int(asked.study.table.column(formula_of(asked).outcome.number).high), 1)


def _events(asked: Asked) -> Input:
    """Return the count of each row."""
    return Input(asked.cells(EACH_ROW), "sum", formula_of(asked).outcome.number, to=0)


def _exposure(asked: Asked) -> Term:
    """Return the column of exposures, or that of ones."""
    return Term(asked.one("offset") if asked.values("offset") else "", ())


def _counting(asked: Asked) -> Counting:
    unit, columns = float(unit_of(asked, _exposure(asked))), len(formula_of(asked).terms)
    return counting(asked.rows, columns, steps_of(asked), _most(asked), unit)
