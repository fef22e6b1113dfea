"""exp, log, sqrt, reciprocal, sigmoid and quotients of secret numbers, with stated errors.

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
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from quorate.algebra.ring import Words, from_signed
from quorate.errors import OutOfRange
from quorate.mpc import expression
from quorate.mpc.expression import Mul
from quorate.mpc.numbers import FRACTION_BITS, finer, public
from quorate.mpc.secret import SecretArray, promised

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

DEGREE = 4
HALF = 0.5
"""Most that u may be where the polynomial is not constant."""

QUOTIENT_BITS = 59
"""Bits of a dividend's words, and of what its divisor varies by, together."""

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
    fraction = piecewise(y, np.log, 1.0, 2.0)
    shifts = np.arange(top + 1) - x.fraction_bits
    exponent = _selected(below, np.log(2.0) * shifts.astype(np.float64), INNER_BITS)
    return _brought(fraction + exponent, x.fraction_bits)


def sqrt(x: SecretArray) -> SecretArray:
    """Return the square root of numbers of at least 2^-f. Error: under 2 units and 2^-22 of it."""
    y, below, top = _normalised(x)
    f = x.fraction_bits
    scales: Floats = 2.0 ** ((np.arange(top + 1) - f) / 2)
    places = min(INNER_BITS, 60 - INNER_BITS - (top + 1 - f) // 2)
    return _brought(
        _exact(piecewise(y, np.sqrt, 1.0, 2.0), _selected(below, scales, places)), x.fraction_bits
    )


def reciprocal(x: SecretArray, *, at_least: float) -> SecretArray:
    """Return 1 / x for numbers of at least `at_least` > 0. Error: under 2 units and 2^-22 of it."""
    y, below, top = _normalised(x)
    f = x.fraction_bits
    scales = np.minimum(2.0 ** (f - np.arange(top + 1.0)), 2.0 / at_least)
    room = 60 - INNER_BITS - int(np.ceil(np.log2(scales.max())))
    scale = _selected(below, scales, min(top + 1 - f + INNER_BITS, room))
    return _brought(_exact(piecewise(y, np.reciprocal, 1.0, 2.0), scale), f)


def quotient(x: SecretArray, y: SecretArray) -> SecretArray:
    """Return x / y for y of either sign but not 0: `divided`, by at least one unit."""
    sign = 1 - 2 * (y < 0)
    size = promised(y * sign, y.node.limit)
    return divided(x * sign, size, at_least=2.0**-y.fraction_bits)


def divided(x: SecretArray, y: SecretArray, *, at_least: float) -> SecretArray:
    """Return x / y for y of at least `at_least` > 0, with the finer one's bits of fraction or 16.

    Where x's words have b bits, and y's limit is below 2^s times `at_least`, the error is under
    2 units, 2^-min(22, 57 - b) of the result, and 2^-(59 - b - s) units of x over y.
    Raises `OutOfRange` if b + s is more than 59.
    """
    normal, below, top = _normalised(y)
    lowest = min(max(int(np.floor(np.log2(at_least))) + y.fraction_bits, 0), top)
    span, length = top - lowest, x.node.limit.bit_length()
    if length + span > QUOTIENT_BITS:
        raise OutOfRange(
            f"{length} bits over a number that may be 2^{span} times smaller than its limit: "
            f"the most is {QUOTIENT_BITS} together",
            hint="declare smaller limits, divide by what is larger, or use fewer bits of fraction",
        )
    places = min(INNER_BITS, QUOTIENT_BITS - length)
    ratio = _exact(x, _brought(piecewise(normal, np.reciprocal, 1.0, 2.0), places))
    surplus = max(ratio.node.limit.bit_length() + span - QUOTIENT_BITS - 2, 0)
    powers = np.exp2(np.minimum(np.arange(top, -1, -1), span))
    scaled = _exact(_brought(ratio, ratio.fraction_bits - surplus), _selected(below, powers, 0))
    read = expression.retold(scaled.node, f=scaled.fraction_bits + top - y.fraction_bits)
    result = _brought(_of(x, read), max(x.fraction_bits, y.fraction_bits) or FRACTION_BITS)
    most = x.node.limit / 2.0 ** (x.fraction_bits - result.fraction_bits) / at_least
    return promised(result, min(int(most) + 2, result.node.limit))


def _logistic(v: Floats) -> Floats:
    return 1 / (1 + np.exp(-v))


def _on_its_range(x: SecretArray, function: Function) -> SecretArray:
    largest = x.node.limit / 2.0**x.fraction_bits
    return piecewise(x, function, -largest, largest)


def _normalised(x: SecretArray) -> tuple[SecretArray, SecretArray, int]:
    """Return y = x 2^-e in [1, 2), whether each power of two is above x, and the last power."""
    words = _of(x, expression.retold(x.node, f=0))
    top = x.node.limit.bit_length() - 1
    powers = np.array([1 << j for j in range(1, top + 1)], np.int64)
    below = _below(words, powers)
    factor = _selected(below, np.exp2(np.arange(top, -1.0, -1.0)), 0)
    exact = _exact(words, factor, limit=2 << top)
    return _brought(_of(x, expression.retold(exact.node, f=top)), INNER_BITS), below, top


def _exact(x: SecretArray, y: SecretArray, limit: int | None = None) -> SecretArray:
    """Return the product with all bits of fraction of both; `limit` if it is known to be less."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    factors = [expression.spread(one.node, shape) for one in (x, y)]
    most = x.node.limit * y.node.limit if limit is None else limit
    f = x.fraction_bits + y.fraction_bits
    return _of(x, expression.node(Mul(0), factors, shape, most, f))


def _brought(x: SecretArray, f: int) -> SecretArray:
    """Return x with f bits of fraction: exact if they are more, else off by under a unit."""
    if x.fraction_bits > f:
        return _of(x, expression.truncate(x.node, x.fraction_bits - f))
    return _of(x, finer(x.node, f))


def piecewise(x: SecretArray, function: Function, low: float, high: float) -> SecretArray:
    """Return a smooth `function` of x, which lies in [low, high]. Error: under 4 units."""
    f = x.fraction_bits
    pieces = _pieces(function, low, high, 2.0 ** -(f + 1))
    below = _below(x, np.array([round(piece.high * 2**f) for piece in pieces[:-1]], np.int64))
    middle = _selected(below, np.array([piece.middle for piece in pieces]), f)
    farthest = max(piece.high - piece.low for piece in pieces) / 2
    u = promised(x - middle, int(farthest * 2**f) + 2)
    table = np.array([piece.coefficients for piece in pieces]).T
    *lower, result = (_selected(below, row, f) for row in table)
    for coefficient in reversed(lower):
        result = result * u + coefficient
    return promised(result, int(np.abs(function(np.linspace(low, high, 999))).max() * 2**f) + 8)


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
    limits = expression.retold(public(columns, 0), f=x.fraction_bits)
    return (x < _of(x, limits)) + 0


def _selected(below: SecretArray, values: Floats, f: int) -> SecretArray:
    """Return the value of the piece each secret lies in: the last, unless it is below a limit.

    With `below` non-increasing along the pieces:  v_last + sum_j below_j (v_j - v_{j+1})
    """
    words = np.rint(values * 2.0**f).astype(np.int64)
    limit = int(np.abs(words).max()) + 1
    weigh = partial(_weighted, weights=from_signed(words[:-1] - words[1:]))
    steps = expression.linear(weigh, below.node, limit=2 * limit, f=f)
    last = expression.retold(public(words[-1:].reshape(()), 0), f=f)
    return promised(_of(below, steps) + _of(below, last), limit)


def _weighted(part: Words, *, weights: Words) -> Words:
    """Return the weighted sum along the first axis."""
    return np.tensordot(weights, part, axes=1)


def _of(like: SecretArray, node: expression.Node) -> SecretArray:
    return SecretArray(like.engine, node)
