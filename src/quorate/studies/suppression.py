"""Which cells of a release are withheld because few rows are in them: one rule, for every engine.

A cell of 1 to min_cell - 1 rows is *small* and withheld. A study that releases the
total of a line of cells too would give a single small cell away. So in each line

* whose total is shown, at least two cells are withheld, with min_cell rows together, or none;
* whose total is withheld, at least one cell is, unless all are empty,

and where that does not hold the line withholds its next smallest cell: the first, of equals.
Lines are those of releases of one study over the same condition. Two tables that both add up to
a third, as those by sex and by ward do to the number of all rows, tell it, released or not:
it counts as a total that is shown, unless it is small itself.

All lines look at once, and again `passes` times, whatever the numbers are. A line withholds
at most one cell in all: then its rule holds, also when others withhold more. What one line
does concerns lines between other tables only. So a chain of lines, each set off by the one
before, has no line twice and never two between the same tables in a row: if the most lines
between two tables are m of M, it has at most min(M, 2 (M - m) + 1) lines, and after so
many passes nothing changes any more.

The functions are for NumPy arrays and for secret ones alike: a node that sees the counts
decides in the clear, a committee on shares. Not stopped: sums of releases over different
conditions, several studies, what somebody knows from elsewhere, and, in large tables, equations
over many lines at once (see docs/study-file.md). It is the plain form of complementary
suppression [Cox80].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import product
from operator import or_
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate
from quorate.studies.inputs import Axis, Cells, inputs_of, places
from quorate.studies.study import Study

Array = TypeVar("Array", NDArray[Any], SecretArray)
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines between two tables: row i of `index` are the cells that total i adds up."""

    cells: int  # which table
    total: int
    index: Numbers


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the rule looks, known from the study alone."""

    counted: tuple[Cells, ...]  # the tables of the releases
    margins: tuple[Lines, ...]  # each makes one table more, of the totals of another
    lines: tuple[Lines, ...]
    passes: int

    @property
    def compared(self) -> int:
        """Return how many pairs of cells are compared to know which is smaller."""
        return sum(one.index.size * (one.index.shape[1] + 1) // 2 for one in self.lines)


@dataclass(frozen=True, slots=True)
class Judged(Generic[Array]):
    """What follows from the counts once and for all. Bits, of each table and of each `Lines`."""

    small: tuple[Array, ...]
    large: tuple[Array, ...]  # min_cell rows or more
    none_small: tuple[Array, ...]  # of each line
    some_small: tuple[Array, ...]  # and these have fewer than min_cell rows together
    before: tuple[Array, ...]  # [line, i, j]: j is large, and comes before i or is i


def layout_of(study: Study) -> Layout:
    """Return the tables whose cells `study` counts, what they add up to, and the lines between."""
    counted = tuple(item.cells for item in inputs_of(study) if item.amount == "count")
    tables = (*counted, *_common(study, counted))
    lines = tuple(
        Lines(i, k, _index(study, cells, total))
        for (i, cells), (k, total) in product(enumerate(tables), repeat=2)
        if total.where == cells.where
        and set(total.axes) < set(cells.axes)
        and (k < len(counted) or _adds_up(study, cells, total))
    )
    sources: dict[int, Lines] = {}
    for one in lines:
        if one.cells < len(counted) <= one.total:
            sources.setdefault(one.total, one)
    margins = tuple(sources[k] for k in range(len(counted), len(tables)))
    return Layout(counted, margins, lines, _passes(tables, lines))


def withheld(study: Study, counts: Sequence[Sequence[int]]) -> list[NDArray[np.bool_]]:
    """Return which cells of each counted table of the layout to withhold, in the clear."""
    layout = layout_of(study)
    judged = judge(layout, [np.array(table, np.int64) for table in counts], study.min_cell)
    more = nothing(judged)
    for _ in range(layout.passes):
        more = one_pass(layout, judged, more)
    return [np.asarray(bits) for bits in gone(judged, more)[: len(counts)]]


def judge(layout: Layout, counts: Sequence[Array], least: int) -> Judged[Array]:
    """Return what the rule needs to know of the counts of each counted table."""
    every = list(counts)
    every.extend(counts[margin.cells][margin.index].sum(axis=1) for margin in layout.margins)
    large = [table >= least for table in every]
    small = [(table > 0) ^ big for table, big in zip(every, large, strict=True)]
    none_small, some_small, before = [], [], []
    for one in layout.lines:
        few = (small[one.cells] * every[one.cells])[one.index].sum(axis=1)
        none_small.append(few < 1)
        some_small.append((few < least) ^ none_small[-1])
        in_line = every[one.cells][one.index]
        before.append(_order(in_line) & large[one.cells][one.index][:, None, :])
    return Judged(tuple(small), tuple(large), tuple(none_small), tuple(some_small), tuple(before))


def nothing(judged: Judged[Array]) -> list[Array]:
    """Return that no cell is withheld beside the small ones."""
    return [bits ^ bits for bits in judged.small]


def gone(judged: Judged[Array], more: Sequence[Array]) -> list[Array]:
    """Return all cells that are withheld, of each table and then of each margin."""
    return [small ^ bits for small, bits in zip(judged.small, more, strict=True)]


def one_pass(layout: Layout, judged: Judged[Array], more: Sequence[Array]) -> list[Array]:
    """Return the cells withheld beside the small ones, after every line has looked once more."""
    away = gone(judged, more)
    found: list[list[Array]] = [[] for _ in more]
    for k, one in enumerate(layout.lines):
        here = more[one.cells][one.index]
        none, single = _none_and_one(here)
        no_total = away[one.total]
        free, some = judged.none_small[k], judged.some_small[k]
        left_alone = free & no_total
        needs = (single & (free ^ left_alone)) ^ (none & (some ^ (some & no_total) ^ left_alone))
        chosen = _first(judged.before[k] & ~here[:, None, :]) & needs[:, None]
        found[one.cells].append(chosen.reshape(-1)[np.argsort(one.index.reshape(-1))])
    return [  # no line chooses what is withheld already
        bits ^ reduce(or_, chosen) if chosen else bits
        for bits, chosen in zip(more, found, strict=True)
    ]


def _order(counts: Array) -> Array:
    """Return for each line, i and j whether j has fewer rows than i, or as many and j <= i."""
    size = counts.shape[1]
    low, high = np.tril_indices(size)[::-1]
    fewer = counts[:, high] < counts[:, low]
    place = np.zeros((size, size), np.int64)
    place[high, low] = place[low, high] = np.arange(low.size)
    return fewer[:, place] ^ np.tri(size, dtype=np.bool_)


def _first(candidates: Array) -> Array:
    """Return which cell i of each line is a candidate, and no j before it is."""
    own = np.eye(candidates.shape[1], dtype=np.bool_)
    bits = candidates ^ ~own
    while (width := bits.shape[2]) > 1:
        half = -(-width // 2)  # where width is odd the middle is on both sides
        bits = bits[:, :, :half] & bits[:, :, width - half :]
    return bits[:, :, 0]


def _none_and_one(bits: Array) -> tuple[Array, Array]:
    """Return for each line whether no bit is set, and whether exactly one is."""
    none, one = ~bits, bits
    while (width := none.shape[1]) > 1:
        half = width // 2
        left, right, rest = (slice(half), slice(half, 2 * half), slice(2 * half, width))
        one_half = (one[:, left] & none[:, right]) ^ (none[:, left] & one[:, right])
        one = _joined(one_half, one[:, rest])
        none = _joined(none[:, left] & none[:, right], none[:, rest])
    return none[:, 0], one[:, 0]


def _joined(left: Array, right: Array) -> Array:
    if isinstance(left, SecretArray):
        return concatenate([left, right], axis=1)
    return np.concatenate([left, right], axis=1)


def _passes(tables: Sequence[Cells], lines: Sequence[Lines]) -> int:
    """Return how many passes are enough, by the argument above, among tables of one condition."""
    most = 0
    for where in {table.where for table in tables}:
        sizes = [len(one.index) for one in lines if tables[one.cells].where == where]
        whole, largest = sum(sizes), max(sizes, default=0)
        most = max(most, min(whole, 2 * (whole - largest) + 1))
    return most


def _index(study: Study, cells: Cells, total: Cells) -> Numbers:
    kept = [cells.axes.index(axis) for axis in total.axes]
    at = {place: i for i, place in enumerate(places(study, total))}
    rows: list[list[int]] = [[] for _ in at]
    for i, place in enumerate(places(study, cells)):
        rows[at[tuple(place[k] for k in kept)]].append(i)
    return np.array(rows, np.int64)


def _common(study: Study, counted: Sequence[Cells]) -> list[Cells]:
    """Return what any two tables of one condition both add up to, and so on, if not counted."""
    found = list(counted)
    for one in found:  # grows on the way
        for other in found[: found.index(one)]:
            axes = tuple(axis for axis in one.axes if axis in other.axes)
            both = Cells(one.where, axes)
            tell_it = _adds_up(study, one, both) and _adds_up(study, other, both)
            if other.where == one.where and both not in found and tell_it:
                found.append(both)
    return found[len(counted) :]


def _adds_up(study: Study, cells: Cells, total: Cells) -> bool:
    """Return whether every row of `total` is in a cell: a histogram may leave rows out."""
    return all(_is_complete(study, axis) for axis in cells.axes if axis not in total.axes)


def _is_complete(study: Study, axis: Axis) -> bool:
    if not axis.edges:
        return True
    column = study.table.column(axis.column)
    low, high = Fraction(column.low), Fraction(column.high)
    return Fraction(axis.edges[0]) <= low and high <= Fraction(axis.edges[-1])
