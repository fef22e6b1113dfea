"""A whole key among real nodes: given by as many as its plan says, to who asked, heard by all."""

import asyncio
import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate import wire
from quorate.algebra.montgomery import u_of
from quorate.errors import NotFound, Refused
from quorate.node.quorum import unlocker
from quorate.node.quorum.messages import Asked
from quorate.node.quorum.records import RequestEntry
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.recovery import Recovery
from quorate.quorum.request import make_request, sign_request
from quorate.threshold.age import bech32
from quorate.threshold.answers import SealedAnswer, Whole, make_reply_key
from quorate.threshold.keys import KeyShare
from quorate.threshold.recovery import Recovering, hand_over
from tests.node.quorum.clinic import (
    PASSPHRASE,
    Clinic,
    approve,
    ask_share,
    decline,
    in_a_clinic,
    state_at,
    tamper,
    up_with_key,
)
from tests.node.quorum.records import ask, file_key, plain_file
from tests.node.three import NOW, Hospital, connected, make_homes, until
from tests.quorum.dealt import ROLES


async def ask_for_key(node: Hospital, key: Key, hours: float = 24) -> bytes:
    entry, _ = await node.quorum.recoveries.ask(key, "the group ends", timedelta(hours=hours))
    return entry.request.digest()


def entry_at(node: Hospital, digest: bytes) -> RequestEntry:
    return node.quorum.records.request(digest)


def is_of(line: str, key: Key) -> bool:
    secret = X25519PrivateKey.from_private_bytes(bech32.decode(line)[1])
    return secret.public_key().public_bytes_raw() == u_of(key.public.group)


async def recovered_everywhere(nodes: Clinic, digest: bytes) -> None:
    await until(
        lambda: all(state_at(n, digest) is RequestState.RECOVERED for n in nodes.values()), 15
    )


def test_two_open_a_file_and_all_three_give_the_key_to_who_asked_and_everybody_hears() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        doctor, pharmacist, nurse = (nodes[name] for name in ROLES)
        digest = await ask_for_key(doctor, key)
        await approve(pharmacist, digest)  # with the doctor's own these are two: a file would open
        assert state_at(doctor, digest) is RequestState.OPEN
        with pytest.raises(Refused, match="2 holders approved, where 3 of 3 must"):
            await ask_share(doctor, pharmacist, digest)
        with pytest.raises(NotFound, match="is open"):
            doctor.quorum.recoveries.line(entry_at(doctor, digest))
        await approve(nurse, digest)
        await recovered_everywhere(nodes, digest)
        assert is_of(doctor.quorum.recoveries.line(entry_at(doctor, digest)), key)
        for other in (pharmacist, nurse):
            with pytest.raises(Refused, match="only doctor has"):
                other.quorum.recoveries.line(entry_at(other, digest))
        for node in nodes.values():
            assert node.events().count("recover approved") == 3
            assert "key recovered" in node.events()
            assert "doctor has the whole key medication" in node.details()
            assert node.quorum.recoveries.who_has(key) == ("doctor",)
        with pytest.raises(Refused, match="opens no file"):
            file_key(doctor, digest)
        assert await ask_for_key(doctor, key) == digest

    in_a_clinic(body, purpose="plain")


def test_what_too_many_decline_is_over() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        digest = await ask_for_key(nodes["doctor"], key)
        await decline(nodes["nurse"], digest, "open them one by one")
        for node in nodes.values():
            assert state_at(node, digest) is RequestState.DECLINED
            assert "open them one by one" in node.details()

    in_a_clinic(body, purpose="plain")


def test_approvals_of_a_file_give_no_key_away_among_nodes() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        doctor, pharmacist, nurse = (nodes[name] for name in ROLES)
        of_file = (await ask(doctor, key, plain_file(key))).request.digest()
        for node in (pharmacist, nurse):
            await approve(node, of_file)
        words = doctor.quorum.records.answers(of_file)
        digest = await ask_for_key(doctor, key)
        with pytest.raises(Refused, match="another request"):
            await ask_share(doctor, pharmacist, digest, words)
        assert state_at(pharmacist, digest) is RequestState.OPEN

    in_a_clinic(body, purpose="plain")


def test_control_holders_that_ask_for_no_approval_give_the_key_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unchecked(  # type: ignore[no-untyped-def]
        checked: Recovery, share: KeyShare, identity, _words: object, _at: object
    ) -> SealedAnswer:
        return hand_over(share, identity, checked.asked, checked.answers_to)

    async def body(nodes: Clinic, key: Key) -> None:
        doctor = nodes["doctor"]
        digest = await ask_for_key(doctor, key)
        for name in ROLES[1:]:
            with pytest.raises(Refused, match="not approved"):
                await ask_share(doctor, nodes[name], digest)
        monkeypatch.setattr(unlocker, "answer_recovery", unchecked)
        for name in ROLES[1:]:
            doctor.quorum.records.add_part(digest, await ask_share(doctor, nodes[name], digest))
        recoveries = doctor.quorum.recoveries
        checked = recoveries._checked(entry_at(doctor, digest))
        assert is_of(recoveries._recovered(checked).line, key)

    in_a_clinic(body, purpose="plain")


def test_nobody_asks_for_the_key_in_the_requesters_place() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        doctor, pharmacist, nurse = (nodes[name] for name in ROLES)
        digest = await ask_for_key(doctor, key)
        doctor.quorum.custody.opened = None  # it cannot gather
        for node in (pharmacist, nurse):
            await approve(node, digest)
        words = pharmacist.quorum.records.answers(digest)
        with pytest.raises(Refused, match="go to doctor"):
            await ask_share(nurse, pharmacist, digest, words)
        whole = Whole(key.key_id())
        _, mine = make_reply_key(nurse.home.identity, "nurse", whole, os.urandom)
        document = wire.encode(Recovering(whole, mine))
        request = make_request(
            "recover",
            key.key_id(),
            document,
            reason="the group ends",
            requester="doctor",
            now=NOW,
            lasts=timedelta(hours=1),
            randomness=os.urandom,
        )
        forged = sign_request(nurse.home.identity, request)
        with pytest.raises(Refused, match="not signed by doctor"):
            await nurse.desk.tell(1, "request", Asked(request, document, forged, ()))
        by_doctor = sign_request(doctor.home.identity, request)
        with pytest.raises(Refused, match="another member"):
            await nurse.desk.tell(1, "request", Asked(request, document, by_doctor, ()))

    in_a_clinic(body, purpose="plain")


def test_a_wrong_share_names_its_holder_everywhere_and_the_others_suffice() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        await tamper(nodes["nurse"], key)
        doctor = nodes["doctor"]
        digest = await ask_for_key(doctor, key)
        doctor.quorum.custody.opened, vault = None, doctor.quorum.custody.opened
        for name in ROLES[1:]:
            await approve(nodes[name], digest)
        words = doctor.quorum.records.answers(digest)
        part = await ask_share(doctor, nodes["nurse"], digest, words)
        doctor.quorum.custody.opened = vault
        doctor.quorum.records.add_part(digest, part)
        doctor.quorum.look_again()
        await recovered_everywhere(nodes, digest)
        assert is_of(doctor.quorum.recoveries.line(entry_at(doctor, digest)), key)
        for node in nodes.values():
            assert "nurse sent a wrong share" in node.details()

    in_a_clinic(body, purpose="plain")


def test_when_its_time_is_over_no_share_is_given_and_the_key_is_gone_from_the_node() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes, purpose="plain") as (nodes, key):
            done = await ask_for_key(nodes["doctor"], key, hours=1)
            for name in ROLES[1:]:
                await approve(nodes[name], done)
            await recovered_everywhere(nodes, done)
            waiting = await ask_for_key(nodes["nurse"], key, hours=1)
            nodes["nurse"].quorum.custody.opened = None  # it cannot gather
            for name in ROLES[:2]:
                await approve(nodes[name], waiting)
            words = nodes["nurse"].quorum.records.answers(waiting)
            assert len(words) == 3
        async with connected(*homes, clock_off=timedelta(hours=2)) as (doctor, _, nurse):
            for node in (doctor, nurse):
                await node.quorum.custody.unlock(PASSPHRASE)
            with pytest.raises(Refused, match="over"):
                await ask_share(nurse, doctor, waiting, words)
            doctor.quorum.look_again()
            assert state_at(doctor, waiting) is RequestState.EXPIRED
            with pytest.raises(NotFound, match="not kept here any more"):
                doctor.quorum.recoveries.line(entry_at(doctor, done))

    asyncio.run(main())


def test_a_key_that_seals_is_not_recovered() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        with pytest.raises(Refused, match="only a plain key is recovered") as raised:
            await ask_for_key(nodes["doctor"], key)
        assert "one by one" in raised.value.hint

    in_a_clinic(body, purpose="unlock")


def test_neither_key_nor_shares_are_on_a_disk_in_clear() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes, purpose="plain") as (nodes, key):
            digest = await ask_for_key(nodes["doctor"], key)
            for name in ROLES[1:]:
                await approve(nodes[name], digest)
            await recovered_everywhere(nodes, digest)
            line = nodes["doctor"].quorum.recoveries.line(entry_at(nodes["doctor"], digest))
            secrets = [line.encode(), bech32.decode(line)[1]]
            shares = (n.quorum.custody.share(key.key_id()).secret for n in nodes.values())
            secrets.extend(shares)
        for home in homes:
            for file in (f for f in home.folder.rglob("*") if f.is_file()):
                kept = file.read_bytes()
                assert not any(secret in kept for secret in secrets)

    asyncio.run(main())
