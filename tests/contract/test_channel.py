"""One suite for every `Channel`: what a session may rely on, in memory and over TLS."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol, TypeVar

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import Words, blocks
from quorate.errors import Abort, Error
from quorate.transport.session import Session, together
from tests.parties import run_parties
from tests.transport.mesh import mesh, sessions

T = TypeVar("T")
TIMEOUT_S = 5.0


class Network(Protocol):
    def __call__(
        self, protocol: Callable[[Session], Awaitable[T]], n: int
    ) -> dict[int, T | Error]: ...


def over_tls(protocol: Callable[[Session], Awaitable[T]], n: int) -> dict[int, T | Error]:
    async def one(session: Session) -> T | Error:
        try:
            async with session:
                return await protocol(session)
        except Error as e:
            return e

    async def everyone() -> list[T | Error]:
        async with mesh(n) as peers:
            return await asyncio.gather(*map(one, sessions(peers, secrets.randbits(63), TIMEOUT_S)))

    return dict(enumerate(asyncio.run(everyone())))


def in_memory(protocol: Callable[[Session], Awaitable[T]], n: int) -> dict[int, T | Error]:
    return run_parties(protocol, n)


@pytest.fixture(params=[in_memory, over_tls], ids=["memory", "tls"])
def network(request: pytest.FixtureRequest) -> Network:
    chosen: Network = request.param
    return chosen


def numbers(size: int, start: int = 0) -> Words:
    return np.arange(start, start + size, dtype=np.uint64)


@pytest.mark.parametrize("size", [1, 32_768, 32_769, 1_000_003])
def test_arrays_arrive_as_they_left(network: Network, size: int) -> None:
    async def protocol(session: Session) -> tuple[Words, ...]:
        return await session.exchange(numbers(size, start=session.me))

    for outcome in network(protocol, 3).values():
        assert isinstance(outcome, tuple)
        for party, array in enumerate(outcome):
            assert_array_equal(array, numbers(size, start=party))


def test_blocks_make_one_message(network: Network) -> None:
    whole = numbers(100_001)

    async def protocol(session: Session) -> Words:
        like = np.empty_like(whole)

        def produced() -> Iterator[Words]:
            for here in blocks(whole.size):
                like[here] = whole[here] + np.uint64(session.me)
                yield like[here]

        return await session.shift(produced(), by=1, like=like)

    outcomes = network(protocol, 3)
    for me in range(3):
        assert_array_equal(outcomes[me], whole + np.uint64((me - 1) % 3))


def test_steps_side_by_side_do_not_mix(network: Network) -> None:
    async def protocol(session: Session) -> list[int]:
        async def turn(k: int) -> int:
            mine = np.array([10 * k + session.me], np.uint64)
            return int((await session.at(str(k)).shift(mine, by=k))[0])

        order = (1, 2) if session.me else (2, 1)  # parties may start them in any order
        found = dict(zip(order, await together(*map(turn, order)), strict=True))
        return [found[1], found[2]]

    outcomes = network(protocol, 3)
    for me in range(3):
        assert outcomes[me] == [10 + (me - 1) % 3, 20 + (me - 2) % 3]


def test_a_message_may_come_long_before_it_is_asked_for(network: Network) -> None:
    async def protocol(session: Session) -> int:
        late = session.at("late")
        if session.me == 0:
            await session.channel.send(1, "/late/1", 8, numbers(1, start=7).data.cast("B"))
        await session.exchange(b"now")
        if session.me == 1:
            early = await session.channel.expect(0, "/late/1", 8)
            return int(np.frombuffer(early, np.uint64)[0])
        late.label()
        return 7

    assert set(network(protocol, 2).values()) == {7}


@pytest.mark.parametrize("size", [7, 9, 80_000])
def test_a_wrong_length_names_its_sender(network: Network, size: int) -> None:
    async def protocol(session: Session) -> object:
        mine = numbers(size if session.me == 2 else 8)
        return await session.exchange(mine)

    outcome = network(protocol, 3)[0]
    assert isinstance(outcome, Abort)
    assert outcome.suspects == {2}


def test_silence_names_the_silent(network: Network) -> None:
    over = asyncio.Event()

    async def protocol(session: Session) -> object:
        session.timeout_s = 0.3
        if session.me == 2:
            try:
                async with asyncio.timeout(60):
                    await session.channel.expect(0, "never", 8)
            finally:
                over.set()
        return await session.exchange(b"hello")

    outcomes = network(protocol, 3)
    for me in (0, 1):
        assert str(outcomes[me]) == "west did not answer"
    assert over.is_set()


def test_who_ends_a_session_with_an_error_ends_it_for_all(network: Network) -> None:
    async def protocol(session: Session) -> object:
        session.timeout_s = 60
        if session.me == 1:
            raise Abort("enough")
        return await session.exchange(b"hello")

    outcomes = network(protocol, 3)
    for me in (0, 2):
        outcome = outcomes[me]
        assert isinstance(outcome, Abort)
        assert str(outcome) == "south stopped the run: enough"
        assert outcome.suspects == {1}


def test_the_same_label_twice_aborts(network: Network) -> None:
    async def protocol(session: Session) -> object:
        if session.me == 1:
            for _ in range(2):
                await session.channel.send(0, "/1", 5, b"hello")
        else:
            await session.exchange(b"hello")
        return await session.exchange(b"again")

    outcome = network(protocol, 2)[0]
    assert isinstance(outcome, Abort)
    assert outcome.suspects == {1}


def test_broadcast_notices_two_stories(network: Network) -> None:
    async def protocol(session: Session) -> object:
        if session.me == 2:
            for to, story in ((0, b"yes"), (1, b"no!")):
                await session.channel.send(to, "/1", 3, story)
            session.label()
            await session.confirm(b"yes", b"yes", b"yes")
        return await session.broadcast(b"yes")

    outcomes = network(protocol, 3)
    assert all(isinstance(outcome, Abort) for outcome in outcomes.values())


def test_bytes_and_rounds_are_counted(network: Network) -> None:
    async def protocol(session: Session) -> tuple[int, int, int]:
        await session.exchange(numbers(10))
        await together(*(session.at(str(k)).shift(numbers(5), by=1) for k in range(4)))
        return session.rounds, session.meter.bytes_sent, session.meter.bytes_received

    for outcome in network(protocol, 3).values():
        assert outcome == (2, 160 + 160, 160 + 160)
