"""Regressions by steps that all see: the cheaper choice, which the study has to make in words.

With `reveal_iterations = true` each member adds up over its own rows, at coefficients that all
know, what `models.glm` or `models.cox` say; of the sums, in shares, the next coefficients are
revealed (`models.newton`). What is revealed beyond the result is each step on the way, and how
many there were. Rows stay in each member's own memory; a study has one such analysis alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from quorate.models.newton import MOST_STEPS
from quorate.models.outputs import Floats
from quorate.models.solving import SOLUTION_BITS
from quorate.mpc.secret import SecretArray
from quorate.studies.analyses import tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Value
from quorate.studies.analyses.linear import ROWS_A_COEFFICIENT, formula_of, unit_of, value_of
from quorate.studies.analyses.terms import Formula, Term
from quorate.studies.schema import DECIMALS, Column, refuse

CHOICE = "reveal_iterations"
_COLUMNS = ("offset", "time", "event", "held_out")
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stepping:
    """What a run of steps needs: the terms, the public divisor, and what is dealt in a step."""

    terms: tuple[Term, ...]
    divisor: float
    size: tuple[int, int]  # of what a member deals
    sums: Callable[["Rows", Floats], Floats]
    """Returns what a member deals of its rows at some coefficients, over the divisor."""
    equations: Callable[[SecretArray], SecretArray]
    """Returns [H g] (p, p + 1) of what all dealt, added up, at most 1 with 60 bits of fraction."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One member's rows of an analysis: whole numbers, a column for each of `columns_of`."""

    asked: Asked
    numbers: Numbers  # (rows, columns)

    def raw(self, name: str) -> Floats:
        """Return a column of numbers as they are; of a category the place of each value."""
        columns = columns_of(self.asked)
        at = next(i for i, column in enumerate(columns) if column.name == name)
        unit = 10.0 ** DECIMALS[columns[at].kind] if columns[at].kind != "category" else 1.0
        return np.asarray(self.numbers[:, at] / unit, np.float64)

    def term(self, term: Term) -> Floats:
        """Return a term's column, at most 1."""
        column = self.has(term.levels)
        if not term.number:
            return column
        return np.asarray(column * self.raw(term.number) / float(unit_of(self.asked, term)))

    def has(self, levels: Sequence[tuple[str, str]]) -> Floats:
        """Return 1 where a row has all these values of categories, else 0."""
        column = np.ones(len(self.numbers))
        for name, value in levels:
            place = self.asked.study.table.column(name).values.index(value)
            column = column * (self.raw(name) == place)
        return np.asarray(column, np.float64)

    def design(self, terms: Sequence[Term]) -> Floats:
        return np.column_stack([self.term(term) for term in terms])


def is_stepped(asked: Asked) -> bool:
    return asked.one(CHOICE, "no") == "yes"


def check_stepped(asked: Asked, *, always: bool) -> None:
    """Refuse a choice that is none, or that is not offered. Raises `MalformedStudy`."""
    if asked.one(CHOICE, "no") not in {"yes", "no"}:
        refuse(f"{asked.place}.{CHOICE}", "is neither true nor false")
    if always and not is_stepped(asked):
        what = f"a {asked.analysis.kind} regression is computed by steps that all members see"
        refuse(f"{asked.place}.{CHOICE}", what, f"accept that with {CHOICE} = true")
    if is_stepped(asked):
        asked.check_rows()
        if len(asked.study.analyses) > 1 or asked.study.releases:
            refuse(asked.place, "its steps stand alone", "propose the rest as a study of its own")


def columns_of(asked: Asked) -> tuple[Column, ...]:
    """Return the columns whose values a member needs row by row."""
    formula = formula_of(asked)
    terms = (formula.outcome, *formula.terms)
    named = {term.number for term in terms} | {name for term in terms for name, _ in term.levels}
    named |= {asked.one(name) for name in _COLUMNS if asked.values(name)}
    return tuple(column for column in asked.study.table.columns if column.name in named)


def values_of(asked: Asked, terms: Sequence[Term]) -> tuple[Value, ...]:
    """Return what is revealed at the end, as of a regression that shows no step."""
    units = [(term.name, (1 << SOLUTION_BITS) * unit_of(asked, term)) for term in terms]
    return (
        *(value_of("estimate", unit, (name,)) for name, unit in units),
        *(value_of("deviation", unit, (name,)) for name, unit in units),
        Value("columns are independent", "", 1, 0, 1),
    )


def table_of(terms: Sequence[Term], found: Found, divisor: float, ratio: str) -> Iterator[Derived]:
    """Yield standard errors, z, p, intervals, and the ratio that a coefficient is the log of."""
    for term, estimate, root in zip(terms, found, found[len(terms) :], strict=False):
        if estimate is None or root is None:
            return
        yield from tails.table(term.name, float(estimate), float(root) / sqrt(divisor))
        if term.levels or term.number:
            most = min(float(estimate), 700.0)
            yield Derived(ratio, (term.name,), "", float(np.exp(most)))


def sentences_of(asked: Asked, formula: Formula) -> tuple[str, ...]:
    return (
        f"how {asked.analysis.kind} regression has {formula.outcome.name} depend on "
        f"{', '.join(term.name for term in formula.terms[1:])}: coefficients and standard errors",
        f"every step on the way to them, at most {MOST_STEPS}: coefficients that each fit better, "
        "and nothing of the sums they come from; costs are of that many, and 5 or 6 are usual",
        f"nothing where there are fewer than {ROWS_A_COEFFICIENT} rows for a coefficient",
    )
