"""Poisson regression on rows that nobody sees, of which nothing is revealed but the result.

Each member deals its rows to the three parties of an engine: columns x of at most 1 and the first
of them 1, counts y, and exposures u of at most 1; a row of zeros counts as none. With the rate
of all together r = sum y / sum u, which stays secret, expected counts are r u e^(X b), b = 0 at
first, and Newton's steps of [NW72] are, with N >= n a power of two and C = 64,

    H = sum u e^(x b) x x^T / C N,    g = (sum u . sum x y / sum y - sum u e^(x b) x) / C N
    b <- b + H^(-1) g

their number public. In the end log r is added to the constant, and the roots of the diagonal of
H^(-1) are divided by the root of r. All is well if there was an event and the last step was small;
if not, coefficients grow without end or the steps were too few. An e^(x b) above e^4, which is
to expect 55 times the rate of all together, counts as that.

A row costs an exponential a step, 25 comparisons, and p^2 products.

Adversary: that of the engine. What members deal is not checked but for its range, which their own
parts of the sums say. Unreviewed.
"""

from dataclasses import dataclass
from math import ceil, log2, sqrt

import numpy as np
from numpy.typing import NDArray

from quorate.errors import OutOfRange
from quorate.models.outputs import Degenerate, heard, said
from quorate.models.products import brought, matmul, read, times, total, within
from quorate.models.scaling import HALF_BITS, ratios, root_scale, scaled_by
from quorate.models.solving import SOLUTION_BITS, deviations, step
from quorate.models.trained import DESIGN_BITS, LEAST_STEPS, MOST_ROWS, SETTLED, Learned
from quorate.models.whitening import GRAM_BITS, Whitened, whitened
from quorate.mpc.functions import log, piecewise
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import clip, concatenate

MOST_COUNT = 1 << 16
PART_ROWS = 1 << 8
SUM_BITS = 38
MEAN_BITS = 6
WEIGHT_BITS = 22
PLACE_BITS = 24
SHARE_BITS = 32
ROOT_BITS = 22
LOWEST, HIGHEST = -12.0, 4.0
"""Between which the logarithm of a rate over that of all together counts."""

FARTHEST = 2.0**11
"""The most of a coefficient, and of a sum of them."""

RATES = 8.0
"""Half the most that the logarithm of the rate of all together may be, or be below 0."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What is public: N, how many coefficients, the steps, and the most that a count may be."""

    divisor: int
    columns: int
    steps: int
    most: int
    unit: float = 1.0  # of exposure: what a dealt 1 stands for

    @property
    def scale(self) -> int:
        """Return C N."""
        return self.divisor << MEAN_BITS


def counting(rows: int, columns: int, steps: int, most: int, unit: float = 1.0) -> Counting:
    """Return a regression of at most `rows` rows. Raises `OutOfRange`."""
    if steps < LEAST_STEPS:
        raise OutOfRange(f"a training takes {LEAST_STEPS} steps or more")
    if rows > MOST_ROWS or most > MOST_COUNT:
        raise OutOfRange(f"a training takes {MOST_ROWS:,} rows and counts of {MOST_COUNT:,}")
    return Counting(1 << max(ceil(log2(rows)), 1), columns, steps, most, unit)


def counted(
    of: Counting, design: SecretArray, outcome: SecretArray, exposure: SecretArray
) -> SecretArray:
    """Return what is revealed, 2 p + 2 words for `learned_rates`; nothing is revealed here.

    `design` (n, p) and `exposure` (n,) have 26 bits of fraction, `outcome` (n,) are integers.

    Cost, 1,000 rows, 3 coefficients, 7 steps, in a study: 1684 rounds, 7,779,088 bytes of the
    busiest party; verified 1981 rounds, 44,548,776 bytes.
    """
    exposed = total(exposure, 0, bound=of.divisor).reshape(1)
    events, shares = _shares(of, design, outcome)
    mean = brought(read(exposed, DESIGN_BITS + round(log2(of.scale))), SHARE_BITS)
    wanted = times(shares, mean, bound=1 / 32, f=GRAM_BITS)
    weights = within(brought(exposure, WEIGHT_BITS), 1)
    found = _weighed(of, design, weights)
    at = last = step(whitened(found), within(wanted - found[:, 0], 1))
    for _ in range(of.steps - 1):
        found = _weighed(of, design, times(weights, _rates(design, at), bound=55, f=WEIGHT_BITS))
        last = step(whitened(found), within(wanted - found[:, 0], 1))
        at = within(at + last, FARTHEST)
    return _told(
        of, whitened(found), at, last, log(events) - log(exposed), ((events < 1) + 0).sum() == 0
    )


def learned_rates(words: NDArray[np.int64], of: Counting) -> Learned | Degenerate:
    """Return what was revealed of `counted`."""
    p = of.columns
    parts = heard(words[:-1], [p, p], [SOLUTION_BITS, SOLUTION_BITS])
    if parts is None:
        return Degenerate.SEPARATED if words[-1] else Degenerate.COLLINEAR
    return Learned(parts[0], parts[1] / sqrt(of.scale))


def _shares(
    of: Counting, design: SecretArray, outcome: SecretArray
) -> tuple[SecretArray, SecretArray]:
    """Return the events, and of their sums of columns the means."""
    bits = round(log2(of.divisor)) + of.most.bit_length() + 1
    most = 2.0 ** (bits - 1)
    sums = matmul(outcome.reshape(1, -1), design, bound=most, f=DESIGN_BITS).reshape(-1)
    parts = within(read(sums, DESIGN_BITS + bits), 1)
    scale = root_scale(parts[:1], steps=bits // 2 + 1)
    even = scaled_by(scaled_by(parts, scale, bound=1), scale, bound=1)
    even = brought(even, HALF_BITS)
    return sums[:1], within(ratios(even, even[:1]), 1.1)


def _rates(design: SecretArray, at: SecretArray) -> SecretArray:
    """Return e^(X b), cut off: the fourth power of that of a quarter, which takes fewer pieces."""
    place = brought(at, PLACE_BITS).reshape(-1, 1)
    linear = matmul(design, place, bound=FARTHEST, f=WEIGHT_BITS).reshape(-1)
    quarter = read(within(clip(linear, LOWEST, HIGHEST), -LOWEST), PLACE_BITS)
    root = within(piecewise(quarter, np.exp, LOWEST / 4, HIGHEST / 4), 2.8)
    square = times(root, root, bound=7.5, f=PLACE_BITS)
    return times(square, square, bound=55, f=WEIGHT_BITS)


def _weighed(of: Counting, design: SecretArray, weights: SecretArray) -> SecretArray:
    """Return X^T W X / C N, 60 bits of fraction: of so many rows at a time as fit a word."""
    lines = times(design, weights.reshape(-1, 1), bound=55, f=WEIGHT_BITS)
    places = [slice(at, at + PART_ROWS) for at in range(0, len(design), PART_ROWS)]
    parts = [
        matmul(design[here].T, lines[here], bound=55 * PART_ROWS, f=SUM_BITS) for here in places
    ]
    whole = total(concatenate([one.reshape(1, -1) for one in parts]), 0, bound=55 * of.divisor)
    means = read(whole, SUM_BITS + round(log2(of.scale)))
    return within(brought(means, GRAM_BITS), 1).reshape(of.columns, of.columns)


def _told(
    of: Counting,
    w: Whitened,
    at: SecretArray,
    last: SecretArray,
    rate: SecretArray,
    some: SecretArray,
) -> SecretArray:
    """Return what is revealed; `rate` is the logarithm of that of all, if there are `some`."""
    settled = ((abs(last) > SETTLED) + 0).sum() == 0
    constant = brought(rate, SOLUTION_BITS) - np.log(of.unit)
    estimates = concatenate([within(at[:1] + constant, FARTHEST), at[1:]])
    half = clip(read(brought(rate, ROOT_BITS), ROOT_BITS + 1), -RATES, RATES)
    inverse = within(piecewise(-half, np.exp, -RATES, RATES), np.exp(RATES))
    roots = times(brought(deviations(w), ROOT_BITS), inverse, bound=2.0**16, f=SOLUTION_BITS)
    sound = w.sound & settled & some
    return concatenate([said([estimates, roots], sound), (w.sound + 0).reshape(1)])
