"""A program on secrets as data, before it runs: each step, each reveal, what it costs, one digest.

A program is a function of an engine. `drafted` runs it on an engine that holds nothing and only
writes down, so members can read and sign what will be computed and revealed to whom; a node
that runs a program drafts it first, and compares the digest with the one that was signed. What
a program does may depend on shapes and on what is public, not on what it reveals on the way:
there is nothing to depend on in a draft.
"""

import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from types import FunctionType
from typing import cast

import numpy as np

from quorate import wire
from quorate.algebra.bits import Bits
from quorate.algebra.ring import Words
from quorate.errors import Party
from quorate.mpc import cost, expression, price
from quorate.mpc.cost import NEAR, Cost, Pace
from quorate.mpc.engine import Engine
from quorate.mpc.expression import Held, Linear, Node, Public, Value, Written
from quorate.mpc.replicated import Security
from quorate.transport.link import OVERHEAD

AT_ONCE = 4
"""Messages of a verification from one party to another in one round, at most."""


@dataclass(frozen=True, slots=True)
class Step:
    """One array: how it is made of earlier ones, and what is known of it."""

    operation: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    limit: int
    fraction_bits: int
    is_bits: bool


@dataclass(frozen=True, slots=True)
class Reveal:
    """Which steps' values leave the secret domain together, and to whom."""

    steps: tuple[int, ...]
    to: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a program does, for parties at this pace; what it costs once they have keys."""

    steps: tuple[Step, ...]
    reveals: tuple[Reveal, ...]
    journey_ms: int
    bytes_per_s: int
    security: Security
    rounds: int
    bytes_sent: tuple[int, int, int]
    messages: int
    """At most so many from one party to another."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the plan: what members sign."""
        return wire.digest("mpc plan", self)

    @property
    def early(self) -> int:
        """Bytes that a party may be ahead of another: for `Peers.channel`, keys included."""
        whole = cost.convene().then(cost.measure_pace()).then(Cost(0, self.bytes_sent))
        apart = cost.convene().rounds + cost.measure_pace().rounds
        return max(whole.bytes_sent) + OVERHEAD * (self.messages + apart)


async def drafted(
    program: Callable[[Engine], Awaitable[object]],
    pace: Pace = NEAR,
    security: Security = "malicious",
) -> Plan:
    """Return the plan of a program for parties that are so far apart, and of that security."""
    draft = Draft(pace, security)
    await program(draft)
    return draft.plan()


class Draft:
    """An engine that computes nothing and holds nothing: it writes down what is asked of it."""

    def __init__(self, pace: Pace, security: Security) -> None:
        self.pace = pace
        self.security: Security = security
        self.claims = price.NOTHING
        self._steps: list[Step] = []
        self._reveals: list[Reveal] = []
        self._cost = cost.FREE
        self._messages = 0

    def plan(self) -> Plan:
        """Return what was written down so far."""
        total = self._cost
        return Plan(
            tuple(self._steps),
            tuple(self._reveals),
            self.pace.journey_ms,
            self.pace.bytes_per_s,
            self.security,
            total.rounds,
            total.bytes_sent,
            self._messages,
        )

    def holds(self, owner: Party) -> bool:  # noqa: ARG002 - it holds nothing
        return False

    async def deal(self, owner: Party, words: Words) -> Value:
        self._add_cost(cost.deal(words.size, owner))
        return self._write(Step(f"deal by {owner}", (), words.shape, 0, 0, is_bits=False))

    async def compute(self, outputs: Sequence[Node]) -> list[Value]:
        checked = price.computing(outputs, self.pace, self.security, self.claims)
        self.claims = checked.claims
        steps = [one for sent, _ in expression.steps(outputs) for one in sent]
        self._messages += sum(2 * self._rounds(one) for one in steps)
        self._spend(checked.cost)
        written: dict[Node, Written] = {}
        for one in expression.in_order(outputs):
            inputs = tuple(written[given].step for given in one.inputs)
            match one.operation:
                case Held(Written(step)):
                    name, inputs = "held", (step,)
                case _:
                    name = _operation(one)
            step_of = Step(name, inputs, one.shape, one.limit, one.f, one.is_bits)
            written[one] = self._write(step_of)
        return [written[one] for one in outputs]

    async def reveal(
        self, values: Sequence[Value], to: Collection[Party]
    ) -> list[Words | Bits | None]:
        self._spend(price.verification(self.claims, self.pace))
        self.claims = price.NOTHING
        places = tuple(value.step for value in values if isinstance(value, Written))
        together = cost.FREE
        for step in (self._steps[place] for place in places):
            size = int(np.prod(step.shape, dtype=np.int64))
            one = price.reveal(size, to, self.security, is_bits=step.is_bits)
            together = together.beside(one)
            self._messages += 2
        self._cost = self._cost.then(together)
        self._reveals.append(Reveal(places, tuple(sorted(set(to)))))
        return [None] * len(values)

    def _rounds(self, one: Node) -> int:
        if self.security == "malicious":
            return price.checked(one).cost.rounds
        return expression.cost_of_one(one, self.pace).rounds

    def _spend(self, added: Cost) -> None:
        """Add what is sent in several steps side by side."""
        self._messages += AT_ONCE * added.rounds
        self._cost = self._cost.then(added)

    def _add_cost(self, added: Cost) -> None:
        self._cost = self._cost.then(added)
        self._messages += added.rounds

    def _write(self, step: Step) -> Written:
        self._steps.append(step)
        return Written(len(self._steps) - 1)


def _operation(one: Node) -> str:
    """Return the name of an operation, with all that its result depends on besides its inputs."""
    match one.operation:
        case Linear(apply):
            return named(apply)
        case Public(value):
            return f"public {_said(value)}"
        case Held():
            raise TypeError("what another engine holds is in no draft")
        case other:
            return repr(other)


def named(apply: object) -> str:
    """Return one text for one function with its arguments, the same at every member.

    Raises `TypeError` for a function of no module, whose text would not say what it does.
    """
    match apply:
        case partial():
            keywords = (f"{name}={_said(value)}" for name, value in sorted(apply.keywords.items()))
            given = ", ".join((*map(_said, apply.args), *keywords))
            return f"{named(apply.func)}({given})"
        case itemgetter():
            keys = cast("tuple[object, ...]", apply.__reduce__()[1])
            return f"take({', '.join(map(_said, keys))})"
        case np.ufunc():
            return apply.__name__
        case _ if _is_of_a_module(apply):
            return str(getattr(apply, "__name__", ""))
        case _:
            raise TypeError(f"{apply!r} is a function that no plan can name")


def _is_of_a_module(apply: object) -> bool:
    """Return whether a function has one meaning: it closes over nothing and stands in a module."""
    package = str(getattr(apply, "__module__", "")).partition(".")[0]
    closed = isinstance(apply, FunctionType) and ("<" in apply.__qualname__ or apply.__closure__)
    return package in {"numpy", "quorate"} and not closed


def _said(value: object) -> str:
    """Return one text for one argument; of an array its type, shape and SHA-256."""
    match value:
        case np.ndarray():
            content = hashlib.sha256(wire.array_frame(value)).hexdigest()
            return f"{value.dtype.name}{list(value.shape)} {content}"
        case tuple() | list():
            return f"({', '.join(map(_said, value))})"
        case slice():
            return f"{value.start}:{value.stop}:{value.step}"
        case None | bool() | int() | str():
            return repr(value)
        case np.integer():
            return repr(int(value))
        case _ if value is Ellipsis:
            return "..."
        case _:
            raise TypeError(f"{type(value).__name__} is an argument that no plan can name")
