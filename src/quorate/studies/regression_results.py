"""From the noisy sums of a regression to its coefficients, in the units that columns have.

Everybody computes the same exact fractions (`dp.regression`) and rounds them to 10^-9.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from quorate.dp import regression
from quorate.dp.planning import variance_of
from quorate.studies.analyses.asked import Asked
from quorate.studies.analyses.outcome import told_at, untold_at
from quorate.studies.analyses.terms import Term
from quorate.studies.noised import Vector, bounds_of
from quorate.studies.regressions import (
    LARGEST,
    STEPS,
    Product,
    asked_regressions,
    formula_of,
    outcome_of,
    plain,
    products_of,
    times,
    values_of,
)
from quorate.studies.results import WITHHELD, Result
from quorate.studies.study import Study

_KINDS = {"linear": regression.linear, "logistic": regression.logistic}


Sums = dict[str, tuple[Vector, tuple[int, ...]]]
"""Of each regression, by its name, what was added up and what came out."""


def regression_results(study: Study, sums: Sums) -> Iterator[Result]:
    """Yield the results of a study's regressions."""
    for asked in asked_regressions(study):
        found = _words(asked, *sums[asked.analysis.name])
        for value, word in zip(values_of(asked), found, strict=True):
            if word is None:
                yield untold_at(asked, value, WITHHELD)
            else:
                yield told_at(asked, value, Fraction(word, value.over))


def _words(asked: Asked, vector: Vector, numbers: tuple[int, ...]) -> list[int | None]:
    """Return the released values, in their steps; none of them where there are too few rows."""
    sums = dict(zip(products_of(asked), numbers, strict=True))
    terms, rows = formula_of(asked).terms, numbers[0]
    if rows < LARGEST * asked.study.min_cell:
        return [None] * (len(terms) + 2)
    gram = [[_at(sums, times(plain(a), plain(b))) for b in terms] for a in terms]
    moments = [_at(sums, times(plain(term), outcome_of(asked))) for term in terms]
    ridge = regression.ridge_of(gram, _variance(vector))
    found = _KINDS[asked.analysis.kind](gram, moments, ridge)
    words = [_step(x) for x in (*_in_units(asked, found), ridge)]
    return [*words[:-1], rows, words[-1]]


def _variance(vector: Vector) -> Fraction:
    """Return about the variance of the noise on a sum, in units: only the ridge hangs on it."""
    if vector.mechanism is None:
        raise ValueError("the sums of a regression have noise")
    return (
        Fraction(ceil(variance_of(vector.mechanism))) * Fraction(vector.step / vector.factor) ** 2
    )


def _in_units(asked: Asked, found: tuple[Fraction, ...]) -> list[Fraction]:
    """Return coefficients of columns as declared, from those of columns between -1 and 1."""
    formula = formula_of(asked)
    units = dict.fromkeys(formula.terms, Fraction(0))
    for term, w in zip(formula.terms, found, strict=True):
        if not term.number:
            units[term] += w
            continue
        middle, half = _middle(asked, term.number)
        units[term] += w / half
        units[Term("", term.levels)] -= w * middle / half
    if formula.outcome.number:
        middle, half = _middle(asked, formula.outcome.number)
        units = {term: w * half for term, w in units.items()}
        units[Term("", ())] += middle
    return list(units.values())


def _middle(asked: Asked, column: str) -> tuple[Fraction, Fraction]:
    """Return the middle of a number's bounds, and half their distance."""
    bounds = bounds_of(asked.study, column)
    return (bounds.low + bounds.high) / 2, (bounds.high - bounds.low) / 2


def _at(sums: dict[Product, int], product: Product | None) -> Fraction:
    return Fraction(0) if product is None else Fraction(sums[product], LARGEST)


def _step(x: Fraction) -> int:
    """Return x in steps, cut off where a word would end."""
    most = 1 << 62
    return min(max(round(x * STEPS), -most), most)
