"""Sign and equality of secret words: one carry, not a full adder.

d = a + b, where party 0 knows a and parties 1 and 2 know b (`mpc.split`). The sign
of d is a_63 ^ b_63 ^ (the carry into bit 63). A carry is a product of pairs
(generate, propagate) of neighbouring digits,

    (G, P) (g, p) = (G ^ P g, P p),

taken in a tree; each level is one AND [MR18]. The first level needs no tree: the
pair of a digit of two bits is bilinear in party 0's bits and the others' [ours]:

    g = a1 b1 ^ a1 a0 b0 ^ a0 b1 b0;   p = a1 a0 ^ a1 b0 ^ a0 b1 ^ b1 b0

so that 64 positions become 32 pairs in two rounds. A committee that checks does
without (`gates`): it sends more, but nothing except shares of ANDs. Everything works on
bit planes (`algebra.bits`): halves of the rows are neighbours, and the last levels, of few
bits a word, are as dense as the first.

Both operands are rotated left by one, which puts bit 63 into position 0. There b
is replaced by 0, so nothing is generated; whether it propagates does not matter,
for nothing comes from below; and a's bit 63 is shared along with the others.

Adversary as in `mpc.replicated`. Unreviewed.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from quorate.algebra.bits import BITS
from quorate.algebra.ring import Words, blocks
from quorate.mpc import gates
from quorate.mpc.boolean import BitShare, conjunction, reshare_bits
from quorate.mpc.planes import in_order, one_row, rotated_planes, share_known, write_planes
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.split import XOR, Bilinear, bilinear, cut, known, widths_of

PAIRS = BITS // 2


async def is_negative(committee: Committee, d: Share) -> BitShare:
    """Return bit 63 of each word.

    Cost, m words in c = ceil(m / 64) columns:
    7 rounds, 1256 * c, 1008 * c and 1008 * c bytes by parties 0, 1 and 2.
    Where the committee checks, `gates.is_negative`.
    """
    if committee.checks:
        return await gates.is_negative(committee, d)
    mine = known(committee, d)
    widths = widths_of(mine.size, packed=True)
    places = list(blocks(mine.size))

    def digits(i: int) -> Words:
        message = np.empty((3 * PAIRS, widths[i]), np.uint64)
        rotated_planes(mine[places[i]], message[:BITS])
        np.bitwise_and(message[:PAIRS], message[PAIRS:BITS], out=message[BITS:])
        return message

    def evaluate(i: int, a: Words, out: Words, lead: bool) -> None:
        planes = np.empty((BITS, widths[i]), np.uint64)
        rotated_planes(mine[places[i]], planes)
        _first_pairs(a, planes, out, lead=lead)

    first = Bilinear(XOR, widths, 3 * PAIRS, BITS + 1, digits, evaluate)
    pairs = await bilinear(committee, first)
    signs = Share(*(one_row(part, BITS + 1, widths, BITS) for part in (pairs.own, pairs.next)))
    carry = await _carry(committee, pairs, BITS + 1, PAIRS // 2, signs, widths)
    return in_order(carry, d.shape, widths)


def _first_pairs(a: Words, b: Words, out: Words, *, lead: bool) -> None:
    """Write the pairs of digits of two bits, and the XOR of the operands' bits 63, last."""
    out[BITS] = a[0]
    if lead:
        out[BITS] ^= b[0]
    b[0] = 0
    pairs_of_digits(a, b, out[:PAIRS], out[PAIRS:BITS], lead=lead)


def pairs_of_digits(a: Words, b: Words, generate: Words, propagate: Words, *, lead: bool) -> None:
    """Write (g, p) of digits of two bits, given a's low and high bits and their products."""
    half = len(generate)
    low, high, product = a[:half], a[half : 2 * half], a[2 * half : 3 * half]
    b_low, b_high = b[:half], b[half:]
    b_product = b_low & b_high
    np.bitwise_and(high, b_high, out=generate)
    generate ^= product & b_low
    generate ^= low & b_product
    np.bitwise_and(high, b_low, out=propagate)
    propagate ^= low & b_high
    propagate ^= product
    if lead:
        propagate ^= b_product


async def _carry(
    committee: Committee, pairs: Share, rows: int, half: int, signs: Share, widths: Sequence[int]
) -> Share:
    """Return the carry out of all pairs, XOR `signs`, one row a block.

    `pairs` has `rows` rows a block: twice `half` of g, as many of p, and perhaps more.
    """
    while half:
        last = half == 1
        z = np.empty((1 if last else 2 * half) * sum(widths), np.uint64)
        parts = _level(pairs, rows, half, signs if last else None, z, widths)
        pairs, rows = await reshare_bits(committee, parts, z), 2 * half
        half //= 2
    return pairs


def _level(
    pairs: Share, rows: int, half: int, signs: Share | None, z: Words, widths: Sequence[int]
) -> Iterator[Words]:
    """Yield blocks of z, each filled with this party's share of half as many pairs."""
    z_rows = 2 * half if signs is None else 1
    start = 0
    blocks_in = zip(cut(pairs.own, rows, widths), cut(pairs.next, rows, widths), strict=True)
    for (own, after), out in zip(blocks_in, cut(z, z_rows, widths), strict=True):
        upper, lower = slice(half, 2 * half), slice(0, half)
        p_upper, p_lower = slice(3 * half, 4 * half), slice(2 * half, 3 * half)
        p = Share(own[p_upper], after[p_upper])
        conjunction(p, Share(own[lower], after[lower]), out[:half])
        out[:half] ^= own[upper]
        if signs is None:
            conjunction(p, Share(own[p_lower], after[p_lower]), out[half:])
        else:
            out[0] ^= signs.own[start : start + out.shape[1]]
        start += out.shape[1]
        yield out.reshape(-1)


async def is_zero(committee: Committee, d: Share) -> BitShare:
    """Return whether each word is 0: whether all bits of a are those of -b.

    Cost, m words in c = ceil(m / 64) columns:
    7 rounds, 1016 * c, 504 * c and 504 * c bytes by parties 0, 1 and 2.
    Where the committee checks, `gates.is_zero`.
    """
    if committee.checks:
        return await gates.is_zero(committee, d)
    mine = known(committee, d)
    widths = widths_of(mine.size, packed=True)
    places = list(blocks(mine.size))

    def planes(i: int) -> Words:
        rows, words = np.empty((BITS, widths[i]), np.uint64), mine[places[i]]
        write_planes(words if committee.me == 0 else ~-words, rows)
        return rows

    equal = await share_known(committee, planes, BITS, widths)
    half = PAIRS
    while half:
        z = np.empty(half * sum(widths), np.uint64)
        equal = await reshare_bits(committee, _halved(equal, half, z, widths), z)
        half //= 2
    return in_order(equal, d.shape, widths)


def _halved(x: Share, half: int, z: Words, widths: Sequence[int]) -> Iterator[Words]:
    """Yield blocks of z, each filled with this party's share of upper AND lower rows."""
    blocks_in = zip(cut(x.own, 2 * half, widths), cut(x.next, 2 * half, widths), strict=True)
    for (own, after), out in zip(blocks_in, cut(z, half, widths), strict=True):
        conjunction(Share(own[:half], after[:half]), Share(own[half:], after[half:]), out)
        yield out.reshape(-1)
