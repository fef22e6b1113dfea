"""The glass is broken by a senior and a witness, once all can read in their logs that it is."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from quorate.errors import NotFound, Refused, VerificationFailed
from quorate.node.home import Home
from quorate.node.messages import SignedHead
from quorate.node.quorum.messages import Asked, Noted
from quorate.node.quorum.publication import Publication, check_noted
from quorate.quorum.key import Key
from quorate.quorum.key_plan import Witnesses, check_plan
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.request import Request, noted_as
from quorate.threshold.keys import Purpose
from tests.node.quorum.clinic import PASSPHRASE, Clinic, approve, give_key, state_at
from tests.node.quorum.records import FILE_KEY, ask, file_key, note_at, sealed
from tests.node.three import Hospital, connected, make_homes, up
from tests.node.three import until as reached
from tests.quorum.dealt import WARD, plan_of, ward

SENIOR, WITNESS = "doctor", "reception"
LONG_S = 15


@contextlib.asynccontextmanager
async def glass(
    homes: list[Home],
    members: int = len(WARD),
    away: str = "",
    purpose: Purpose = "unlock",
) -> AsyncGenerator[tuple[Clinic, Key]]:
    """The ward, with a key of a senior and a witness; one may be away since before the request."""
    witnesses = Witnesses((WITNESS,), members)
    async with connected(*homes) as hospitals:
        nodes = {node.home.name: node for node in hospitals}
        key = await give_key(nodes, (SENIOR, WITNESS), 2, purpose, witnesses)
        if not away:
            yield nodes, key
            return
    async with connected_without(homes, away) as nodes:
        for name in (SENIOR, WITNESS):
            await nodes[name].quorum.unlock(PASSPHRASE)
        yield nodes, key


@contextlib.asynccontextmanager
async def connected_without(homes: list[Home], away: str) -> AsyncGenerator[Clinic]:
    async with contextlib.AsyncExitStack() as stack:
        here = [home for home in homes if home.name != away]
        nodes = {home.name: await stack.enter_async_context(up(home)) for home in here}
        for node in nodes.values():
            ready = [
                node.desk.peers.peers[node.desk.group.party(n)].ready for n in others(node, nodes)
            ]
            async with asyncio.timeout(LONG_S):
                await asyncio.gather(*(one.wait() for one in ready))
        yield nodes


def others(node: Hospital, nodes: Clinic) -> list[str]:
    return [name for name in nodes if name != node.home.name]


def with_glass(
    body: Callable[[Clinic, Key], Awaitable[None]],
    members: int = len(WARD),
    away: str = "",
    purpose: Purpose = "unlock",
) -> None:
    async def main() -> None:
        async with glass(make_homes(WARD), members, away, purpose) as (nodes, key):
            await body(nodes, key)

    asyncio.run(main())


async def broken(nodes: Clinic, key: Key) -> bytes:
    """Have the senior ask and the witness approve; return the request's digest."""
    digest = (await ask(nodes[SENIOR], key, sealed(key))).request.digest()
    await approve(nodes[WITNESS], digest)
    return digest


def test_the_witness_answers_when_the_request_stands_in_the_logs_of_all() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        digest = await broken(nodes, key)
        await reached(lambda: state_at(nodes[SENIOR], digest) is RequestState.UNLOCKED, LONG_S)
        assert file_key(nodes[SENIOR], digest) == FILE_KEY
        for node in nodes.values():
            (entry,) = [
                e for e in node.desk.audit.verified() if e.entry.event == "unlock requested"
            ]
            assert digest.hex() in entry.entry.details
        said = nodes[WITNESS].details()
        assert f"in the logs of {', '.join(WARD)}" in said
        for name in others(nodes[WITNESS], nodes):
            assert nodes[WITNESS].desk.store.head(name) is not None
        assert "share used" in nodes[WITNESS].events()

    with_glass(body)


def test_one_member_that_has_not_heard_keeps_the_witness_from_answering() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        digest = await broken(nodes, key)
        await reached(lambda: "4 members, where 5 must" in note_at(nodes[SENIOR], digest), LONG_S)
        assert "nurse: not connected" in note_at(nodes[SENIOR], digest)
        assert state_at(nodes[SENIOR], digest) is RequestState.APPROVED
        assert "share used" not in nodes[WITNESS].events()
        with pytest.raises(NotFound):
            file_key(nodes[SENIOR], digest)

    with_glass(body, away="nurse")


def test_control_a_witness_that_does_not_look_answers_though_a_member_has_not_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Publication, "check", lambda *_: None)

    async def body(nodes: Clinic, key: Key) -> None:
        digest = await broken(nodes, key)
        await reached(lambda: state_at(nodes[SENIOR], digest) is RequestState.UNLOCKED, LONG_S)
        assert file_key(nodes[SENIOR], digest) == FILE_KEY

    with_glass(body, away="nurse")


def test_a_witness_waits_too_before_a_whole_key_is_given_away() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        lasts = timedelta(hours=1)
        entry, _ = await nodes[SENIOR].quorum.recoveries.ask(key, "the group ends", lasts)
        digest = entry.request.digest()
        await approve(nodes[WITNESS], digest)
        await reached(lambda: "4 members, where 5 must" in note_at(nodes[SENIOR], digest), LONG_S)
        assert "share used" not in nodes[WITNESS].events()

    with_glass(body, away="nurse", purpose="plain")


def test_when_the_last_member_is_back_it_goes_on_by_itself() -> None:
    async def main() -> None:
        homes = make_homes(WARD)
        (nurse,) = [home for home in homes if home.name == "nurse"]
        async with glass(homes, away="nurse") as (nodes, key):
            digest = await broken(nodes, key)
            await reached(lambda: "where 5 must" in note_at(nodes[SENIOR], digest), LONG_S)
            async with up(nurse) as late:
                await reached(
                    lambda: state_at(nodes[SENIOR], digest) is RequestState.UNLOCKED, LONG_S
                )
                assert "unlock requested" in late.events()

    asyncio.run(main())


def test_a_stated_number_of_members_is_enough() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        digest = await broken(nodes, key)
        await reached(lambda: state_at(nodes[SENIOR], digest) is RequestState.UNLOCKED, LONG_S)

    with_glass(body, members=4, away="nurse")


def test_a_request_that_its_maker_told_the_witness_only_is_told_to_all_by_the_witness() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        doctor = nodes[SENIOR]

        async def whisper(topic: str, message: object) -> tuple[str, ...]:
            await doctor.desk.tell(doctor.desk.group.party(WITNESS), topic, message)
            return ()

        monkey = pytest.MonkeyPatch()
        monkey.setattr(
            type(doctor.desk), "tell_all", lambda _, topic, message, *__: whisper(topic, message)
        )
        digest = (await ask(doctor, key, sealed(key))).request.digest()
        monkey.undo()
        assert state_at(nodes["nurse"], digest) is None
        await approve(nodes[WITNESS], digest)
        await reached(lambda: state_at(doctor, digest) is RequestState.UNLOCKED, LONG_S)
        for node in nodes.values():
            assert "unlock requested" in node.events()

    with_glass(body)


def test_an_entry_is_of_this_request_this_log_and_under_its_members_name() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        nurse, witness = nodes["nurse"], nodes[WITNESS]
        first = (await ask(nodes[SENIOR], key, sealed(key))).request
        second = (await ask(nodes[SENIOR], key, sealed(key, "record-18"))).request
        publication, theirs = witness.quorum.unlocker.publication, nurse.quorum.unlocker.publication
        noted = theirs._noted(first)
        assert publication._trouble("nurse", first, noted) == ""
        assert "not this request's" in publication._trouble("nurse", second, noted)
        assert "not signed by it" in publication._trouble("pharmacist", first, noted)
        other = replace(noted.entry, number=noted.entry.number + 1)
        for forged in (
            replace(noted, entry=other),
            replace(noted, entry=replace(noted.entry, previous=bytes(32))),
            Noted(noted.entry, nurse.heads.signed(1, bytes(32))),
        ):
            with pytest.raises(VerificationFailed, match="not of this entry"):
                check_noted(forged, first)
        renamed = replace(noted.head.head, member="pharmacist")
        assert publication._trouble(
            "pharmacist", first, Noted(noted.entry, SignedHead(renamed, noted.head.signature))
        )

    with_glass(body)


def test_a_member_that_shows_two_pasts_counts_for_nothing_and_is_noted() -> None:
    """It makes up an entry where its log, of which the witness holds the head, has another."""

    async def body(nodes: Clinic, key: Key) -> None:
        nurse, witness = nodes["nurse"], nodes[WITNESS]
        request = (await ask(nodes[SENIOR], key, sealed(key))).request
        publication = witness.quorum.unlocker.publication
        noted = nurse.quorum.unlocker.publication._noted(request)
        assert publication._trouble("nurse", request, noted) == ""
        made_up = replace(noted.entry, previous=bytes(32))
        head = nurse.heads.signed(made_up.number, made_up.digest())
        assert "rewrote its audit log" in publication._trouble(
            "nurse", request, Noted(made_up, head)
        )
        assert "log contradiction" in witness.events()

    with_glass(body)


def test_two_requests_of_one_short_name_are_two_entries() -> None:
    request = Request(1, "unlock", bytes(32), bytes(32), "why", "doctor", "a", "b", bytes(16))
    event, details = noted_as(request, whole=True)
    assert (event, request.digest().hex() in details) == ("unlock requested", True)
    assert noted_as(request, whole=False)[1] in details


def test_only_a_witness_is_shown_an_entry() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        request = (await ask(nodes[SENIOR], key, sealed(key))).request
        nurse, doctor = nodes["nurse"], nodes[SENIOR]
        asked = doctor.quorum.requests.asked(doctor.quorum.records.request(request.digest()))
        with pytest.raises(Refused, match="no witness of this key"):
            await doctor.desk.peers.ask(nurse.desk.me, "publish", asked, Noted, timeout_s=3)
        assert isinstance(asked, Asked)

    with_glass(body)


def test_witnesses_that_could_be_passed_by_are_refused_with_the_key() -> None:
    plan = plan_of(ward(), (SENIOR, WITNESS), 2, "unlock")
    check_plan(replace(plan, witnesses=Witnesses((WITNESS,), 5)), ward())
    check_plan(replace(plan, witnesses=Witnesses((SENIOR, WITNESS), 2)), ward())
    three = plan_of(ward(), WARD[:3], 2, "unlock")
    for wrong, why in (
        (replace(three, witnesses=Witnesses((WARD[0],), 5)), "act without a witness"),
        (replace(plan, witnesses=Witnesses((), 5)), "not holders, in order"),
        (replace(plan, witnesses=Witnesses(("nurse",), 5)), "not holders, in order"),
        (replace(plan, witnesses=Witnesses((WITNESS, WITNESS), 5)), "not holders, in order"),
        (replace(plan, witnesses=Witnesses((WITNESS,), 6)), "6 of 5 members"),
        (replace(plan, witnesses=Witnesses((WITNESS,), 1)), "1 of 5 members"),
        (replace(plan, purpose="sign", witnesses=Witnesses((WITNESS,), 5)), "one that unlocks"),
    ):
        with pytest.raises(Refused, match=why):
            check_plan(wrong, ward())
