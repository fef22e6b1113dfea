"""Which protocols run far apart: measured by all alike, chosen by cost, and quicker in fact."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.errors import Abort
from quorate.mpc import choice, cost, pace
from quorate.mpc.choice import Check
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.engine import Secure
from quorate.mpc.replicated import convene
from quorate.mpc.secret import SecretArray, deal
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.mpc.committee import ALL, declared, forget
from tests.parties import measure, run_parties
from tests.transport.mesh import sessions
from tests.transport.test_wan import distant

FAR = Pace(10)


def clock() -> float:
    return asyncio.get_running_loop().time()


async def measured(session: Session) -> Pace:
    return await pace.measure(session, clock)


def test_the_pace_is_that_of_the_longest_line() -> None:
    def lines(e: Envelope) -> list[Envelope]:
        delay_s = 0.3 if {e.sender, e.to} == {0, 2} else 0.0105
        return [Envelope(e.sender, e.to, e.label, e.payload, delay_s)]

    async def late(session: Session) -> Pace:
        await asyncio.sleep(5 * session.me)
        return await measured(session)

    for outcome in run_parties(late, 3, lines).values():
        assert outcome == Pace(300)


def test_the_pace_is_that_of_the_thinnest_line() -> None:
    """A long message from party 2 to party 1 takes a quarter of a second more."""

    def lines(e: Envelope) -> list[Envelope]:
        delay_s = 0.01 + 0.25 * (len(e.payload) == cost.BULK and e.sender == 2)
        return [replace(e, delay_s=delay_s)]

    for outcome in run_parties(measured, 3, lines).values():
        assert isinstance(outcome, Pace)
        assert outcome.bytes_per_s == pytest.approx(4 * cost.BULK, rel=0.01)
        assert choice.of_ands(100_000, outcome) is Check.PROOF
        assert choice.of_ands(100_000, NEAR) is Check.BUCKETS


def test_measuring_costs_what_it_says() -> None:
    _, rounds, sent = measure(measured, 3)
    assert (rounds, [sent[p] for p in ALL]) == (8, [136 + (2 << 18)] * 3)
    assert declared(pace.measure, m=0) == cost.measure_pace()
    assert cost.measure_pace().rounds == rounds


def test_who_tells_two_paces_is_noticed() -> None:
    def lie(e: Envelope) -> list[Envelope]:
        told = (99).to_bytes(8, "little") * 4
        payload = told if (e.sender, e.to, e.label) == (1, 0, "/7") else e.payload
        return [Envelope(e.sender, e.to, e.label, payload)]

    for outcome in run_parties(measured, 3, lie).values():
        assert isinstance(outcome, Abort)


@pytest.mark.parametrize(
    ("m", "at", "rounds"),
    [(1, NEAR, 7), (1_000_000, NEAR, 7), (1, FAR, 3), (100_000, FAR, 3), (1_000_000, FAR, 7)],
)
def test_few_are_compared_in_few_rounds_where_a_round_is_long(
    m: int, at: Pace, rounds: int
) -> None:
    assert cost.sign(m, at).rounds == cost.zero(m, at).rounds == rounds


async def written(engine: Secure, own: Sequence[int]) -> tuple[SecretArray, SecretArray]:
    """Two programs: a comparison, and an equality inside of something longer."""
    x, y = [
        await deal(engine, owner, own if engine.holds(owner) else None, shape=(len(own),), limit=99)
        for owner in range(2)
    ]
    return x < y, ((x == y) * x + (x < 5)).sum()


@pytest.mark.parametrize("at", [NEAR, FAR], ids=["near", "far"])
def test_the_cost_is_known_and_true_and_the_result_the_same(at: Pace) -> None:
    north, south = [1, 2, 3, 50], [1, 5, 2, 50]

    async def protocol(session: Session) -> None:
        committee = await convene(session, b"", forget, secrets.token_bytes, "semi-honest")
        engine = Secure(committee, at)
        for program in await written(engine, (north, south, north)[session.me]):
            said, rounds, sent = program.cost(to=ALL), session.rounds, session.meter.bytes_sent
            got = await program.reveal(to=ALL)
            expected = [0, 1, 0, 0] if program.shape else 1 + 50 + 3
            assert_array_equal(np.asarray(got), expected)
            assert session.rounds - rounds == said.rounds
            assert session.meter.bytes_sent - sent == said.bytes_sent[session.me]

    assert set(run_parties(protocol, 3).values()) == {None}


def test_far_apart_the_chosen_way_is_measured_and_quicker() -> None:
    """Lines of 20 ms there and back: a comparison of 1,000 in three rounds beats that in seven."""
    journey_s, numbers = 0.01, list(range(100)) * 10

    async def one(session: Session, forced: Pace | None) -> tuple[Pace, float]:
        committee = await convene(session, b"", forget, secrets.token_bytes, "semi-honest")
        found = await pace.measure(session, clock)
        less, _ = await written(Secure(committee, forced or found), numbers)
        took = []
        for _ in range(3):  # the quickest counts: the machine may be busy
            started = clock()
            await less.compute()
            took.append(clock() - started)
        return found, min(took)

    async def scene() -> tuple[list[tuple[Pace, float]], list[tuple[Pace, float]]]:
        async with distant(3, journey_s) as there:
            runs = []
            for number, forced in ((1, None), (2, NEAR)):
                opened = sessions(there.peers, number, 30)
                runs.append(await asyncio.gather(*(one(s, forced) for s in opened)))
            return runs[0], runs[1]

    chosen, near = asyncio.run(scene())
    (at,) = {found for found, _ in chosen}
    assert at.journey_ms >= 10
    assert max(s for _, s in chosen) >= 3 * journey_s
    assert max(s for _, s in chosen) < min(s for _, s in near)
