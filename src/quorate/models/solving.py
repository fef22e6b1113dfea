"""Secret coefficients of secret normal equations, and what their standard errors are made of.

With A^(-1) = Z R Z of `whitening`, the equations G x = b have the solution

    u = t b Z,    v = u R,    x = t v Z,    t = s / 2^m

u and v belong to columns that have been made orthonormal, and so are of the size of what is
explained: at most 1 if G and b are means over the same rows and the squares of what is
explained have a mean below 1 (Cauchy and Schwarz). A step of Newton's has no such bound; there
u may be 2^10, and v is cut off at 8, which is farther than any step near the solution goes.
"""

from dataclasses import dataclass

import numpy as np

from quorate.models.products import brought, matmul, read, times, total, within
from quorate.models.scaling import scaled_by
from quorate.models.whitening import (
    BITS,
    GRAM_BITS,
    HIGH_BITS,
    ROOT_BOUND,
    SCALE_STEPS,
    Whitened,
    product,
    split,
)
from quorate.mpc.functions import sqrt
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import clip

SOLUTION_BITS = 30
"""Bits of fraction of coefficients in the units of their columns."""

PLACE_BITS = 24
STEP_BITS = 48
FARTHEST_BITS = 10
FARTHEST = 8.0
"""The most of a step of Newton's, in columns made orthonormal."""

SOLVED = 2.0**12
"""The most of a coefficient of columns with mean squares near 1, by the weakest direction."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Secret x, and what b and x explain: b x, with 60 bits of fraction."""

    x: SecretArray
    explained: SecretArray


def regressed(w: Whitened, b: SecretArray) -> Solution:
    """Return the solution for means b of products with numbers whose mean square is below 1."""
    even = scaled_by(b.reshape(1, len(w.scale)), w.scale, bound=1)
    u = product(split(read(even, GRAM_BITS + w.m), HIGH_BITS), w.root, bound=1.25)
    u = brought(u, BITS)
    v = matmul(u, w.inverse, bound=2.5, f=BITS)
    high = brought(v, PLACE_BITS)
    low = within(v - brought(high, BITS), 2.0**-PLACE_BITS)
    rest = v.shape[1] * ROOT_BOUND * 2.0**-PLACE_BITS
    x = matmul(high, w.root, bound=SOLVED - 1, f=SOLUTION_BITS)
    x = within(x + matmul(low, w.root, bound=rest, f=SOLUTION_BITS), SOLVED)
    return Solution(_back(w, x), matmul(u, v.T, bound=1.5, f=2 * BITS).reshape(1))


def step(w: Whitened, gradient: SecretArray) -> SecretArray:
    """Return a step of Newton's for gradients of at most 1, never more than 8 sideways."""
    p = len(w.scale)
    rows = brought(gradient, STEP_BITS).reshape(1, p)
    even = read(scaled_by(rows, w.scale, bound=2.0**SCALE_STEPS), STEP_BITS + w.m)
    u = brought(product(split(even, 25), w.root, bound=2.0**FARTHEST_BITS - 1), 23)
    v = clip(matmul(u, w.inverse, bound=2.0 ** (FARTHEST_BITS + 2), f=23), -FARTHEST, FARTHEST)
    root, most = brought(w.root, 22), ROOT_BOUND * FARTHEST * float(np.sqrt(p))
    return _back(w, matmul(brought(v, 22), root, bound=most, f=SOLUTION_BITS))


def deviations(w: Whitened) -> SecretArray:
    """Return the square roots of the diagonal of G^(-1). Error: 2^-17 of each."""
    root = brought(w.root, 21)
    half = matmul(root, brought(w.inverse, 25), bound=2 * SOLVED, f=17)
    squares = times(root, half, bound=SOLVED**2 / 2, f=38)
    inverse = brought(total(squares, 1, bound=SOLVED**2 / 2), SOLUTION_BITS)
    return _back(w, within(sqrt(inverse), SOLVED).reshape(1, len(w.scale)))


def _back(w: Whitened, x: SecretArray) -> SecretArray:
    """Return t x, flat."""
    back = scaled_by(x, w.scale, bound=x.node.limit / 2.0**x.fraction_bits * 2.0**SCALE_STEPS)
    return brought(read(back, SOLUTION_BITS + w.m), SOLUTION_BITS).reshape(len(w.scale))
