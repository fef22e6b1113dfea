"""Groups by a secret code that has few values, all of them public: no row is moved.

For each value the rows that have it are marked, and the sums are one matrix product of the marks
and the numbers. The work grows with rows times values, so this is for a handful of values; for
more, sort and take `groups.sums`. A value that no row has gives zeros, and is not told apart from
one whose numbers add up to zero: sum a column of ones to count the rows.

Adversary: as in `mpc.replicated`. Unreviewed.
"""

import numpy as np

from quorate.algebra.bits import Bits
from quorate.mpc.boolean import BitShare, both, to_ring, xor
from quorate.mpc.replicated import Committee, Share, local, matmul
from quorate.mpc.tables.keys import is_set


async def sums_of_few(
    committee: Committee, codes: Share, code_bits: int, marks: BitShare, numbers: Share
) -> Share:
    """Return the sums (2^code_bits, columns) of marked rows, by codes 0, 1, 2, ...

    `codes` are XOR-shared words of so many bits, flat; `numbers` are (rows, columns).

    Cost, n rows, n a multiple of 64, k columns, g = 2^b groups: b + 3 rounds,
    n * (g - 1) / 8 + 8 * n * g + 8 * g * k bytes a party, where the committee does not check
    """
    having = marks
    for bit in reversed(range(code_bits)):
        half = having.own.size // marks.own.size
        one = _repeated(_bit_of(codes, bit), half)
        with_one = await both(committee, having, one)
        having = _side_by_side(xor(having, with_one), with_one, marks.own.size)
    shape = (1 << code_bits, marks.own.size)
    rows = local(lambda part: part.reshape(shape), await to_ring(committee, having))
    return await matmul(committee, rows, numbers)


def _bit_of(codes: Share, bit: int) -> BitShare:
    return is_set(local(lambda part: part & np.uint64(1 << bit), codes))


def _repeated(x: BitShare, times: int) -> BitShare:
    return BitShare(np.tile(x.own, times), np.tile(x.next, times))


def _side_by_side(zero: BitShare, one: BitShare, rows: int) -> BitShare:
    """Return for each code so far the rows with a 0 behind it, then those with a 1."""

    def joined(first: Bits, second: Bits) -> Bits:
        parts = first.reshape(-1, rows), second.reshape(-1, rows)
        return np.stack(parts, axis=1).reshape(-1)

    return BitShare(joined(zero.own, one.own), joined(zero.next, one.next))
