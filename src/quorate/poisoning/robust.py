"""Defences in the clear: the reference of each that works on shares too.

    range       rows with a value outside what was declared count as none; clipping leaves leverage
    vote        each hospital trains alone, most of them say the class [LF21], and how many liars
                could not have changed it
    median      coordinate by coordinate, of what hospitals trained; and the trimmed mean [YCRB18]
    clipped     no row moves coefficients by more than a bound
    trimmed     a regression of the rows with the smallest residuals [JOBLN18]
    flags       a hospital whose model does not fit the others' rows, or whose rows move a mean
                further than a public limit: one bit, for people to look at, nothing is left out

Which hospital lies is not asked: a defence bounds what any `liars` of them can do. One that needs
more hospitals than there are refuses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quorate.errors import Refused
from quorate.poisoning.learners import Model, chance, curve_area
from quorate.poisoning.rows import Floats, Rows

RIDGE = 1e-6
AREA_BELOW = 0.10
"""How far a hospital's area under the curve on others' rows may lie below the median one."""


@dataclass(frozen=True, slots=True)
class Voted:
    """Classes that most models say, and for each row how many lying hospitals it withstands."""

    classes: Floats
    withstands: Floats  # -1 where one hospital less already turns it


def in_range(rows: Rows, low: Floats, high: Floats) -> Rows:
    """Return the rows all of whose measurements, and class, are as declared."""
    inside = ((rows.features >= low) & (rows.features <= high)).all(axis=1)
    return rows[np.flatnonzero(inside & np.isin(rows.outcome, (0.0, 1.0)))]


def vote(models: Sequence[Model], features: Floats) -> Voted:
    """Return what most models say; a tie is class 0."""
    ones = np.sum([model.classes(features) for model in models], axis=0)
    others = len(models) - ones
    wins = ones > others
    # A liar takes a vote from one side and gives it to the other; ties go to class 0.
    gap = np.where(wins, ones - others - 1, others - ones)
    return Voted(wins.astype(np.float64), np.floor(gap / 2))


def median(vectors: Floats) -> Floats:
    """Return the middle of each coordinate of (hospitals, m); of an even number, of the two.

    Coefficients must be of measurements about one common middle that is near all rows: else the
    median of the constants does not belong to that of the slopes.
    """
    found: Floats = np.median(vectors, axis=0)
    return found


def trimmed_mean(vectors: Floats, liars: int) -> Floats:
    """Return the mean of each coordinate without its `liars` lowest and highest."""
    refuse_few(len(vectors), liars)
    found: Floats = np.sort(vectors, axis=0)[liars : len(vectors) - liars].mean(axis=0)
    return found


def refuse_few(hospitals: int, liars: int) -> None:
    """Raise `Refused` where so many liars may be half of all, or more."""
    if 2 * liars >= hospitals:
        raise Refused(
            f"{liars} lying of {hospitals} hospitals are not fewer than half",
            hint=f"it takes {2 * liars + 1} hospitals to stand {liars}",
        )


def clipped_logistic(columns: Floats, outcome: Floats, *, bound: float, steps: int = 200) -> Floats:
    """Return coefficients by steps in which no row weighs more than `bound`.

    `columns` (n, p) have mean 0 and spread 1; each row's gradient is shortened to `bound`.
    """
    design = np.column_stack([np.ones(len(columns)), columns])
    found = np.zeros(design.shape[1])
    length = np.linalg.norm(design, axis=1)
    for step in range(steps):
        left = outcome - chance(design @ found)
        shortened = left * np.minimum(1, bound / np.maximum(np.abs(left) * length, 1e-12))
        found = found + design.T @ shortened / len(design) * 2 / (1 + step / 50)
    return found


def trimmed_linear(rows: Rows, kept: float) -> Floats:
    """Return coefficients of the `kept` share of rows that fit them best, the constant first.

    Fit all, keep the smallest residuals, fit these, until the same rows stay [JOBLN18]. Starts from
    small random sets do worse: rows in corners fit one another better than true ones do.
    """
    design = np.column_stack([np.ones(len(rows)), rows.features])
    count = max(round(kept * len(rows)), design.shape[1])
    chosen = np.arange(len(rows))
    while True:
        inside = design[chosen]
        ridge = RIDGE * len(chosen) * np.eye(design.shape[1])
        found = np.linalg.solve(inside.T @ inside + ridge, inside.T @ rows.outcome[chosen])
        left = (rows.outcome - design @ found) ** 2
        best = np.sort(np.argsort(left, kind="stable")[:count])
        if np.array_equal(best, chosen):
            return np.asarray(found, np.float64)
        chosen = best


def area_flags(parts: Sequence[Rows], models: Sequence[Model | None]) -> list[bool | None]:
    """Return whether each hospital's model fits the others' rows far worse than theirs do.

    None where that cannot be judged: a hospital whose rows are of one class has no model.
    """
    medians: list[float] = []
    for i, model in enumerate(models):
        areas = [
            curve_area(model.score(part.features), part.outcome)
            for j, part in enumerate(parts)
            if model is not None and i != j
        ]
        judged = [area for area in areas if not np.isnan(area)]
        medians.append(float(np.median(judged)) if judged else float("nan"))
    if np.isnan(medians).all():
        return [None] * len(parts)
    usual = float(np.nanmedian(medians))
    return [None if np.isnan(one) else one < usual - AREA_BELOW for one in medians]


def influence_flags(sums: Floats, counts: Floats, limit: float) -> list[bool]:
    """Return whether the mean of all moves by more than `limit` without one hospital.

    `sums` and `counts` (hospitals,). A hospital that has all rows is flagged.
    """
    whole, rows = sums.sum(), counts.sum()
    moved = np.abs(sums * rows - counts * whole) > limit * rows * (rows - counts)
    return [bool(one) for one in moved | ((rows == counts) & (rows > 0))]
