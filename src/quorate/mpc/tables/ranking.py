"""The order of shuffled secret rows, revealed [HKI12]: all that anybody sees is a random order.

Rows must be shuffled, and no two alike: then what comparisons say follows from the order of
the rows, which is uniformly random whatever they hold. A sample is sorted first, all others
find their place among it by several sample rows at a time, and what lies between two of them
is sorted by quicksort with several pivots, in all segments at once. More pivots mean
fewer rounds and more comparisons.

Adversary: as in `mpc.replicated`; each level's comparisons are verified before they are
revealed, where the committee checks. Unreviewed.
"""

from dataclasses import dataclass

import numpy as np

from quorate.mpc.cost import Pace
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.tables import segments
from quorate.mpc.tables.lanes import less
from quorate.mpc.tables.permutations import Places
from quorate.mpc.tables.table import taken

FAR_MS = 2
"""A message that takes so long makes rounds dearer than comparisons."""

FEW_ROWS = 200_000
"""Rows up to which rounds, on a slow line, count more than bytes."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a sort trades rounds for comparisons: a choice of everybody alike."""

    step: int
    """2^step - 1 sample rows in a step of a search."""

    pivots: int

    few: int
    """Rows of a segment, or of all, that are compared all with all."""

    share: int
    """One row in so many is in the sample, about."""


NEARBY = Form(step=1, pivots=3, few=4, share=64)
FAR_AWAY = Form(step=3, pivots=7, few=16, share=128)
ALL_PAIRS = 256
"""Rows up to which a sample is not worth its rounds."""


def form(rows: int, pace: Pace) -> Form:
    """Return what is quickest for so many rows."""
    return FAR_AWAY if pace.journey_ms >= FAR_MS and rows <= FEW_ROWS else NEARBY


async def order(committee: Committee, keys: Share, pace: Pace) -> Places:
    """Reveal the order of shuffled rows of words with reversed bits, (rows, lanes), none alike.

    Returns for each place the row that belongs there. Rounds and bytes depend on the
    random order: about 20 comparisons a row of 10^6.
    """
    return await _ordered(committee, keys, form(keys.shape[0], pace), pace)


async def _ordered(committee: Committee, keys: Share, form: Form, pace: Pace) -> Places:
    rows = keys.shape[0]
    sample = _sample_size(rows, form)
    if not sample:
        whole = segments.cut(np.array([0, rows]))
        few = ALL_PAIRS if form is FAR_AWAY else form.few
        return await _quicksort(committee, keys, np.arange(rows), whole, form, few, pace)
    of_sample = await _ordered(committee, taken(keys, slice(sample)), form, pace)
    buckets = await _searched(committee, keys, of_sample, form, pace)
    arranged, bounds = _arranged(buckets, of_sample)
    return await _quicksort(committee, keys, arranged, segments.cut(bounds), form, form.few, pace)


def _sample_size(rows: int, form: Form) -> int:
    """Return one less than a power of the base, or 0 where there is no use for a sample."""
    if rows <= ALL_PAIRS:
        return 0
    steps = max(round(np.log2(rows / form.share) / form.step), 1)
    return int((1 << form.step * steps) - 1)


async def _searched(
    committee: Committee, keys: Share, of_sample: Places, form: Form, pace: Pace
) -> Places:
    """Return how many rows of the sorted sample are less than each of the other rows."""
    sample, rows = of_sample.size, keys.shape[0]
    others = np.arange(sample, rows)
    below, span = np.zeros(others.size, np.int64), sample + 1
    while span > 1:
        span >>= form.step
        steps = span * np.arange(1, 1 << form.step)
        against = of_sample[(below[:, None] + (steps - 1)).reshape(-1)]
        found = await less(committee, keys, against, np.repeat(others, steps.size), pace)
        below += span * found.reshape(-1, steps.size).sum(axis=1)
    return below


def _arranged(buckets: Places, of_sample: Places) -> tuple[Places, Places]:
    """Return rows by bucket, with the sample between them, and where buckets begin and end."""
    sample = of_sample.size
    sizes = np.bincount(buckets, minlength=sample + 1)
    ends = np.cumsum(sizes) + np.arange(sample + 1)
    arranged = np.empty(sample + buckets.size, np.int64)
    arranged[ends[:-1]] = of_sample
    is_other = np.ones(arranged.size, np.bool_)
    is_other[ends[:-1]] = False
    arranged[is_other] = sample + np.argsort(buckets.astype(np.uint16), kind="stable")
    # A bucket ends where a sample row stands, which is a segment of its own, and done.
    bounds = np.stack((ends - sizes, ends), axis=1).reshape(-1)
    return arranged, bounds


async def _quicksort(
    committee: Committee,
    keys: Share,
    arranged: Places,
    left: segments.Segments,
    form: Form,
    few: int,
    pace: Pace,
) -> Places:
    """Return the order once all segments of the arrangement are sorted."""
    near = taken(keys, arranged)  # rows of a segment lie side by side
    moved = np.arange(arranged.size)
    while left.rows:
        level = segments.level(left, form.pivots, few)
        pairs = segments.pairs(level)
        found = await less(committee, near, moved[pairs.left], moved[pairs.right], pace)
        source, left = segments.sorted_rows(level, found)
        places = level.places
        moved[places] = moved[source]
    return arranged[moved]
