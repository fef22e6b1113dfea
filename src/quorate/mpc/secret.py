"""Arrays nobody can read, used like NumPy's.

An operator writes down a step and returns at once; `await x.reveal(to=...)` runs what is
needed, independent steps in the same rounds, and is the only way out. Until then
`x.cost()` says what it will take. Every array has a declared bound, and what might
leave the range of 63 bits raises `OutOfRange` where it is written; shapes that do not
fit raise what NumPy raises.

Integers are exact. Numbers with f bits of fraction are rounded by at most 2^-f in each
product with another such number, and by 2^-(f+1) when they are dealt. Bits are the
results of comparisons; in arithmetic they count as 0 and 1.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from math import ceil
from operator import index, itemgetter
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quorate.algebra.ring import from_signed
from quorate.errors import Party, Refused
from quorate.mpc import expression, price
from quorate.mpc.cost import Cost
from quorate.mpc.engine import Engine
from quorate.mpc.expression import Both, Held, IsNegative, IsZero, Node, Shape, ToRing
from quorate.mpc.numbers import Revealed, aligned, decoded, encoded, public, scaled
from quorate.mpc.replicated import SEATS

Index = SupportsIndex | slice | None | tuple[SupportsIndex | slice | None, ...] | NDArray[np.int64]
Axis = int | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SecretArray:
    """A secret array of one engine: integers, numbers with bits of fraction, or bits."""

    engine: Engine
    node: Node = field(repr=False)

    __array_ufunc__ = None  # NumPy's arrays leave mixed operators to this class

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def ndim(self) -> int:
        return len(self.node.shape)

    @property
    def size(self) -> int:
        return self.node.size

    @property
    def fraction_bits(self) -> int:
        return self.node.f

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __repr__(self) -> str:
        kind = "bits" if self.node.is_bits else f"fraction_bits={self.node.f}"
        return f"SecretArray(shape={self.shape}, {kind})"

    def __bool__(self) -> bool:
        raise TypeError("a secret has no truth value; choose with `where`, or reveal it")

    __hash__ = None  # type: ignore[assignment]

    # Out

    async def reveal(self, *, to: Collection[Party]) -> Revealed | None:
        """Return the values at the parties in `to`, None at the others."""
        return (await reveal(self, to=to))[0]

    async def compute(self) -> "SecretArray":
        """Run what is written down so far, once for all later uses; nothing is revealed."""
        return (await compute(self))[0]

    def cost(self, *, to: Collection[Party] = ()) -> Cost:
        """Return what `reveal(to=to)` will cost, or `compute()` where nobody is named.

        What was computed before and is not verified yet is verified by the next reveal.
        """
        engine, security = self.engine, self.engine.security
        if not to:
            return price.computing([self.node], engine.pace, security, engine.claims).cost
        computing = price.cost_of([self.node], engine.pace, security, engine.claims)
        return computing.then(price.reveal(self.size, to, security, is_bits=self.node.is_bits))

    # Arithmetic

    def __add__(self, other: "Operand") -> "SecretArray":
        x, y = aligned(self._number(), self._operand(other))
        return self._of(expression.linear(np.add, x, y, limit=x.limit + y.limit))

    def __sub__(self, other: "Operand") -> "SecretArray":
        x, y = aligned(self._number(), self._operand(other))
        return self._of(expression.linear(np.subtract, x, y, limit=x.limit + y.limit))

    def __rsub__(self, other: "Operand") -> "SecretArray":
        return -self + other

    def __neg__(self) -> "SecretArray":
        x = self._number()
        return self._of(expression.linear(np.negative, x, limit=x.limit))

    def __mul__(self, other: "Operand") -> "SecretArray":
        if isinstance(other, SecretArray):
            return self._of(expression.mul(self._number(), self._operand(other)))
        return self._of(scaled(self._number(), np.asarray(other)))

    def __truediv__(self, other: "Operand") -> "SecretArray":
        """Return self / other; of a secret divisor see `functions.quotient`."""
        if isinstance(other, SecretArray):
            return _quotient(self, other)
        divisor = np.asarray(other, np.float64)
        if (divisor == 0).any():
            raise ZeroDivisionError("division of a secret by zero")
        return self._of(scaled(self._number(), 1 / divisor))

    def __rtruediv__(self, other: ArrayLike) -> "SecretArray":
        return _quotient(self._of(self._operand(other)), self)

    def __pow__(self, exponent: int) -> "SecretArray":
        if index(exponent) < 1:
            raise ValueError("a secret is raised to positive integer powers only")
        root = self if exponent == 1 else (self * self) ** (exponent // 2)
        return root * self if exponent % 2 and exponent > 1 else root

    def __abs__(self) -> "SecretArray":
        x = self._of(self._number())
        return promised(x * (1 - 2 * (x < 0)), x.node.limit)

    __radd__ = __add__
    __rmul__ = __mul__

    def __matmul__(self, other: "SecretArray") -> "SecretArray":
        x, y = self._number(), self._operand(other)
        if not 1 <= len(x.shape) <= 2 or not 1 <= len(y.shape) <= 2:
            raise ValueError("matmul: only vectors and matrices")
        if x.shape[-1] != y.shape[0]:
            raise ValueError(f"matmul: shapes {x.shape} and {y.shape} do not fit")
        rows, columns = x.shape[:-1], y.shape[1:]
        left = self._of(x).reshape(*(rows or (1,)), x.shape[-1])
        right = self._of(y).reshape(y.shape[0], *(columns or (1,)))
        product = self._of(expression.matmul(left.node, right.node))
        return product.reshape(*rows, *columns)

    # Comparisons and bits

    def __lt__(self, other: "Operand") -> "SecretArray":
        difference = (self - other).node
        return self._of(expression.bits(IsNegative(), [difference], difference.shape))

    def __gt__(self, other: "Operand") -> "SecretArray":
        difference = (-self + other).node
        return self._of(expression.bits(IsNegative(), [difference], difference.shape))

    def __le__(self, other: "Operand") -> "SecretArray":
        return ~(self > other)

    def __ge__(self, other: "Operand") -> "SecretArray":
        return ~(self < other)

    def __eq__(self, other: "Operand") -> "SecretArray":  # type: ignore[override]
        difference = (self - other).node
        return self._of(expression.bits(IsZero(), [difference], difference.shape))

    def __ne__(self, other: "Operand") -> "SecretArray":  # type: ignore[override]
        return ~(self == other)

    def __invert__(self) -> "SecretArray":
        return self ^ np.ones((), np.bool_)

    def __xor__(self, other: "Operand") -> "SecretArray":
        return self._of(expression.linear(np.bitwise_xor, *self._bits(other)))

    def __and__(self, other: "Operand") -> "SecretArray":
        x, y = self._bits(other)
        shape = np.broadcast_shapes(x.shape, y.shape)
        spread = [expression.spread(one, shape) for one in (x, y)]
        return self._of(expression.bits(Both(), spread, shape))

    def __or__(self, other: "Operand") -> "SecretArray":
        return ~(~self & ~self._of(self._bits(other)[1]))

    __rxor__ = __xor__
    __rand__ = __and__
    __ror__ = __or__

    # Places

    def __getitem__(self, key: Index) -> "SecretArray":
        return self.placed(itemgetter(key))

    def reshape(self, *shape: int) -> "SecretArray":
        return self.placed(partial(np.reshape, shape=shape))

    @property
    def T(self) -> "SecretArray":  # noqa: N802 - NumPy's name
        return self.placed(np.transpose)

    def moveaxis(self, source: int, target: int) -> "SecretArray":
        return self.placed(partial(np.moveaxis, source=source, destination=target))

    # Sums

    def sum(self, axis: Axis = None) -> "SecretArray":
        return self._summed(partial(np.sum, axis=axis), axis)

    def cumsum(self, axis: Axis = None) -> "SecretArray":
        return self._summed(partial(np.cumsum, axis=axis), axis)

    def mean(self, axis: Axis = None) -> "SecretArray":
        mean = self.sum(axis) / self._terms(axis)
        return promised(mean, (self.node.limit << (mean.node.f - self.node.f)) + 1)

    def var(self, axis: Axis = None) -> "SecretArray":
        """Return the mean of squared differences from the mean, as NumPy does."""
        mean = self.mean(axis)
        if axis is not None:
            mean = mean.placed(partial(np.expand_dims, axis=axis))
        return ((self - mean) ** 2).mean(axis)

    # Parts of the above

    def _of(self, node: Node) -> "SecretArray":
        return SecretArray(self.engine, node)

    def placed(self, apply: expression.Apply) -> "SecretArray":
        return self._of(expression.linear(apply, self.node, limit=self.node.limit))

    def _terms(self, axis: Axis) -> int:
        return self.size if axis is None else self.shape[axis]

    def _summed(self, apply: expression.Apply, axis: Axis) -> "SecretArray":
        x = self._number()
        return self._of(expression.linear(apply, x, limit=x.limit * max(self._terms(axis), 1)))

    def _number(self) -> Node:
        """Return this array's words; bits become 0 and 1."""
        if not self.node.is_bits:
            return self.node
        return expression.node(ToRing(), [self.node], self.shape, 1)

    def _operand(self, other: "Operand") -> Node:
        """Return the words of another secret of this engine, or of what is public."""
        given = self._node_of(other)
        return self._of(given)._number() if given.is_bits else given  # noqa: SLF001 - its own

    def _bits(self, other: "Operand") -> tuple[Node, Node]:
        mask = self._node_of(other)
        if not (self.node.is_bits and mask.is_bits):
            raise TypeError("& | ^ ~ are for bits: the results of comparisons")
        return self.node, mask

    def _node_of(self, other: "Operand") -> Node:
        if not isinstance(other, SecretArray):
            return public(np.asarray(other), self.node.f)
        if other.engine is not self.engine:
            raise ValueError("these secrets belong to two engines")
        return other.node


Operand = SecretArray | ArrayLike


async def deal(
    engine: Engine,
    owner: Party,
    values: ArrayLike | None,
    *,
    shape: Shape,
    limit: float,
    fraction_bits: int = 0,
) -> SecretArray:
    """Share the array that `owner` holds; what others give for it is not looked at.

    All give the same `shape`, bound on absolute values, and bits of fraction.
    Raises `OutOfRange` at the owner, before anything is sent, if a value is larger.

    Cost, m words: 1 round, 8 * m bytes by the owner
    """
    bound = max(ceil(Fraction(limit) * (1 << fraction_bits)), 1)
    held = np.asarray(values) if engine.holds(owner) else np.zeros(shape)
    if held.shape != shape:
        raise ValueError(f"the shape declared is {shape}, that of the values {held.shape}")
    words = encoded(held, fraction_bits, bound)
    value = await engine.deal(owner, from_signed(words))
    leaf = expression.node(Held(value), [], shape, bound, fraction_bits)
    return SecretArray(engine, leaf)


def held(engine: Engine, value: expression.Value, *, shape: Shape, limit: int) -> SecretArray:
    """Return the integers of which `engine` has `value` already: none exceeds `limit`."""
    return SecretArray(engine, expression.node(Held(value), [], shape, limit))


async def compute(*arrays: SecretArray) -> list[SecretArray]:
    """Run what several arrays of one engine need in shared rounds; nothing is revealed."""
    values = await one_engine(arrays).compute([array.node for array in arrays])
    return [
        SecretArray(array.engine, replace(array.node, operation=Held(value), inputs=()))
        for array, value in zip(arrays, values, strict=True)
    ]


async def reveal(*arrays: SecretArray, to: Collection[Party]) -> list[Revealed | None]:
    """Reveal several arrays of one engine in shared rounds: at the parties in `to`, else None."""
    if not arrays:
        raise ValueError("need at least one array to reveal")
    if not to:
        raise Refused("nobody is named to reveal this to")
    if strangers := set(to) - set(range(SEATS)):
        raise Refused(f"nobody has the seat {min(strangers)}: the parties are 0, 1 and 2")
    engine = one_engine(arrays)
    values = await engine.compute([array.node for array in arrays])
    words = await engine.reveal(values, to)
    return [
        None if found is None else decoded(found, array.node)
        for found, array in zip(words, arrays, strict=True)
    ]


def one_engine(arrays: Sequence[SecretArray]) -> Engine:
    """Return the engine of all these arrays. Raises `ValueError` if they have two."""
    if any(array.engine is not arrays[0].engine for array in arrays):
        raise ValueError("these secrets belong to two engines")
    return arrays[0].engine


def promised(x: SecretArray, limit: int) -> SecretArray:
    """Return x with a limit that the caller has proven its words to keep.

    Nothing checks it: what is larger all the same may wrap later, without a trace. For where the
    mathematics says so (|x|, a mean, a choice); what one only hopes is `selection.clip`.
    """
    return SecretArray(x.engine, expression.retold(x.node, limit=limit))


def _quotient(x: SecretArray, y: SecretArray) -> SecretArray:
    from quorate.mpc import functions  # here, because they are written with these arrays

    return functions.quotient(x, y)
