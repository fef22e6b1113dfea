"""Logistic regression on rows that nobody sees, of which nothing is revealed but the result.

Each member deals its rows to the three parties of an engine; a row of zeros counts as none, so
what is dealt may be as many as the plan says. With N >= n a power of two, G = X^T X / N + 4 P,
P = the penalty's part, and T of `whitening`, so that T^T G T = I,

    Z = X T,    B = 4 T^T (X^T W X / N + P) T <= I,    g = Z^T (y - m) / N - T^T P T c

and coefficients b = T c start at c = 4 g, the step of [BL88], whose bound of the information is
G / 4, and go on by Newton's steps c <- c + 4 B^(-1) g, their number public. All is well if the
last step was small; if not, the outcome is separated or nearly so, and that is all that is said.

A row costs a sigmoid a step, 24 comparisons, and p products. Rows are worked on in blocks.

Adversary: that of the engine. What members deal is not checked but for its range, which their own
parts of the sums say. Unreviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import ceil, log2, sqrt

import numpy as np
from numpy.typing import NDArray

from quorate.errors import OutOfRange
from quorate.models.outputs import Degenerate, Floats, heard, said
from quorate.models.products import brought, matmul, read, times, within
from quorate.models.scaling import scaled_by
from quorate.models.solving import SOLUTION_BITS, deviations
from quorate.models.whitening import (
    BITS,
    ROOT_BOUND,
    SCALE_STEPS,
    Whitened,
    inverted,
    whitened,
)
from quorate.mpc.functions import piecewise
from quorate.mpc.secret import SecretArray, compute
from quorate.mpc.selection import clip, concatenate, minimum

BLOCK = 1 << 15
MOST_ROWS = 1 << 17

DESIGN_BITS = 26
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
class Learned:
    """Coefficients, and standard errors by the information, that of the penalty included."""

    estimates: Floats
    standard_errors: Floats


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows in columns made orthonormal, finely and coarsely, and their outcomes."""

    fine: SecretArray
    coarse: SecretArray
    outcome: SecretArray


def training(rows: int, columns: int, steps: int, penalty: float) -> Training:
    """Return a training of at most `rows` rows. Raises `OutOfRange` if they are too many."""
    if rows + 4 * penalty > MOST_ROWS:
        raise OutOfRange(f"a training takes at most {MOST_ROWS:,} rows and quarters of penalty")
    return Training(1 << ceil(log2(rows + 4 * penalty)), columns, steps, penalty)


async def trained(
    of: Training, design: SecretArray, outcome: SecretArray, gram: SecretArray
) -> SecretArray:
    """Return what is revealed, 2 p + 2 words for `learned`; nothing is revealed here.

    `design` (n, p) has 26 bits of fraction, entries at most 1 and the first of them 1; `outcome`
    are bits as integers; `gram` the sum of everybody's X^T X / N, of 60 bits of fraction.
    """
    ridge = of.penalty / of.divisor * np.append(0.0, np.ones(design.shape[1] - 1))
    w = whitened(within(gram + np.diag(4 * ridge), 1))
    transform = _transform(w)
    lines = transform * np.sqrt(ridge).reshape(-1, 1)
    penalty = matmul(lines.T, lines, bound=1, f=BITS)
    transform, penalty, scale, root, sound = await compute(
        transform, penalty, w.scale, w.root, w.sound
    )
    w = replace(w, scale=scale, root=root, sound=sound)
    blocks = [
        await _block(of, design[at : at + BLOCK], outcome[at : at + BLOCK], transform)
        for at in range(0, len(design), BLOCK)
    ]
    place, last, inverse = await _search(of, blocks, penalty)
    w = replace(w, inverse=within(read(inverse, CURVED_BITS - 2), 2.0 ** (CURVED_STEPS + 2)))
    estimates = matmul(transform, place.reshape(-1, 1), bound=2.0**12, f=SOLUTION_BITS)
    settled = ((abs(last) > SETTLED) + 0).sum() == 0
    parts = [estimates, deviations(w)]
    return concatenate([said(parts, sound & settled), (sound + 0).reshape(1)])


def learned(words: NDArray[np.int64], of: Training) -> Learned | Degenerate:
    """Return what was revealed of `trained`."""
    p = of.columns
    parts = heard(words[:-1], [p, p], [SOLUTION_BITS, SOLUTION_BITS])
    if parts is None:
        return Degenerate.SEPARATED if words[-1] else Degenerate.COLLINEAR
    return Learned(parts[0], parts[1] / sqrt(of.divisor))


def _transform(w: Whitened) -> SecretArray:
    """Return T = s Z / 2^m."""
    rows = scaled_by(w.root, w.scale.reshape(-1, 1), bound=ROOT_BOUND * 2.0**SCALE_STEPS)
    return brought(read(rows, w.root.fraction_bits + w.m), TRANSFORM_BITS)


async def _block(
    of: Training, design: SecretArray, outcome: SecretArray, transform: SecretArray
) -> Block:
    """Return rows as X T: none is longer than the root of N, as their squares are shares of it."""
    fine = matmul(design, transform, bound=1.1 * sqrt(of.divisor), f=ROW_BITS)
    fine, coarse = await compute(fine, brought(fine, SQUARE_BITS))
    return Block(fine, coarse, outcome)


async def _search(
    of: Training, blocks: Sequence[Block], penalty: SecretArray
) -> tuple[SecretArray, SecretArray, SecretArray]:
    """Return c, its last step, and R towards B^(-1) where that was taken."""
    p = penalty.shape[0]
    middle = [_score(of, one, one.outcome - 1 / 2) for one in blocks]
    place = within(4 * _mean(of, middle, PLACE_BITS), FARTHEST)
    for _ in range(of.steps - 1):
        parts = [await compute(*_slopes(of, one, place)) for one in blocks]
        gradient = _mean(of, [part[0] for part in parts], BITS)
        gradient = gradient - matmul(penalty, place.reshape(p, 1), bound=8, f=BITS).reshape(p)
        curved = 4 * (_mean(of, [part[1] for part in parts], BITS) + penalty)
        inverse = inverted(within(curved, 1.1), steps=CURVED_STEPS, f=CURVED_BITS)
        row = brought(gradient, PLACE_BITS).reshape(1, p)
        last = 4 * matmul(row, inverse, bound=2.0**CURVED_STEPS, f=PLACE_BITS).reshape(p)
        after = clip(place + last, -FARTHEST, FARTHEST)
        place, last, inverse = await compute(after, last, inverse)
    return place, last, inverse


def _slopes(of: Training, rows: Block, place: SecretArray) -> tuple[SecretArray, SecretArray]:
    """Return N g and N H of some rows at c."""
    farthest = 1.1 * sqrt(of.divisor * len(place)) * FARTHEST
    linear = matmul(rows.fine, place.reshape(-1, 1), bound=farthest, f=ROW_BITS).reshape(-1)
    mean = _sigmoid(linear)
    weight = times(mean, 1 - mean, bound=1 / 4, f=WEIGHT_BITS).reshape(-1, 1)
    weighed = times(rows.coarse, weight, bound=sqrt(of.divisor), f=SQUARE_BITS + WEIGHT_BITS)
    information = matmul(rows.coarse.T, weighed, bound=of.divisor, f=2 * SQUARE_BITS + WEIGHT_BITS)
    return _score(of, rows, rows.outcome - mean), information


def _score(of: Training, rows: Block, left: SecretArray) -> SecretArray:
    """Return Z^T (y - m)."""
    row = brought(left, ROW_BITS).reshape(1, -1)
    return matmul(row, rows.fine, bound=of.divisor, f=2 * ROW_BITS).reshape(-1)


def _mean(of: Training, parts: Sequence[SecretArray], f: int) -> SecretArray:
    """Return the sum over N, which is at most 1."""
    whole = reduce(lambda one, other: within(one + other, of.divisor), parts)
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
