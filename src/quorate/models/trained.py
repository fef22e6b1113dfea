"""Logistic regression on rows that nobody sees, of which nothing is revealed but the result.

Each member deals its rows to the three parties of an engine; a row of zeros counts as none, so
what is dealt may be as many as the plan says. With N >= n a power of two, G = X^T X / N + 4 P,
P = the penalty's part, and T of `whitening`, so that T^T G T = I,

    Z = X T,    B = 4 T^T (X^T W X / N + P) T <= I,    g = Z^T (y - m) / N - T^T P T c

and coefficients b = T c start at c = 4 g, the step of [BL88], whose bound of the information is
G / 4, and go on by Newton's steps c <- c + 4 B^(-1) g, their number public. All is well if the
last step was small; if not, the outcome is separated or nearly so, and that is all that is said.

A row costs a sigmoid a step, 24 comparisons, and p products.

Adversary: that of the engine. What members deal is not checked but for its range, which their own
parts of the sums say. Unreviewed.
"""

from dataclasses import dataclass, replace
from math import ceil, log2, sqrt

import numpy as np
from numpy.typing import NDArray

from quorate.errors import OutOfRange
from quorate.models.outputs import Degenerate, Floats, heard, said
from quorate.models.products import brought, matmul, read, times, total, within
from quorate.models.scaling import scaled_by
from quorate.models.solving import SOLUTION_BITS, deviations
from quorate.models.whitening import (
    BITS,
    GRAM_BITS,
    ROOT_BOUND,
    SCALE_STEPS,
    Whitened,
    inverted,
    whitened,
)
from quorate.mpc.functions import piecewise
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import clip, concatenate, minimum

MOST_ROWS = 1 << 17
LEAST_STEPS = 2

DESIGN_BITS = 26
GRAM_ROWS = 1 << 9
SUM_BITS = 40
TRANSFORM_BITS = 22
ROW_BITS = 22
SQUARE_BITS = 12
WEIGHT_BITS = 16
PLACE_BITS = 24
CURVED_BITS = 25
CURVED_STEPS = 10

FARTHEST = 16.0
"""The most of a coefficient of T's columns, and of what a sigmoid is taken of."""

SETTLED = 2.0**-9
"""The most of the last step; the next would be about its square."""


@dataclass(frozen=True, slots=True)
class Training:
    """What is public of a training: N, how many coefficients, the steps, and the penalty."""

    divisor: int
    columns: int
    steps: int
    penalty: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in columns made orthonormal, finely and coarsely, and their outcomes.

    No row is longer than the root of N, as its square is a share of all.
    """

    fine: SecretArray
    coarse: SecretArray
    outcome: SecretArray


@dataclass(frozen=True, slots=True)
class Learned:
    """Coefficients, and standard errors by the information, that of the penalty included."""

    estimates: Floats
    standard_errors: Floats


def training(rows: int, columns: int, steps: int, penalty: float) -> Training:
    """Return a training of at most `rows` rows. Raises `OutOfRange` for too many, or one step."""
    if steps < LEAST_STEPS:
        raise OutOfRange(f"a training takes {LEAST_STEPS} steps or more")
    if rows + 4 * penalty > MOST_ROWS:
        raise OutOfRange(f"a training takes at most {MOST_ROWS:,} rows and quarters of penalty")
    return Training(1 << ceil(log2(rows + 4 * penalty)), columns, steps, penalty)


def trained(of: Training, design: SecretArray, outcome: SecretArray) -> SecretArray:
    """Return what is revealed, 2 p + 2 words for `learned`; nothing is revealed here.

    `design` (n, p) has 26 bits of fraction, entries at most 1 and the first of them 1; `outcome`
    are 0 and 1 as integers.

    Cost, 3 coefficients in 7 steps: 1,174 rounds, about as many for more; a row and step 8.5 kB
    """
    ridge = of.penalty / of.divisor * np.append(0.0, np.ones(of.columns - 1))
    w = whitened(within(_gram(of, design) + np.diag(4 * ridge), 1))
    transform = _transform(w)
    lines = transform * np.sqrt(ridge).reshape(-1, 1)
    penalty = matmul(lines.T, lines, bound=1, f=BITS)
    fine = matmul(design, transform, bound=1.1 * sqrt(of.divisor), f=ROW_BITS)
    rows = Rows(fine, brought(fine, SQUARE_BITS), outcome)
    place, last, inverse = _search(of, rows, penalty)
    estimates = matmul(transform, place.reshape(-1, 1), bound=2.0**12, f=SOLUTION_BITS)
    settled = ((abs(last) > SETTLED) + 0).sum() == 0
    w = replace(w, inverse=within(read(inverse, CURVED_BITS - 2), 2.0 ** (CURVED_STEPS + 2)))
    parts = [estimates, deviations(w)]
    return concatenate([said(parts, w.sound & settled), (w.sound + 0).reshape(1)])


def learned(words: NDArray[np.int64], of: Training) -> Learned | Degenerate:
    """Return what was revealed of `trained`."""
    p = of.columns
    parts = heard(words[:-1], [p, p], [SOLUTION_BITS, SOLUTION_BITS])
    if parts is None:
        return Degenerate.SEPARATED if words[-1] else Degenerate.COLLINEAR
    return Learned(parts[0], parts[1] / sqrt(of.divisor))


def _gram(of: Training, design: SecretArray) -> SecretArray:
    """Return X^T X / N, 60 bits of fraction: of so many rows at a time as fit a word."""
    parts = [design[at : at + GRAM_ROWS] for at in range(0, len(design), GRAM_ROWS)]
    sums = [matmul(part.T, part, bound=GRAM_ROWS, f=SUM_BITS) for part in parts]
    whole = total(concatenate([one.reshape(1, -1) for one in sums]), 0, bound=of.divisor)
    means = read(whole, SUM_BITS + of.divisor.bit_length() - 1)
    return within(brought(means, GRAM_BITS), 1).reshape(of.columns, of.columns)


def _transform(w: Whitened) -> SecretArray:
    """Return T = s Z / 2^m."""
    rows = scaled_by(w.root, w.scale.reshape(-1, 1), bound=ROOT_BOUND * 2.0**SCALE_STEPS)
    return brought(read(rows, w.root.fraction_bits + w.m), TRANSFORM_BITS)


def _search(
    of: Training, rows: Rows, penalty: SecretArray
) -> tuple[SecretArray, SecretArray, SecretArray]:
    """Return c, its last step, and R towards B^(-1) where that was taken."""
    p = of.columns
    last = within(4 * _mean(of, _score(of, rows, rows.outcome - 1 / 2), PLACE_BITS), FARTHEST)
    place, inverse = last, penalty
    for _ in range(of.steps - 1):
        score, information = _slopes(of, rows, place)
        pulled = matmul(penalty, place.reshape(p, 1), bound=8, f=BITS).reshape(p)
        gradient = brought(_mean(of, score, BITS) - pulled, PLACE_BITS).reshape(1, p)
        curved = within(4 * (_mean(of, information, BITS) + penalty), 1.1)
        inverse = inverted(curved, steps=CURVED_STEPS, f=CURVED_BITS)
        last = 4 * matmul(gradient, inverse, bound=2.0**CURVED_STEPS, f=PLACE_BITS).reshape(p)
        place = clip(place + last, -FARTHEST, FARTHEST)
    return place, last, inverse


def _slopes(of: Training, rows: Rows, place: SecretArray) -> tuple[SecretArray, SecretArray]:
    """Return N g and N H of some rows at c."""
    farthest = 1.1 * sqrt(of.divisor * len(place)) * FARTHEST
    linear = matmul(rows.fine, place.reshape(-1, 1), bound=farthest, f=ROW_BITS).reshape(-1)
    mean = _sigmoid(linear)
    weight = times(mean, 1 - mean, bound=1 / 4, f=WEIGHT_BITS).reshape(-1, 1)
    weighed = times(rows.coarse, weight, bound=sqrt(of.divisor), f=SQUARE_BITS + WEIGHT_BITS)
    information = matmul(rows.coarse.T, weighed, bound=of.divisor, f=2 * SQUARE_BITS + WEIGHT_BITS)
    return _score(of, rows, rows.outcome - mean), information


def _score(of: Training, rows: Rows, left: SecretArray) -> SecretArray:
    """Return Z^T (y - m)."""
    row = brought(left, ROW_BITS).reshape(1, -1)
    return matmul(row, rows.fine, bound=of.divisor, f=2 * ROW_BITS).reshape(-1)


def _mean(of: Training, whole: SecretArray, f: int) -> SecretArray:
    """Return a sum over N, which is at most 1."""
    return brought(read(whole, whole.fraction_bits + of.divisor.bit_length() - 1), f)


def _sigmoid(x: SecretArray) -> SecretArray:
    """Return 1 / (1 + e^-x), by that of |x| up to 16. Error: under 4 units, and 2^-23."""
    sign = 1 - 2 * (x < 0)
    size = minimum(within(x * sign, x.node.limit / 2.0**x.fraction_bits), FARTHEST)
    above = piecewise(within(size, FARTHEST), _logistic, 0.0, FARTHEST) - 1 / 2
    return within(1 / 2 + within(above, 1) * sign, 1.01)


def _logistic(x: Floats) -> Floats:
    logistic: Floats = 1 / (1 + np.exp(-x))
    return logistic


def plain_training(
    of: Training, design: Floats, outcome: Floats, units: Floats
) -> tuple[float | None, ...]:
    """Return coefficients, roots of the diagonal of N H^(-1), and 1, in the clear: the oracle.

    `units` are what the columns are divided by where a penalty counts. Of an outcome that is
    separated there are None and 1, of collinear columns None and 0.
    """
    p = of.columns
    x = design / units
    if np.linalg.matrix_rank(x, tol=np.sqrt(len(x)) * 2.0**-12) < p:
        return (*[None] * (2 * p), 0.0)
    ridge = of.penalty * np.diag(np.append(0.0, np.ones(p - 1)))
    place: Floats = np.zeros(p)
    last: Floats = np.zeros(p)
    curved = x.T @ x / 4 + ridge
    for _ in range(of.steps):
        gradient = x.T @ (outcome - _logistic(x @ place) * x[:, 0]) - ridge @ place
        last = np.asarray(np.linalg.solve(curved, gradient), np.float64)
        place = place + last
        weight = _logistic(x @ place) * _logistic(-x @ place)
        curved = x.T @ (x * weight[:, None]) + ridge
    side = np.linalg.cholesky(x.T @ x / of.divisor + 4 * ridge / of.divisor).T @ last
    if np.abs(side).max() > SETTLED:
        return (*[None] * (2 * p), 1.0)
    roots = np.sqrt(np.diag(np.linalg.inv(curved)) * of.divisor)
    return (*(place / units).tolist(), *(roots / units).tolist(), 1.0)
