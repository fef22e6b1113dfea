"""Means, variances and their spelling, exactly: fractions in, canonical text out.

    mean      S / n
    variance  (Q - S^2 / n) / (n - 1)     S sum, Q sum of squares, n rows; unbiased
    spread    the square root of the variance, shown to PLACES decimals

Nothing here is rounded but the decimals shown. A variance that the rounding of
its sums made negative is 0.
"""

import re
from fractions import Fraction
from math import isqrt

PLACES = 6  # decimals shown
_EXACT = re.compile(
    r"(-?[0-9]{1,200})(?:/([0-9]{1,200}))?|sqrt\(([0-9]{1,200})(?:/([0-9]{1,200}))?\)"
)


def variance(rows: int, total: Fraction, squares: Fraction) -> Fraction:
    """Return the unbiased variance of at least two rows."""
    return max(Fraction(0), (squares - total**2 / rows) / (rows - 1))


def exact_text(value: Fraction, *, root: bool = False) -> str:
    """Return `value` in lowest terms, or as a square root that is not taken."""
    return f"sqrt({value})" if root else str(value)


def from_exact(text: str) -> tuple[Fraction, bool] | None:
    """Return the fraction `text` spells, and whether its root is meant: None for other text."""
    match = _EXACT.fullmatch(text)
    if match is None:
        return None
    whole, below, root, root_below = match.groups()
    denominator = int(below or root_below or 1)
    if denominator == 0:
        return None
    value = Fraction(int(root if whole is None else whole), denominator)
    is_root = whole is None
    return (value, is_root) if exact_text(value, root=is_root) == text else None


def decimal_text(value: Fraction) -> str:
    """Return `value` rounded to PLACES decimals, ties to even, without idle zeros."""
    return _decimal(round(value * 10**PLACES))


def root_text(value: Fraction) -> str:
    """Return the root of `value` >= 0 rounded to PLACES decimals, ties to even."""
    square = value * 10 ** (2 * PLACES)
    below = isqrt(square.numerator // square.denominator)
    half = (2 * square - 2 * below**2 - 2 * below) * 2  # 4 (square - (below + 1/2)^2) + 1
    return _decimal(below + (half > 1 or (half == 1 and below % 2 == 1)))


def _decimal(scaled: int) -> str:
    whole, part = divmod(abs(scaled), 10**PLACES)
    digits = f"{whole}.{part:0{PLACES}}".rstrip("0").rstrip(".")
    return f"-{digits}" if scaled < 0 else digits
