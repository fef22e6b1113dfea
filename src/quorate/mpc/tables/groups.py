"""Groups of secret rows that are sorted by what they have in common: linear, without comparisons.

The sums of a group are a difference of two sums over all rows before, and those are local. Of
each group one row is marked, the marked rows are brought to the front, and neighbours are taken
from each other [AHIK23]. How many groups there are is not told: what is behind the last is zero and
marked invalid, and the result is cut at a number that the order declares.

Minimum and maximum are the first and the last row of a group that is sorted by the value, too.
Adversary: as in `mpc.replicated`. Unreviewed.
"""

from dataclasses import dataclass, field

import numpy as np

from quorate.algebra.bits import BITS, Bits
from quorate.algebra.ring import Words
from quorate.mpc.boolean import BitShare, both, both_words, invert, to_ring
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.replicated import Committee, Share, local, mul, public
from quorate.mpc.tables.compaction import compact, moved
from quorate.mpc.tables.equality import is_new, joined
from quorate.mpc.tables.keys import INVALID, masked, only_masked
from quorate.mpc.tables.table import Table, beside, column, columns, numbered, take
from quorate.transport.session import together

TOP = np.uint64(BITS - 1)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where groups of sorted rows begin and end; rows that only fill up are in none."""

    first: BitShare = field(repr=False)
    last: BitShare = field(repr=False)


async def ends(committee: Committee, table: Table, mask: Words) -> Ends:
    """Return the ends of groups of rows that are alike in these bits, of sorted rows.

    Cost, m rows in c = ceil(m / 64) blocks, one lane: that of `equality.is_new`, then
    1 round, 8 * ceil(2 * m / 64) bytes a party
    """
    first = await is_new(committee, only_masked(table.bits, mask))
    after = BitShare(first.own[1:], first.next[1:])
    last = joined(after, BitShare(first.own[:1], first.next[:1]))  # the first differs from nobody
    valid = is_valid(committee, table.bits)
    found = await both(committee, joined(first, last), joined(valid, valid))
    rows = table.rows
    return Ends(
        BitShare(found.own[:rows], found.next[:rows]), BitShare(found.own[rows:], found.next[rows:])
    )


def is_valid(committee: Committee, bits: Share) -> BitShare:
    """Return whether rows are more than padding."""
    own, after = (part[:, 0] >= INVALID for part in (bits.own, bits.next))
    return invert(committee, BitShare(own, after))


async def sums(
    committee: Committee, table: Table, mask: Words, at_most: int, pace: Pace = NEAR
) -> Table:
    """Return of each group its bits, and its sum of every column, then how many rows it has.

    Rows have to be sorted by these bits. At most `at_most` groups are returned, in order; what
    is beyond the last is invalid and zero.

    Cost: `ends`, `boolean.to_ring` of a bit a row, `compact`, and 2 rounds for `at_most` rows
    """
    last = (await ends(committee, table, mask)).last
    mark = await to_ring(committee, last)
    ones = public(committee, np.ones((table.rows, 1), np.uint64))
    totals = local(lambda part: np.cumsum(part, axis=0), beside(table.numbers, ones))
    carried = Table(valid_where(committee, table.bits, last), beside(mark, totals))
    front = take(await compact(committee, carried, mark, pace), slice(at_most))
    return await _cut(committee, front, mask, changes=True)


async def ends_of(
    committee: Committee,
    table: Table,
    marks: BitShare,
    mask: Words,
    at_most: int,
    pace: Pace = NEAR,
) -> Table:
    """Return the marked rows in order: the first of each group, the last, all that fit a condition.

    At most `at_most` rows are returned; what is beyond the last is invalid and zero.

    Cost: `boolean.to_ring` of a bit a row, `compact`, and 2 rounds for `at_most` rows
    """
    mark = await to_ring(committee, marks)
    carried = Table(valid_where(committee, table.bits, marks), beside(mark, table.numbers))
    front = take(await compact(committee, carried, mark, pace), slice(at_most))
    return await _cut(committee, front, mask, changes=False)


async def distinct(
    committee: Committee, table: Table, marks: BitShare, mask: Words, pace: Pace = NEAR
) -> Share:
    """Return in how many groups a row is marked, as one number; rows are sorted by these bits.

    Cost: `boolean.to_ring`, `compact` and `ends` of all rows, then `count`
    """
    nothing = local(lambda part: part[:, :0], table.numbers)
    carried = Table(valid_where(committee, table.bits, marks), nothing)
    front = await compact(committee, carried, await to_ring(committee, marks), pace)
    return await count(committee, (await ends(committee, front, mask)).first)


async def count(committee: Committee, marks: BitShare) -> Share:
    """Return how many rows are marked, as one number."""
    mark = await to_ring(committee, marks)
    return local(lambda part: part.sum(keepdims=True), mark)


async def copied_down(
    committee: Committee, table: Table, first: BitShare, values: Share, pace: Pace = NEAR
) -> Share:
    """Return for every row the `values` (rows, columns) of the first row of its group.

    Rows before the first group get zeros, rows that only fill up those of the last group.

    Cost: `boolean.to_ring`, `compact`, 1 round, `moved`
    """
    mark = await to_ring(committee, first)
    nothing = local(lambda part: part[:, :0], table.bits)
    rows = numbered(committee, table.rows)
    carried = Table(nothing, beside(mark, rows, values))
    front = (await compact(committee, carried, mark, pace)).numbers
    steps = local(_changes, columns(front, slice(2, None)))
    steps = await mul(committee, steps, _spread_over(column(front, 0), steps.shape[1]))
    back = await moved(committee, Table(nothing, steps), column(front, 1), pace)
    return local(lambda part: np.cumsum(part, axis=0), back.numbers)


async def _cut(committee: Committee, front: Table, mask: Words, *, changes: bool) -> Table:
    """Return rows without their first number, a mark; where it is 0 they are wiped.

    Cost, m rows of l lanes and n numbers: 1 round, 8 * m * (l + n) bytes a party
    """
    rest = columns(front.numbers, slice(1, None))
    values = local(_changes, rest) if changes else rest
    mark = _spread_over(column(front.numbers, 0), values.shape[1])
    kept, valid = masked(front.bits, mask), is_valid(committee, front.bits)
    for_bits, for_numbers = committee.beside(2)
    bits, numbers = await together(
        both_words(for_bits, local(np.ravel, kept), _all_bits(valid, kept.shape[1])),
        mul(for_numbers, values, mark),
    )
    shaped = local(lambda part: part.reshape(kept.shape), bits)
    return Table(valid_where(committee, shaped, valid), numbers)


def valid_where(committee: Committee, bits: Share, marks: BitShare) -> Share:
    """Return rows that are invalid but where they are marked."""
    flags = invert(committee, marks)

    def written(part: Words, flag: Bits) -> Words:
        out = part.copy()
        out[:, 0] &= ~INVALID
        out[:, 0] |= flag.astype(np.uint64) << TOP
        return out

    return Share(written(bits.own, flags.own), written(bits.next, flags.next))


def _all_bits(marks: BitShare, lanes: int) -> Share:
    """Return each bit in all places of as many words, flat."""
    own, after = (
        np.repeat(np.negative(part.astype(np.uint64)), lanes) for part in (marks.own, marks.next)
    )
    return Share(own, after)


def _changes(part: Words) -> Words:
    """Return each row less the one before it."""
    return np.diff(part, axis=0, prepend=np.zeros((1, part.shape[1]), np.uint64))


def _spread_over(mark: Share, count: int) -> Share:
    return local(lambda part: np.repeat(part[:, None], count, axis=1), mark)
