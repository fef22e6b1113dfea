"""Recipients and identities in text: what was written is read, and nothing else is."""

import os

import pytest

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.errors import MalformedMessage, VerificationFailed
from quorate.threshold import tdh2
from quorate.threshold.age import bech32, keys
from quorate.threshold.age.header import Stanza
from quorate.threshold.age.keys import Identity, Recipient
from tests.threshold.holders import deal

PUBLIC = deal("unlock")[0].public
RECIPIENT = Recipient(1, PUBLIC.group, "record-17")
IDENTITY = Identity(1, PUBLIC.group, "nodes/ward")


def test_texts_return() -> None:
    assert keys.parse_recipient(RECIPIENT.text()) == RECIPIENT
    assert keys.parse_identity(IDENTITY.text()) == IDENTITY
    assert RECIPIENT.text().startswith("age1quorate1")
    assert IDENTITY.text().startswith("AGE-PLUGIN-QUORATE-1")
    assert len(RECIPIENT.text()) < 160


@pytest.mark.parametrize(
    "recipient",
    [
        Recipient(2, PUBLIC.group, ""),
        Recipient(1, bytes(ed.IDENTITY), ""),
        Recipient(1, bytes(31), ""),
        Recipient(1, PUBLIC.group, "a\x1b[2J"),
        Recipient(1, PUBLIC.group, "a" * 129),
    ],
)
def test_recipients_that_nothing_can_be_sealed_to_are_refused(recipient: Recipient) -> None:
    with pytest.raises(MalformedMessage):
        keys.parse_recipient(recipient.text())


def test_one_kind_of_text_is_not_read_as_another() -> None:
    for text in (IDENTITY.text(), bech32.encode("age", PUBLIC.group), "age1quorate1"):
        with pytest.raises(MalformedMessage):
            keys.parse_recipient(text)
    for text in (RECIPIENT.text(), bech32.encode("age-plugin-quorate-", b"")):
        with pytest.raises(MalformedMessage):
            keys.parse_identity(text)
    with pytest.raises(MalformedMessage):
        keys.parse_identity(Identity(2, PUBLIC.group, "n").text())


def test_a_stanza_holds_the_sealed_file_key_under_its_record() -> None:
    stanza = keys.seal(PUBLIC.group, "record-17", bytes(16), os.urandom)
    sealed = keys.sealed_in(stanza)
    tdh2.verify(PUBLIC.group, sealed)
    assert sealed.label.record == "record-17"
    assert keys.is_for(PUBLIC.group, sealed)
    assert not keys.is_for(deal("unlock")[0].public.group, sealed)


def test_without_a_record_each_file_gets_one_of_its_own() -> None:
    first, second = (keys.seal(PUBLIC.group, "", bytes(16), os.urandom) for _ in range(2))
    records = {keys.sealed_in(stanza).label.record for stanza in (first, second)}
    assert len(records) == 2
    assert all(record.startswith("file-") for record in records)


def test_other_stanzas_are_not_read_as_ours() -> None:
    body = keys.seal(PUBLIC.group, "r", bytes(16), os.urandom).body
    for stanza in (
        Stanza(("quorate/1", "more"), body),
        Stanza(("quorate/2",), body),
        Stanza(("quorate/1",), body[:-1]),
        Stanza(("quorate/1",), body + b"\0"),
        Stanza(("quorate/1",), wire.encode({})),
    ):
        with pytest.raises(MalformedMessage):
            keys.sealed_in(stanza)
    moved = body.replace(b"asr", b"ass")
    with pytest.raises((MalformedMessage, VerificationFailed)):
        tdh2.verify(PUBLIC.group, keys.sealed_in(Stanza(("quorate/1",), moved + b"x")))
