"""Where small cells could be told by others: a study's tables, their totals, and the lines between.

Known from the study alone. Cells are numbered: those of the tables that its releases
count, in the order of its inputs, then those of *margins*, tables which two others both add up to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, product

import numpy as np
from numpy.typing import NDArray

from quorate.studies.inputs import Axis, Cells, inputs_of, places, size
from quorate.studies.study import Study

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines between two tables: the cells in row i of `index` add up to cell `totals[i]`."""

    index: Numbers
    totals: Numbers

    @property
    def columns(self) -> Numbers:
        """Return index[line, j] at [line, i, j], for every i."""
        return np.repeat(self.index[:, None, :], self.index.shape[1], axis=1)

    @property
    def padded(self) -> Numbers:
        """Return `index` with columns of -1 after it, so that its width is a power of two."""
        width = self.index.shape[1]
        more = (1 << (width - 1).bit_length()) - width
        return np.pad(self.index, ((0, 0), (0, more)), constant_values=-1)


@dataclass(frozen=True, slots=True)
class Layout:
    counted: tuple[Cells, ...]
    margins: tuple[Numbers, ...]  # of each: which counted cells each of its cells adds up
    lines: tuple[Lines, ...]
    passes: int  # after which no line changes anything, by the argument in `suppression`

    # Of all lines, one after the other, and of all the places of cells in them:
    totals: Numbers  # of each line
    line_of: Numbers  # of each place
    acts_on: Numbers  # [cell, :]: its places, then lines of which it is the total, then -1

    @property
    def compared(self) -> int:
        """Return how many pairs of cells are compared to know which is smaller."""
        return sum(one.index.size * (one.index.shape[1] + 1) // 2 for one in self.lines)


def layout_of(study: Study) -> Layout:
    """Return the tables whose cells `study` counts, what they add up to, and the lines between."""
    counted = tuple(item.cells for item in inputs_of(study) if item.amount == "count")
    tables = (*counted, *_common(study, counted))
    starts = np.cumsum([0, *(size(study, table) for table in tables)])
    lines: list[Lines] = []
    conditions: list[Cells] = []
    margins: dict[int, Numbers] = {}
    for (i, cells), (k, total) in product(enumerate(tables), repeat=2):
        if not _is_total(study, cells, total, told=k < len(counted)):
            continue
        index = starts[i] + _index(study, cells, total)
        lines.append(Lines(index, starts[k] + np.arange(len(index))))
        conditions.append(Cells(cells.where, ()))
        if i < len(counted) <= k:
            margins.setdefault(k, index)
    widths = [np.full(len(one.index), one.index.shape[1]) for one in lines]
    width_of = np.concatenate([np.zeros(0, np.int64), *widths])
    return Layout(
        counted,
        tuple(margins[k] for k in range(len(counted), len(tables))),
        tuple(lines),
        _passes(lines, conditions),
        np.concatenate([np.zeros(0, np.int64), *(one.totals for one in lines)]),
        np.repeat(np.arange(width_of.size), width_of),
        _acts_on(lines, int(starts[-1])),
    )


def _is_total(study: Study, cells: Cells, total: Cells, *, told: bool) -> bool:
    """Return whether `total` adds up `cells`, or, where it is `told`, might be thought to."""
    coarser = total.where == cells.where and set(total.axes) < set(cells.axes)
    return coarser and (told or _adds_up(study, cells, total))


def _acts_on(lines: Sequence[Lines], cells: int) -> Numbers:
    """Return which places in lines are each cell's, and which lines' total it is.

    Lines are numbered after all the places. The rest of each row is -1.
    """
    found: list[list[int]] = [[] for _ in range(cells)]
    acting = chain(*(one.index.flat for one in lines), *(one.totals for one in lines))
    for place, cell in enumerate(acting):
        found[cell].append(place)
    most = max([1, *map(len, found)])
    rows = [[*row, *[-1] * (most - len(row))] for row in found]
    return np.array(rows, np.int64).reshape(cells, most)


def _passes(lines: Sequence[Lines], conditions: Sequence[Cells]) -> int:
    """Return how many passes are enough, among the lines of one condition."""
    most = 0
    for where in set(conditions):
        sizes = [len(one.index) for one, w in zip(lines, conditions, strict=True) if w == where]
        most = max(most, min(sum(sizes), 2 * (sum(sizes) - max(sizes)) + 1))
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
