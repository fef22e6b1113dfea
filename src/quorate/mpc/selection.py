"""Choosing among secrets by secret conditions: NumPy's names for what nobody sees decided."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quorate.mpc import expression
from quorate.mpc.numbers import public
from quorate.mpc.secret import Operand, SecretArray, one_engine, promised


def where(condition: SecretArray, x: Operand, y: Operand) -> SecretArray:
    """Return x where the secret bit is set, else y: y + c (x - y)."""
    if not condition.node.is_bits:
        raise TypeError("a condition is bits: the result of a comparison")
    return _choose(condition + 0, _secret(condition, x), _secret(condition, y))


def minimum(x: SecretArray, y: Operand) -> SecretArray:
    return where(x > y, y, x)


def maximum(x: SecretArray, y: Operand) -> SecretArray:
    return where(x < y, y, x)


def clip(x: SecretArray, low: float, high: float) -> SecretArray:
    """Return x within [low, high], public numbers, which bound it from then on."""
    inside = minimum(maximum(x, low), high)
    edges = _secret(x, np.array([low, high]))
    return promised(inside, (edges.node.limit << inside.fraction_bits) >> edges.fraction_bits)


def concatenate(arrays: Sequence[SecretArray], axis: int = 0) -> SecretArray:
    """Join arrays of one engine and kind."""
    if not arrays:
        raise ValueError("need at least one array to concatenate")
    engine = one_engine(arrays)
    kinds = {(array.node.is_bits, array.fraction_bits) for array in arrays}
    if len(kinds) > 1:
        raise TypeError("only arrays with the same bits of fraction can be joined")
    nodes = [array.node for array in arrays]
    limit = max(one.limit for one in nodes)
    joined = expression.linear(partial(_joined, axis=axis), *nodes, limit=limit)
    return SecretArray(engine, joined)


def _joined(*parts: NDArray[Any], axis: int) -> NDArray[Any]:
    return np.concatenate(parts, axis=axis)


def amin(x: SecretArray, axis: int | None = None) -> SecretArray:
    return _best(x, axis, largest=False)[0]


def amax(x: SecretArray, axis: int | None = None) -> SecretArray:
    return _best(x, axis, largest=True)[0]


def argmin(x: SecretArray, axis: int | None = None) -> SecretArray:
    """Return where the smallest is, the first of equals."""
    return _best(x, axis, largest=False)[1]


def argmax(x: SecretArray, axis: int | None = None) -> SecretArray:
    """Return where the largest is, the first of equals."""
    return _best(x, axis, largest=True)[1]


def _best(x: SecretArray, axis: int | None, *, largest: bool) -> tuple[SecretArray, SecretArray]:
    """Return the best and its place along an axis: a tournament of neighbours."""
    values = x.reshape(-1) if axis is None else x.moveaxis(axis, 0)
    count = values.shape[0]
    if count == 0:
        raise ValueError("zero-size array has no smallest or largest")
    numbers = np.arange(count).reshape(-1, *[1] * (values.ndim - 1))
    places = _secret(x, np.broadcast_to(numbers, values.shape))
    while count > 1:
        even = count // 2 * 2
        (a, i), (b, j) = ((values[s:even:2], places[s:even:2]) for s in (0, 1))
        better = (b > a if largest else b < a) + 0
        values = concatenate([_choose(better, b, a), values[even:]])
        places = concatenate([_choose(better, j, i), places[even:]])
        count = values.shape[0]
    return values[0], places[0]


def _choose(lifted: SecretArray, x: SecretArray, y: SecretArray) -> SecretArray:
    """Return y + c (x - y), where c is a secret 0 or 1: no larger than the larger."""
    difference = x - y
    chosen = y + lifted * difference
    f = chosen.fraction_bits
    limits = (one.node.limit << (f - one.fraction_bits) for one in (x, y))
    return promised(chosen, max(limits))


def _secret(like: SecretArray, value: Operand) -> SecretArray:
    """Return `value` as an array of the same engine; what is public costs nothing."""
    if isinstance(value, SecretArray):
        return value
    return SecretArray(like.engine, public(np.asarray(value), like.fraction_bits))
