"""From rows to the integers that are noised, and from noisy integers to what a person asked for.

The first half runs at each member, on its own rows; its vectors are added up with the noise.
The second half sees noisy totals only: it is arithmetic on what is public already, and
spends nothing. Rows are given in steps of their bounds' grid and are clamped here, once more,
whoever clamped them before: the guarantee must not hang on it.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from quorate.dp.mechanisms import Bounds
from quorate.dp.queries import levels
from quorate.dp.tables import Integers
from quorate.errors import OutOfRange

# At each member


def total(bounds: Bounds, rows: Integers) -> Integers:
    """Return the sum of the values."""
    return _sum(bounds.clamped(rows))


def above(bounds: Bounds, rows: Integers) -> Integers:
    """Return the sum of what values exceed the low bound by."""
    return _sum(bounds.clamped(rows) - bounds.first)


def centred(bounds: Bounds, rows: Integers) -> Integers:
    """Return 2 x - (L + H), between minus and plus the bounds' width."""
    return 2 * bounds.clamped(rows) - (bounds.first + bounds.last)


def centred_sums(bounds: Bounds, rows: Integers) -> Integers:
    """Return how many rows there are, their centred sum and the sum of its squares."""
    values = centred(bounds, rows)
    return np.concatenate([[values.size], _sum(values), _sum(values**2)])


def tree(cells: Integers) -> Integers:
    """Return the counts of a binary tree over these counts, the widest level below the root first.

    Cells are filled up with zeros to a power of two; the last level is the cells themselves.
    """
    height = levels(cells.size)
    level = np.concatenate([cells, np.zeros((1 << height) - cells.size, np.int64)])
    found: list[Integers] = []
    for _ in range(height):
        found.append(level)
        level = level[0::2] + level[1::2]
    return np.concatenate(found[::-1])


def check_range(columns: Sequence[Bounds], most_rows: int) -> None:
    """Raise `OutOfRange` where sums of squares or products of so many rows might not fit.

    Both are public: it is asked once, before any row is read, so no refusal tells of rows.
    """
    largest = max(max(bounds.width, abs(bounds.first), abs(bounds.last)) for bounds in columns)
    if most_rows * largest**2 >= 1 << 62:
        raise OutOfRange(
            f"sums over {most_rows} rows might leave the range of 62 bits",
            hint="take a coarser grid for this column",
        )


def _sum(values: Integers) -> Integers:
    return np.array([values.sum()], np.int64)


# From noisy totals


def mean_from(bounds: Bounds, rows: int, centred_sum: int) -> Fraction:
    """Return the mean within its bounds; without rows, their middle."""
    middle = (bounds.low + bounds.high) / 2
    if rows < 1:
        return middle
    return min(max(middle + bounds.step * centred_sum / (2 * rows), bounds.low), bounds.high)


def mean_above(bounds: Bounds, rows: int, excess: int) -> Fraction:
    """Return the mean of a public number of rows, which may lie outside the bounds."""
    return bounds.low + bounds.step * excess / rows


def variance_from(bounds: Bounds, rows: int, centred_sum: int, squares: int) -> Fraction:
    """Return the mean squared difference from the mean, at least 0 and at most (H - L)^2 / 4."""
    if rows < 1:
        return Fraction(0)
    spread = Fraction(squares, rows) - Fraction(centred_sum, rows) ** 2
    return bounds.step**2 / 4 * min(max(spread, Fraction(0)), Fraction(bounds.width**2))


def quantile_from(noisy: Integers, q: Fraction) -> int:
    """Return in which cell the quantile q lies, from the noisy counts of `tree`.

    Going down from the root, left where what is still to be passed is less than what is there.
    """
    height = (noisy.size + 2).bit_length() - 2
    rest = q * int(noisy[:2].sum())
    place = 0
    for level in range(height):
        counts = noisy[(2 << level) - 2 : (4 << level) - 2]
        left = int(counts[2 * place])
        place = 2 * place
        if rest > left:
            rest, place = rest - left, place + 1
    return place
