"""Products whose size the mathematics bounds better than the sizes of the factors do.

Words wrap modulo 2^64 without harm as long as the result itself is in range, so a bound that
is proven of the result, by Cauchy and Schwarz or by eigenvalues, lets factors keep more bits
of fraction. Nothing checks such a bound, as with `secret.promised`.
"""

from functools import partial

import numpy as np

from quorate.mpc import expression
from quorate.mpc.expression import MatMul, Mul, Node
from quorate.mpc.numbers import finer
from quorate.mpc.secret import SecretArray, promised


def times(x: SecretArray, y: SecretArray, *, bound: float, f: int) -> SecretArray:
    """Return x y with f bits of fraction; no product exceeds `bound`."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    factors = (expression.spread(x.node, shape), expression.spread(y.node, shape))
    words = expression.node(Mul(0), factors, shape, *_range(x, y, bound))
    return brought(_of(x, words), f)


def matmul(x: SecretArray, y: SecretArray, *, bound: float, f: int) -> SecretArray:
    """Return the matrix product with f bits of fraction; no entry exceeds `bound`."""
    shape = (x.shape[0], y.shape[1])
    words = expression.node(MatMul(0), (x.node, y.node), shape, *_range(x, y, bound))
    return brought(_of(x, words), f)


def brought(x: SecretArray, f: int) -> SecretArray:
    """Return x with f bits of fraction: exact if they are more, else off by under a unit."""
    cut = x.fraction_bits - f
    return _of(x, expression.truncate(x.node, cut) if cut > 0 else finer(x.node, f))


def read(x: SecretArray, f: int) -> SecretArray:
    """Return the same words as numbers with f bits of fraction: x times a power of two."""
    return _of(x, expression.retold(x.node, f=f))


def total(x: SecretArray, axis: int, *, bound: float) -> SecretArray:
    """Return the sum along an axis; it does not exceed `bound`, nor does any number."""
    limit = int(bound * 2**x.fraction_bits) + 1
    return _of(x, expression.linear(partial(np.sum, axis=axis), x.node, limit=limit))


def within(x: SecretArray, bound: float) -> SecretArray:
    """Return x with a bound that the caller has proven."""
    return promised(x, int(bound * 2**x.fraction_bits) + 1)


def _range(x: SecretArray, y: SecretArray, bound: float) -> tuple[int, int]:
    """Return the limit of a product's words, and their bits of fraction."""
    f = x.fraction_bits + y.fraction_bits
    return int(bound * 2**f) + 1, f


def _of(like: SecretArray, node: Node) -> SecretArray:
    return SecretArray(like.engine, node)
