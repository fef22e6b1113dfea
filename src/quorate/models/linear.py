"""Linear regression of rows that no two members show: from sums of products, to coefficients.

Each member i adds up the products of its columns, the outcome being the last of them, and
divides by a public number N that the rows of all together do not exceed:

    M = sum_i W_i^T W_i / N,    W = [X y],    x_k0 = 1,    |x_kj| <= 1,    |y_k| <= 1

The three parties of an engine hold M in shares. Their work is that of matrices (p, p), however
many rows there are. They compute the least squares of X b = y and what standard errors are
made of, and reveal, with n the number of rows, and nothing else of M,

    b,   roots of the diagonal of (X^T X / N)^(-1),   |y - X b|^2 / N,   |y - mean|^2 / N,   n / N

or, in place of all these, that columns are collinear.

Adversary: that of the engine. What members deal is not checked: sums that are not those of any
rows give numbers without meaning. Unreviewed.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from quorate.models.outputs import Degenerate, Floats, heard, said
from quorate.models.products import brought, times, within
from quorate.models.solving import SOLUTION_BITS, deviations, regressed
from quorate.models.whitening import BITS, GRAM_BITS, whitened
from quorate.mpc.functions import divided
from quorate.mpc.secret import SecretArray

FEWEST = 2.0**-16
"""The least n / N."""


@dataclass(frozen=True, slots=True)
class Least:
    """Coefficients of least squares with their standard errors, sigma, R squared and rows."""

    estimates: Floats
    standard_errors: Floats
    sigma: float
    r_squared: float
    rows: int


def moments(design: Floats, outcome: Floats, most_rows: int) -> Floats:
    """Return what a member deals, (p + 1, p + 1): sums of products over `most_rows`."""
    columns = np.column_stack([design, outcome])
    products: Floats = columns.T @ columns / most_rows
    return products


def linear(total: SecretArray) -> SecretArray:
    """Return what is revealed, 2 p + 4 words for `read_linear`; nothing is revealed here.

    `total` is the sum of everybody's `moments`, of 60 bits of fraction, entries at most 1.

    Cost, p = 4: 247 rounds, about as many for any p; bytes grow with p^2, see the result's `cost`
    """
    p = total.shape[0] - 1
    w = whitened(total[:p, :p])
    found = regressed(w, total[:p, p])
    count, sum_of, squares = (within(total[at], 1) for at in ((0, 0), (0, p), (p, p)))
    mean = divided(brought(sum_of, BITS), brought(count, BITS), at_least=FEWEST)
    around = squares - times(brought(sum_of, BITS), within(mean, 1), bound=1, f=GRAM_BITS)
    parts = [found.x, deviations(w), squares - found.explained, around, count]
    return said(parts, w.sound)


def read_linear(words: NDArray[np.int64], most_rows: int) -> Least | Degenerate:
    """Return what was revealed of `linear`."""
    p = len(words) // 2 - 2
    units = [SOLUTION_BITS, SOLUTION_BITS, *[GRAM_BITS] * 3]
    parts = heard(words, [p, p, 1, 1, 1], units)
    if parts is None:
        return Degenerate.COLLINEAR
    estimates, deviation, left, around, count = parts
    rows = round(float(count[0]) * most_rows)
    variance = max(float(left[0]), 0.0) * most_rows / (rows - p)
    explained = 1 - float(left[0] / around[0]) if around[0] > 0 else 0.0
    errors = deviation * sqrt(variance / most_rows)
    return Least(estimates, errors, sqrt(variance), explained, rows)
