"""Which cells of a release are withheld because few rows are in them.

A cell of 1 to min_cell - 1 rows is withheld. Where the study releases the
total of a line of cells too, the line gives a single withheld cell away: then
the next smallest are withheld with it, until at least two are and together
they have min_cell rows; and where a total is withheld, so is at least one cell
of its line. Lines are compared among releases of one study over the same
condition. Not stopped: sums of releases over different conditions, several
studies, and what somebody knows from elsewhere (see docs/study-file.md).
"""

from collections.abc import Mapping, Sequence

from quorate.studies.inputs import Cells, places
from quorate.studies.study import Study

Withheld = dict[Cells, set[int]]
_Line = tuple[int, list[int]]  # a cell of the total, and the cells that add up to it


def withheld(study: Study, counts: Mapping[Cells, Sequence[int]]) -> Withheld:
    """Return the cells to withhold, given the pooled number of rows in every cell."""
    least = study.min_cell
    hidden = {
        cells: {i for i, count in enumerate(found) if 0 < count < least}
        for cells, found in counts.items()
    }
    pairs = [
        (cells, total, _lines(study, cells, total))
        for cells in counts
        for total in counts
        if total.where == cells.where and set(total.axes) < set(cells.axes)
    ]
    changed = True
    while changed:
        changed = False
        for cells, total, lines in pairs:
            for at, line in lines:
                more = _more(counts[cells], hidden[cells], line, at in hidden[total], least)
                hidden[cells].update(more)
                changed = changed or bool(more)
    return hidden


def _more(
    counts: Sequence[int], hidden: set[int], line: list[int], total_hidden: bool, least: int
) -> list[int]:
    """Return which cells of `line` must be withheld beside those that are."""
    gone = [i for i in line if i in hidden]
    rest = sorted((i for i in line if i not in hidden and counts[i] > 0), key=counts.__getitem__)
    if total_hidden:
        return [] if gone else rest[:1]
    if not gone:
        return []
    more: list[int] = []
    rows = sum(counts[i] for i in gone)
    while rest and (len(gone) + len(more) < 2 or rows < least):
        more.append(rest.pop(0))
        rows += counts[more[-1]]
    return more


def _lines(study: Study, cells: Cells, total: Cells) -> list[_Line]:
    kept = [cells.axes.index(axis) for axis in total.axes]
    at = {place: i for i, place in enumerate(places(study, total))}
    lines: dict[int, list[int]] = {}
    for i, place in enumerate(places(study, cells)):
        lines.setdefault(at[tuple(place[k] for k in kept)], []).append(i)
    return list(lines.items())
