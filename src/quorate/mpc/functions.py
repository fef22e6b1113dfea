"""exp, log, sqrt, reciprocal and sigmoid of secret numbers, with stated errors.

A smooth function on a bounded interval is cut into pieces, on each of which a
polynomial of degree 4 in the distance u from the piece's middle, |u| <= 1/2, is as good
as the last bit. Which piece a secret lies in are comparisons with public numbers, all in the
same rounds; middles and coefficients then are sums of public numbers weighted by
the outcomes, which is local, and a polynomial is four products in turn.

log, sqrt and reciprocal first bring x = y 2^e into 1 <= y < 2: the comparisons with the powers
of two weigh 2^-e, and y 2^-e is an exact product of integers.

Errors are in units of 2^-f, f the bits of fraction: in a polynomial each product
adds less than one unit and each coefficient half of one, halved at every step by u, so
less than 3 and the fit's half unit together. What lies outside the stated domain
gives numbers without meaning, and no error: nobody knows it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from quorate.algebra.ring import Words, from_signed
from quorate.mpc import expression
from quorate.mpc.expression import Mul
from quorate.mpc.numbers import public
from quorate.mpc.secret import SecretArray, bounded

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

DEGREE = 4
HALF = 0.5
"""Most that u may be where the polynomial is not constant."""

INNER_BITS = 26
"""Bits of fraction of y and of functions of it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An interval, and the coefficients of a polynomial in the distance from its middle."""

    low: float
    high: float
    coefficients: tuple[float, ...]

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


def exp(x: SecretArray) -> SecretArray:
    """Return e^x for numbers; their limit bounds the result. Error: under 4 units."""
    return _on_its_range(x, np.exp)


def sigmoid(x: SecretArray) -> SecretArray:
    """Return 1 / (1 + e^-x) for numbers. Error: under 4 units."""
    return _on_its_range(x, _logistic)


def log(x: SecretArray) -> SecretArray:
    """Return the natural logarithm of numbers of at least 2^-f. Error: under 2 units."""
    y, below, top = _normalised(x)
    fraction = _piecewise(y, np.log, 1.0, 2.0)
    shifts = np.arange(top + 1) - x.fraction_bits
    exponent = _selected(below, np.log(2.0) * shifts.astype(np.float64), INNER_BITS)
    return _of(x, expression.truncate((fraction + exponent).node, INNER_BITS - x.fraction_bits))


def sqrt(x: SecretArray) -> SecretArray:
    """Return the square root of numbers of at least 2^-f. Error: under 2 units and 2^-22 of it."""
    y, below, top = _normalised(x)
    f = x.fraction_bits
    scales: Floats = 2.0 ** ((np.arange(top + 1) - f) / 2)
    places = min(INNER_BITS, 60 - INNER_BITS - (top + 1 - f) // 2)
    return _scaled_back(x, _piecewise(y, np.sqrt, 1.0, 2.0), _selected(below, scales, places))


def reciprocal(x: SecretArray, *, at_least: float) -> SecretArray:
    """Return 1 / x for numbers of at least `at_least` > 0. Error: under 2 units and 2^-22 of it."""
    y, below, top = _normalised(x)
    f = x.fraction_bits
    scales = np.minimum(2.0 ** (f - np.arange(top + 1.0)), 2.0 / at_least)
    room = 60 - INNER_BITS - int(np.ceil(np.log2(scales.max())))
    scale = _selected(below, scales, min(top + 1 - f + INNER_BITS, room))
    return _scaled_back(x, _piecewise(y, np.reciprocal, 1.0, 2.0), scale)


def _logistic(v: Floats) -> Floats:
    return 1 / (1 + np.exp(-v))


def _on_its_range(x: SecretArray, function: Function) -> SecretArray:
    largest = x.node.limit / 2.0**x.fraction_bits
    return _piecewise(x, function, -largest, largest)


def _normalised(x: SecretArray) -> tuple[SecretArray, SecretArray, int]:
    """Return y = x 2^-e in [1, 2), whether each power of two is above x, and the last power."""
    words = _of(x, replace(x.node, f=0))
    top = x.node.limit.bit_length() - 1
    powers = np.array([1 << j for j in range(1, top + 1)], np.int64)
    below = _below(words, powers)
    factor = _selected(below, np.exp2(np.arange(top, -1.0, -1.0)), 0)
    exact = replace(words.node, operation=Mul(0), inputs=(words.node, factor.node))
    y = replace(exact, limit=2 << top, f=top)
    if top > INNER_BITS:
        return _of(x, expression.truncate(y, top - INNER_BITS)), below, top
    finer = np.uint64(1 << (INNER_BITS - top))
    limit = 2 << INNER_BITS
    return (
        _of(x, expression.linear(partial(np.multiply, finer), y, limit=limit, f=INNER_BITS)),
        below,
        top,
    )


def _scaled_back(x: SecretArray, y: SecretArray, scale: SecretArray) -> SecretArray:
    """Return y times scale, with the bits of fraction of x."""
    product = replace(
        y.node,
        operation=Mul(0),
        inputs=(y.node, scale.node),
        limit=y.node.limit * scale.node.limit,
        f=y.fraction_bits + scale.fraction_bits,
    )
    return _of(x, expression.truncate(product, product.f - x.fraction_bits))


def _piecewise(x: SecretArray, function: Function, low: float, high: float) -> SecretArray:
    """Return `function` of x, which lies in [low, high]."""
    f = x.fraction_bits
    pieces = _pieces(function, low, high, 2.0 ** -(f + 1))
    below = _below(x, np.array([round(piece.high * 2**f) for piece in pieces[:-1]], np.int64))
    middle = _selected(below, np.array([piece.middle for piece in pieces]), f)
    farthest = max(piece.high - piece.low for piece in pieces) / 2
    u = bounded(x - middle, int(farthest * 2**f) + 2)
    table = np.array([piece.coefficients for piece in pieces]).T
    *lower, result = (_selected(below, row, f) for row in table)
    for coefficient in reversed(lower):
        result = result * u + coefficient
    return bounded(result, int(np.abs(function(np.linspace(low, high, 999))).max() * 2**f) + 8)


@cache
def _pieces(function: Function, low: float, high: float, error: float) -> tuple[Piece, ...]:
    """Cut [low, high] until a constant, or a polynomial on a short piece, is within `error`."""
    grid = np.linspace(low, high, 200)
    values = function(grid)
    if np.ptp(values) <= error:
        return (Piece(low, high, (float(values.mean()), *[0.0] * DEGREE)),)
    middle, half = (low + high) / 2, (high - low) / 2
    if half <= HALF:
        fitted = Chebyshev.interpolate(
            lambda u: function(middle + u), DEGREE, domain=[-half, half]
        ).convert(kind=Polynomial)
        if np.abs(fitted(grid - middle) - values).max() <= error:
            return (Piece(low, high, tuple(fitted.coef.tolist())),)
    return (*_pieces(function, low, middle, error), *_pieces(function, middle, high, error))


def _below(x: SecretArray, words: NDArray[np.int64]) -> SecretArray:
    """Return 1 where x is less than each of `words`, along a new first axis, else 0."""
    columns = words.reshape(-1, *[1] * x.ndim)
    limits = replace(public(columns, 0), f=x.fraction_bits)
    return (x < _of(x, limits)) + 0


def _selected(below: SecretArray, values: Floats, f: int) -> SecretArray:
    """Return the value of the piece each secret lies in: the last, unless it is below a limit.

    With `below` non-increasing along the pieces:  v_last + sum_j below_j (v_j - v_{j+1})
    """
    words = np.rint(values * 2.0**f).astype(np.int64)
    limit = int(np.abs(words).max()) + 1
    weigh = partial(_weighted, weights=from_signed(words[:-1] - words[1:]))
    steps = expression.linear(weigh, below.node, limit=2 * limit, f=f)
    last = replace(public(words[-1:].reshape(()), 0), f=f)
    return bounded(_of(below, steps) + _of(below, last), limit)


def _weighted(part: Words, *, weights: Words) -> Words:
    """Return the weighted sum along the first axis."""
    return np.tensordot(weights, part, axes=1)


def _of(like: SecretArray, node: expression.Node) -> SecretArray:
    return SecretArray(like.engine, node)
