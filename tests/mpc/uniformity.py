"""Tests of randomness that raise a false alarm about once in ten million runs.

Every bound is on one statistic. A test that looks at several says so by
dividing the rate among them.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words

FALSE_ALARM = 1e-7


def not_uniform(words: Words) -> list[str]:
    """Return what tells `words` from independent uniform ones: nothing, if they are."""
    rate = FALSE_ALARM / 3
    found = []
    if _chi_square_of_bytes(words) > chi_square_limit(255, rate):
        found.append("bytes are not equally frequent")
    if _distance_from_uniform(words) > math.sqrt(math.log(2 / rate) / (2 * words.size)):
        found.append("words are not evenly spread")  # the bound is Massart's
    if _worst_bit(words) > NormalDist().inv_cdf(1 - rate / 64 / 2):
        found.append("some bit is not as often 0 as 1")
    return found


def differ(one: Words, other: Words) -> list[str]:
    """Return what tells two samples of words apart: nothing, if they are of one distribution."""
    rate = FALSE_ALARM / 3
    found = bytes_differ(one.tobytes(), other.tobytes(), rate)
    both = (_ones(one) + _ones(other)) / (one.size + other.size)
    deviation = np.sqrt(both * (1 - both) * (1 / one.size + 1 / other.size))
    apart = np.abs(_ones(one) / one.size - _ones(other) / other.size)
    if (apart > NormalDist().inv_cdf(1 - rate / 64 / 2) * deviation).any():
        found.append("some bit is differently often 1")
    joined = np.concatenate([np.sort(one), np.sort(other)])
    order = np.argsort(joined, kind="stable")
    step = np.where(order < one.size, 1 / one.size, -1 / other.size)
    limit = math.sqrt(math.log(2 / rate) / 2 * (1 / one.size + 1 / other.size))
    if np.abs(np.cumsum(step)).max() > limit:
        found.append("words are spread differently")
    return found


def bytes_differ(one: bytes, other: bytes, rate: float = FALSE_ALARM) -> list[str]:
    """Return whether two samples of bytes differ, by the chi-square test of homogeneity."""
    first, second = _histogram(one), _histogram(other)
    both = first + second
    often = both >= 20  # where the statistic is close to its limit distribution
    expected = both[often] * (len(one) / (len(one) + len(other)))
    unexpected = both[often] - expected
    statistic = ((first[often] - expected) ** 2 * (1 / expected + 1 / unexpected)).sum()
    if statistic > chi_square_limit(max(int(often.sum()) - 1, 1), rate):
        return ["bytes are differently frequent"]
    return []


def _chi_square_of_bytes(words: Words) -> float:
    expected = 8 * words.size / 256
    return float(((_histogram(words.tobytes()) - expected) ** 2 / expected).sum())


def _distance_from_uniform(words: Words) -> float:
    """Return the Kolmogorov-Smirnov distance from the uniform distribution."""
    seen = np.sort(words).astype(np.float64) / 2.0**64
    ranks = np.arange(words.size + 1) / words.size
    return float(max((ranks[1:] - seen).max(), (seen - ranks[:-1]).max()))


def _worst_bit(words: Words) -> float:
    """Return the largest deviation of any of the 64 bits' counts, in standard deviations."""
    return float(np.abs(_ones(words) - words.size / 2).max() / math.sqrt(words.size / 4))


def _ones(words: Words) -> NDArray[np.float64]:
    """Return how many words have each of the 64 bits set."""
    bits = np.unpackbits(words.view(np.uint8).reshape(-1, 8), axis=1)
    found: NDArray[np.float64] = bits.sum(axis=0, dtype=np.float64)
    return found


def _histogram(data: bytes) -> NDArray[np.float64]:
    return np.bincount(np.frombuffer(data, np.uint8), minlength=256).astype(np.float64)


def chi_square_limit(degrees: int, rate: float) -> float:
    """Return the value that a chi-square variable exceeds at `rate` (Wilson and Hilferty)."""
    part = 2 / (9 * degrees)
    return degrees * (1 - part + NormalDist().inv_cdf(1 - rate) * math.sqrt(part)) ** 3
