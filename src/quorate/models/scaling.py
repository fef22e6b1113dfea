"""Secret powers of two that bring secret numbers of any size into one range, and quotients."""

import numpy as np

from quorate.models.products import brought, times, within
from quorate.mpc import expression
from quorate.mpc.functions import reciprocal
from quorate.mpc.numbers import public
from quorate.mpc.secret import SecretArray

HALF_BITS = 30
INVERSE_BITS = 28
LEAST = 1 / 4


def root_scale(x: SecretArray, *, steps: int) -> SecretArray:
    """Return the integer 2^k of numbers 0 <= x < 1 with 1/4 <= x 4^k < 1.

    k is at most `steps`, also where x is smaller than that asks for.
    """
    limits = np.exp2(-2.0 * (1 + np.arange(steps))).reshape(-1, *[1] * x.ndim)
    words = np.rint(limits * 2.0**x.fraction_bits).astype(np.int64)
    edges = expression.retold(public(words, 0), f=x.fraction_bits)
    below = (x < SecretArray(x.engine, edges)) + 0
    weights = np.asarray(1 << np.arange(steps)).reshape(limits.shape)
    return within((below * weights).sum(axis=0) + 1, 2**steps)


def scaled_by(x: SecretArray, scale: SecretArray, *, bound: float) -> SecretArray:
    """Return x times an integer `scale`, exactly; no result exceeds `bound`."""
    return times(x, scale, bound=bound, f=x.fraction_bits)


def ratios(x: SecretArray, y: SecretArray) -> SecretArray:
    """Return x / y for |x| <= y and 1/4 <= y < 1; about 2 x where y is 0."""
    safe = within(y + (y < LEAST) * (1 / 2), 1.5)
    rough = within(brought(reciprocal(safe, at_least=LEAST), INVERSE_BITS), 4.5)
    left = 2 - times(safe, rough, bound=1.5, f=INVERSE_BITS)
    inverse = times(rough, left, bound=4.5, f=INVERSE_BITS)
    return times(x, inverse, bound=1.5, f=HALF_BITS)
