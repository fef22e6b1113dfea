"""What the engine is timed at: each with its cost, and NumPy's way to the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.engine import regression
from bench.inputs import FRACTION_BITS, IN_TURN, Ints, operands
from quorate.algebra.ring import to_signed
from quorate.mpc import comparison, cost, replicated, truncation
from quorate.mpc.boolean import BitShare, reveal_bits
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee, Share

Found = NDArray[np.int64] | NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Workload:
    """What is timed over secret words; what `plain` gives is the right answer."""

    name: str
    inputs: Callable[[], tuple[Ints, ...]]
    run: Callable[..., Awaitable[Share | BitShare]]
    """Called with a committee and a share of each input."""

    cost: Cost
    plain: Callable[..., Found]
    off_by: int = 0
    """How far results may be off: a division is rounded up or down."""


def products(m: int) -> Workload:
    return _pairs(f"{m:,} products", (m,), replicated.mul, cost.mul(m), np.multiply)


def comparisons(m: int) -> Workload:
    return _pairs(f"{m:,} comparisons", (m,), _less, cost.is_negative(m), np.less)


def equalities(m: int) -> Workload:
    return _pairs(f"{m:,} equalities", (m,), _equal, cost.is_zero(m), np.equal)


def fixed_products(m: int) -> Workload:
    name = f"{m:,} fixed-point products"
    return _pairs(name, (m,), _fixed, cost.mul_fixed(m), _plain_fixed, off_by=1)


def truncations(m: int) -> Workload:
    return _pairs(f"{m:,} truncations", (m,), _truncated, cost.truncate(m), _plain_cut, off_by=1)


def dot(m: int) -> Workload:
    name = f"dot product of {m:,} numbers"
    return _pairs(name, (m,), _dot, cost.mul_fixed(1), _plain_dot, off_by=1)


def total(m: int) -> Workload:
    return _pairs(f"sum of {m:,} numbers", (m,), _total, cost.FREE, _plain_total)


def matrices(m: int) -> Workload:
    """Multiply square matrices with about `m` entries each."""
    side = round(m**0.5)
    price = cost.mul_fixed(side * side)
    name = f"matrix product, {side:,} each way"
    return _pairs(name, (side, side), _matrices, price, _plain_matrices, off_by=1)


def products_in_turn() -> Workload:
    chain = cost.FREE
    for _ in range(IN_TURN):
        chain = chain.then(cost.mul(1))
    return _pairs(f"{IN_TURN:,} products in turn", (1,), _in_turn, chain, _plain_in_turn)


def logistic_regression() -> Workload:
    return Workload(
        f"logistic regression, {len(regression.words()[1])} patients",
        regression.words,
        regression.train,
        regression.cost(),
        regression.plain,
        regression.OFF_BY,
    )


async def check(committee: Committee, load: Workload, result: Share | BitShare) -> None:
    """Reveal a result; it has to be right."""
    expected = load.plain(*load.inputs())
    if isinstance(result, BitShare):
        found = await reveal_bits(committee, result, range(3))
        assert found is not None
        assert np.array_equal(found, expected), f"{load.name} is wrong"
        return
    words = await replicated.reveal(committee, result, range(3))
    assert words is not None
    error = to_signed(words) - expected
    assert np.abs(error).max() <= load.off_by, f"{load.name} is wrong"


def _pairs(
    name: str,
    shape: tuple[int, ...],
    run: Callable[..., Awaitable[Share | BitShare]],
    price: Cost,
    plain: Callable[..., Any],
    off_by: int = 0,
) -> Workload:
    return Workload(name, partial(operands, shape), run, price, plain, off_by)


async def _less(committee: Committee, x: Share, y: Share) -> BitShare:
    return await comparison.is_negative(committee, Share(x.own - y.own, x.next - y.next))


async def _equal(committee: Committee, x: Share, y: Share) -> BitShare:
    return await comparison.is_zero(committee, Share(x.own - y.own, x.next - y.next))


async def _fixed(committee: Committee, x: Share, y: Share) -> Share:
    return await truncation.mul_fixed(committee, x, y, FRACTION_BITS)


async def _truncated(committee: Committee, x: Share, _: Share) -> Share:
    return await truncation.truncate(committee, x, FRACTION_BITS)


async def _dot(committee: Committee, x: Share, y: Share) -> Share:
    row, column = Share(x.own[None], x.next[None]), Share(y.own[:, None], y.next[:, None])
    return await truncation.matmul_fixed(committee, row, column, FRACTION_BITS)


async def _total(_: Committee, x: Share, __: Share) -> Share:
    return Share(x.own.sum(keepdims=True), x.next.sum(keepdims=True))


async def _matrices(committee: Committee, x: Share, y: Share) -> Share:
    return await truncation.matmul_fixed(committee, x, y, FRACTION_BITS)


async def _in_turn(committee: Committee, x: Share, y: Share) -> Share:
    for _ in range(IN_TURN):
        x = await replicated.mul(committee, x, y)
    return x


def _plain_fixed(x: Ints, y: Ints) -> Ints:
    return _plain_cut(x * y)


def _plain_cut(x: Ints, *_: Ints) -> Ints:
    cut: Ints = x >> FRACTION_BITS
    return cut


def _plain_dot(x: Ints, y: Ints) -> Ints:
    return _plain_cut((x * y).sum(keepdims=True)[None])


def _plain_total(x: Ints, _: Ints) -> Ints:
    summed: Ints = x.sum(keepdims=True)
    return summed


def _plain_matrices(x: Ints, y: Ints) -> Ints:
    """Multiply as doubles, which is exact here: what NumPy does fastest."""
    return (x.astype(np.float64) @ y.astype(np.float64)).astype(np.int64) >> FRACTION_BITS


def _plain_in_turn(x: Ints, y: Ints) -> Ints:
    for _ in range(IN_TURN):
        x = x * y
    return x
