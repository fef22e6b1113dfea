"""Unlocking among real nodes: approved, waited for, opened for the requester and nobody else."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from quorate import wire
from quorate.errors import MalformedMessage, NotFound, Refused, Unavailable
from quorate.node.quorum import unlocker
from quorate.node.quorum.messages import Asked
from quorate.node.quorum.opening import Opening
from quorate.node.quorum.unlocks import document_of
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.request import make_request, sign_request
from quorate.quorum.unlock import Checked, Opened, Own, sign_opened, verify_opened
from quorate.threshold.answers import answer
from quorate.threshold.unlocking import Unlocking
from tests.node.quorum.clinic import (
    PASSPHRASE,
    Clinic,
    approve,
    ask_share,
    decline,
    give_key,
    in_a_clinic,
    state_at,
    tamper,
    up_with_key,
)
from tests.node.quorum.records import (
    FILE_KEY,
    ask,
    file_key,
    note_at,
    plain_file,
    sealed,
    unlocked_everywhere,
)
from tests.node.three import NOW, Hospital, connected, make_homes, until, up
from tests.quorum.dealt import ROLES, WARD


def test_two_of_five_are_refused_and_three_unlock_for_the_requester() -> None:
    async def main() -> None:
        async with connected(*make_homes(WARD)) as hospitals:
            nodes = {node.home.name: node for node in hospitals}
            key = await give_key(nodes, WARD, 3, "unlock")
            entry = await ask(nodes["doctor"], key, sealed(key))
            digest = entry.request.digest()
            await approve(nodes["nurse"], digest)  # with the doctor's own these are two
            for name in ("nurse", "pharmacist"):
                with pytest.raises(Refused, match=r"has not approved|2 holders approved"):
                    await ask_share(nodes["doctor"], nodes[name], digest)
            with pytest.raises(NotFound, match="is open"):
                file_key(nodes["doctor"], digest)
            await approve(nodes["laboratory"], digest)
            await unlocked_everywhere(nodes, digest)
            assert file_key(nodes["doctor"], digest) == FILE_KEY
            for name in WARD[1:]:
                with pytest.raises(Refused, match="only doctor reads"):
                    file_key(nodes[name], digest)
            for node in nodes.values():
                assert node.events().count("unlock approved") == 3
                assert node.events()[-1] == "record unlocked"
            assert nodes["laboratory"].events().count("share used") == 1
            assert "share used" not in nodes["reception"].events()

    asyncio.run(main())


def test_who_holds_no_share_asks_and_reads() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        laboratory = nodes["laboratory"]
        with pytest.raises(Unavailable, match="no passphrase yet"):
            await ask(laboratory, key, sealed(key))
        await laboratory.quorum.custody.unlock(PASSPHRASE)
        entry = await ask(laboratory, key, sealed(key))
        digest = entry.request.digest()
        await approve(nodes["doctor"], digest)
        await approve(nodes["nurse"], digest)
        await unlocked_everywhere(nodes, digest)
        assert file_key(laboratory, digest) == FILE_KEY

    in_a_clinic(body, (*ROLES, "laboratory"), "unlock")


def test_what_too_many_decline_is_over() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        digest = (await ask(nodes["doctor"], key, sealed(key))).request.digest()
        await decline(nodes["nurse"], digest, "not your patient")
        await decline(nodes["pharmacist"], digest)
        for node in nodes.values():
            assert state_at(node, digest) is RequestState.DECLINED
            assert "not your patient" in node.details()

    in_a_clinic(body, purpose="unlock")


def test_members_that_were_away_answer_when_they_are_back_and_a_restart_forgets_nothing() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes, purpose="unlock") as (_, key):
            pass
        async with up(homes[0]) as doctor:
            await doctor.quorum.custody.unlock(PASSPHRASE)
            digest = (await ask(doctor, key, sealed(key))).request.digest()
        async with up(homes[0]) as doctor, up(homes[1]) as pharmacist:
            await until(lambda: state_at(pharmacist, digest) is RequestState.OPEN)
            await approve(pharmacist, digest)  # its vault and the doctor's are locked
            await until(lambda: state_at(doctor, digest) is RequestState.APPROVED)
            await doctor.quorum.unlock(PASSPHRASE)
            await until(lambda: "has its shares locked" in note_at(doctor, digest))
            await pharmacist.quorum.unlock(PASSPHRASE)  # and tells who waits for its share
            await until(lambda: state_at(doctor, digest) is RequestState.UNLOCKED)
            assert file_key(doctor, digest) == FILE_KEY
            async with up(homes[2]) as nurse:
                await until(lambda: state_at(nurse, digest) is RequestState.UNLOCKED)

    asyncio.run(main())


def test_the_same_is_not_asked_for_twice_while_it_is_of_use() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        sought = sealed(key)
        first = await ask(nodes["doctor"], key, sought)
        again = await ask(nodes["doctor"], key, sought)
        assert again.request == first.request
        other = await ask(nodes["nurse"], key, sought)
        assert other.request != first.request

    in_a_clinic(body, purpose="unlock")


def test_when_its_time_is_over_nobody_answers_and_what_was_opened_is_forgotten() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes, purpose="unlock") as (nodes, key):
            opened = (await ask(nodes["doctor"], key, sealed(key), hours=1)).request.digest()
            await approve(nodes["nurse"], opened)
            await unlocked_everywhere(nodes, opened)
            waiting = await ask(nodes["doctor"], key, sealed(key, "record-18"), hours=1)
            digest = waiting.request.digest()
            nodes["nurse"].quorum.custody.opened = None  # it approves, and cannot answer
            await approve(nodes["nurse"], digest)
            words = nodes["doctor"].quorum.records.answers(digest)
            assert len(words) == 2
        async with connected(*homes, clock_off=timedelta(hours=2)) as (doctor, _, nurse):
            for node in (doctor, nurse):
                await node.quorum.custody.unlock(PASSPHRASE)
            with pytest.raises(Refused, match="over"):
                await ask_share(doctor, nurse, digest, words)
            doctor.quorum.look_again()
            assert state_at(doctor, digest) is RequestState.EXPIRED
            with pytest.raises(NotFound, match="not kept here any more"):
                file_key(doctor, opened)

    asyncio.run(main())


def test_a_wrong_part_names_its_holder_on_every_node_with_proof_and_others_open() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        await tamper(nodes["nurse"], key)
        doctor = nodes["doctor"]
        digest = (await ask(doctor, key, sealed(key))).request.digest()
        await approve(nodes["nurse"], digest)
        await until(lambda: "nurse cheated" in note_at(doctor, digest))
        assert state_at(doctor, digest) is RequestState.APPROVED
        await approve(nodes["pharmacist"], digest)
        await unlocked_everywhere(nodes, digest)
        assert file_key(doctor, digest) == FILE_KEY
        for node in nodes.values():
            assert "nurse sent wrong partial decryptions" in node.details()
        opened = opened_at(nodes["pharmacist"], digest)
        (proof,) = opened.proofs
        assert key.holder(proof.identifier).name == "nurse"

    in_a_clinic(body, purpose="unlock")


def opened_at(node: Hospital, digest: bytes) -> Opened:
    result = node.quorum.records.request(digest).result
    assert result is not None
    return wire.decode(result, Opened)


def test_what_is_said_to_be_unlocked_is_verified_by_every_node() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        await tamper(nodes["nurse"], key)
        digest = (await ask(nodes["doctor"], key, sealed(key))).request.digest()
        await approve(nodes["nurse"], digest)
        await approve(nodes["pharmacist"], digest)
        await unlocked_everywhere(nodes, digest)
        whole = opened_at(nodes["doctor"], digest)
        doctor, requester = nodes["doctor"].home.identity, key.plan.holders[0]
        verify_opened(key, whole, requester)
        (proof,) = whole.proofs
        framed = (replace(proof, identifier=2),)
        for altered in (
            replace(whole, box=whole.box[:-1]),
            replace(whole, answers=whole.answers[:1]),
            replace(whole, requested=bytes(64)),
            replace(whole, document=whole.document[:-1]),
            replace(
                whole,
                proofs=framed,
                signature=sign_opened(doctor, whole.request, whole.box, framed),
            ),
            replace(
                whole,
                signature=sign_opened(
                    nodes["nurse"].home.identity, whole.request, whole.box, whole.proofs
                ),
            ),
        ):
            with pytest.raises(Refused):
                await nodes["nurse"].desk.tell(1, "opened", altered)

    in_a_clinic(body, purpose="unlock")


def test_nobody_asks_holders_in_the_requesters_place() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        doctor, pharmacist, nurse = (nodes[name] for name in ROLES)
        entry = await ask(doctor, key, sealed(key))
        digest = entry.request.digest()
        doctor.quorum.custody.opened = None
        await approve(pharmacist, digest)
        words = pharmacist.quorum.records.answers(digest)
        with pytest.raises(Refused, match="go to doctor"):
            await ask_share(nurse, pharmacist, digest, words)
        mine = nurse.quorum.unlocks.replies.offer(nurse.desk.me, document_of(entry).sought)
        swapped = wire.encode(replace(document_of(entry), requester=mine))
        with pytest.raises(Refused, match="another document"):
            await nurse.desk.tell(
                1, "request", Asked(replace(entry.request, nonce=bytes(16)), swapped, b"", ())
            )
        request = make_request(
            "unlock",
            key.key_id(),
            swapped,
            reason="acute care",
            requester="doctor",
            now=NOW,
            lasts=timedelta(hours=1),
            randomness=bytes,
        )
        forged = sign_request(nurse.home.identity, request)
        with pytest.raises(Refused, match="not signed by doctor"):
            await nurse.desk.tell(1, "request", Asked(request, swapped, forged, ()))

    in_a_clinic(body, purpose="unlock")


def test_an_approval_of_one_request_is_none_of_the_next() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        doctor, pharmacist = nodes["doctor"], nodes["pharmacist"]
        first = (await ask(doctor, key, sealed(key))).request.digest()
        await approve(pharmacist, first)
        await unlocked_everywhere(nodes, first)
        second = (await ask(doctor, key, sealed(key))).request.digest()
        words = doctor.quorum.records.answers(first)
        with pytest.raises(Refused, match="another request"):
            await ask_share(doctor, pharmacist, second, words)
        assert state_at(pharmacist, second) is RequestState.OPEN

    in_a_clinic(body, purpose="unlock")


def test_control_holders_that_check_no_approval_unlock_for_whoever_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unchecked(checked: Checked, own: Own, _words: object, _at: object, randomness: object):  # type: ignore[no-untyped-def]
        asked = checked.unlocking.asked(checked.request.digest())
        to = checked.unlocking.answers_to
        return answer(own.share, own.identity, asked, checked.bases, to, randomness)  # type: ignore[arg-type]

    async def body(nodes: Clinic, key: Key) -> None:
        doctor = nodes["doctor"]
        digest = (await ask(doctor, key, sealed(key))).request.digest()
        for name in ("pharmacist", "nurse"):
            with pytest.raises(Refused, match="not approved"):
                await ask_share(doctor, nodes[name], digest)
        monkeypatch.setattr(unlocker, "answer_unlock", unchecked)
        for name in ("pharmacist", "nurse"):
            part = await ask_share(doctor, nodes[name], digest)
            doctor.quorum.records.add_part(digest, part)
        opening = doctor.quorum.gathering.kinds["unlock"]
        checked = doctor.quorum.unlocker.checked(doctor.quorum.records.request(digest))
        assert isinstance(opening, Opening)
        assert isinstance(checked, Checked)
        assert opening.unlocked(checked).file_key == FILE_KEY

    in_a_clinic(body, purpose="unlock")


def test_a_plain_file_is_opened_by_another_holder_that_approves_it_itself() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        doctor, pharmacist = nodes["doctor"], nodes["pharmacist"]
        digest = (await ask(doctor, key, plain_file(key), opener="pharmacist")).request.digest()
        await approve(nodes["nurse"], digest)
        await until(lambda: "has not approved it" in note_at(pharmacist, digest))
        await approve(pharmacist, digest)
        await unlocked_everywhere(nodes, digest)
        assert file_key(doctor, digest) == FILE_KEY
        with pytest.raises(Refused, match="only doctor reads"):
            file_key(pharmacist, digest)
        assert "share used" in pharmacist.events()

    in_a_clinic(body, purpose="plain")


def test_a_plain_file_opens_as_one_record_only_also_after_a_restart() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes, purpose="plain") as (nodes, key):
            sought = plain_file(key)
            digest = (await ask(nodes["doctor"], key, sought)).request.digest()
            for name in ROLES[1:]:
                await approve(nodes[name], digest)
            await unlocked_everywhere(nodes, digest)
        async with connected(*homes) as (doctor, pharmacist, nurse):
            for node in (doctor, pharmacist, nurse):
                await node.quorum.custody.unlock(PASSPHRASE)
            entry = await ask(nurse, key, replace(sought, record="of another"), opener="pharmacist")
            digest = entry.request.digest()
            await approve(pharmacist, digest)
            await until(lambda: "as another record" in note_at(pharmacist, digest))
            assert state_at(nurse, digest) is RequestState.APPROVED

    asyncio.run(main())


def test_a_plain_file_needs_an_opener_that_is_there_and_offered_its_key() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        doctor, pharmacist = nodes["doctor"], nodes["pharmacist"]
        nodes["nurse"].quorum.custody.opened = None
        with pytest.raises(Unavailable, match="nurse: this node has its shares locked"):
            await ask(doctor, key, plain_file(key), opener="nurse")
        with pytest.raises(NotFound, match="holds no share"):
            await ask(doctor, key, plain_file(key), opener="laboratory")
        await pharmacist.quorum.custody.unlock(PASSPHRASE)
        digest = (await ask(doctor, key, plain_file(key), opener="pharmacist")).request.digest()
        assert document_of(doctor.quorum.records.request(digest)).opener is not None
        pharmacist.quorum.unlocks.replies.offered.clear()
        sought = plain_file(key, "another")
        doctor.quorum.unlocks.requests.on_use = lambda _: None
        opening = pharmacist.quorum.unlocks.replies.offer(0, sought)
        pharmacist.quorum.unlocks.replies.offered.clear()
        reply = doctor.quorum.unlocks.replies.offer(0, sought)
        document = wire.encode(Unlocking(sought, reply, opening))
        _, untold = await doctor.quorum.requests.propose(
            "unlock", key, document, "acute care", timedelta(hours=1)
        )
        assert "pharmacist" in untold

    in_a_clinic(body, (*ROLES, "laboratory"), "plain")


def test_a_key_serves_its_own_purpose_only() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        with pytest.raises(Refused, match="generated to unlock"):
            await ask(nodes["doctor"], key, plain_file(key))
        with pytest.raises(Refused, match="not for this"):
            await nodes["doctor"].quorum.requests.propose(
                "order", key, b"{}", "pain", timedelta(hours=1)
            )
        with pytest.raises(MalformedMessage):
            await ask(nodes["doctor"], key, replace(sealed(key), content=b"nothing"))

    in_a_clinic(body, purpose="unlock")


def test_no_secret_is_in_the_database_in_clear() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes, purpose="unlock") as (nodes, key):
            digest = (await ask(nodes["doctor"], key, sealed(key))).request.digest()
            secret = nodes["doctor"].quorum.unlocks.replies.secret(
                nodes["doctor"].quorum.records.request(digest).request
            )
            await approve(nodes["nurse"], digest)
            await unlocked_everywhere(nodes, digest)
        for home in homes:
            for file in home.folder.rglob("*"):
                if file.is_file():
                    kept = file.read_bytes()
                    assert FILE_KEY not in kept
                    assert secret.private_bytes_raw() not in kept

    asyncio.run(main())
