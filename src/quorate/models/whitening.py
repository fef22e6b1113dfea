"""The inverse of a secret positive matrix, by products of matrices alone.

A Gram matrix G, of p columns with mean squares below 1, is first brought to an even diagonal,
by secret powers of two s, and to eigenvalues below 2:

    A = s G s / 4^m,    1/4 <= A_jj 4^m < 1,    4^m >= p / 2

The coupled iteration of [Hig97] then goes towards Z = A^(-1/2); a weak direction grows by half
at every step at most, so that Z stays below 1.5^18 whatever G is:

    T = (3 I - Z Y) / 2,    Y <- Y T,    Z <- T Z;    Y = A, Z = I at first

What is left is made good with all the bits of G. B = Z A Z is close to I but for directions
weaker than 2^-16, and its inverse comes of R <- R + R (I - B R), R = I at first. So

    A^(-1) = Z R Z

to about 2^-20 in every direction with an eigenvalue of A above 2^-21. Two columns correlated by
more than 1 - 10^-6 or so are said to be collinear: I - B R is not small, which is one bit.

Rounds do not depend on p: 18 steps of six, then seven of six. p is at most 128.
"""

from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from quorate.errors import OutOfRange
from quorate.models.products import brought, matmul, read, within
from quorate.models.scaling import root_scale, scaled_by
from quorate.mpc.secret import SecretArray

GRAM_BITS = 60
"""Bits of fraction of the matrix that is given."""

HIGH_BITS = 32
LOW_BITS = 44
STEP_ROOT_BITS = 24
ROOT_BITS = STEP_ROOT_BITS + 1
STEP_BITS = 26
BITS = 30
WIDE_BITS = 36

SCALE_STEPS = 11
ROOT_STEPS = 18
ROOT_BOUND = 1.5**ROOT_STEPS
INVERSE_STEPS = 7

RESIDUAL = 2.0**-14
"""The most that I - B R may be of columns that are not collinear."""

COLUMNS = 128


@dataclass(frozen=True, slots=True)
class Whitened:
    """Secret s, Z and R of A^(-1) = Z R Z, and whether no columns are collinear."""

    scale: SecretArray
    m: int
    root: SecretArray
    inverse: SecretArray
    sound: SecretArray


@dataclass(frozen=True, slots=True)
class Split:
    """A number in [-2, 2] as a high part and what it lacks, for products with many bits."""

    high: SecretArray
    low: SecretArray


def whitened(gram: SecretArray) -> Whitened:
    """Return Z and R of G (p, p) with 60 bits of fraction, entries at most 1.

    Raises `OutOfRange` if there are more columns than 128.
    """
    p = gram.shape[0]
    m = _quarters(p)
    scale = root_scale(gram.placed(np.diagonal), steps=SCALE_STEPS)
    even = scaled_by(scaled_by(gram, scale.reshape(p, 1), bound=1), scale, bound=1)
    a = split(read(even, GRAM_BITS + 2 * m), HIGH_BITS)
    root = _root(brought(a.high, BITS))
    b = matmul(root, product(a, root, bound=1.5), bound=1.5, f=BITS)
    inverse = inverted(b, steps=INVERSE_STEPS, f=STEP_BITS)
    left = abs(np.eye(p) - matmul(b, inverse, bound=1.5, f=BITS))
    sound = ((left > RESIDUAL) + 0).sum() == 0
    return Whitened(scale, m, root, inverse, sound)


def split(x: SecretArray, high_bits: int) -> Split:
    """Return numbers of 60 bits of fraction or more in two parts."""
    high = brought(x, high_bits)
    rest = within(x - brought(high, x.fraction_bits), 2.0**-high_bits)
    return Split(high, brought(rest, LOW_BITS))


def product(x: Split, y: SecretArray, *, bound: float) -> SecretArray:
    """Return the matrix product of x and Z, 36 bits of fraction; no entry exceeds `bound`."""
    rest = x.low.shape[1] * ROOT_BOUND * 2.0**-x.high.fraction_bits
    high = matmul(x.high, y, bound=bound, f=WIDE_BITS)
    return within(high + matmul(x.low, y, bound=rest, f=WIDE_BITS), bound)


def _root(a: SecretArray) -> SecretArray:
    """Return Z towards A^(-1/2)."""
    identity = np.eye(a.shape[0])
    y, t = a, _half_of(3 * identity - brought(a, STEP_BITS - 1))
    z = within(brought(t, STEP_ROOT_BITS), 1.5)
    for step in range(2, ROOT_STEPS + 1):
        y = matmul(y, t, bound=1.5, f=BITS)
        t = _half_of(3 * identity - matmul(z, y, bound=1.5, f=STEP_BITS - 1))
        z = matmul(t, z, bound=1.5**step, f=STEP_ROOT_BITS)
    return read(z + z.T, ROOT_BITS)


def _half_of(x: SecretArray) -> SecretArray:
    return within(read(x, STEP_BITS), 1.75)


def inverted(b: SecretArray, *, steps: int, f: int) -> SecretArray:
    """Return R towards B^(-1), for eigenvalues of B up to 1; R is at most 2^steps."""
    twice = 2 * np.eye(b.shape[0])
    r = twice - brought(b, f)
    for step in range(2, steps + 1):
        left = twice - matmul(b, r, bound=1.5, f=f)
        r = matmul(r, within(left, 2.5), bound=2.0**step, f=f)
    return r


def _quarters(p: int) -> int:
    """Return the least m with 4^m >= p / 2."""
    if not 1 <= p <= COLUMNS:
        raise OutOfRange(f"a model has 1 to {COLUMNS} coefficients, not {p}")
    return max(ceil(log2(p / 2) / 2), 0)
