"""What is to be computed on secrets, as a tree of nodes: known before anything runs.

A node is an operation on other nodes, with the shape of its result and a bound on
its values. Nothing here holds a network: an engine runs the nodes, and `cost` says
what that takes. Nodes of one depth do not need one another, so an engine runs
them side by side and their rounds are shared.

Numbers are words of the ring with f bits of fraction, f = 0 for integers. `limit` bounds
the words' absolute values and is carried through every operation, so what could
overflow is refused when it is written down, not wrapped when it runs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.bits import Bits
from quorate.algebra.ring import Words
from quorate.errors import OutOfRange
from quorate.mpc import cost
from quorate.mpc.boolean import BitShare
from quorate.mpc.cost import NEAR, Cost, Pace
from quorate.mpc.replicated import Share
from quorate.mpc.shifts import OFFSET

RANGE = 1 << 63
Shape = tuple[int, ...]
Apply = Callable[..., NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Written:
    """The place of a step in a plan."""

    step: int


Value = Share | BitShare | Words | Bits | Written
"""What an engine holds of a node: a party's share, the words themselves, or where it is written."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A result that is there already."""

    value: Value = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Public:
    """What everybody knows."""

    value: NDArray[np.uint64] | NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A function that each party applies to its parts: sums of words, XORs of bits, places."""

    apply: Apply


@dataclass(frozen=True, slots=True)
class Mul:
    """The product, divided by 2^cut."""

    cut: int


@dataclass(frozen=True, slots=True)
class MatMul:
    """The matrix product, divided by 2^cut."""

    cut: int


@dataclass(frozen=True, slots=True)
class Truncate:
    """Division by 2^cut."""

    cut: int


@dataclass(frozen=True, slots=True)
class IsNegative:
    """The sign bit."""


@dataclass(frozen=True, slots=True)
class IsZero:
    """Whether a word is 0."""


@dataclass(frozen=True, slots=True)
class Both:
    """AND of bits."""


@dataclass(frozen=True, slots=True)
class ToRing:
    """Bits as words 0 and 1."""


@dataclass(frozen=True, slots=True)
class ToBits:
    """The lowest `count` bits of words, along a new first axis."""

    count: int


@dataclass(frozen=True, slots=True)
class FromBits:
    """The words whose bits lie along the first axis; `signed`: the last counts as negative."""

    signed: bool


Local = Held | Public | Linear
Operation = (
    Local | Mul | MatMul | Truncate | IsNegative | IsZero | Both | ToRing | ToBits | FromBits
)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One array to be computed. A bit array has `is_bits`, and no limit."""

    operation: Operation
    inputs: tuple["Node", ...]
    shape: Shape
    limit: int = 1
    f: int = 0
    is_bits: bool = False

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def is_local(self) -> bool:
        return isinstance(self.operation, Held | Public | Linear)


def node(
    operation: Operation, inputs: Sequence[Node], shape: Shape, limit: int, f: int = 0
) -> Node:
    """Return a node of words. Raises `OutOfRange` if they might not fit."""
    _check(limit, f, RANGE)
    return Node(operation, tuple(inputs), shape, limit, f)


def bits(operation: Operation, inputs: Sequence[Node], shape: Shape) -> Node:
    return Node(operation, tuple(inputs), shape, is_bits=True)


def linear(apply: Apply, *inputs: Node, limit: int = 1, f: int | None = None) -> Node:
    """Return a node that every party computes alone. NumPy itself says if shapes do not fit."""
    first = inputs[0]
    zeros = [np.broadcast_to(np.zeros((), _dtype(given)), given.shape) for given in inputs]
    shape = apply(*zeros).shape
    if first.is_bits:
        return bits(Linear(apply), inputs, shape)
    return node(Linear(apply), inputs, shape, limit, first.f if f is None else f)


def retold(x: Node, *, limit: int | None = None, f: int | None = None) -> Node:
    """Return the same words under another limit, or with other bits of fraction."""
    return linear(np.asarray, x, limit=x.limit if limit is None else limit, f=f)


def mul(x: Node, y: Node) -> Node:
    """Return the product with as many bits of fraction as the finer of x and y."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    x, y = spread(x, shape), spread(y, shape)
    return _product(Mul, x, y, shape, terms=1)


def matmul(x: Node, y: Node) -> Node:
    """Return the product of matrices (m, k) and (k, n)."""
    return _product(MatMul, x, y, (x.shape[0], y.shape[1]), terms=x.shape[1])


def _product(kind: type[Mul | MatMul], x: Node, y: Node, shape: Shape, terms: int) -> Node:
    cut, limit = min(x.f, y.f), terms * x.limit * y.limit
    if cut == 0:
        return node(kind(0), (x, y), shape, limit, x.f + y.f)
    _check(limit, x.f + y.f, OFFSET - (1 << cut))
    return node(kind(cut), (x, y), shape, (limit >> cut) + 1, max(x.f, y.f))


def truncate(x: Node, cut: int) -> Node:
    """Return x / 2^cut, with as many bits of fraction less."""
    _check(x.limit, x.f, OFFSET - (1 << cut))
    return node(Truncate(cut), (x,), x.shape, (x.limit >> cut) + 1, x.f - cut)


def spread(x: Node, shape: Shape) -> Node:
    """Return x repeated to `shape`, as NumPy broadcasts."""
    if x.shape == shape:
        return x
    return linear(partial(np.broadcast_to, shape=shape), x, limit=x.limit)


def in_order(outputs: Iterable[Node]) -> list[Node]:
    """Return the nodes that `outputs` need, each once and after its inputs."""
    found: dict[Node, None] = {}
    waiting = list(outputs)[::-1]
    while waiting:
        one = waiting[-1]
        missing = [given for given in one.inputs if given not in found]
        if one in found or not missing:
            found.setdefault(waiting.pop())
        else:
            waiting.extend(missing[::-1])
    return list(found)


def steps(outputs: Iterable[Node]) -> Iterator[tuple[list[Node], list[Node]]]:
    """Yield, depth by depth, what takes messages and then what is local from there."""
    depth: dict[Node, int] = {}
    levels: list[tuple[list[Node], list[Node]]] = []
    for one in in_order(outputs):
        below = max((depth[given] for given in one.inputs), default=0)
        depth[one] = below if one.is_local else below + 1
        while len(levels) <= depth[one]:
            levels.append(([], []))
        levels[depth[one]][one.is_local].append(one)
    yield from levels


def cost_of(outputs: Iterable[Node], pace: Pace = NEAR) -> Cost:
    """Return what computing `outputs` costs, without revealing them."""
    total = cost.FREE
    for sent, _ in steps(outputs):
        together = cost.FREE
        for one in sent:
            together = together.beside(cost_of_one(one, pace))
        total = total.then(together)
    return total


def cost_of_one(one: Node, pace: Pace) -> Cost:
    """Return what one node costs, its inputs being there."""
    match one.operation:
        case Mul(cut) | MatMul(cut):
            return cost.mul_fixed(one.size) if cut else cost.mul(one.size)
        case Truncate():
            return cost.truncate(one.size)
        case IsNegative():
            return cost.sign(one.size, pace)
        case IsZero():
            return cost.zero(one.size, pace)
        case Both():
            return cost.both(one.size)
        case ToRing():
            return cost.to_ring(one.size)
        case ToBits(count):
            return cost.to_bits(one.size // count, count)
        case FromBits():
            return cost.from_bits(one.size, one.inputs[0].shape[0])
        case _:
            return cost.FREE


def _dtype(one: Node) -> type[np.bool_ | np.uint64]:
    return np.bool_ if one.is_bits else np.uint64


def _check(limit: int, f: int, within: int) -> None:
    if limit >= within:
        raise OutOfRange(
            f"a value might reach {limit / 2**f:.3g}; with {f} bits of fraction "
            f"the most is {within / 2**f:.3g}",
            hint="declare smaller limits, clip before this step, or use fewer bits of fraction",
        )
