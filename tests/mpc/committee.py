"""Run the engine's protocols among three parties in memory, and count what they cost."""

import ast
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.bits import columns
from quorate.algebra.ring import BLOCK, Words
from quorate.errors import Party
from quorate.mpc import cost
from quorate.mpc.boolean import BitShare, reveal_bits
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee, Security, Share, convene, deal, reveal
from quorate.mpc.verification import verify
from quorate.transport.session import Session
from tests.parties import measure, run_parties

T = TypeVar("T")
ALL = (0, 1, 2)
EDGES = [0, 1, -1, 2, -2, 2**31, -(2**31), 2**61, -(2**61), 2**62 - 1, -(2**62)]
SIZES = [0, 1, 2, 63, 64, 65, BLOCK - 1, BLOCK, BLOCK + 1]

Protocol = Callable[[Committee], Awaitable[T]]


def forget(session_id: bytes) -> None:
    """Claim nothing: for tests that are not about reuse."""


async def meet(session: Session, security: Security = "semi-honest") -> Committee:
    return await convene(session, b"test", forget, secrets.token_bytes, security)


def everyones(protocol: Protocol[T], security: Security = "semi-honest") -> list[T]:
    """Return what each party outputs."""

    async def run(session: Session) -> T:
        return await protocol(await meet(session, security))

    outcomes = []
    for outcome in run_parties(run, 3).values():
        if isinstance(outcome, Exception):
            raise outcome
        outcomes.append(outcome)
    return outcomes


def measured(protocol: Protocol[object], security: Security = "semi-honest") -> Cost:
    """Return what `protocol` costs, without the agreement on keys."""

    async def run(session: Session) -> object:
        return await protocol(await meet(session, security))

    outcomes, rounds, sent = measure(run, 3)
    assert not [o for o in outcomes.values() if isinstance(o, Exception)]
    known = cost.convene()
    a, b, c = (sent[p] - known.bytes_sent[p] for p in ALL)
    return Cost(rounds - known.rounds, (a, b, c))


def dealt(*words: Words) -> Callable[[Committee], Awaitable[list[Share]]]:
    """Share arrays, each by another party."""

    async def run(committee: Committee) -> list[Share]:
        return [await deal(committee, i % 3, array) for i, array in enumerate(words)]

    return run


def revealed(
    function: Callable[..., Awaitable[Share | BitShare]],
    *words: Words,
    to: Collection[Party] = ALL,
    security: Security = "semi-honest",
) -> NDArray[np.generic]:
    """Return what `function` of secret arrays reveals: the same to all in `to`."""

    async def protocol(committee: Committee) -> NDArray[np.generic] | None:
        result = await function(committee, *await dealt(*words)(committee))
        await verify(committee)
        if isinstance(result, BitShare):
            return await reveal_bits(committee, result, to)
        return await reveal(committee, result, to)

    outputs = everyones(protocol, security)
    assert [output is not None for output in outputs] == [p in to for p in ALL]
    first, *rest = [output for output in outputs if output is not None]
    for other in rest:
        np.testing.assert_array_equal(other, first)
    return first


def cost_of(
    function: Callable[..., Awaitable[object]], *words: Words, security: Security = "semi-honest"
) -> Cost:
    """Return what `function` of secret arrays costs, from when everybody has its shares."""

    async def before(committee: Committee) -> list[Share]:
        shares = await dealt(*words)(committee)
        for _ in range(2):  # who was ahead in the first waits in the second
            await committee.session.exchange(b"ready")
        return shares

    async def protocol(committee: Committee) -> object:
        return await function(committee, *await before(committee))

    whole, start = measured(protocol, security), measured(before, security)
    a, b, c = (whole.bytes_sent[p] - start.bytes_sent[p] for p in ALL)
    return Cost(whole.rounds - start.rounds, (a, b, c))


def declared(function: Callable[..., object], **symbols: int) -> Cost:
    """Return the cost that the docstring of a protocol states; c is 64 to a column."""
    text = re.sub(r"\s+", " ", function.__doc__ or "")
    found = re.search(
        r"Cost[^:]*: (\d+) rounds?, (?:(.+) bytes a party"
        r"|(.+), (.+) and (.+) bytes by parties 0, 1 and 2)",
        text,
    )
    assert found, f"{function.__name__} does not state its cost"
    formulas: Sequence[str] = [found[2]] * 3 if found[2] else found.groups()[2:]
    symbols["c"] = columns(symbols["m"])
    a, b, c = (_value(formula, symbols) for formula in formulas)
    return Cost(int(found[1]), (a, b, c))


def _value(formula: str, symbols: dict[str, int]) -> int:
    tree = ast.parse(formula, mode="eval")
    assert {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= symbols.keys()
    return int(eval(compile(tree, "cost", "eval"), {}, symbols))  # noqa: S307


def words(values: Sequence[int] | NDArray[np.int64]) -> Words:
    return np.array(values, np.int64).view(np.uint64)


def noise(count: int) -> Words:
    return np.frombuffer(secrets.token_bytes(8 * count), np.uint64)
