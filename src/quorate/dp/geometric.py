"""Discrete Laplace noise bit by bit: P(x) ~ e^(-|x|/b), of any scale b, in the same work each time.

A geometric number G, P(k) ~ e^(-k/b), has independent bits: bit i is 1 with probability
1 / (1 + e^(2^i / b)). With a sign s that is 1 with probability 1 / (1 + e^(1/b)), the noise is G
where s is 0 and -1 - G where it is 1: in two's complement, G with every bit turned over. Let
a = e^(-1/b): P(x) = (1 - a) a^x / (1 + a) for x >= 0, and (1 - a) a^(-1-x) a / (1 + a), the same in
|x|, for x < 0. Each bit is a comparison of a uniform number of L bits with a public threshold,
rounded down; the d bits that are kept leave out less than e^(-2^d / b) <= 2^-L. So the
variation distance is under (d + 2) 2^-L.
"""

from fractions import Fraction
from functools import lru_cache

import numpy as np

from quorate.algebra.ring import Words
from quorate.dp.draws import uniform_words
from quorate.dp.exponential import GUARD, exp_minus
from quorate.dp.tables import Integers
from quorate.errors import OutOfRange
from quorate.mpc.agreement import Randomness

EXACT = 128
MOST_BITS = 48
_LN2_ABOVE = Fraction(693_148, 1_000_000)


def bits_of_scale(scale: Fraction, precision: int) -> int:
    """Return d, the bits of one geometric number. Raises `OutOfRange`."""
    if scale <= 0:
        raise OutOfRange("noise needs a scale above 0")
    count = max(int(scale * precision * _LN2_ABOVE).bit_length(), 1)
    if count > MOST_BITS:
        raise OutOfRange(
            f"noise this wide has numbers of {count} bits; the most is {MOST_BITS}",
            hint="take a coarser grid: a thousandth of the sensitivity is fine enough",
        )
    return count


@lru_cache(maxsize=64)
def thresholds(scale: Fraction, precision: int) -> tuple[int, ...]:
    """Return 2^precision / (1 + e^(2^i / scale)), rounded down, for each bit i."""
    finer = precision + GUARD
    odds = (exp_minus((1 << i) / scale, finer) for i in range(bits_of_scale(scale, precision)))
    return tuple((odd << precision) // ((1 << finer) + odd) for odd in odds)


def signed_thresholds(scale: Fraction, precision: int) -> tuple[int, ...]:
    """Return the same, and last that of the sign: 2^precision / (1 + e^(1 / scale))."""
    chances = thresholds(scale, precision)
    return (*chances, chances[0])


def distance(scale: Fraction, precision: int = EXACT) -> Fraction:
    """Return how far one draw is from the true distribution, in total variation, at most."""
    return Fraction(bits_of_scale(scale, precision) + 2, 1 << precision)


def discrete_laplace(scale: Fraction, count: int, randomness: Randomness) -> Integers:
    """Return `count` independent draws, within `distance(scale)` of the true distribution."""
    size = geometric(scale, count, randomness)
    sign = _below(thresholds(scale, EXACT)[0], count, randomness)
    return size ^ -sign.astype(np.int64)


def geometric(scale: Fraction, count: int, randomness: Randomness) -> Integers:
    """Return `count` independent draws of P(k) ~ e^(-k/scale), k >= 0."""
    total = np.zeros(count, np.int64)
    for i, threshold in enumerate(thresholds(scale, EXACT)):
        total += _below(threshold, count, randomness).astype(np.int64) << i
    return total


def _below(threshold: int, count: int, randomness: Randomness) -> Words:
    """Return 1 with probability threshold / 2^128; the lower word is drawn where it decides."""
    upper = uniform_words(count, randomness)
    high, low = np.uint64(threshold >> 64), np.uint64(threshold & ((1 << 64) - 1))
    below = (upper < high).astype(np.uint64)
    ties = np.flatnonzero(upper == high)
    if ties.size:
        below[ties] = uniform_words(ties.size, randomness) < low
    return below
