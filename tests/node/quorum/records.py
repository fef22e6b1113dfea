"""Records sealed to the key of a clinic, and members that ask for them."""

import os
from datetime import timedelta

from quorate import wire
from quorate.node.quorum.records import RequestEntry
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import RequestState
from quorate.threshold import tdh2
from quorate.threshold.age.header import make_header
from quorate.threshold.answers import Sought
from tests.node.quorum.clinic import Clinic, state_at
from tests.node.three import Hospital, until
from tests.threshold.test_plain import wrap

FILE_KEY = os.urandom(16)


def sealed(key: Key, record: str = "record-17") -> Sought:
    ciphertext = tdh2.encrypt(key.public.group, record, FILE_KEY, os.urandom)
    return Sought("sealed", wire.encode(ciphertext), record)


def plain_file(key: Key, record: str = "letter-3") -> Sought:
    header = make_header((wrap(key.public, FILE_KEY),), FILE_KEY)
    return Sought("plain", header.encode(), record)


async def ask(
    node: Hospital, key: Key, sought: Sought, hours: float = 24, opener: str = ""
) -> RequestEntry:
    entry, _ = await node.quorum.unlocks.ask(
        sought, key, "acute care", timedelta(hours=hours), opener
    )
    return entry


def file_key(node: Hospital, digest: bytes) -> bytes:
    return node.quorum.unlocks.file_key(node.quorum.records.request(digest))


def note_at(node: Hospital, digest: bytes) -> str:
    return node.quorum.records.request(digest).note


async def unlocked_everywhere(nodes: Clinic, digest: bytes) -> None:
    """Wait until every node knows that the record was unlocked."""
    await until(
        lambda: all(state_at(n, digest) is RequestState.UNLOCKED for n in nodes.values()), 15
    )
