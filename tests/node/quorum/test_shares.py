"""Shares: backed up, restored on their own member's node only, shown to be alive."""

import json
from dataclasses import replace

import pytest

from quorate.algebra import edwards25519 as ed
from quorate.errors import MalformedMessage, NotFound, Refused, VerificationFailed
from quorate.node.quorum.backup import make_backup, restore
from quorate.node.quorum.custody import share_name
from quorate.node.quorum.heartbeat import verify_alive
from quorate.node.quorum.messages import Alive, Challenge
from quorate.quorum.key import Key
from quorate.threshold import schnorr
from tests.node.quorum.clinic import PASSPHRASE, Clinic, in_a_clinic
from tests.node.three import Hospital

BACKUP_WORDS = "words for the safe"


async def backup_of(node: Hospital, key: Key) -> str:
    return await make_backup(node.desk, node.quorum.custody, key, BACKUP_WORDS)


async def restored(node: Hospital, text: str, words: str = BACKUP_WORDS) -> Key:
    return await restore(node.desk, node.quorum.custody, node.quorum.keys, text, words)


def test_a_lost_share_comes_back_from_its_backup() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        nurse = nodes["nurse"]
        secret = nurse.quorum.custody.share(key.key_id()).secret
        text = await backup_of(nurse, key)
        assert secret.hex() not in text
        nurse.quorum.records.drop_sealed(share_name(key.key_id()))
        with pytest.raises(NotFound):
            nurse.quorum.custody.share(key.key_id())
        assert await restored(nurse, text) == key
        assert nurse.quorum.custody.share(key.key_id()).secret == secret
        assert nurse.events()[-2:] == ["share backed up", "share restored"]

    in_a_clinic(body)


def test_a_backup_is_of_no_use_to_others() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        text = await backup_of(nodes["nurse"], key)
        with pytest.raises(Refused, match="the share of nurse, and this node is doctor"):
            await restored(nodes["doctor"], text)
        with pytest.raises(Refused, match="passphrase is wrong"):
            await restored(nodes["nurse"], text, PASSPHRASE)
        renamed = json.loads(text) | {"member": "doctor"}
        with pytest.raises(VerificationFailed):
            await restored(nodes["doctor"], json.dumps(renamed))
        for broken in ("", text[:-50], text.replace('"share 1"', '"share 2"')):
            with pytest.raises(MalformedMessage):
                await restored(nodes["nurse"], broken)

    in_a_clinic(body)


def test_every_holder_shows_its_share_alive_and_who_cannot_is_told() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        doctor = nodes["doctor"].quorum
        assert [one.trouble for one in await doctor.heartbeats.check(key)] == ["", "", ""]
        assert "share shown alive" in nodes["nurse"].events()
        share = nodes["pharmacist"].quorum.custody.share(key.key_id())
        wrong = replace(share, secret=ed.scalar_add(share.secret, ed.ONE))
        nodes["pharmacist"].quorum.custody.keep(share_name(key.key_id()), wrong)
        nodes["nurse"].quorum.custody.opened = None
        found = {one.member: one.trouble for one in await doctor.heartbeats.check(key)}
        assert found["doctor"] == ""
        assert "something else than its share" in found["pharmacist"]
        assert "shares locked" in found["nurse"]

    in_a_clinic(body)


def test_a_heartbeat_is_of_one_challenge_and_one_share() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        heartbeats = nodes["doctor"].quorum.heartbeats
        challenge = Challenge(key.key_id(), bytes(32))
        answer = heartbeats._answer(challenge)
        verify_alive(key, "doctor", challenge, answer)
        false = {
            "replayed": (replace(challenge, nonce=b"n" * 32), answer, "doctor"),
            "another's": (challenge, answer, "nurse"),
            "made up": (challenge, Alive(bytes(64)), "doctor"),
            "empty": (challenge, Alive(b""), "doctor"),
        }
        for asked, given, name in false.values():
            with pytest.raises(VerificationFailed):
                verify_alive(key, name, asked, given)
        with pytest.raises(Refused):
            heartbeats._answer(replace(challenge, nonce=b""))
        stranger = schnorr.sign(ed.ONE, b"anything")
        with pytest.raises(VerificationFailed):
            verify_alive(key, "doctor", challenge, Alive(stranger))

    in_a_clinic(body)


def test_a_share_that_does_not_belong_to_its_key_is_not_kept() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        custody = nodes["doctor"].quorum.custody
        share = custody.share(key.key_id())
        with pytest.raises(VerificationFailed):
            custody.keep_share(replace(share, secret=ed.ONE))

    in_a_clinic(body)


def test_the_passphrase_can_be_changed() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        custody = nodes["doctor"].quorum.custody
        await custody.change("another passphrase")
        custody.opened = None
        with pytest.raises(Refused):
            await custody.unlock(PASSPHRASE)
        await custody.unlock("another passphrase")
        custody.share(key.key_id()).verify()

    in_a_clinic(body)
