"""Bits of many words side by side: the transposition between words and bit planes.

64 w words become 64 rows of w words, one row for each bit of the words, so that
one operation on a row works on that bit of all of them. Row r holds bit rev(r),
where rev reverses the six bits of an index: neighbouring bits of a word lie half
the rows apart, and whoever combines neighbours again and again always combines
the upper half of the rows with the lower. Word j w + c has its bits in column c,
at bit rev(j) of the row's word.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words

BITS = 64
REVERSED = np.array([int(f"{i:06b}"[::-1], 2) for i in range(BITS)])
"""rev(r): which bit of the words stands in row r."""

Bits = NDArray[np.bool_]

_STAGES = tuple(
    (BITS >> (t + 1), np.uint64(1 << t), np.uint64(((1 << BITS) - 1) // ((1 << (1 << t)) + 1)))
    for t in range(6)
)
"""Distance of rows, distance of bits, and the lower bit of each pair of bits."""


def columns(count: int) -> int:
    """Return how many words a row needs for `count` words."""
    return -(-count // BITS)


def transpose(rows: Words, scratch: Words) -> None:
    """Turn 64 rows of words into their 64 bit planes, or back, in place.

    Six stages of [War12] section 7-3; `scratch` holds half as many words as `rows`.
    """
    spare = scratch[: rows.size // 2]
    for far, shift, low_bits in _STAGES:
        pairs = rows.reshape(BITS // (2 * far), 2, far, rows.shape[1])
        low, high = pairs[:, 0], pairs[:, 1]
        swapped = spare.reshape(low.shape)
        np.right_shift(low, shift, out=swapped)
        np.bitwise_xor(swapped, high, out=swapped)
        np.bitwise_and(swapped, low_bits, out=swapped)
        np.bitwise_xor(high, swapped, out=high)
        np.left_shift(swapped, shift, out=swapped)
        np.bitwise_xor(low, swapped, out=low)


def bits_of(row: Words, count: int) -> Bits:
    """Return one bit of each of the first `count` words, from its row."""
    lanes = unpack(row, BITS * row.size).reshape(-1, BITS)
    bits: Bits = lanes.T[REVERSED].reshape(-1)[:count]
    return bits


def weights(count: int, *, signed: bool) -> Words:
    """Return what each of `count` bits is worth modulo 2^64; `signed`: the last counts negative."""
    powers = np.uint64(1) << np.arange(count, dtype=np.uint64)
    if signed:
        np.negative(powers[-1:], out=powers[-1:])
    return powers


def pack(bits: Bits) -> Words:
    """Return `bits` in words, the first lowest, padded with zeros."""
    packed = np.zeros(columns(bits.size), np.uint64)
    small = np.packbits(bits, bitorder="little")
    packed.view(np.uint8)[: small.size] = small
    return packed


def unpack(packed: Words, count: int) -> Bits:
    """Return the first `count` bits of `packed`."""
    bits: Bits = np.unpackbits(packed.view(np.uint8), count=count, bitorder="little").view(bool)
    return bits
