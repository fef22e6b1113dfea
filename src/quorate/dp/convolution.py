"""Wide Gaussian noise from narrow: which small draws add up to it, and how far off the sum is.

Of two discrete Gaussians of variance v, independent and on whole numbers or on halves of odd ones,
X + k Y has variance (1 + k^2) v. Its probability at z is, but for what does not depend on z,

    e^(-z^2 / 2 (1 + k^2) v) times the sum over y of e^(-(y - c)^2 / 2 w),   w = v / (1 + k^2)

where c depends on z. By Poisson's formula the sum is (2 pi w)^(1/2) whatever c is, but for a factor
of 1 +- 2 (e^(-2 pi^2 w) + e^(-8 pi^2 w) + ...) [MP13]. From w = 5/2 on that is under 2^-70, so
X + k Y is within 2^-69 of a discrete Gaussian in total variation. So wide noise is split in two,
and each half again, with k odd and about (v / w)^(1/4), until the draws are narrow.

A narrow draw is g + 1/2, or -(g + 1/2) = (-1 - g) + 1/2, each with chance 1/2, with P(g) ~
e^(-(g + 1/2)^2 / 2 v), g >= 0: a sign turns all bits of g over, as in `dp.geometric`. All k being
odd, the halves add up to a whole number. g is how many thresholds of 64 bits a uniform word of 64
bits reaches; n thresholds make it off by under (n + 2) 2^-64.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isqrt

import numpy as np

from quorate.algebra.ring import Words
from quorate.dp import tables
from quorate.dp.geometric import MOST_BITS
from quorate.errors import OutOfRange

SMOOTH = Fraction(5, 2)
"""The least w."""

OFF = Fraction(1, 1 << 69)
"""How far one sum of two is from its law at most."""

PRECISION = 64
NARROW = 256
"""Draws of a variance below this are not split: their thresholds are under 160."""

LEAST = 4 * SMOOTH
"""The least variance that one split leads to."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Independent draws of one variance that make a number, each times its weight."""

    variance: Fraction
    weights: tuple[int, ...]

    @property
    def thresholds(self) -> Words:
        """What a uniform word reaches so many of as g is; ascending, above 0."""
        return np.unique(tables.half_gaussian(self.variance).high)

    @property
    def digits(self) -> int:
        """The bits of g."""
        return self.thresholds.size.bit_length()

    @property
    def halves(self) -> int:
        """What the halves of all draws add up to."""
        return sum(self.weights) // 2

    @property
    def limit(self) -> int:
        """What no number made of them exceeds, in absolute value."""
        return sum(self.weights) * (self.thresholds.size + 1)

    @property
    def distance(self) -> Fraction:
        """How far one number is from its law, in total variation, at most."""
        count = len(self.weights)
        one = Fraction(self.thresholds.size + 2, 1 << PRECISION)
        return count * one + (count - 1) * OFF


@lru_cache(maxsize=64)
def pieces(variance: Fraction) -> Pieces:
    """Return the draws that add up to discrete Gaussian noise. Raises `OutOfRange`."""
    if variance < LEAST:
        raise OutOfRange(
            f"noise of variance {variance} is too narrow to be made of two draws",
            hint="multiply the numbers, and divide what is released",
        )
    weights: tuple[int, ...] = (1,)
    each = variance
    while len(weights) == 1 or each >= NARROW:
        k = _factor(each)
        weights += tuple(k * weight for weight in weights)
        each /= 1 + k**2
    found = Pieces(each, weights)
    if found.limit >> MOST_BITS:
        raise OutOfRange(
            f"noise this wide has numbers of {found.limit.bit_length()} bits; "
            f"the most is {MOST_BITS}",
            hint="take a coarser grid: a thousandth of the sensitivity is fine enough",
        )
    return found


def _factor(variance: Fraction) -> int:
    """Return the largest odd k with variance / (1 + k^2)^2 >= w."""
    k = isqrt(isqrt(int(variance / SMOOTH)) - 1)
    return k if k % 2 else k - 1
