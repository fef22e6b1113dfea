"""Which cells of a release are withheld because few rows are in them: one rule, for every engine.

A cell of 1 to min_cell - 1 rows is *small* and withheld. A study that releases the
total of a line of cells too would give a single small cell away. So in each line

* whose total is shown, at least two cells are withheld, with min_cell rows together, or none;
* whose total is withheld, at least one cell is, unless all are empty,

and where that does not hold the line withholds its next smallest cell: the first, of equals. One
whose only rows are in a cell that another line withholds has none left: it withholds its total.
Lines are those of releases of one study over the same condition. Two tables that both add up to
a third, as those by sex and by ward do to the number of all rows, tell it, released or not:
it counts as a total that is shown, unless it is small itself.

All lines look at once, and again `passes` times, whatever the numbers are. A line withholds
one cell or its total, and once in all: then its rule holds, also when others withhold more.
What one line does concerns lines between other tables only. So a chain of lines, each set
off by the one before, has no line twice and never two between the same tables in a row: if
the most lines between two tables are m of M, it has at most min(M, 2 (M - m) + 1) lines, and
after so many passes nothing changes any more.

The functions are written for secret arrays and do as well with NumPy's, which they are like: a
committee decides on shares, a node that sees the counts in the clear. Not stopped: sums of
releases over different conditions, several studies, what somebody knows from elsewhere, and, in
tables by two categories or more, equations over several lines at once (see docs/study-file.md).
It is the plain form of complementary suppression [Cox80].
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate
from quorate.studies.lines import Layout, layout_of
from quorate.studies.study import Study

if TYPE_CHECKING:
    from quorate.algebra.bits import Bits


@dataclass(frozen=True, slots=True)
class Judged:
    """What follows from the counts once and for all. Bits, of each cell and of each line."""

    small: SecretArray
    none_small: SecretArray  # of each line
    some_small: SecretArray  # and these have fewer than min_cell rows together
    before: tuple[SecretArray, ...]
    """Of each `Lines`, at [line, i, j]: j is large, and comes before i or is i."""

    @property
    def arrays(self) -> list[SecretArray]:
        return [self.small, self.none_small, self.some_small, *self.before]


def withheld(study: Study, counts: Sequence[int]) -> tuple[bool, ...]:
    """Return which of the counted cells of `study` to withhold, in the clear."""
    layout = layout_of(study)
    plain = cast("SecretArray", np.array(counts, np.int64))  # does all that is asked of one here
    judged = judge(layout, plain, study.min_cell)
    more = nothing(judged)
    for _ in range(layout.passes):
        more = one_pass(layout, judged, more)
    return tuple(map(bool, cast("Iterable[np.bool_]", gone(judged, more)[: len(counts)])))


def judge(layout: Layout, counts: SecretArray, least: int) -> Judged:
    """Return what the rule needs to know of the number of rows in each counted cell."""
    every = _joined([counts, *(counts[index].sum(axis=1) for index in layout.margins)])
    large = every >= least
    small = (every > 0) ^ large
    if not layout.lines:
        return Judged(small, small[:0], small[:0], ())
    few = small * every
    in_small = _joined([few[one.index].sum(axis=1) for one in layout.lines])
    none_small = in_small < 1
    orders = zip(_orders(layout, every), layout.lines, strict=True)
    before = _both([(order, large[one.columns]) for order, one in orders])
    return Judged(small, none_small, (in_small < least) ^ none_small, tuple(before))


def nothing(judged: Judged) -> SecretArray:
    """Return that no cell is withheld beside the small ones."""
    return judged.small ^ judged.small


def gone(judged: Judged, more: SecretArray) -> SecretArray:
    """Return all cells that are withheld."""
    return more ^ judged.small


def one_pass(layout: Layout, judged: Judged, more: SecretArray) -> SecretArray:
    """Return the cells withheld beside the small ones, after every line has looked once more."""
    none, single = _none_and_one(layout, more)
    no_total = gone(judged, more)[layout.totals]
    free, some = judged.none_small, judged.some_small
    free_below, some_below = _both([(free, no_total), (some, no_total)])
    rest = some ^ some_below ^ free_below
    one_alone, none_yet = _both([(single, free ^ free_below), (none, rest)])
    first = _first(layout, judged, more)
    found = _joined([_parity(bits) for bits in first])
    cells = _joined([bits.reshape(-1) for bits in first])
    needs = (one_alone ^ none_yet)[layout.line_of]
    acts = _with_no(_joined(_both([(cells, needs), (~found, one_alone)])))
    return more ^ _any(acts[layout.acts_on])


def _orders(layout: Layout, counts: SecretArray) -> list[SecretArray]:
    """Return for each line, i and j whether j has fewer rows than i, or as many and j <= i."""
    pairs = [np.tril_indices(one.index.shape[1]) for one in layout.lines]
    both = list(zip(layout.lines, pairs, strict=True))
    high = np.concatenate([one.index[:, i].reshape(-1) for one, (i, _) in both])
    low = np.concatenate([one.index[:, j].reshape(-1) for one, (_, j) in both])
    fewer = counts[high] < counts[low]
    found, at = [], 0
    for one, (i, j) in both:
        lines, width = one.index.shape
        place = np.zeros((width, width), np.int64)
        place[i, j] = place[j, i] = np.arange(i.size)
        every = at + np.arange(lines)[:, None, None] * i.size + place
        found.append(fewer[every] ^ np.tri(width, dtype=np.bool_))
        at += lines * i.size
    return found


def _first(layout: Layout, judged: Judged, more: SecretArray) -> list[SecretArray]:
    """Return, of each line, which cell is large and not withheld, and none before it is."""
    shown = ~more
    rows = zip(judged.before, layout.lines, strict=True)
    candidates = _both([(before, shown[one.columns]) for before, one in rows])
    bits = [found ^ ~np.eye(found.shape[2], dtype=np.bool_) for found in candidates]
    while wide := [k for k, found in enumerate(bits) if found.shape[2] > 1]:
        pairs = []
        for k in wide:
            width = bits[k].shape[2]
            half = -(-width // 2)  # where the width is odd the middle is on both sides
            pairs.append((bits[k][:, :, :half], bits[k][:, :, width - half :]))
        for k, found in zip(wide, _both(pairs), strict=True):
            bits[k] = found
    return [found[:, :, 0] for found in bits]


def _none_and_one(layout: Layout, bits: SecretArray) -> tuple[SecretArray, SecretArray]:
    """Return for each line whether none of its bits is set, and whether exactly one is."""
    one = [_with_no(bits)[lines.padded] for lines in layout.lines]
    none = [~found for found in one]
    while wide := [k for k, found in enumerate(one) if found.shape[1] > 1]:
        pairs = []
        for k in wide:
            half = one[k].shape[1] // 2
            left, right = none[k][:, :half], none[k][:, half:]
            pairs += [(left, right), (one[k][:, :half], right), (left, one[k][:, half:])]
        done = _both(pairs)
        for i, k in enumerate(wide):
            none[k], one[k] = done[3 * i], done[3 * i + 1] ^ done[3 * i + 2]
    return _joined([found[:, 0] for found in none]), _joined([found[:, 0] for found in one])


def _any(bits: SecretArray) -> SecretArray:
    """Return for each row whether a bit is set."""
    while (width := bits.shape[1]) > 1:
        half = -(-width // 2)
        bits = bits[:, :half] | bits[:, width - half :]
    return bits[:, 0]


def _parity(bits: SecretArray) -> SecretArray:
    """Return for each row, of which at most one bit is set, whether one is: nothing is sent."""
    xor = partial(np.bitwise_xor.reduce, axis=1)
    return cast("SecretArray", xor(cast("Bits", bits))) if _is_plain(bits) else bits.placed(xor)


def _both(pairs: Sequence[tuple[SecretArray, SecretArray]]) -> list[SecretArray]:
    """Return the AND of each pair, all in one step."""
    left = _joined([one.reshape(-1) for one, _ in pairs])
    bits = left & _joined([other.reshape(-1) for _, other in pairs])
    found, at = [], 0
    for one, _ in pairs:
        found.append(bits[at : at + one.size].reshape(*one.shape))
        at += one.size
    return found


def _with_no(bits: SecretArray) -> SecretArray:
    """Return the bits and one that is not set, which is found at -1."""
    return _joined([bits, bits[:1] ^ bits[:1]])


def _joined(parts: Sequence[SecretArray]) -> SecretArray:
    if _is_plain(parts[0]):
        return cast("SecretArray", np.concatenate(cast("Sequence[Bits]", parts)))
    return concatenate(parts)


def _is_plain(array: object) -> bool:
    return isinstance(array, np.ndarray)
