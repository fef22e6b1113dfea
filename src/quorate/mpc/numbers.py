"""Numbers as words of the ring, and what is local with them: scales, and public operands.

A number v with f bits of fraction is the word round(v 2^f); an integer has f = 0.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import from_signed, to_signed
from quorate.errors import OutOfRange
from quorate.mpc import expression
from quorate.mpc.expression import Node, Public
from quorate.mpc.shifts import OFFSET

Revealed = NDArray[np.int64] | NDArray[np.float64] | NDArray[np.bool_]

FRACTION_BITS = 16
PUBLIC_BITS = 40
"""Bits of fraction of a public factor, where the range allows so many."""


def encoded(values: NDArray[Any], f: int, bound: int) -> NDArray[np.int64]:
    """Return round(values 2^f). Raises `OutOfRange` beyond `bound`, naming no value."""
    if values.dtype.kind in "iub":
        most = (expression.RANGE - 1) >> f
        if ((values > most) | (values < -most)).any():
            raise OutOfRange("a value does not fit 63 bits")
        words = values.astype(np.int64) << f
    else:
        scaled = values.astype(np.float64) * 2.0**f
        if not np.all(np.abs(scaled) < 2.0**63):  # also for what is not a number
            raise OutOfRange("a value does not fit 63 bits")
        words = np.rint(scaled).astype(np.int64)
    if ((words > bound) | (words < -bound)).any():
        raise OutOfRange("a value is beyond the declared limit")
    return words


def decoded(words: NDArray[np.uint64] | NDArray[np.bool_], one: Node) -> Revealed:
    """Return what words mean: bits, integers, or numbers with a fraction."""
    if words.dtype == np.bool_:
        return words.astype(np.bool_, copy=False)
    numbers = to_signed(words.astype(np.uint64, copy=False))
    return numbers / 2.0**one.f if one.f else numbers


def public(values: NDArray[np.generic], f: int) -> Node:
    """Return what everybody knows as a node: bits, integers, or numbers with fraction bits."""
    if values.dtype == np.bool_:
        return expression.bits(Public(values.astype(np.bool_)), [], values.shape)
    places = 0 if values.dtype.kind in "iu" else f or FRACTION_BITS
    words = encoded(values, places, expression.RANGE - 1)
    return expression.node(Public(from_signed(words)), [], values.shape, _peak(words), places)


def aligned(x: Node, y: Node) -> tuple[Node, Node]:
    """Return both with the bits of fraction of the finer; bits count as numbers."""
    f = max(x.f, y.f)
    return finer(x, f), finer(y, f)


def finer(x: Node, f: int) -> Node:
    if x.f == f:
        return x
    scale = 1 << (f - x.f)
    apply = partial(np.multiply, np.uint64(scale))
    return expression.linear(apply, x, limit=x.limit * scale, f=f)


def scaled(x: Node, factor: NDArray[np.generic]) -> Node:
    """Return x times what everybody knows; a fraction gets all the bits p there is room for.

    Off by a unit from the truncation, and by x 2^-(p+1) from the rounding of the fraction.
    """
    if factor.dtype.kind in "iub":
        return _times(x, encoded(factor, 0, expression.RANGE - 1), 0)
    largest = max(float(np.abs(factor).max(initial=0)), 2.0**-PUBLIC_BITS)
    room = int(np.log2(float(OFFSET)) - np.log2(largest) - np.log2(float(x.limit))) - 1
    places = max(min(PUBLIC_BITS, room), FRACTION_BITS)
    product = _times(x, encoded(factor, places, expression.RANGE - 1), places)
    return expression.truncate(product, product.f - max(x.f, FRACTION_BITS))


def _times(x: Node, factor: NDArray[np.int64], places: int) -> Node:
    words = from_signed(factor)
    return expression.linear(
        partial(np.multiply, words),
        x,
        limit=x.limit * _peak(factor),
        f=x.f + places,
    )


def _peak(words: NDArray[np.int64]) -> int:
    """Return the largest absolute value, at least 1."""
    return max(-int(words.min(initial=0)), int(words.max(initial=0)), 1)
