"""Quotients of secret counts with many bits: division of words in two steps, as by hand."""

from quorate.models.products import brought, read, times, within
from quorate.mpc.functions import divided
from quorate.mpc.numbers import FRACTION_BITS
from quorate.mpc.secret import SecretArray

RATIO_BITS = 2 * FRACTION_BITS


def ratio(x: SecretArray, y: SecretArray) -> SecretArray:
    """Return x / y of integers 0 <= x <= 2 y, y >= 1, with 32 bits of fraction. Error: 2^-29.

    The first 16 bits q of the quotient leave x - q y, which is divided again. Limits up to 2^21.
    """
    first = divided(x, y, at_least=1)
    rest = read(brought(x, FRACTION_BITS), 0) - times(read(first, 0), y, bound=2.0**38, f=0)
    second = divided(within(rest, 4 * y.node.limit), y, at_least=1)
    return within(brought(first, RATIO_BITS) + read(second, RATIO_BITS), 2)


def at_least_one(x: SecretArray) -> SecretArray:
    """Return integers x >= 0, and 1 in place of 0."""
    return x + (x < 1)
