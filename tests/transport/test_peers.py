"""Links that are lost and found again, and questions between nodes."""

import asyncio
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Abort, Error, Party, Refused
from quorate.transport.peers import Peers
from quorate.transport.records import Record, Refusal
from tests.transport.hostile import CHEAT, greeting, record, two_and_a_cheat, until
from tests.transport.mesh import GROUP, mesh, now, refuse, seats_of

WAIT_S = 10.0
STEERING = "\x1b]0;owned\x07\r\n\u202e\u200b"


async def echo(asker: Party, topic: str, body: bytes) -> bytes:
    return wire.encode((asker, topic, wire.decode(body, str)))


async def up_again(one: Peers, party: Party) -> None:
    """Wait until the link to `party` is lost, and until it is there again."""
    peer = one.peers[party]
    assert peer.link is not None
    await peer.link.lost_event.wait()
    await until(lambda: peer.link is not None and peer.link.lost is None and peer.ready.is_set())


async def some_turns() -> None:
    """Let whatever waits take note: more turns of the loop than that takes."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("cutter", [0, 1])
def test_a_lost_link_is_dialled_again_whoever_lost_it(cutter: Party) -> None:
    async def scene() -> None:
        async with asyncio.timeout(WAIT_S), mesh(3, echo) as peers:
            link = peers[cutter].peers[1 - cutter].link
            assert link is not None
            again = asyncio.gather(up_again(peers[0], 1), up_again(peers[1], 0))
            link.close("the test cut it")
            await again
            asked = peers[0].ask(1, "x", "hello", tuple[int, str, str], timeout_s=WAIT_S)
            assert await asked == (0, "x", "hello")
            assert peers[2].peers[0].ready.is_set()

    asyncio.run(scene())


def test_a_node_that_was_restarted_is_met_again() -> None:
    async def scene() -> None:
        keys = [Ed25519PrivateKey.generate() for _ in range(2)]
        seats = seats_of(keys)
        at = [(seat.host, seat.port) for seat in seats]
        south = Peers(1, seats, keys[1], GROUP, "test", refuse, now)
        async with asyncio.timeout(WAIT_S), south.running(at[1]):
            for version in ("old", "new"):
                north = Peers(0, seats, keys[0], GROUP, version, refuse, now)
                async with north.running(at[0]):
                    await asyncio.gather(north.wait_ready(WAIT_S), south.wait_ready(WAIT_S))
                    met = south.peers[0].greeting
                    assert met is not None
                    assert met.software == version
                await until(lambda: not south.peers[0].ready.is_set())

    asyncio.run(scene())


def test_a_link_that_is_lost_while_others_come_is_waited_for_again() -> None:
    async def scene() -> None:
        keys = [Ed25519PrivateKey.generate() for _ in range(3)]
        north = Peers(0, seats_of(keys), keys[0], GROUP, "test", refuse, now)
        south, west = (north.peers[p].ready for p in (1, 2))
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(north.wait_ready(WAIT_S))
            south.set()
            await some_turns()
            south.clear()
            west.set()
            await some_turns()
            assert not waiting.done()
            south.set()

    asyncio.run(scene())


def test_a_peer_that_says_nothing_is_given_up_and_one_that_is_idle_is_not() -> None:
    async def scene() -> None:
        async with two_and_a_cheat(heartbeat_s=0.02, dead_after_s=0.3) as (honest, cheat):
            before = honest[0].peers[1].link
            await cheat.join(0)
            await honest[0].peers[CHEAT].ready.wait()
            asked = honest[0].ask(CHEAT, "x", None, str, timeout_s=WAIT_S)
            with pytest.raises(Abort, match=r"west did not answer \(silent for 0.3 s\)") as caught:
                await asked
            assert caught.value.suspects == {CHEAT}
            assert honest[0].peers[1].link is before

    asyncio.run(scene())


def test_a_question_is_answered_by_the_member_that_was_asked() -> None:
    async def scene() -> None:
        async with mesh(3, echo) as peers:
            answers = await asyncio.gather(
                *(
                    one.ask(p, "age", "ü", tuple[int, str, str], timeout_s=WAIT_S)
                    for one in peers
                    for p in one.peers
                )
            )
            assert answers == [(one.me, "age", "ü") for one in peers for _ in one.peers]

    asyncio.run(scene())


def test_a_refusal_says_who_refused_and_why() -> None:
    async def scene() -> None:
        async with mesh(2, refuse) as (north, _):
            with pytest.raises(Refused, match=r"^south: nothing is known of x$"):
                await north.ask(1, "x", None, str, timeout_s=WAIT_S)

    asyncio.run(scene())


def test_a_bug_in_a_handler_tells_the_asker_nothing_and_the_node_lives() -> None:
    async def buggy(_: Party, topic: str, __: bytes) -> bytes:
        if topic == "bug":
            raise ZeroDivisionError("patient 17 has age 0")
        return wire.encode("fine")

    async def scene() -> None:
        async with mesh(2, buggy) as (north, _):
            with pytest.raises(Refused) as caught:
                await north.ask(1, "bug", None, str, timeout_s=WAIT_S)
            assert str(caught.value) == "south: internal error, see that node's log"
            assert await north.ask(1, "x", None, str, timeout_s=WAIT_S) == "fine"

    asyncio.run(scene())


def test_what_does_not_fit_a_record_is_an_error_here_and_costs_no_link() -> None:
    async def verbose(_: Party, __: str, body: bytes) -> bytes:
        return bytes(wire.MAX_RECORD) if wire.decode(body, str) == "much" else wire.encode("ok")

    async def scene() -> None:
        async with mesh(2, verbose) as (north, _):
            link = north.peers[1].link
            with pytest.raises(Error, match="too many for one record"):
                await north.ask(1, "x", bytes(wire.MAX_RECORD), str, timeout_s=WAIT_S)
            with pytest.raises(Refused, match="too many for one record"):
                await north.ask(1, "x", "much", str, timeout_s=WAIT_S)
            assert await north.ask(1, "x", "little", str, timeout_s=WAIT_S) == "ok"
            assert north.peers[1].link is link

    asyncio.run(scene())


def test_an_answer_of_another_kind_names_who_gave_it() -> None:
    async def scene() -> None:
        async with mesh(2, echo) as (north, _):
            with pytest.raises(Abort, match="south answered what was not asked") as caught:
                await north.ask(1, "x", "hello", int, timeout_s=WAIT_S)
            assert caught.value.suspects == {1}

    asyncio.run(scene())


def test_who_does_not_answer_in_time_is_named() -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            with pytest.raises(Abort, match=r"west did not answer \(not connected yet\)"):
                await honest[0].ask(CHEAT, "x", None, str, timeout_s=0.05)
            await cheat.join(0)
            await honest[0].peers[CHEAT].ready.wait()
            with pytest.raises(Abort, match=r"^west did not answer$"):
                await honest[0].ask(CHEAT, "x", None, str, timeout_s=0.05)
            with pytest.raises(Abort, match="west did not answer") as caught:
                await honest[1].wait_ready(0.05)
            assert caught.value.suspects == {CHEAT}

    asyncio.run(scene())


def test_a_peers_words_cannot_steer_a_terminal() -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            to = await cheat.join(0, greeting(software=f"1.0{STEERING}"))
            peer = honest[0].peers[CHEAT]
            await peer.ready.wait()
            assert peer.greeting is not None
            assert peer.greeting.software.isprintable()
            asked = asyncio.ensure_future(honest[0].ask(CHEAT, "x", None, str, timeout_s=WAIT_S))
            await until(lambda: bool(peer.asked))
            (number,) = peer.asked
            refusal = wire.encode(Refusal(f"no{STEERING}" + "!" * 9999, f"try{STEERING}"))
            await to.say(record(Record("refuse", number, STEERING, refusal)))
            with pytest.raises(Refused) as caught:
                await asked
            assert str(caught.value).startswith("west: no?]0;owned?")
            assert str(caught.value).isprintable()
            assert caught.value.hint.isprintable()
            assert len(str(caught.value)) < 600

    asyncio.run(scene())


def test_what_a_peer_asks_about_cannot_steer_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    async def buggy(_: Party, __: str, ___: bytes) -> bytes:
        raise KeyError

    async def scene() -> None:
        async with mesh(2, buggy) as (north, _):
            with pytest.raises(Refused):
                await north.ask(1, STEERING, None, str, timeout_s=WAIT_S)

    asyncio.run(scene())
    said = capsys.readouterr()
    assert "owned" in said.out + said.err
    assert "\x1b]0;" not in said.out + said.err
    assert "\u202e" not in said.out + said.err


def test_a_node_stops_though_a_handler_never_ends() -> None:
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def endless(_: Party, __: str, ___: bytes) -> bytes:
        asked.set()
        try:
            await asyncio.Event().wait()
            return b""
        finally:
            cancelled.set()

    async def scene() -> None:
        async with asyncio.timeout(WAIT_S), mesh(2, endless) as (north, _):
            question = asyncio.ensure_future(north.ask(1, "x", None, str, timeout_s=WAIT_S))
            await asked.wait()
        with pytest.raises(Abort):
            await question
        assert cancelled.is_set()

    asyncio.run(scene())


def test_a_node_that_stops_takes_no_new_link() -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            honest[0]._stopping = True
            to = await cheat.connect(0)
            assert await to.hear_out() == b""
            assert honest[0].peers[CHEAT].link is None

    asyncio.run(scene())


def test_how_far_a_peers_clock_is_ahead_is_known() -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            later = int((now() + timedelta(hours=1)).timestamp())
            await cheat.join(0, greeting(clock=later))
            await honest[0].peers[CHEAT].ready.wait()
            assert honest[0].peers[CHEAT].clock_ahead_s == 3600

    asyncio.run(scene())


@pytest.mark.parametrize("clock", [2**64 - 1, -(2**63)])
def test_a_peers_clock_may_say_anything(clock: int) -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            await cheat.join(0, greeting(clock=clock))
            await honest[0].peers[CHEAT].ready.wait()
            assert abs(honest[0].peers[CHEAT].clock_ahead_s) > 2**62

    asyncio.run(scene())
