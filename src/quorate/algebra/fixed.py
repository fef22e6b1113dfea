"""Fixed point: the real number v is the integer round(v · 2^f), f fraction bits.

Everything here is exact integer arithmetic; the only error is the one rounding
in `encode`, at most 2^-(f+1). The range is |v| < 2^(63-f): outside it `encode`
raises, because in Z_2^64 an overflow would wrap without a trace.
"""

from decimal import Decimal
from fractions import Fraction

from quorate.errors import OutOfRange

Real = int | Decimal | Fraction

LIMIT = 1 << 63


def encode(value: Real, fraction_bits: int) -> int:
    """Return round(value · 2^fraction_bits), ties to even. Raises `OutOfRange`."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise OutOfRange("only finite numbers have a fixed-point form")
    scaled = round(Fraction(value) * (1 << fraction_bits))
    if not -LIMIT <= scaled < LIMIT:
        raise OutOfRange(f"the value does not fit 63 bits with {fraction_bits} of fraction")
    return scaled


def decode(scaled: int, fraction_bits: int) -> Fraction:
    """Return the exact value of `scaled`."""
    return Fraction(scaled, 1 << fraction_bits)


def sum_fits(terms: int, bound: Real, fraction_bits: int) -> bool:
    """Return whether any sum of `terms` values in [-bound, bound] stays inside the range.

    Each term may be rounded up by half a unit, so a unit per term is allowed for.
    """
    scaled = abs(Fraction(bound)) * (1 << fraction_bits)
    per_term = scaled if scaled.denominator == 1 else Fraction(int(scaled) + 1)
    return terms * per_term < LIMIT
