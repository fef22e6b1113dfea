"""Integer noise from tables of its distribution, in units of 2^-128, off by a stated distance.

A table holds, for each value, the probability of that value or a smaller one, in units of 2^-128.
A uniform number of 128 bits is looked up. Its lower word is drawn only where the upper one
decides nothing, which happens about once in 2^64 / entries draws; the search takes as many steps
for every draw. Which memory it touches depends on the draw: whoever shares the
machine's caches is not held off.

Weights are computed in integers of 256 bits. One is off by a few units for each before it, so by
under 2^-170 of all, and what is cut off behind the last is under 2^-131 of all. Each probability is
rounded by one unit of 2^-128 at most. So the variation distance from the true
distribution is under (entries + 1) 2^-128.

Shares of noise are negative binomial: X with P(X = k) ~ a^k (1/m)(1/m + 1)...(1/m + k - 1) / k!,
a = e^(-1/b). The sum of m of them is geometric, and the difference of two geometric numbers has
P(x) ~ e^(-|x|/b): the discrete Laplace distribution [HM25].
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import ceil, isqrt

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words
from quorate.dp.draws import uniform_words
from quorate.dp.exponential import exp_minus
from quorate.errors import OutOfRange
from quorate.mpc.agreement import Randomness

Integers = NDArray[np.int64]

PRECISION = 256
UNIT_BITS = 128
CUT = PRECISION - 132
MAX_ENTRIES = 1 << 20
"""16 MiB of table, and about two seconds to make it."""

_LOW = (1 << 64) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The distribution of an integer that is at least `lowest`."""

    lowest: int
    high: Words = field(repr=False)
    low: Words = field(repr=False)
    """P(X <= lowest + k) in units of 2^-128, upper and lower words, where it is not 1."""

    @property
    def distance(self) -> Fraction:
        """How far this is from the distribution it stands for, in total variation, at most."""
        return Fraction(self.high.size + 2, 1 << UNIT_BITS)

    def draw(self, count: int, randomness: Randomness) -> Integers:
        """Return `count` independent draws."""
        upper = uniform_words(count, randomness)
        places = np.searchsorted(self.high, upper, "right")
        for tie in np.flatnonzero(np.searchsorted(self.high, upper, "left") != places):
            first = int(np.searchsorted(self.high, upper[tie], "left"))
            lower = uniform_words(1, randomness)
            rest = self.low[first : places[tie]]
            places[tie] = first + int(np.searchsorted(rest, lower, "right")[0])
        return places.astype(np.int64) + self.lowest


@lru_cache(maxsize=64)
def negative_binomial(scale: Fraction, parts: int) -> Table:
    """Return the distribution of one of `parts` numbers whose sum is geometric, a = e^(-1/scale).

    Raises `OutOfRange` where the table would be too long.
    """
    _check_scale(scale)
    return _table(0, list(_negative_binomial_weights(scale, parts)))


@lru_cache(maxsize=64)
def gaussian(variance: Fraction) -> Table:
    """Return the discrete Gaussian, P(x) ~ e^(-x^2 / 2 variance) [CKS20]. Raises `OutOfRange`."""
    _check_scale(variance)
    positive = list(_gaussian_weights(variance, first=1 / (2 * variance)))
    return _table(1 - len(positive), positive[:0:-1] + positive)


@lru_cache(maxsize=64)
def half_gaussian(variance: Fraction) -> Table:
    """Return P(g) ~ e^(-(g + 1/2)^2 / 2 variance), g >= 0. Raises `OutOfRange`."""
    _check_scale(variance)
    return _table(0, list(_gaussian_weights(variance, first=1 / variance)))


def most_entries(width: Fraction, *, is_squared: bool) -> int:
    """Return how long the table of noise of this scale, or variance, is at most, unmade.

    Weights end below 2^-132 / rest of the first. They are at most e^(-k / b), or e^(-k^2 / 2 s^2)
    on both sides, and ln(2^132 rest) < 0.694 (132 + the bits of rest).
    """
    _check_scale(width)
    rest = 2 * ceil(2 * width + 1) if is_squared else ceil(width)
    end = Fraction(694, 1000) * (PRECISION - CUT + rest.bit_length())
    if is_squared:
        return 2 * (isqrt(ceil(2 * width * end)) + 2)
    return ceil(width * end) + 2


def most_distance(width: Fraction, *, is_squared: bool) -> Fraction:
    """Return how far such a table is from its distribution at most, unmade."""
    return Fraction(most_entries(width, is_squared=is_squared) + 2, 1 << UNIT_BITS)


def _check_scale(scale: Fraction) -> None:
    if scale <= 0:
        raise OutOfRange("noise needs a scale above 0")


def _negative_binomial_weights(scale: Fraction, parts: int) -> Iterator[int]:
    """Yield the weights of 0, 1, 2, ... relative to 2^256, until the rest is negligible."""
    decay = exp_minus(1 / scale, PRECISION)
    rest = ceil(scale)  # 1 / (e^(1/b) - 1) < b: what follows a weight is less than b times it
    weight, k = 1 << PRECISION, 0
    while weight * rest >> CUT:
        yield _counted(weight, k)
        weight = (weight * decay >> PRECISION) * (1 + parts * k) // (parts * (k + 1))
        k += 1


def _gaussian_weights(variance: Fraction, first: Fraction) -> Iterator[int]:
    """Yield the weights of 0, 1, 2, ... relative to 2^256, until the rest is negligible.

    The second is e^-first of the first; from there on each step shrinks by e^(-1 / variance).
    """
    step = exp_minus(first, PRECISION)
    shrink = exp_minus(1 / variance, PRECISION)
    rest = 2 * ceil(2 * variance + 1)  # both tails: each at most 1 / (1 - step) of a weight
    weight, k = 1 << PRECISION, 0
    while weight * rest >> CUT:
        yield _counted(weight, k)
        weight, step, k = weight * step >> PRECISION, step * shrink >> PRECISION, k + 1


def _counted(weight: int, k: int) -> int:
    if k > MAX_ENTRIES // 2:
        raise OutOfRange(
            f"noise this wide needs a table of more than {MAX_ENTRIES:,} entries",
            hint="take a coarser grid: a thousandth of the sensitivity is fine enough",
        )
    return weight


def _table(lowest: int, weights: list[int]) -> Table:
    total = sum(weights)
    below = [(part << UNIT_BITS) // total for part in accumulate(weights)]
    while below and below[-1] >> UNIT_BITS:
        below.pop()
    high = np.array([part >> 64 for part in below], np.uint64)
    low = np.array([part & _LOW for part in below], np.uint64)
    return Table(lowest, high, low)
