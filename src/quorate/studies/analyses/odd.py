"""Whose model does not fit the others' rows: a bit of each member, for people to look at.

Each member learns from its own rows alone (`alone`) and deals its model with a few rows of each
class. On shares each model says a score of the other members' rows; the area under its curve is
how often a row of one class scores above one of the other [HanM82]. A member is odd if the median
of its areas lies more than 0.10 below the median of all members'. Areas are not shown, nor scores.

A bit is a question, never an exclusion: a member whose patients are different may be odd, and one
that turns fewer than half of its classes is not. Where a member has rows of one class only, or
deals what is out of range, nothing can be judged, and that is all that is said.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.models.products import read
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.poisoning import secure
from quorate.poisoning.robust import AREA_BELOW, area_flags
from quorate.poisoning.rows import Floats
from quorate.poisoning.rows import Rows as Learnt
from quorate.studies.analyses.alone import (
    BITS,
    FARTHEST,
    MIDDLE,
    by_member,
    check_alone,
    dealt_models,
    design_of,
    model_input,
    model_words,
    outcome_of,
    plain_models,
    words_of,
)
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.guards import all_of
from quorate.studies.analyses.linear import formula_of
from quorate.studies.analyses.stepped import Rows
from quorate.studies.inputs import Input

KIND = "odd"
SAMPLE = 24  # rows of each class that a member deals, evenly spread; repeated where there are fewer
PAIRS = SAMPLE * SAMPLE
Numbers = NDArray[np.int64]


def parameters() -> tuple[str, ...]:
    return "formula", MIDDLE


def check(asked: Asked) -> None:
    check_alone(asked)


def needs(asked: Asked) -> tuple[Input, ...]:
    return (model_input(asked, 2 * SAMPLE * _width(asked)),)


def own(asked: Asked, numbers: Numbers) -> Numbers:
    """Return a member's model, rows of class 0, then of class 1; zeros where it has no model."""
    rows = Rows(asked, numbers)
    model = model_words(asked, rows)
    if not model[-1]:
        return np.zeros(len(model) + 2 * SAMPLE * _width(asked), np.int64)
    design, outcome = design_of(asked, rows)[:, 1:], outcome_of(asked, rows)
    chosen = [_spread(design[outcome == value]) for value in (0, 1)]
    return np.concatenate([model, *(words_of(part).reshape(-1) for part in chosen)])


def values(asked: Asked) -> tuple[Value, ...]:
    members = (f"member {i + 1}" for i in range(asked.members))
    return tuple(Value("is odd", "", 1, 0, 1, (name,)) for name in members)


def together(asked: Asked, sums: Sums) -> Told:
    (item,) = needs(asked)
    members, width = asked.members, _width(asked)
    words = by_member(asked, sums(item))
    models = dealt_models(asked, words[:, : width + 2])
    sample = words[:, width + 2 :]
    edge = np.full(sample.shape[1], FARTHEST << BITS)
    inside = secure.rows_in_range(sample, -edge, edge)
    sound = all_of(concatenate([models.there == 1, inside == 1]))
    kept = promised(secure.kept_rows(sample, inside), FARTHEST << BITS)
    rows = read(kept, BITS).reshape(members * 2 * SAMPLE, width)
    constant = promised(rows[:, :1] * 0 + 1, 1 << BITS)
    scores = secure.scores(models.coefficients, concatenate([constant, rows], axis=1))
    flags = _flags(_twice_areas(scores.reshape(members, 2, SAMPLE, members)))
    return Told(flags, concatenate([sound.reshape(1)] * members), sound.reshape(1) * 0 + 1)


def _twice_areas(scores: SecretArray) -> SecretArray:
    """Return 2 PAIRS times the area of each model (last) on each member's rows (first).

    `scores` (members, class, SAMPLE, members). Cost: two comparisons for each pair of rows.
    """
    members = scores.shape[0]
    none = scores[:, 0].reshape(members, 1, SAMPLE, members)
    one = scores[:, 1].reshape(members, SAMPLE, 1, members)
    above, below = ((x > y) + 0 for x, y in ((one, none), (none, one)))
    gap = (above - below).reshape(members, PAIRS, members).sum(axis=1)
    return promised(gap + PAIRS, 2 * PAIRS)


def _flags(areas: SecretArray) -> SecretArray:
    """Return a bit for each model: is the median of its areas on others' rows far below?"""
    members = areas.shape[0]
    others = [
        concatenate([areas[i, j].reshape(1, 1) for i in range(members) if i != j])
        for j in range(members)
    ]
    own = _twice_median(concatenate(others, axis=1))
    usual = _twice_median(own.reshape(members, 1))
    return ((usual - 2 * own > round(8 * PAIRS * AREA_BELOW)) + 0).reshape(-1)


def _twice_median(numbers: SecretArray) -> SecretArray:
    """Return twice the median of each column of integers."""
    n = numbers.shape[0]
    middle = secure.sorted_places(numbers, sorted({(n - 1) // 2, n // 2}))
    return middle.sum(axis=0) * (1 if n % 2 == 0 else 2)


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    (item,) = needs(asked)
    width = _width(asked)
    words = totals(item).reshape(asked.members, -1)
    models = plain_models(asked, words[:, : width + 2])
    if any(model is None for model in models):
        return (None,) * asked.members
    outcome = np.repeat([0.0, 1.0], SAMPLE)
    parts = [
        Learnt(sample.reshape(2 * SAMPLE, width) / 2.0**BITS, outcome)
        for sample in words[:, width + 2 :]
    ]
    return tuple(float(bool(flag)) for flag in area_flags(parts, models))


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:  # noqa: ARG001 - as all kinds
    return ()


def sentences(asked: Asked) -> tuple[str, ...]:
    outcome = formula_of(asked).outcome.name
    return (
        f"of each member a bit, to all: does its own model of {outcome} fit the others' rows far "
        "worse than theirs do? It is no proof of a lie, and excludes nobody",
        f"each member deals its model and {SAMPLE} rows of each class in shares: two of the three "
        "could read them",
        "not seen: a member that turns fewer than half of its classes",
    )


def _width(asked: Asked) -> int:
    return len(formula_of(asked).terms) - 1


def _spread(design: Floats) -> Floats:
    """Return SAMPLE of the rows, evenly spread, some of them again where there are fewer."""
    places = np.linspace(0, len(design) - 1, SAMPLE).round().astype(np.int64)
    return design[places]
