"""Coefficients from noisy sums of products: exact fractions, so that everybody finds the same.

Columns z_0 = 1, z_1, ... and the outcome y are between -1 and 1. G = sum z z^T and g = sum z y
have noise, and all here is arithmetic on what is released already.

    linear     (G + l I) w = g                                                          [VS09]
    logistic   one step of Newton's from the model without columns: y is -1 or 1,
               p = (1 + g_0 / G_00) / 2,  u = (w + e_0) / 2 with w as above, and
               ln(p / (1 - p)) e_0 + (u - p e_0) / (p (1 - p))                            [LeCam60]

The step is exact where columns explain little, and falls short where they explain much. Noise may
leave a G that no rows can have. Symmetric noise of deviation s moves the eigenvalues of a matrix
of p columns by about 2 s sqrt(p) at most [Wig58]. So where G is not that much above 0, l is that
much, and twice as much until it is.
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from math import isqrt

Matrix = Sequence[Sequence[Fraction]]

DIGITS = 50
RAREST = Fraction(1, 100)
"""The least frequency of either outcome that a step is made from."""

_FINER = 1 << 20


def ridge_of(gram: Matrix, variance: Fraction) -> Fraction:
    """Return the least l of 0, d, 2 d, 4 d, ... with which G + l I is at least d above 0.

    d = 2 sqrt(p variance), `variance` being that of each entry's noise.
    """
    due = _root(4 * len(gram) * variance)
    added = Fraction(0)
    while not _is_positive(_raised(gram, added - due)):
        added = max(2 * added, due, Fraction(1, _FINER))
    return added


def linear(gram: Matrix, moments: Sequence[Fraction], ridge: Fraction) -> tuple[Fraction, ...]:
    """Return the coefficients of the outcome on the columns."""
    return _solved(_raised(gram, ridge), moments)


def logistic(gram: Matrix, moments: Sequence[Fraction], ridge: Fraction) -> tuple[Fraction, ...]:
    """Return the coefficients of ln(p / (1 - p)), p being the probability of 1. G_00 is above 0."""
    share = min(max((1 + moments[0] / gram[0][0]) / 2, RAREST), 1 - RAREST)
    spread = share * (1 - share)
    constant, *others = linear(gram, moments, ridge)
    middle = _log(share / (1 - share)) + ((constant + 1) / 2 - share) / spread
    return (middle, *(w / 2 / spread for w in others))


def _raised(gram: Matrix, by: Fraction) -> list[list[Fraction]]:
    return [[x + by if i == j else x for j, x in enumerate(row)] for i, row in enumerate(gram)]


def _is_positive(gram: Matrix) -> bool:
    """Return whether a symmetric matrix is positive definite: all pivots are."""
    rows = [list(row) for row in gram]
    for k, row in enumerate(rows):
        if row[k] <= 0:
            return False
        _eliminate(rows, k)
    return True


def _solved(gram: Matrix, right: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return x with gram x = right, for a positive definite matrix."""
    rows = [[*row, y] for row, y in zip(gram, right, strict=True)]
    for k in range(len(rows)):
        _eliminate(rows, k)
    found: list[Fraction] = []
    for k in reversed(range(len(rows))):
        known = sum(a * x for a, x in zip(rows[k][k + 1 : -1], reversed(found), strict=True))
        found.append((rows[k][-1] - known) / rows[k][k])
    return tuple(reversed(found))


def _eliminate(rows: list[list[Fraction]], k: int) -> None:
    """Take from each row below row k so much of it that nothing is left in column k."""
    pivot = rows[k]
    for row in rows[k + 1 :]:
        share = row[k] / pivot[k]
        for j in range(k, len(row)):
            row[j] -= share * pivot[j]


def _root(x: Fraction) -> Fraction:
    """Return a square root, rounded up to steps of 2^-20."""
    return Fraction(isqrt(int(x * _FINER**2)) + 1, _FINER)


def _log(x: Fraction) -> Fraction:
    """Return ln x to 50 digits; `decimal` rounds it the same everywhere."""
    with localcontext() as context:
        context.prec = DIGITS
        return Fraction((Decimal(x.numerator) / Decimal(x.denominator)).ln())
