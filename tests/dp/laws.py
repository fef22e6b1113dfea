"""What noise should be distributed like, computed another way, and whether a sample is."""

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import count, pairwise, takewhile
from math import ceil

import numpy as np

from quorate.dp.draws import uniform_below
from quorate.dp.geometric import geometric
from quorate.dp.tables import Integers, Table
from quorate.mpc.agreement import Randomness
from tests.mpc.uniformity import chi_square_limit

DIGITS = 90
RARE = 1e-4
OFTEN = 20


def decimal(x: Fraction) -> Decimal:
    return Decimal(x.numerator) / Decimal(x.denominator)


def laplace(scale: Fraction) -> Callable[[int], float]:
    """P(x) = tanh(1 / 2b) e^(-|x| / b)."""
    b = float(scale)
    return lambda x: float(np.tanh(1 / (2 * b)) * np.exp(-abs(x) / b))


def gaussian(variance: Fraction) -> Callable[[int], float]:
    s2 = float(variance)
    reach = int(40 * s2**0.5) + 2
    whole = sum(np.exp(-(x**2) / (2 * s2)) for x in range(-reach, reach + 1))
    return lambda x: float(np.exp(-(x**2) / (2 * s2)) / whole)


def negative_binomial(scale: Fraction, parts: int, reach: int) -> list[Decimal]:
    """(1 - a)^(1/m) a^k (1/m)(1/m + 1)...(1/m + k - 1) / k!, to 90 digits."""
    with localcontext() as context:
        context.prec = DIGITS
        a = (-1 / decimal(scale)).exp()
        share = 1 / Decimal(parts)
        found = [((1 - a).ln() * share).exp()]
        for k in range(reach):
            found.append(found[-1] * a * (share + k) / (k + 1))
        return found


def probabilities(table: Table) -> list[Fraction]:
    """Return the chance of each value of a table, from its lowest on, exactly."""
    pairs = zip(table.high.tolist(), table.low.tolist(), strict=True)
    below = [0, *((high << 64) + low for high, low in pairs), 1 << 128]
    return [Fraction(b - a, 1 << 128) for a, b in pairwise(below)]


def unlike(sample: Integers, law: Callable[[int], float], rate: float = RARE) -> bool:
    """Return whether a sample fails the chi-square test at this rate.

    Neighbours count together where a value alone is rare, and so do all that are far out.
    """
    centre = int(np.median(sample))
    width = max(1, ceil(2 * OFTEN / (sample.size * law(centre))))

    def expected(start: int) -> float:
        return sample.size * sum(law(x) for x in range(start, start + width))

    starts = list(takewhile(lambda s: expected(s) >= OFTEN, count(centre, width)))
    starts += takewhile(lambda s: expected(s) >= OFTEN, count(centre - width, -width))
    starts.sort()
    usual = np.array([expected(start) for start in starts])
    edges = [*starts, starts[-1] + width]
    found, _ = np.histogram(sample[sample < edges[-1]], edges)
    statistic = float(((found - usual) ** 2 / usual).sum())
    degrees = len(starts) - 1
    far = sample.size - float(usual.sum())
    if far >= OFTEN / 4:
        statistic += float((sample.size - found.sum() - far) ** 2 / far)
        degrees += 1
    return statistic > chi_square_limit(degrees, rate)


def urn(scale: Fraction, parts: int, randomness: Randomness) -> int:
    """Return a negative binomial number by Polya's urn: exact, slow, and by another way.

    Of a geometric number G of draws from an urn that starts with 1/m red of 1 in all and gets one
    more of what is drawn, so many are red.
    """
    (draws,) = geometric(scale, 1, randomness).tolist()
    red = 0
    for j in range(draws):
        (ball,) = uniform_below(parts * (1 + j), 1, randomness).tolist()
        red += ball < 1 + parts * red
    return red
