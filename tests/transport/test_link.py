"""Bytes from a member that breaks the rules: it loses its link, and nobody else loses anything."""

import asyncio
import tracemalloc
from dataclasses import dataclass

import pytest

from quorate import wire
from quorate.errors import Abort, Party
from quorate.transport.channel import LinkChannel
from quorate.transport.link import EARLY, FRAME, Stop, label_key
from quorate.transport.peers import MAX_ASKED, Peers
from quorate.transport.records import Record
from quorate.transport.session import Session, StoppedByPeer
from tests.transport.hostile import (
    CHEAT,
    GREETING,
    Cheat,
    Wire,
    frame,
    greeting,
    record,
    two_and_a_cheat,
    until,
)

RUN, DUE = 7, label_key("/1")
U32 = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Case:
    """Bytes that nobody may send, and what is said of them."""

    name: str
    data: bytes
    said: str


def tiny_early(count: int) -> bytes:
    return b"".join(frame(RUN, 1000 + k, 1, b"x") for k in range(count))


ASK = Record("ask", 1, "anything", b"")

AFTER_GREETING = [
    Case("garbage", b"\xff" * 64, "a frame outside its message"),
    Case("another protocol", b"GET / HTTP/1.1\r\nHost: north\r\n\r\n", "a frame outside"),
    Case("empty frame", frame(RUN, 5, 8, b""), "a frame outside its message"),
    Case("empty message", frame(RUN, 5, 0, b""), "a frame outside its message"),
    Case("frame too long", frame(RUN, 5, U32, b"", length=FRAME + 1), "a frame outside"),
    Case("longer than its message", frame(RUN, 5, 3, b"four"), "a frame outside its message"),
    Case("past its message", frame(RUN, 5, 6, b"four") * 2, "a frame outside its message"),
    Case("other total", frame(RUN, 5, 8, b"f") + frame(RUN, 5, 9, b"f"), "a frame outside"),
    Case("more than is due", frame(RUN, DUE, 9, bytes(9)), "9 bytes nobody expects"),
    Case("4 GiB where 8 bytes are due", frame(RUN, DUE, U32, b"x"), "nobody expects"),
    Case("4 GiB before it is due", frame(RUN, 5, U32, b"x"), "nobody expects"),
    Case("more than is kept early", frame(RUN, 5, EARLY, b"x"), "nobody expects"),
    Case("early twice", frame(RUN, 5, 4, b"four") * 2, "a frame outside its message"),
    Case("record in a record", frame(0, 1, 9, b"x") + frame(0, 2, 9, b"x"), "inside another"),
    Case("record too long", frame(0, 1, wire.MAX_RECORD + 1, b"x"), "nobody expects"),
    Case("record of 4 GiB", frame(0, 1, U32, b"x"), "nobody expects"),
    Case("record that is not CBOR", record(b"\xff"), "not a Record"),
    Case("a float for a number", record(b"\xfb" + bytes(8)), "not a Record"),
    Case("a second greeting", record(GREETING), "Record"),
    Case("unknown kind", record(wire.encode(ASK).replace(b"cask", b"cbad")), "not a Record"),
    Case("trailing bytes", record(wire.encode(ASK) + b"\0"), "of a Record"),
    Case("stop that is not CBOR", frame(RUN, 0, 1, b"\xff"), "not a Stop"),
    Case("stop too long", frame(RUN, 0, wire.MAX_RECORD + 1, b"x"), "nobody expects"),
    Case("70,000 early messages", tiny_early(70_000), "nobody expects"),
]

BEFORE_GREETING = [
    Case("a question", record(ASK), "Greeting"),
    Case("not CBOR", record(b"hello"), "not a Greeting"),
    Case("too long", frame(0, 1, U32, b"x"), "nobody expects"),
    Case("an older wire", record(greeting(wire=0)), "its node must be upgraded"),
    Case("a newer wire", record(greeting(wire=9, oldest=8)), "upgrade this node"),
    Case("another roster", record(greeting(group=bytes(31) + b"1")), "it has another roster"),
    Case("half a clock", record(wire.encode(GREETING)[:-1]), "not a Greeting"),
]


def names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


def of_two(honest: list[Peers], me: Party) -> Session:
    """Return a session of the honest two."""
    link = honest[me].peers[1 - me].link
    assert link is not None
    return Session(me, honest[me].names[:2], LinkChannel(99, {1 - me: link}), 5.0)


async def still_serves(honest: list[Peers], cheat: Cheat) -> None:
    """The honest two compute together, and the third may come back and behave."""
    said = await asyncio.gather(*(of_two(honest, p).exchange(b"x") for p in range(2)))
    assert said == [(b"x", b"x")] * 2
    await cheat.join(0)
    await honest[0].peers[CHEAT].ready.wait()


async def open_run(honest: list[Peers], cheat: Cheat) -> tuple[Wire, Session]:
    """Let the cheat join, and open a session with it at node 0."""
    to = await cheat.join(0)
    await cheat.join(1)
    await asyncio.gather(*(one.peers[CHEAT].ready.wait() for one in honest))
    return to, Session(0, honest[0].names, honest[0].channel(RUN), 5.0)


def trouble_of(honest: list[Peers]) -> str:
    return honest[0].peers[CHEAT].trouble


@pytest.mark.parametrize("case", AFTER_GREETING, ids=names(AFTER_GREETING))
def test_a_member_that_breaks_the_rules_is_named_and_dropped(case: Case) -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            to, run = await open_run(honest, cheat)
            due = run.channel.expect(CHEAT, "/1", 8)
            tracemalloc.start()
            try:
                await to.say(case.data)
                with pytest.raises(Abort, match=r"^west broke the protocol") as caught:
                    await due
                await to.hear_out()
                assert tracemalloc.get_traced_memory()[1] < EARLY + (16 << 20)
                if len(case.data) < 1 << 20:
                    assert tracemalloc.get_traced_memory()[1] < 4 << 20
            finally:
                tracemalloc.stop()
            assert case.said in str(caught.value)
            assert caught.value.suspects == {CHEAT}
            assert not caught.value.culprits
            await still_serves(honest, cheat)

    asyncio.run(scene())


@pytest.mark.parametrize("case", BEFORE_GREETING, ids=names(BEFORE_GREETING))
def test_whoever_does_not_greet_properly_is_not_let_in(case: Case) -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            to = await cheat.connect(0)
            await to.say(case.data)
            await to.hear_out()
            await until(lambda: honest[0].peers[CHEAT].link is None)
            assert not honest[0].peers[CHEAT].ready.is_set()
            assert case.said in trouble_of(honest)
            await still_serves(honest, cheat)

    asyncio.run(scene())


def test_a_message_taken_before_may_not_come_again() -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            to, run = await open_run(honest, cheat)
            await to.say(frame(RUN, DUE, 4, b"four"))
            assert await run.channel.expect(CHEAT, "/1", 4) == b"four"
            due = run.channel.expect(CHEAT, "/2", 4)
            await to.say(frame(RUN, DUE, 4, b"four"))
            with pytest.raises(Abort, match="a message that was sent before"):
                await due
            await still_serves(honest, cheat)

    asyncio.run(scene())


def test_what_came_early_and_is_too_long_is_refused_when_it_is_asked_for() -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            to, run = await open_run(honest, cheat)
            await to.say(frame(RUN, DUE, 100, b"half") + frame(RUN, label_key("/2"), 1, b"x"))
            await run.channel.expect(CHEAT, "/2", 1)
            with pytest.raises(Abort, match="100 bytes where at most 8 were due"):
                await run.channel.expect(CHEAT, "/1", 8)
            await still_serves(honest, cheat)

    asyncio.run(scene())


def test_a_flood_of_questions_ends_the_link_and_the_questions_before_are_answered_elsewhere() -> (
    None
):
    go_on = asyncio.Event()

    async def slow(_: Party, topic: str, __: bytes) -> bytes:
        await go_on.wait()
        return wire.encode(topic)

    async def scene() -> None:
        async with two_and_a_cheat(slow) as (honest, cheat):
            to, run = await open_run(honest, cheat)
            due = run.channel.expect(CHEAT, "/1", 8)
            asks = [record(Record("ask", k, "x", b""), number=k) for k in range(1, MAX_ASKED + 2)]
            await to.say(b"".join(asks))
            with pytest.raises(Abort, match=f"more than {MAX_ASKED} questions at once"):
                await due
            go_on.set()
            assert await honest[1].ask(0, "age", None, str, timeout_s=5) == "age"
            await still_serves(honest, cheat)

    asyncio.run(scene())


def test_a_member_that_asks_and_never_reads_is_not_answered_without_end() -> None:
    """What waits to be read by the cheat stays below one batch of answers."""
    asked = 0

    async def generous(_: Party, __: str, ___: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return bytes(wire.MAX_RECORD // 2)

    async def scene() -> None:
        async with two_and_a_cheat(generous) as (honest, cheat):
            to, run = await open_run(honest, cheat)
            due = asyncio.ensure_future(run.channel.expect(CHEAT, "/1", 8))
            number = 0
            while not due.done():
                number += 1
                await to.say(record(Record("ask", number, "x", b""), number=number))
                await asyncio.sleep(0)
            assert "questions at once" in str(due.exception())
            assert asked <= 4 * MAX_ASKED

    asyncio.run(scene())


def test_idle_talk_is_harmless() -> None:
    """Heartbeats, answers to nothing, frames of a session that ended, or never was, here."""

    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            to, run = await open_run(honest, cheat)
            run.channel.close(None)
            await to.say(frame(0, 0, 0, b"") * 1000)
            await to.say(record(Record("answer", 12345, "x", b"")))
            await to.say(record(Record("refuse", 0, "x", b"not CBOR")))
            await to.say(frame(RUN, 5, U32, b"late"))
            await to.say(frame(8, 1, U32, b"never"))
            await to.say(record(Record("ask", 3, "x", b"")))
            heard = b""
            while b"nothing is known of x" not in heard:
                heard += await to.reader.read(1 << 16)
            assert honest[0].peers[CHEAT].ready.is_set()

    asyncio.run(scene())


def test_a_second_connection_of_a_member_takes_the_place_of_the_first() -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            first, run = await open_run(honest, cheat)
            due = run.channel.expect(CHEAT, "/1", 8)
            asked = asyncio.ensure_future(honest[0].ask(CHEAT, "x", None, str, timeout_s=30))
            await cheat.join(0)
            await first.hear_out()
            for waiting in (due, asked):
                with pytest.raises(Abort, match="it connected anew"):
                    await waiting
            await honest[0].peers[CHEAT].ready.wait()
            assert honest[0].peers[CHEAT].link is not None
            await still_serves(honest, cheat)

    asyncio.run(scene())


def test_why_a_member_stopped_is_its_own_word_and_cannot_steer_a_terminal() -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            to, run = await open_run(honest, cheat)
            body = wire.encode(Stop("\x1b[2Jlost\r\n\u202e" + "x" * 1000, (1, 77, -1)))
            due = run.channel.expect(CHEAT, "/1", 8)
            elsewhere = run.channel.expect(1, "/1", 8)
            await to.say(frame(RUN, 0, len(body), body))
            for waiting in (due, elsewhere):
                with pytest.raises(StoppedByPeer) as caught:
                    await waiting
                assert str(caught.value).startswith("west stopped the run: ?[2Jlost???x")
                assert str(caught.value).isprintable()
                assert len(str(caught.value)) < 600
                assert caught.value.suspects == {CHEAT}
            assert honest[0].peers[CHEAT].ready.is_set()

    asyncio.run(scene())
