"""Logistic regression on rows that nobody sees, of which nothing is revealed but the result.

Each member deals its rows to the three parties of an engine; a row of zeros counts as none, so
what is dealt may be as many as the plan says. With N >= n a power of two, G = X^T X / N + 4 P,
P = the penalty's part, and T of `whitening`, so that T^T G T = I,

    Z = X T,    B = 4 T^T (X^T W X / N + P) T <= I,    g = Z^T (y - m) / N - T^T P T c

and coefficients b = T c start at c = 4 g, the step of [BohL88], whose bound of the information is
G / 4, and go on by Newton's steps c <- c + 4 B^(-1) g, their number public. All is well if the
last step was small; if not, the outcome is separated or nearly so, and that is all that is said.

A row costs a sigmoid a step, 24 comparisons, and p products.

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
from quorate.mpc.secret import SecretArray, compute
from quorate.mpc.selection import clip, concatenate, minimum

BLOCK = 1 << 14
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
class Start:
    """What the steps share: the whitening, T, and the penalty's part for T's columns."""

    w: Whitened
    transform: SecretArray
    penalty: SecretArray


@dataclass(frozen=True, slots=True)
class Place:
    """Coefficients c of T's columns, the last step to them, and R where that was taken."""

    place: SecretArray
    last: SecretArray
    inverse: SecretArray


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

    Cost, 1,000 rows, 3 coefficients, 7 steps, in a study: 844 rounds, 8,059,496 bytes of the
    busiest party; verified 1,057 rounds, 43,768,312 bytes. A step more is 112 rounds.
    """
    start = _started(of, _gram(of, design))
    rows = _rotated(of, design, outcome, start.transform)
    at = _first(of, start, _score(of, rows, rows.outcome - 1 / 2))
    for _ in range(of.steps - 1):
        at = _stepped(of, start, at, *_slopes(of, rows, at.place))
    return _told(start, at)


async def trained_in_blocks(
    of: Training, design: SecretArray, outcome: SecretArray, block: int = BLOCK
) -> SecretArray:
    """Return what `trained` does, of so many rows at a time as memory is to hold.

    A block's rounds come after those of the block before. Nothing is revealed.
    """
    places = [slice(at, at + block) for at in range(0, len(design), block)]
    grams = [(await compute(_gram(of, design[here])))[0] for here in places]
    start = await _settled(_started(of, _added(grams, 1)))
    blocks = []
    for here in places:
        rows = _rotated(of, design[here], outcome[here], start.transform)
        fine, coarse = await compute(rows.fine, rows.coarse)
        blocks.append(Rows(fine, coarse, rows.outcome))
    scores = [_score(of, rows, rows.outcome - 1 / 2) for rows in blocks]
    at = _first(of, start, _added(scores, of.divisor))
    for _ in range(of.steps - 1):
        parts = [await compute(*_slopes(of, rows, at.place)) for rows in blocks]
        score, information = (_added(part, of.divisor) for part in zip(*parts, strict=True))
        after = _stepped(of, start, at, score, information)
        place, last, inverse = await compute(after.place, after.last, after.inverse)
        at = Place(place, last, inverse)
    return _told(start, at)


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


def _started(of: Training, gram: SecretArray) -> Start:
    ridge = of.penalty / of.divisor * np.append(0.0, np.ones(of.columns - 1))
    w = whitened(within(gram + np.diag(4 * ridge), 1))
    transform = _transform(w)
    lines = transform * np.sqrt(ridge).reshape(-1, 1)
    return Start(w, transform, matmul(lines.T, lines, bound=1, f=BITS))


async def _settled(start: Start) -> Start:
    """Compute all of it, once for all later uses."""
    w = start.w
    scale, root, sound, transform, penalty = await compute(
        w.scale, w.root, w.sound, start.transform, start.penalty
    )
    return Start(replace(w, scale=scale, root=root, sound=sound), transform, penalty)


def _rotated(
    of: Training, design: SecretArray, outcome: SecretArray, transform: SecretArray
) -> Rows:
    fine = matmul(design, transform, bound=1.1 * sqrt(of.divisor), f=ROW_BITS)
    return Rows(fine, brought(fine, SQUARE_BITS), outcome)


def _first(of: Training, start: Start, score: SecretArray) -> Place:
    """Return the step of [BohL88] from 0."""
    place = within(4 * _mean(of, score, PLACE_BITS), FARTHEST)
    return Place(place, place, start.penalty)


def _stepped(
    of: Training, start: Start, at: Place, score: SecretArray, information: SecretArray
) -> Place:
    """Return where Newton's step leads, given N g and N H."""
    p = of.columns
    pulled = matmul(start.penalty, at.place.reshape(p, 1), bound=8, f=BITS).reshape(p)
    gradient = brought(_mean(of, score, BITS) - pulled, PLACE_BITS).reshape(1, p)
    curved = within(4 * (_mean(of, information, BITS) + start.penalty), 1.1)
    inverse = inverted(curved, steps=CURVED_STEPS, f=CURVED_BITS)
    last = 4 * matmul(gradient, inverse, bound=2.0**CURVED_STEPS, f=PLACE_BITS).reshape(p)
    return Place(clip(at.place + last, -FARTHEST, FARTHEST), last, inverse)


def _told(start: Start, at: Place) -> SecretArray:
    """Return what is revealed."""
    place, w = at.place.reshape(-1, 1), start.w
    estimates = matmul(start.transform, place, bound=2.0**12, f=SOLUTION_BITS)
    settled = ((abs(at.last) > SETTLED) + 0).sum() == 0
    inverse = within(read(at.inverse, CURVED_BITS - 2), 2.0 ** (CURVED_STEPS + 2))
    parts = [estimates, deviations(replace(w, inverse=inverse))]
    return concatenate([said(parts, w.sound & settled), (w.sound + 0).reshape(1)])


def _added(parts: Sequence[SecretArray], bound: float) -> SecretArray:
    """Return the sum, which does not exceed `bound`."""
    return reduce(lambda one, other: within(one + other, bound), parts)


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
    above = piecewise(within(size, FARTHEST), logistic, 0.0, FARTHEST) - 1 / 2
    return within(1 / 2 + within(above, 1) * sign, 1.01)


def logistic(x: Floats) -> Floats:
    logistic: Floats = 1 / (1 + np.exp(-x))
    return logistic
