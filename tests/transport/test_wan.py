"""The secure sum between distant members: rounds cost what they must; the lost are named."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.testing import assert_array_equal

from quorate.algebra.ring import Words
from quorate.errors import Abort, Error, Party
from quorate.mpc import additive
from quorate.mpc.additive import Total, secure_sum
from quorate.transport.peers import Peers
from quorate.transport.session import Session
from tests.transport.mesh import GROUP, now, refuse, seats_of, sessions
from tests.wan import Line

DELAY_S = 0.05
WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Distant:
    """Members that reach each other over long lines, one for each pair."""

    peers: list[Peers]
    lines: dict[tuple[Party, Party], Line]

    def lines_of(self, party: Party) -> list[Line]:
        return [line for pair, line in self.lines.items() if party in pair]


@contextlib.asynccontextmanager
async def distant(
    n: int, delay_s: float, bytes_per_s: float | None = None
) -> AsyncGenerator[Distant]:
    keys = [Ed25519PrivateKey.generate() for _ in range(n)]
    at = seats_of(keys)
    there = Distant([], {})
    async with asyncio.timeout(WAIT_S), contextlib.AsyncExitStack() as stack:
        for me in range(n):
            seats = list(at)
            for to in range(me):
                line = Line(at[to].port, delay_s, bytes_per_s)
                await stack.enter_async_context(line.running())
                seats[to] = replace(at[to], port=line.port)
                there.lines[me, to] = line
            one = Peers(me, tuple(seats), keys[me], GROUP, "test", refuse, now)
            await stack.enter_async_context(one.running(("127.0.0.1", at[me].port)))
            there.peers.append(one)
        await asyncio.gather(*(one.wait_ready(WAIT_S) for one in there.peers))
        yield there


def summing(
    xs: Sequence[Words], progress: Callable[[Party, str], None] = lambda _, __: None
) -> Callable[[Session], Awaitable[Total]]:
    return lambda session: secure_sum(
        session,
        xs[session.me],
        context=b"",
        claim=lambda _: None,
        randomness=secrets.token_bytes,
        progress=lambda stage: progress(session.me, stage),
    )


async def sum_up(
    peers: Sequence[Peers],
    xs: Sequence[Words],
    *,
    timeout_s: float = WAIT_S,
    progress: Callable[[Party, str], None] = lambda _, __: None,
) -> list[Total | Error]:
    async def one(session: Session) -> Total | Error:
        try:
            async with session:
                return await summing(xs, progress)(session)
        except Error as e:
            return e

    return await asyncio.gather(*map(one, sessions(peers, secrets.randbits(63), timeout_s)))


def ones(n: int, m: int) -> list[Words]:
    return [np.ones(m, np.uint64)] * n


@pytest.mark.parametrize("worth_a_round", [0, additive.WORTH_A_ROUND], ids=["in chunks", "direct"])
def test_a_round_costs_one_journey_and_no_round_is_hidden(
    worth_a_round: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(additive, "WORTH_A_ROUND", worth_a_round)
    rounds = additive.cost(3, 60).rounds
    assert rounds == (6 if worth_a_round == 0 else 5)

    async def scene() -> list[float]:
        clock, took = asyncio.get_running_loop().time, []
        async with distant(3, DELAY_S) as there:
            for _ in range(5):  # the quickest counts: the machine may be busy
                started = clock()
                for outcome in await sum_up(there.peers, ones(3, 60)):
                    assert isinstance(outcome, Total)
                    assert set(outcome.words.tolist()) == {3}
                took.append(clock() - started)
        return took

    took = asyncio.run(scene())
    assert min(took) >= rounds * DELAY_S
    assert min(took) < (rounds + 1) * DELAY_S


def test_rounds_are_counted_right_though_one_member_is_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What north sends has come before south, far from west, can begin to wait for it."""
    monkeypatch.setattr(additive, "WORTH_A_ROUND", 0)

    async def scene() -> None:
        async with distant(3, 0.001) as there:
            there.lines[2, 1].forth.delay_s = there.lines[2, 1].back.delay_s = 0.05
            runs = sessions(there.peers, 7, WAIT_S)
            await asyncio.gather(*map(summing(ones(3, 60)), runs))
            spent = {additive.Cost(run.rounds, run.meter.bytes_sent) for run in runs}
            assert spent == {additive.cost(3, 60)}

    asyncio.run(scene())


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to all the lines of the last member, and what is said of it then."""

    happens: Callable[[Line], None]
    said: str


FREEZE = Trouble(Line.freeze, r"^west did not answer$")
CUT = Trouble(Line.cut, r"west did not answer \(connection lost\)$")


@pytest.mark.parametrize("trouble", [FREEZE, CUT], ids=["frozen", "cut"])
@pytest.mark.parametrize("stage", ["keys", "masked values", "confirmation", "opening"])
def test_a_member_that_is_lost_on_the_way_is_named_by_the_others(
    trouble: Trouble, stage: str
) -> None:
    timeout_s = 0.3

    async def scene() -> tuple[list[Total | Error], float]:
        clock = asyncio.get_running_loop().time
        async with distant(3, 0.01) as there:

            def strike(party: Party, now_at: str) -> None:
                if (party, now_at) == (2, stage):
                    for line in there.lines_of(2):
                        trouble.happens(line)

            started = clock()
            xs = ones(3, 60)
            outcomes = await sum_up(there.peers, xs, timeout_s=timeout_s, progress=strike)
            took = clock() - started
            for line in there.lines.values():
                line.thaw()
            await asyncio.gather(*(one.wait_ready(WAIT_S) for one in there.peers))
            return outcomes, took

    outcomes, took = asyncio.run(scene())
    for outcome in outcomes[:2]:
        with pytest.raises(Abort, match=trouble.said) as caught:
            raise_it(outcome)
        assert caught.value.suspects == {2}
        assert not caught.value.culprits
    lost = outcomes[2]
    assert isinstance(lost, Abort)
    assert lost.suspects <= {0, 1}
    assert took < 10 * timeout_s


def raise_it(outcome: Total | Error) -> None:
    if isinstance(outcome, Error):
        raise outcome


def test_members_whose_lines_were_cut_meet_again_and_add_up() -> None:
    async def scene() -> None:
        async with distant(3, 0.005) as there:
            met = [one.peers[p].link for one in there.peers for p in one.peers]
            for line in there.lines.values():
                line.cut()
            await asyncio.gather(*(link.lost_event.wait() for link in met if link is not None))
            await asyncio.sleep(0)
            await asyncio.gather(*(one.wait_ready(WAIT_S) for one in there.peers))
            for outcome in await sum_up(there.peers, ones(3, 5)):
                assert isinstance(outcome, Total)

    asyncio.run(scene())


def test_a_thin_line_takes_its_time_and_nobody_is_suspected() -> None:
    """The message takes several time-outs; it is more than all buffers on the way can hold."""
    mine, timeout_s = np.arange(4_000_000, dtype=np.uint64), 0.4

    async def scene() -> None:
        async with distant(2, 0.001, bytes_per_s=20e6) as there:
            clock = asyncio.get_running_loop().time
            started = clock()
            runs = sessions(there.peers, 5, timeout_s)
            for everyones in await asyncio.gather(*(run.exchange(mine) for run in runs)):
                for theirs in everyones:
                    assert_array_equal(theirs, mine)
            assert clock() - started > 3 * timeout_s
            assert there.lines[1, 0].forth.carried > mine.nbytes
            assert there.lines[1, 0].back.carried > mine.nbytes

    asyncio.run(scene())
