"""Signs, zeros and bits of secret words by ANDs alone, each of which can be verified.

A replicated word x = x_0 + x_1 + x_2 is three secret words without a message: the bits of x_0
have the XOR shares (x_0, 0, 0), and so on. One layer of full adders makes two words of them,

    s = x_0 ^ x_1 ^ x_2,  shared as x is;    m = (x_0 ^ x_2) (x_1 ^ x_2) ^ x_2

and x = s + 2m, with the pairs g = s AND 2m and p = s ^ 2m of every position. Its sign is p_63 ^
the carry into bit 63, a tree over pairs as in `comparison`; all bits need the
carries into all positions, a prefix network [Skl60] on whole words. A word is zero if the
bits of x_0 + x_1 are those of -x_2; they are dealt by party 0 (`carries`).

Adversary: as in `mpc.replicated`; every AND is recorded. Unreviewed.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from quorate.algebra.bits import BITS, Bits
from quorate.algebra.ring import Words, blocks
from quorate.mpc.boolean import BitShare, both_words
from quorate.mpc.carries import claim_sum, deal_known
from quorate.mpc.planes import in_order, rotated_planes, write_planes
from quorate.mpc.replicated import Committee, Share, local, only
from quorate.mpc.split import widths_of
from quorate.transport.session import together

ONE = np.uint64(1)
TREE_LEVELS = 6
LOW = np.uint64((1 << (BITS - 1)) - 1)
"""All bits but 63."""


async def is_negative(committee: Committee, x: Share) -> BitShare:
    """Return bit 63 of each word.

    Cost, m words in c = ceil(m / 64) columns: 8 rounds, 8 * (2 * m + 125 * c) bytes a party
    """
    g, p = await _pairs(committee, local(np.ravel, x))
    below = local(lambda part: part & LOW, g)  # nothing is generated in bit 63
    pairs = local(lambda lower, upper: _stacked([lower, upper], rotated_planes), below, p)
    carry = await _carry(committee, pairs)
    signs = local(lambda row, both: row ^ both[1, 0], carry, pairs)
    return in_order(signs, x.shape, widths_of(x.own.size, packed=True))


async def is_zero(committee: Committee, x: Share) -> BitShare:
    """Return whether each word is 0.

    Cost, m words in c = ceil(m / 64) columns: 7 rounds,
    16 * m + 504 * c, 8 * m + 504 * c and 8 * m + 504 * c bytes by parties 0, 1 and 2
    """
    flat = local(np.ravel, x)
    s = only(committee, flat, 0, 1)
    bits, _ = await deal_known(committee, s.own + s.next, flat.own[:0])
    negated = only(committee, local(lambda part: ~-part, flat), 2)
    equal = local(lambda a, b: _stacked([a ^ b], write_planes), bits, negated)
    one, other = committee.beside(2)
    found, _ = await together(_all_rows(one, equal), claim_sum(other, s, bits))
    return in_order(found, x.shape, widths_of(x.own.size, packed=True))


async def to_bits(committee: Committee, x: Share, count: int = BITS) -> BitShare:
    """Return the lowest `count` = 2^k bits of each word, (count, *x.shape), lowest first.

    Cost, m words: k + 2 rounds, 8 (k + 2) m bytes a party
    """
    g, p = await _pairs(committee, local(np.ravel, x))
    carries, through = g, p
    for width in (1 << level for level in range(count.bit_length() - 1)):
        x_upper = local(partial(_upper, width), through)
        y_lower = local(partial(_tops, width), carries, through)
        met = await both_words(committee, x_upper, y_lower)
        carries, through = (
            local(partial(_with_carries, width), carries, met),
            local(partial(_with_through, width), through, met),
        )
    bits = local(lambda part, carry: part ^ (carry << ONE), p, carries)
    return BitShare(_bits(bits.own, count, x.shape), _bits(bits.next, count, x.shape))


async def _pairs(committee: Committee, x: Share) -> tuple[Share, Share]:
    """Return (g, p) of every position of s + 2m, in words; flat.

    Cost, m words: 2 rounds, 16 * m bytes a party
    """
    third = only(committee, x, 2)
    met = await both_words(committee, only(committee, x, 0, 2), only(committee, x, 1, 2))
    doubled = local(lambda both, part: (both ^ part) << ONE, met, third)
    return await both_words(committee, x, doubled), local(np.bitwise_xor, x, doubled)


async def _carry(committee: Committee, pairs: Share) -> Share:
    """Return the carry out of all of 64 rows of pairs, (2, 64, c), as one row.

    Cost: 6 rounds, 1000 * c bytes a party
    """
    while pairs.own.shape[1] > 1:
        through = local(_propagated, pairs)
        met = await both_words(committee, through, local(_lower, pairs))
        pairs = local(_combined, met, pairs)
    return local(np.ravel, pairs)


async def _all_rows(committee: Committee, rows: Share) -> Share:
    """Return the AND of 64 rows, (1, 64, c), as one row.

    Cost: 6 rounds, 504 * c bytes a party
    """
    met = local(np.ravel, rows)
    for _ in range(TREE_LEVELS):
        half = met.own.size // 2
        upper = local(partial(_cut, slice(half, None)), met)
        lower = local(partial(_cut, slice(half)), met)
        met = await both_words(committee, upper, lower)
    return met


def _upper(width: int, p: Words) -> Words:
    """Return p of the upper half of each group of 2 `width` bits, in both halves."""
    upper = p & _upper_halves(width)
    return upper ^ (upper >> np.uint64(width))


def _tops(width: int, g: Words, p: Words) -> Words:
    """Return g at the top of the lower half all over the upper half, and p all over the lower."""
    tops, spread = _starts(width), np.uint64((1 << width) - 1)
    down, up = np.uint64(width - 1), np.uint64(width)
    found = (((part >> down) & tops) * spread for part in (g, p))
    upper, lower = found
    return (upper << up) ^ lower


def _with_carries(width: int, g: Words, met: Words) -> Words:
    return g ^ (met & _upper_halves(width))


def _with_through(width: int, p: Words, met: Words) -> Words:
    upper = _upper_halves(width)
    return (p & ~upper) ^ ((met & ~upper) << np.uint64(width))


def _starts(width: int) -> np.uint64:
    """Return the lowest bit of each group of 2 `width` bits."""
    return np.uint64(((1 << BITS) - 1) // ((1 << 2 * width) - 1))


def _upper_halves(width: int) -> np.uint64:
    return np.uint64((int(_starts(width)) * ((1 << width) - 1) << width) & ((1 << BITS) - 1))


def _propagated(pairs: Words) -> Words:
    """Return p of the upper half of the rows, for g and, but in the last level, for p; flat."""
    upper = pairs[1, pairs.shape[1] // 2 :]
    return np.broadcast_to(upper, (min(2, len(upper)), *upper.shape)).ravel()


def _lower(pairs: Words) -> Words:
    """Return g and, but in the last level, p of the lower half of the rows; flat."""
    half = pairs.shape[1] // 2
    return pairs[: min(2, half), :half].ravel()


def _combined(met: Words, pairs: Words) -> Words:
    """Return (G ^ P g, P p) of half as many rows."""
    upper = pairs[0, pairs.shape[1] // 2 :]
    out = met.reshape(min(2, len(upper)), *upper.shape).copy()
    out[0] ^= upper
    return out


def _cut(here: slice, words: Words) -> Words:
    return words[here]


def _bits(words: Words, count: int, shape: tuple[int, ...]) -> Bits:
    """Return the lowest bits of each word, (count, *shape)."""
    places = np.unpackbits(words.view(np.uint8), bitorder="little").view(np.bool_)
    bits: Bits = np.ascontiguousarray(places.reshape(-1, BITS)[:, :count].T)
    return bits.reshape(count, *shape)


def _stacked(words: Sequence[Words], write: Callable[[Words, Words], None]) -> Words:
    """Return the planes of several arrays of words, (len(words), 64, c)."""
    widths = widths_of(words[0].size, packed=True)
    out = np.empty((len(words), BITS, sum(widths)), np.uint64)
    for one, rows in zip(words, out, strict=True):
        start = 0
        for here, width in zip(blocks(one.size), widths, strict=True):
            block = np.empty((BITS, width), np.uint64)
            write(one[here], block)
            rows[:, start : start + width] = block
            start += width
    return out
