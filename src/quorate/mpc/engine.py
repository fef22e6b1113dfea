"""Who computes expressions: three parties who see nothing, or an oracle who sees everything.

`Secure` is one party of a committee; `Oracle` computes the same nodes in the clear, in
one process, and is what the secure results are tested against. Words that are
divided may be rounded up or down by the committee; the oracle rounds down.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol, cast

import numpy as np

from quorate.algebra import matrix
from quorate.algebra.bits import Bits, weights
from quorate.algebra.ring import Words, from_signed, to_signed
from quorate.errors import Party
from quorate.mpc import (
    boolean,
    comparison,
    cost,
    decomposition,
    expression,
    replicated,
    shallow,
    truncation,
    verification,
)
from quorate.mpc.boolean import BitShare
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.expression import (
    Both,
    FromBits,
    Held,
    IsNegative,
    IsZero,
    Linear,
    MatMul,
    Mul,
    Node,
    Public,
    ToBits,
    ToRing,
    Truncate,
    Value,
)
from quorate.mpc.price import NOTHING, Claims, computing, recorded
from quorate.mpc.replicated import Committee, Security, Share
from quorate.transport.session import together


class Engine(Protocol):
    """Deals, computes and reveals. Every party calls the same, in the same order."""

    @property
    def pace(self) -> Pace:
        """How far apart the parties are: which protocols run, and what they cost, depends on it."""
        ...

    @property
    def security(self) -> Security:
        """What one of the three may do without bending a result: so do protocols and costs."""
        ...

    @property
    def claims(self) -> Claims:
        """What was computed and has to be verified before the next reveal."""
        ...

    def holds(self, owner: Party) -> bool:
        """Return whether what `owner` deals is to be given here."""
        ...

    async def deal(self, owner: Party, words: Words) -> Value:
        """Share what `owner` holds; others only say its shape."""
        ...

    async def compute(self, outputs: Sequence[Node]) -> list[Value]:
        """Run all that `outputs` need; independent nodes share rounds."""
        ...

    async def reveal(
        self, values: Sequence[Value], to: Collection[Party]
    ) -> list[Words | Bits | None]:
        """Return the words or bits at the parties in `to`, None elsewhere; verified before."""
        ...


class Secure:
    """One party of three. What others hold never comes together before `reveal`.

    Where the committee checks, what is computed is verified before anything is revealed, and
    before if it takes too much room: several calls of `compute` are verified at once.

    `pace` is the same at all three: what `mpc.pace.measure` returned, unless they are near.
    """

    def __init__(self, committee: Committee, pace: Pace = NEAR) -> None:
        self._committee = committee
        self.pace = pace
        self.security: Security = "malicious" if committee.checks else "semi-honest"
        self._steps = 0

    def holds(self, owner: Party) -> bool:
        return self._committee.me == owner

    async def deal(self, owner: Party, words: Words) -> Value:
        (committee,) = self._children(1)
        return await replicated.deal(committee, owner, words)

    async def compute(
        self, outputs: Sequence[Node], *, each_depth: Callable[[], Awaitable[None]] | None = None
    ) -> list[Value]:
        """Run all that `outputs` need; `each_depth` is awaited before each of their steps."""
        values: dict[Node, Value] = {}
        left = _uses(outputs)
        for sent, local in expression.steps(outputs):
            if each_depth is not None:
                await each_depth()
            running = [
                _run(one, committee, [values[given] for given in one.inputs], self.pace)
                for one, committee in zip(sent, self._children(len(sent)), strict=True)
            ]
            values.update(zip(sent, await together(*running), strict=True))
            _release(sent, left, values)
            for one in local:
                values[one] = self._local(one, [values[given] for given in one.inputs])
                _release([one], left, values)
            if verification.is_due(self._committee):
                await self.verify()
        return [values[one] for one in outputs]

    async def reveal(
        self, values: Sequence[Value], to: Collection[Party]
    ) -> list[Words | Bits | None]:
        await self.verify()
        children = self._children(len(values))
        return await together(*map(_reveal, children, values, [to] * len(values)))

    @property
    def claims(self) -> Claims:
        record = self._committee.record
        return NOTHING if record is None else recorded(record.entries)

    async def verify(self) -> None:
        """Abort unless all that was computed is right: for who reveals it in another way."""
        (committee,) = self._children(1)
        await verification.verify(committee, self.pace)

    def _children(self, count: int) -> list[Committee]:
        """Return a committee for each of the steps that now run side by side."""
        self._steps += 1
        return [self._committee.at(f"{self._steps}.{i}") for i in range(count)]

    def _local(self, one: Node, given: Sequence[Value]) -> Value:
        match one.operation:
            case Held(value):
                return value
            case Public(value):
                if value.dtype == np.bool_:
                    return boolean.public_bits(self._committee, cast("Bits", value))
                return replicated.public(self._committee, cast("Words", value))
            case Linear(apply):
                parts = cast("Sequence[Share | BitShare]", given)
                own = np.asarray(apply(*(part.own for part in parts)))
                after = np.asarray(apply(*(part.next for part in parts)))
                if one.is_bits:
                    return BitShare(cast("Bits", own), cast("Bits", after))
                return Share(cast("Words", own), cast("Words", after))
            case other:
                raise TypeError(f"{type(other).__name__} takes messages")


async def _reveal(committee: Committee, value: Value, to: Collection[Party]) -> Words | Bits | None:
    if isinstance(value, BitShare):
        return await boolean.reveal_bits(committee, value, to)
    return await replicated.reveal(committee, cast("Share", value), to)


def _run(
    one: Node, committee: Committee, given: Sequence[Value], pace: Pace
) -> Awaitable[Share | BitShare]:
    if any(isinstance(value, BitShare) for value in given):
        return _run_on_bits(one, committee, cast("Sequence[BitShare]", given))
    x, y = cast("Share", given[0]), cast("Share", given[-1])
    match one.operation:
        case Mul(0):
            return replicated.mul(committee, x, y)
        case Mul(cut):
            return truncation.mul_fixed(committee, x, y, cut)
        case MatMul(0):
            return replicated.matmul(committee, x, y)
        case MatMul(cut):
            return truncation.matmul_fixed(committee, x, y, cut)
        case Truncate(cut):
            return truncation.truncate(committee, x, cut)
        case IsNegative():
            near = committee.checks or cost.sign(one.size, pace) == cost.is_negative(one.size)
            sign = comparison.is_negative if near else shallow.is_negative
            return sign(committee, x)
        case IsZero():
            near = committee.checks or cost.zero(one.size, pace) == cost.is_zero(one.size)
            zero = comparison.is_zero if near else shallow.is_zero
            return zero(committee, x)
        case ToBits(count):
            return decomposition.to_bits(committee, x, count)
        case other:
            raise TypeError(f"{type(other).__name__} takes no messages")


def _run_on_bits(
    one: Node, committee: Committee, given: Sequence[BitShare]
) -> Awaitable[Share | BitShare]:
    match one.operation:
        case Both():
            return boolean.both(committee, given[0], given[1])
        case ToRing():
            return boolean.to_ring(committee, given[0])
        case FromBits(signed):
            return decomposition.from_bits(committee, given[0], signed=signed)
        case other:
            raise TypeError(f"{type(other).__name__} takes no messages of bits")


class Oracle:
    """All parties in one, in the clear; costs are those of a committee of that security."""

    pace = NEAR

    def __init__(self, security: Security = "malicious") -> None:
        self.security: Security = security
        self.claims = NOTHING

    def holds(self, owner: Party) -> bool:  # noqa: ARG002 - the oracle is everybody
        return True

    async def deal(self, owner: Party, words: Words) -> Value:  # noqa: ARG002 - the oracle is everybody
        return words

    async def compute(self, outputs: Sequence[Node]) -> list[Value]:
        self.claims = computing(outputs, self.pace, self.security, self.claims).claims
        return in_the_clear(outputs)

    async def reveal(
        self,
        values: Sequence[Value],
        to: Collection[Party],  # noqa: ARG002 - the oracle is everybody
    ) -> list[Words | Bits | None]:
        self.claims = NOTHING
        return [cast("Words", value) for value in values]


def in_the_clear(outputs: Sequence[Node]) -> list[Value]:
    """Return what a committee's program gives whoever holds all numbers."""
    values: dict[Node, Value] = {}
    left = _uses(outputs)
    for one in expression.in_order(outputs):
        values[one] = _in_the_clear(one, [cast("Words", values[n]) for n in one.inputs])
        _release([one], left, values)
    return [values[one] for one in outputs]


def _in_the_clear(one: Node, given: Sequence[Words]) -> Value:
    match one.operation:
        case Held(value) | Public(value):
            return cast("Words", value)
        case Linear(apply):
            return np.asarray(apply(*given))
        case Mul(cut):
            return _divided(np.multiply(given[0], given[1]), cut)
        case MatMul(cut):
            return _divided(matrix.matmul(*given), cut)
        case Truncate(cut):
            return _divided(given[0], cut)
        case IsNegative():
            return np.less(to_signed(given[0]), 0)
        case IsZero():
            return np.equal(given[0], 0)
        case _:
            return _bits_in_the_clear(one, given)


def _bits_in_the_clear(one: Node, given: Sequence[Words]) -> Value:
    match one.operation:
        case Both():
            return cast("Bits", given[0] & given[1])
        case ToRing():
            return given[0].astype(np.uint64)
        case ToBits(count):
            places = np.arange(count, dtype=np.uint64).reshape(-1, *[1] * given[0].ndim)
            return (given[0] >> places & np.uint64(1)).astype(np.bool_)
        case FromBits(signed):
            return np.tensordot(weights(len(given[0]), signed=signed), given[0], 1)
        case other:
            raise TypeError(f"{type(other).__name__} is computed elsewhere")


def _divided(words: Words, cut: int) -> Words:
    return from_signed(np.asarray(to_signed(words) >> cut))


def _uses(outputs: Sequence[Node]) -> dict[Node, int]:
    """Return how often each node is still needed."""
    left = dict.fromkeys(expression.in_order(outputs), 0)
    for one in [given for user in left for given in user.inputs] + list(outputs):
        left[one] += 1
    return left


def _release(done: Sequence[Node], left: dict[Node, int], values: dict[Node, Value]) -> None:
    """Forget what nobody needs any more, so that memory holds one depth and not all."""
    for given in [given for one in done for given in one.inputs]:
        left[given] -= 1
        if not left[given]:
            del values[given]
