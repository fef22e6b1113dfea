"""Means, variances, Welch's t and correlation of secret sums.

Of n rows, with S their sum and Q the sum of their squares, m an approximation of S / n:

    sum (x - S/n)^2 = Q - 2 m S + n m^2   but for n (m - S/n)^2, which is below the last bit,

so nothing is lost by subtracting what is large. With a_g = v_g / n_g, v_g a group's variance
[Wel47]:

    difference m_1 - m_2,   its variance a = a_1 + a_2,   freedom a^2 / sum a_g^2 / (n_g - 1)

Numbers of rows have k bits and values r, in units of the caller's choice: `Sizes`. Of values
that differ little, by less than 2^-5 of 2^r as a rule, less is known.

Adversary: that of the engine. Sums that members deal are not checked. Unreviewed.
"""

from dataclasses import dataclass

from quorate.models.products import brought, read, times, within
from quorate.models.ratios import at_least_one
from quorate.models.scaling import root_scale, scaled_by
from quorate.mpc.functions import divided, sqrt
from quorate.mpc.secret import SecretArray

MOST_ROWS = (1 << 17) - 1
BITS = 29
"""Of a number of rows and of a value, together."""

DIVIDED = 40
"""Bits of a dividend, which leave 2^-16 of the quotient as its error."""

TOTAL_BITS = 28
"""Of a sum that a smaller one is divided by, in `mean`."""

HALF = 16
MEAN_BITS = 2 * HALF
FREEDOM_BITS = 24
RATIO_BITS = 28
STEPS = 14
"""Powers of 4 by which a variance may be smaller than its bound."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many bits a number of rows has, and a value."""

    k: int
    r: int

    @property
    def centre_bits(self) -> int:
        """Return the bits of fraction of the approximate mean that values are compared with."""
        return min(HALF, (58 - self.k - 2 * self.r) // 2)

    @property
    def deviation_bits(self) -> int:
        return 2 * self.centre_bits

    @property
    def around_bits(self) -> int:
        """Return the bits of fraction with which a sum of squared deviations is divided."""
        return min(self.deviation_bits, DIVIDED - self.k - 2 * self.r)

    @property
    def spread_bits(self) -> int:
        """Return those with which a variance is divided."""
        return min(self.around_bits + self.k, DIVIDED - 1 - 2 * self.r)

    @property
    def variance_bits(self) -> int:
        """Return those of the variance of a mean."""
        return self.spread_bits + self.k


def mean(total: SecretArray, n: SecretArray) -> SecretArray:
    """Return total / n with 32 bits of fraction, n >= 1. Error: 2^-29, and 2^-40 of it.

    `total` has at most 29 bits and n at most 17; or `total` at most 17 and n TOTAL_BITS.
    """
    first = divided(total, n, at_least=1)
    whole = times(read(first, 0), n, bound=(total.node.limit + n.node.limit) * 2.0**HALF, f=0)
    off = 4 + total.node.limit / 2.0 ** (22 - HALF) / n.node.limit
    rest = within(read(brought(total, HALF), 0) - whole, off * n.node.limit)
    second = divided(rest, n, at_least=1)
    return brought(first, MEAN_BITS) + read(second, MEAN_BITS)


def deviations(
    n: SecretArray, product: SecretArray, sums: tuple[SecretArray, SecretArray], sizes: Sizes
) -> SecretArray:
    """Return the sum of (x - mean x) (y - mean y), given that of x y, with `deviation_bits`.

    An empty group has 0. Error: n 2^-(2 centre_bits).
    """
    f = sizes.centre_bits
    some = at_least_one(n)
    bound = 2.0 ** (sizes.r + f)
    left, right = (read(within(brought(mean(s, some), f), 2.0**sizes.r), 0) for s in sums)
    most = 2.0 ** (sizes.k + 2 * sizes.r + 2 * f)
    crossed = times(left, sums[1] * 2**f, bound=most, f=0)
    crossed += times(right, sums[0] * 2**f, bound=most, f=0)
    centre = times(n, times(left, right, bound=bound**2, f=0), bound=most, f=0)
    found = product * 4**f - crossed + centre
    return within(read(found, 2 * f), 2.0 ** (sizes.k + 2 * sizes.r))


@dataclass(frozen=True, slots=True)
class Welch:
    """A difference with MEAN_BITS, its variance with `variance_bits`, FREEDOM_BITS; 0 or 1."""

    difference: SecretArray
    variance: SecretArray
    freedom: SecretArray
    sound: SecretArray


def welch(n: SecretArray, total: SecretArray, squares: SecretArray, sizes: Sizes) -> Welch:
    """Return what a t-test of two groups is made of, given n, S and Q of both.

    It is not sound where a group has fewer than two rows, or neither varies. Errors: 2^-28 of
    the difference's units, 2^-15 of the variance, 2^-20 of the degrees of freedom.
    """
    left = within(n - 1 + (n < 1) + (n < 2), 2**sizes.k)  # at least 1
    around = deviations(n, squares, (total, total), sizes)
    spread = _over(around, left, sizes.around_bits, sizes.k)
    spread = within(spread, 2.0 ** (2 * sizes.r + 1))
    each = _over(spread, at_least_one(n), sizes.spread_bits, sizes.k)
    each = within(each, 2.0 ** (2 * sizes.r))
    means = mean(total, at_least_one(n))
    enough = (n >= 2) + 0
    sound = times(enough[0] * enough[1], (each.sum() > 0) + 0, bound=1, f=0)
    return Welch(means[0] - means[1], each.sum(), _freedom(each, left, sizes), sound)


def _freedom(each: SecretArray, left: SecretArray, sizes: Sizes) -> SecretArray:
    """Return (n_1 - 1) (n_2 - 1) / (w^2 (n_2 - 1) + (1 - w)^2 (n_1 - 1)), w = a_1 / a."""
    top = sizes.variance_bits + 2 * sizes.r + 1
    relative = read(each, top)
    scale = root_scale(within(relative.sum(), 1), steps=STEPS)
    even = [brought(_twice(one, scale), RATIO_BITS) for one in (relative[0], relative.sum())]
    nothing = (even[1] < 2.0**-4) + 0
    first = divided(within(even[0], 1), within(even[1] + nothing, 1), at_least=2.0**-4)
    other = within(1 - within(first, 1), 1)
    squares = [within(times(w, w, bound=1, f=RATIO_BITS), 1) for w in (first, other)]
    most = 2.0**sizes.k
    terms = [
        times(w, m, bound=most, f=FREEDOM_BITS)
        for w, m in zip(squares, (left[1], left[0]), strict=True)
    ]
    both = times(left[0], left[1], bound=most**2, f=0)
    return divided(both, within(terms[0] + terms[1], most), at_least=0.25)


def correlation(
    n: SecretArray,
    sums: tuple[SecretArray, SecretArray],
    products: tuple[SecretArray, SecretArray, SecretArray],
    sizes: Sizes,
) -> tuple[SecretArray, SecretArray]:
    """Return Pearson's r with 28 bits of fraction, and 0 or 1 whether both columns vary.

    `products` are the sums of x^2, y^2 and x y. Error: 2^-18.
    """
    pairs = [(sums[0], sums[0]), (sums[1], sums[1]), sums]
    around = [deviations(n, p, pair, sizes) for p, pair in zip(products, pairs, strict=True)]
    bits = sizes.deviation_bits + sizes.k + 2 * sizes.r
    x, y, both = (within(read(one, bits), 1) for one in around)
    scales = [root_scale(one, steps=STEPS) for one in (x, y)]
    even = [brought(_twice(one, s), RATIO_BITS) for one, s in zip((x, y), scales, strict=True)]
    vary = [(one > 2.0**-4) + 0 for one in even]
    roots = [sqrt(within(one + 1 - v, 1)) for one, v in zip(even, vary, strict=True)]
    below = within(times(roots[0], roots[1], bound=1, f=RATIO_BITS), 1)
    above = scaled_by(scaled_by(both, scales[0], bound=2), scales[1], bound=2)
    found = divided(brought(above, RATIO_BITS), below, at_least=2.0**-5)
    return found, vary[0] * vary[1]


def _over(x: SecretArray, n: SecretArray, f: int, more: int) -> SecretArray:
    """Return x / n with f + `more` bits of fraction, of x with f; n >= 1. Error: 2^-16 of it."""
    whole = brought(read(x, x.fraction_bits - f), 0)
    return read(divided(whole, brought(n, more), at_least=1), f + more)


def _twice(x: SecretArray, scale: SecretArray) -> SecretArray:
    return scaled_by(scaled_by(x, scale, bound=2), scale, bound=2)
