"""Quicksort in all segments at once: which rows are compared, and where they go. Nothing secret.

A segment is rows in a row whose place among the others is known as a whole. Its first rows are the
pivots; each pivot is compared with all rows after it. Few rows are all pivots, and are done.
"""

from dataclasses import dataclass

import numpy as np

from quorate.algebra.bits import Bits
from quorate.mpc.tables.permutations import Places


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of an order, of two rows or more each."""

    starts: Places
    lengths: Places

    @property
    def rows(self) -> int:
        return int(self.lengths.sum())


@dataclass(frozen=True, slots=True)
class Pairs:
    """Places in the order that are to be compared: is `left`, a pivot, less than `right`?"""

    left: Places
    right: Places


@dataclass(frozen=True, slots=True)
class Level:
    """The rows of all segments, one after the other, as a level of the sort sees them."""

    segments: Segments
    of: Places
    """Of each row, which segment it is in."""

    within: Places
    """Of each row, its place in the segment."""

    pivots: Places
    """Of each segment, how many of its rows are pivots."""

    @property
    def places(self) -> Places:
        return self.segments.starts[self.of] + self.within


def cut(bounds: Places) -> Segments:
    """Return the segments between these places in which something is left to sort."""
    starts, lengths = bounds[:-1], np.diff(bounds)
    return _unfinished(starts, lengths)


def level(segments: Segments, pivots: int, few: int) -> Level:
    """Choose so many pivots in each segment; all rows of segments of at most `few`."""
    lengths = segments.lengths
    of = np.repeat(np.arange(lengths.size), lengths)
    first = np.cumsum(lengths) - lengths
    within = np.arange(of.size) - first[of]
    return Level(segments, of, within, np.where(lengths <= few, lengths, pivots))


def pairs(level: Level) -> Pairs:
    """Return what is compared in this level."""
    chosen = _by_pivot(level)
    starts, places = level.segments.starts[level.of], level.places
    left = [starts[rows] + pivot for pivot, rows in enumerate(chosen)]
    return Pairs(np.concatenate(left), np.concatenate([places[rows] for rows in chosen]))


def sorted_rows(level: Level, less: Bits) -> tuple[Places, Segments]:
    """Return which place's row stands in each of the level's places, and what is left to sort."""
    below = _below(level, less)
    is_pivot = level.within < level.pivots[level.of]
    classes = 2 * below + is_pivot
    count = 2 * int(level.pivots.max()) + 1
    sizes = np.bincount(level.of * count + classes, minlength=level.pivots.size * count)
    firsts = np.cumsum(sizes) - sizes
    to = np.empty(level.of.size, np.int64)
    for one in range(count):
        rows = np.flatnonzero(classes == one)
        in_class = sizes[one::count]
        before = np.cumsum(in_class) - in_class
        to[rows] = (firsts[one::count] - before)[level.of[rows]] + np.arange(rows.size)
    places, source = level.places, np.empty_like(to)
    source[to] = places
    return source, _left(level, sizes, firsts, count)


def _by_pivot(level: Level) -> list[Places]:
    """Return, for each pivot, the rows that are compared with it."""
    pivots = level.pivots[level.of]
    last = np.minimum(level.within, pivots)
    return [np.flatnonzero(last > pivot) for pivot in range(int(level.pivots.max()))]


def _below(level: Level, less: Bits) -> Places:
    """Return how many pivots of its segment are less than each row."""
    below = np.zeros(level.of.size, np.int64)
    first = np.cumsum(level.segments.lengths) - level.segments.lengths
    at = 0
    for pivot, rows in enumerate(_by_pivot(level)):
        is_less = less[at : at + rows.size]
        below[rows] += is_less
        other = rows[~is_less & (level.within[rows] < level.pivots[level.of[rows]])]
        beaten = np.bincount(level.of[other], minlength=first.size)
        has = level.pivots > pivot
        below[first[has] + pivot] += beaten[has]
        at += rows.size
    return below


def _left(level: Level, sizes: Places, firsts: Places, count: int) -> Segments:
    """Return the segments between pivots."""
    lengths = sizes.reshape(-1, count)[:, ::2]
    rows = np.cumsum(level.segments.lengths) - level.segments.lengths
    offset = level.segments.starts - rows
    starts = firsts.reshape(-1, count)[:, ::2] + offset[:, None]
    return _unfinished(starts.reshape(-1), lengths.reshape(-1))


def _unfinished(starts: Places, lengths: Places) -> Segments:
    some = lengths > 1
    return Segments(starts[some], lengths[some])
