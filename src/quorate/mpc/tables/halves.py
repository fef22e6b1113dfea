"""Halves of words that hold several bits of several numbers: levels of a tree without bit planes.

A word of a number is folded onto half a word, a quarter and a byte; then the bytes of eight numbers
are transposed to a word of eight planes, and the halves go on, down to one bit of each.
Arrays are words of 64 bits throughout, viewed as smaller ones; all of it is local on shares.
"""

from functools import partial

import numpy as np

from quorate.algebra.bits import BITS
from quorate.algebra.ring import Words
from quorate.mpc.replicated import Committee, Share, local, public

ONES = np.uint64((1 << BITS) - 1)

_REVERSED = tuple(
    (2**high - 2**low, sum(1 << i for i in range(BITS) if i >> low & 1 and not i >> high & 1))
    for low, high in ((0, 5), (1, 4), (2, 3))
)
"""Distances, and the bits that change places with those so far above: indexes are reversed."""

_SQUARE = ((7, 0x00AA00AA00AA00AA), (14, 0x0000CCCC0000CCCC), (28, 0x00000000F0F0F0F0))
"""The same for the transposition of a word's 8 bytes of 8 bits [War12]."""


def reversed_bits(x: Share) -> Share:
    """Return words with bit rev(i) in place i, or back."""
    return local(partial(_swapped, _REVERSED), x)


def squared(x: Share) -> Share:
    """Return the bytes of eight numbers each as eight planes, or back."""
    return local(partial(_swapped, _SQUARE), x)


def part_of(half: type, place: int, words: Words) -> Words:
    """Return the lower or the upper half of each of twice as large items."""
    return np.ascontiguousarray(words.view(half)[place::2]).view(np.uint64)


def inverted(committee: Committee, x: Share) -> Share:
    """Return NOT x: one of the three parts is turned."""
    return local(np.bitwise_xor, x, public(committee, np.full(x.shape, ONES)))


def _swapped(stages: tuple[tuple[int, int], ...], words: Words) -> Words:
    """Return words in which bits changed places, by delta swaps."""
    out = words.copy()
    for shift, places in stages:
        moved = (out ^ (out >> np.uint64(shift))) & np.uint64(places)
        out ^= moved
        out ^= moved << np.uint64(shift)
    return out
