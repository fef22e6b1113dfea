"""Uniform numbers from random bytes, without bias."""

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words
from quorate.mpc.agreement import Randomness

WORD = 1 << 64


def uniform_words(count: int, randomness: Randomness) -> Words:
    """Return `count` uniform words of 64 bits."""
    return np.frombuffer(randomness(8 * count), "<u8").astype(np.uint64, copy=False)


def uniform_below(bound: int, count: int, randomness: Randomness) -> Words:
    """Return `count` uniform integers below `bound`, 1 <= bound <= 2^64, exactly.

    Words that would favour small numbers are drawn again; how often says nothing of what is kept.
    """
    if bound == WORD:
        return uniform_words(count, randomness)
    most = WORD - WORD % bound - 1
    drawn = uniform_words(count, randomness).copy()
    again = np.flatnonzero(drawn > np.uint64(most))
    while again.size:
        drawn[again] = uniform_words(again.size, randomness)
        again = again[drawn[again] > np.uint64(most)]
    return drawn % np.uint64(bound)


def happens(chances: NDArray[np.uint64], of: int, randomness: Randomness) -> NDArray[np.bool_]:
    """Return bits that are 1 with probability chance / `of`, exactly, each for itself."""
    drawn = uniform_below(of, chances.size, randomness).reshape(chances.shape)
    return np.less(drawn, chances)
