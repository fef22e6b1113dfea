"""Joining two secret tables by a key that is unique in one of them [ORQ25].

Both are put together and sorted by key, the row of the unique side first in its group; its
numbers are copied down to the others. Which rows met is a secret 0 or 1 in each row, so nothing is
told, not even how many: whoever goes on multiplies by it. A semi-join keeps the rows with
1, an anti-join those with 0, a left join all of them.

Adversary: as in `mpc.replicated`. Unreviewed.
"""

from dataclasses import dataclass, field

import numpy as np

from quorate.algebra.ring import Words
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.replicated import Committee, Share, local, mul, public
from quorate.mpc.tables.groups import copied_down, ends
from quorate.mpc.tables.keys import Column, Layout
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table, beside, column, columns, stacked

SIDE = Column(1)
"""The last column of a layout to join by: 0 in the table whose key is unique, 1 in the other."""


@dataclass(frozen=True, slots=True)
class Joined:
    """All rows of both tables by key, of which those of the unique side are not in the result."""

    bits: Share
    is_row: Share = field(repr=False)
    """1 where the row is one of the other table and no padding."""

    met: Share = field(repr=False)
    """1 where, besides, the unique side has its key."""

    copied: Share = field(repr=False)
    """The unique side's numbers, zeros where it lacks the key."""

    numbers: Share = field(repr=False)
    """The other table's numbers, zeros where the row is none of it."""


def by_key(columns: tuple[Column, ...]) -> Layout:
    """Return how rows of two tables are written that are joined by these columns."""
    return Layout((*columns, SIDE))


async def join(
    committee: Committee, unique: Table, other: Table, layout: Layout, pace: Pace = NEAR
) -> Joined:
    """Join rows written by `by_key`; the first number of each is 1, in padding 0.

    Padding has zeros for numbers. Keys must be unique in the first table, but for padding.

    Cost: `sort` of all rows, `ends`, `copied_down`, 1 round
    """
    keys = layout.mask(*range(len(layout.columns) - 1))
    both = Table(stacked([unique.bits, other.bits]), _side_by_side(unique.numbers, other.numbers))
    rows = await sort(committee, both, layout, pace)
    first = (await ends(committee, rows, keys)).first
    width = unique.numbers.shape[1]
    own = columns(rows.numbers, slice(width))
    copied = await copied_down(committee, rows, first, own, pace)
    numbers = columns(rows.numbers, slice(width, None))
    is_row = column(numbers, 0)
    met = await mul(committee, is_row, column(copied, 0))
    rest = slice(1, None)
    return Joined(rows.bits, is_row, met, columns(copied, rest), columns(numbers, rest))


def missed(joined: Joined) -> Share:
    """Return 1 where a row met nothing: an anti-join."""
    return local(np.subtract, joined.is_row, joined.met)


def with_ones(committee: Committee, numbers: Share) -> Share:
    """Return numbers behind a 1 for each row: where nothing is padding."""
    ones = np.ones((len(numbers.own), 1), np.uint64)
    return beside(public(committee, ones), numbers)


def _side_by_side(unique: Share, other: Share) -> Share:
    """Return each table's numbers in columns of their own, zeros in the other's rows."""
    left, right = unique.shape[1], other.shape[1]

    def placed(mine: Words, theirs: Words) -> Words:
        out = np.zeros((len(mine) + len(theirs), left + right), np.uint64)
        out[: len(mine), :left] = mine
        out[len(mine) :, left:] = theirs
        return out

    return local(placed, unique, other)
