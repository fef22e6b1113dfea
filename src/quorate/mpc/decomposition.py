"""All bits of secret words, and words of secret bits.

d = a + b, where party 0 knows a and parties 1 and 2 know b (`mpc.split`). Bit i of the sum is
a_i ^ b_i ^ (the carry out of the bits below). The pairs (generate, propagate) of digits of two
bits are bilinear, as in `mpc.comparison`; a prefix network of [Skl60] makes of them, in one
AND a level, the pair of every position together with all positions below it:

    level l: where bit l of the position i is 1,
    (G, P)_i = (G, P)_i after (G, P)_j,    j: as i, but bit l is 0 and the bits below it are 1

In the order of `algebra.bits` these are, at each level, one half of the rows of a reshaped
array and one row in each of its groups. What has nothing below it needs no P.

Back: of b = u ^ v party 0 knows u, the others know v, and the sum of 2^j (u_j + v_j - 2 u_j v_j)
is bilinear.

Adversary as in `mpc.replicated`. Unreviewed.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from quorate.algebra.bits import BITS, REVERSED, Bits, bits_of, weights
from quorate.algebra.ring import BLOCK, Words, blocks
from quorate.mpc import gates
from quorate.mpc.boolean import BitShare, conjunction, known_bits, reshare_bits, to_ring
from quorate.mpc.comparison import pairs_of_digits
from quorate.mpc.planes import share_known, write_planes
from quorate.mpc.replicated import Committee, Share, local
from quorate.mpc.split import (
    RING,
    XOR,
    Bilinear,
    bilinear,
    cut,
    known,
    replicate_two,
    widths_of,
)

COUNTS = (2, 4, 8, 16, 32, 64)
"""How many of a word's bits can be asked for."""


async def to_bits(committee: Committee, x: Share, count: int = BITS) -> BitShare:
    """Return the lowest `count` = 2^k bits of each word, (count, *x.shape), lowest first.

    Cost, m words in c = ceil(m / 64) columns: 7 rounds, 2832 * c bytes a party.
    Fewer than 64 bits: k + 1 rounds, 8 c (2^k (k - 1/2) + 2) bytes each.
    Where the committee checks, `gates.to_bits`.
    """
    if committee.checks:
        return await gates.to_bits(committee, x, count)
    mine = known(committee, x)
    widths = widths_of(mine.size, packed=True)
    places, half = list(blocks(mine.size)), count // 2

    def planes(i: int) -> Words:
        rows = np.empty((BITS, widths[i]), np.uint64)
        write_planes(mine[places[i]], rows)
        out = np.zeros((3 * half, widths[i]), np.uint64)
        out[:count] = rows[:: BITS // count]
        if committee.me == 0:
            np.bitwise_and(out[:half], out[half:count], out=out[count:])
        return out

    p = await share_known(committee, planes, 3 * half, widths)
    z = np.empty(p.own.size, np.uint64)
    pairs = await replicate_two(committee, XOR, _first_pairs(committee, p, z, count, widths), z)
    own, after = (
        _joined(*parts, count, widths) for parts in ((p.own, pairs.own), (p.next, pairs.next))
    )
    width = 2
    while width < count:
        rows = half + half - width
        z = np.empty(rows * sum(widths), np.uint64)
        higher = _level(Share(own, after), z, count, width, widths)
        found = await reshare_bits(committee, higher, z)
        for state, new in ((own, found.own), (after, found.next)):
            _put_higher(state, new, count, width, widths)
        width *= 2
    bits = (
        _sums(plane, state, count, widths, mine.size).reshape(count, *x.shape)
        for plane, state in ((p.own, own), (p.next, after))
    )
    return BitShare(*bits)


def _first_pairs(
    committee: Committee, p: Share, z: Words, count: int, widths: Sequence[int]
) -> Iterator[Words]:
    """Yield blocks of z at parties 1 and 2: g of even positions, then (g, p) of digits."""
    if committee.me == 0:
        return
    lead, half = committee.me == 1, count // 2
    digits, others = (p.own, p.next) if lead else (p.next, p.own)
    parts = (cut(part, 3 * half, widths) for part in (digits, others, z))
    for a, b, out in zip(*parts, strict=True):
        np.bitwise_and(a[:half], b[:half], out=out[:half])
        pairs_of_digits(a, b[:count], out[half:count], out[count:], lead=lead)
        yield out.reshape(-1)


def _joined(p: Words, pairs: Words, count: int, widths: Sequence[int]) -> Words:
    """Return blocks of `count` rows of g and as many of p: even positions first."""
    half = count // 2
    state = np.empty(2 * count * sum(widths), np.uint64)
    parts = (cut(p, 3 * half, widths), cut(pairs, 3 * half, widths))
    for block, even, both in zip(cut(state, 2 * count, widths), *parts, strict=True):
        block[:count] = both[:count]
        block[count : count + half] = even[:half]
        block[count + half :] = both[count:]
    return state


def _level(
    state: Share, z: Words, count: int, width: int, widths: Sequence[int]
) -> Iterator[Words]:
    """Yield blocks of z, each filled with this party's share of the upper halves' pairs."""
    half = count // 2
    states = (cut(part, 2 * count, widths) for part in (state.own, state.next))
    for own, after, out in zip(*states, cut(z, 2 * half - width, widths), strict=True):
        (g, p), (g_after, p_after) = (_grouped(part, count, width) for part in (own, after))
        new = out[:half].reshape(g[:, 1].shape)
        conjunction(Share(p[:, 1], p_after[:, 1]), Share(g[-1, 0], g_after[-1, 0]), new)
        new ^= g[:, 1]
        x, y = (Share(p[i, j, 1:], p_after[i, j, 1:]) for i, j in ((slice(None), 1), (-1, 0)))
        conjunction(x, y, out[half:].reshape(x.shape))
        yield out.reshape(-1)


def _put_higher(state: Words, new: Words, count: int, width: int, widths: Sequence[int]) -> None:
    """Write the upper halves' new pairs into the state."""
    half = count // 2
    for block, rows in zip(
        cut(state, 2 * count, widths), cut(new, 2 * half - width, widths), strict=True
    ):
        g, p = _grouped(block, count, width)
        g[:, 1] = rows[:half].reshape(g[:, 1].shape)
        p[:, 1, 1:] = rows[half:].reshape(p[:, 1, 1:].shape)


def _grouped(block: Words, count: int, width: int) -> Words:
    """View g and p as (2, place in the group's half, half, group, columns)."""
    return block.reshape(2, width, 2, count // (2 * width), -1)


def _sums(p: Words, state: Words, count: int, widths: Sequence[int], size: int) -> Bits:
    """Return p_i ^ G_{i-1} as bits, (count, size)."""
    out = np.empty((count, size), np.bool_)
    row_of = REVERSED[:count] // (BITS // count)
    blocks_in = zip(cut(p, 3 * count // 2, widths), cut(state, 2 * count, widths), strict=True)
    for here, (planes, pairs) in zip(blocks(size), blocks_in, strict=True):
        for i in range(count):
            row = planes[row_of[i]] ^ pairs[row_of[i - 1]] if i else planes[0]
            out[i, here] = bits_of(row, here.stop - here.start)
    return out


async def from_bits(committee: Committee, x: BitShare, *, signed: bool) -> Share:
    """Return the words whose bits lie along the first axis, lowest first.

    `signed`: the last bit counts as negative, as in two's complement.

    Cost, m words of k bits: 2 rounds, 8 * k * m, 8 * m and 8 * m bytes by parties 0, 1 and 2.
    Where the committee checks, that of `to_ring` for each bit.
    """
    if committee.checks:
        worth = weights(x.shape[0], signed=signed)
        lifted = await to_ring(committee, x)
        return local(lambda part: np.tensordot(worth, part, 1), lifted)
    count, shape = x.shape[0], x.shape[1:]
    mine = known_bits(committee, x).reshape(count, -1)
    places = list(blocks(mine.shape[1], max(BLOCK // count, 1)))
    worth = weights(count, signed=signed)

    def digits(i: int) -> Words:
        return mine[:, places[i]].astype(np.uint64)

    def evaluate(i: int, u: Words, out: Words, lead: bool) -> None:
        v = mine[:, places[i]].astype(np.uint64)
        out[0] = worth @ (u * (1 - 2 * v) + v if lead else u * (1 - 2 * v))

    widths = [here.stop - here.start for here in places]
    flat = await bilinear(committee, Bilinear(RING, widths, count, 1, digits, evaluate))
    return Share(flat.own.reshape(shape), flat.next.reshape(shape))
