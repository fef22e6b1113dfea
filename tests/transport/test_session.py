"""What a session decides by itself: names of steps, time-outs, and whom to suspect."""

import asyncio
import itertools
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import Abort, OutOfRange, Party, Silence
from quorate.transport.memory import MemoryNetwork
from quorate.transport.session import Buffer, Session, StoppedByPeer, together
from tests.parties import VirtualTimeLoop, run_parties

NAMES = ("north", "south", "west")
TIMEOUT_S = 30.0
PATHS = st.lists(st.text(alphabet="ab1. ", min_size=1, max_size=3), max_size=3)


def quiet() -> Session:
    """Return a session on which nothing is sent."""
    return Session(0, NAMES, MemoryNetwork(NAMES).channel(0), TIMEOUT_S)


def in_virtual_time(scene: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scene)


@given(st.sets(PATHS.map(tuple), max_size=8))
def test_no_two_children_share_a_label(paths: set[tuple[str, ...]]) -> None:
    labels: list[str] = []
    for path in paths:
        session = quiet()
        for name in path:
            session = session.at(name)
        labels += [session.label() for _ in range(12)]
    assert len(set(labels)) == len(labels)


def test_the_first_parties_alone_have_a_session_in_the_others_session() -> None:
    async def protocol(session: Session) -> tuple[int, ...]:
        if session.me < 2:
            pair = session.among(2, "pair")
            assert pair.names == session.names[:2]
            heard = await pair.exchange(np.array([session.me], np.uint64))
            return tuple(int(one[0]) for one in heard)
        return ()

    assert run_parties(protocol, 4) == {0: (0, 1), 1: (0, 1), 2: (), 3: ()}


@pytest.mark.parametrize("name", ["", "/", "1/2", "/1"])
def test_a_childs_name_cannot_pretend_to_be_a_path(name: str) -> None:
    with pytest.raises(ValueError, match="holds no /"):
        quiet().at(name)


@dataclass(slots=True)
class Trickle:
    """A channel on which all are heard at these times, and whole at the last; never later."""

    heard_at: Iterable[float]
    whole: bool
    heard: float = 0.0
    sent: list[str] = field(default_factory=list)

    async def send(self, to: Party, label: str, total: int, piece: Buffer) -> None:
        self.sent.append(label)

    def expect(self, sender: Party, label: str, at_most: int) -> asyncio.Future[Buffer]:
        loop = asyncio.get_running_loop()
        message: asyncio.Future[Buffer] = loop.create_future()
        times = list(self.heard_at)
        for at in times:
            loop.call_at(at, setattr, self, "heard", at)
        if self.whole:
            loop.call_at(times[-1], message.set_result, bytes(8))
        return message

    def last_heard(self, sender: Party) -> float:
        return self.heard

    def close(self, error: BaseException | None) -> None:
        """Nobody is there to be told."""


FROM_ONE_OR_MORE = pytest.mark.parametrize("names", [NAMES[:2], NAMES], ids=["one", "two"])


@FROM_ONE_OR_MORE
def test_a_long_message_that_keeps_coming_does_not_time_out(names: tuple[str, ...]) -> None:
    async def scene() -> None:
        times = np.arange(1, 100) * 0.9 * TIMEOUT_S
        session = Session(0, names, Trickle(times.tolist(), whole=True), TIMEOUT_S)
        await session.exchange(bytes(8))
        assert asyncio.get_running_loop().time() == pytest.approx(times[-1])

    in_virtual_time(scene())


@FROM_ONE_OR_MORE
def test_a_message_that_stops_coming_times_out_from_its_last_bytes(names: tuple[str, ...]) -> None:
    async def scene() -> None:
        session = Session(0, names, Trickle([25.0, 50.0], whole=False), TIMEOUT_S)
        with pytest.raises(Abort, match="did not answer") as caught:
            await session.exchange(bytes(8))
        assert caught.value.suspects == set(session.others)
        assert asyncio.get_running_loop().time() == pytest.approx(50 + TIMEOUT_S)

    in_virtual_time(scene())


@FROM_ONE_OR_MORE
def test_bytes_of_earlier_steps_buy_no_time_beyond_their_own(names: tuple[str, ...]) -> None:
    """What came before a step began does not shorten what the step may take."""

    async def scene() -> None:
        session = Session(0, names, Trickle([], whole=False), TIMEOUT_S)
        await asyncio.sleep(100)
        with pytest.raises(Abort):
            await session.exchange(bytes(8))
        assert asyncio.get_running_loop().time() == pytest.approx(100 + TIMEOUT_S)

    in_virtual_time(scene())


@pytest.mark.parametrize(
    ("named", "missing", "suspects", "says"),
    [
        ({2}, {2}, {2}, "west did not answer"),
        ({2}, {1, 2}, {2}, "west did not answer"),
        ({2}, {1}, {1}, "south stopped the run: it was west"),
        ({2}, set(), {1}, "south stopped the run: it was west"),
        (set(), {2}, {1}, "south stopped the run: it was west"),
        ({77, -1}, {2}, {1}, "south stopped the run: it was west"),
    ],
)
def test_an_accusation_is_taken_over_only_if_it_is_ones_own_finding(
    named: set[Party], missing: set[Party], suspects: set[Party], says: str
) -> None:
    blamed = quiet()._blame(StoppedByPeer(1, "south", "it was west", named), missing, {2})
    assert isinstance(blamed, Silence) == (suspects == {2})
    assert blamed.suspects == suspects
    assert not blamed.culprits
    assert str(blamed) == says


@pytest.mark.parametrize(("after_s", "is_silent"), [(0.1, False), (TIMEOUT_S * 0.8, True)])
def test_who_is_named_silent_has_been_so_for_long(after_s: float, is_silent: bool) -> None:
    """South stops the run and names west, whose word would have come in a moment, or never."""

    async def party(session: Session) -> None:
        if session.me == 2:
            await asyncio.sleep(TIMEOUT_S * 3)
        if session.me == 1:
            await asyncio.sleep(after_s)
            raise Abort("it was west", suspects=[2])
        await session.exchange(bytes(8))

    north = run_parties(party, 3)[0]
    assert isinstance(north, Abort)
    assert north.suspects == {2}
    assert isinstance(north, Silence) == is_silent


def test_a_liar_cannot_put_an_honest_member_under_suspicion() -> None:
    """South stops the run and blames west, which has said all it had to say."""

    async def protocol(session: Session) -> object:
        if session.me == 1:
            await asyncio.sleep(1)
            raise Abort("it was west", suspects=[2])
        return await session.exchange(b"hello")

    outcomes = run_parties(protocol, 3)
    for party in (0, 2):
        outcome = outcomes[party]
        assert isinstance(outcome, StoppedByPeer)
        assert outcome.suspects == {1}


@given(st.permutations(range(4)))
def test_steps_side_by_side_share_rounds_whatever_their_order(order: list[int]) -> None:
    async def protocol(session: Session) -> int:
        async def steps(k: int) -> None:
            child = session.at(str(k))
            for _ in range(k + 1):
                await child.exchange(bytes([k]))

        await session.exchange(b"x")
        await together(*map(steps, order))
        return session.rounds

    assert set(run_parties(protocol, 2).values()) == {5}


def test_a_failure_beside_another_step_ends_both() -> None:
    async def protocol(session: Session) -> object:
        async def fail() -> None:
            await session.at("bad").exchange(b"x")
            raise Abort("enough")

        async def wait() -> None:
            for _ in itertools.count():
                await session.at("good").exchange(b"x")

        return await together(fail(), wait())

    for outcome in run_parties(protocol, 2).values():
        assert isinstance(outcome, Abort)


def test_a_message_whose_size_does_not_fit_the_wire_is_refused() -> None:
    huge = np.broadcast_to(np.zeros(1, np.uint64), (1 << 29,))  # 4 GiB that take no memory

    async def protocol(session: Session) -> object:
        return await session.exchange(iter(()), like=huge)

    assert isinstance(run_parties(protocol, 2)[0], OutOfRange)
