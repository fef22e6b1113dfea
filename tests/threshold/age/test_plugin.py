"""The plugin's two conversations, with an age program that may say anything."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

import pytest

from quorate import wire
from quorate.errors import MalformedMessage, Refused, Usage
from quorate.threshold import tdh2
from quorate.threshold.age import keys
from quorate.threshold.age.header import Stanza, read_stanza
from quorate.threshold.age.keys import Identity, Recipient
from quorate.threshold.age.plugin import PLAIN_HINT, Conversation, Wanted, converse
from tests.threshold.holders import Holders

HOLDERS = Holders("unlock")
PUBLIC = HOLDERS.public
KEY = bytes(range(16))
RECIPIENT = Recipient(1, PUBLIC.group, "record-17").text()
IDENTITY = Identity(1, PUBLIC.group, "nodes/ward").text()
OTHER = Holders("unlock").public
SEALED = keys.seal(PUBLIC.group, "record-17", KEY, os.urandom)
OK = Stanza(("ok",), b"")


@dataclass
class Quorum:
    """The holders in this process, as an `Opener`: these of them approve."""

    approving: tuple[int, ...] = (1, 2, 3)
    asked: list[Wanted] = field(default_factory=list)

    def open(self, wanted: Wanted, tell: Callable[[str], None]) -> bytes:
        self.asked.append(wanted)
        tell(f"{len(self.approving)} of 3 approved\x1b[2J")
        asking = HOLDERS.ask(wire.encode(wanted.sealed), wanted.sealed.label.record)
        return asking.unlock(asking.answers(*self.approving)).file_key


@dataclass
class Refuses:
    def open(self, wanted: Wanted, tell: Callable[[str], None]) -> bytes:
        raise Refused("the ward declined", hint="ask again")


def told(*commands: Stanza, answers: tuple[Stanza, ...] = (OK,) * 10) -> bytes:
    done = Stanza(("done",), b"")
    return b"".join(stanza.encode() for stanza in (*commands, done, *answers))


def hear(
    machine: str, incoming: bytes, opener: Quorum | Refuses | None = None, reason: str = "care"
) -> list[Stanza]:
    """Return what the plugin said."""
    out = bytearray()
    conversation = Conversation(BytesIO(incoming).readline, out.extend)
    converse(machine, conversation, os.urandom, opener or Quorum(), reason)
    stream = BytesIO(bytes(out))
    said = []
    while line := stream.readline():
        said.append(read_stanza(line, stream.readline))
    assert said[-1] == Stanza(("done",), b"")
    return said[:-1]


def recipient(text: str = RECIPIENT) -> Stanza:
    return Stanza(("add-recipient", text), b"")


def identity(text: str = IDENTITY) -> Stanza:
    return Stanza(("add-identity", text), b"")


def passed(stanza: Stanza, file: str = "0") -> Stanza:
    return Stanza(("recipient-stanza", file, *stanza.arguments), stanza.body)


WRAP = Stanza(("wrap-file-key",), KEY)


def test_every_file_key_is_sealed_to_every_recipient() -> None:
    grease = Stanza(("grease", "x"), b"y")
    said = hear("recipient-v1", told(recipient(), grease, WRAP, identity(), WRAP))
    assert [stanza.arguments for stanza in said] == [
        ("recipient-stanza", file, "quorate/1") for file in "0011"
    ]
    for stanza in said:
        sealed = keys.sealed_in(Stanza(stanza.arguments[2:], stanza.body))
        tdh2.verify(PUBLIC.group, sealed)
    assert len({stanza.body for stanza in said}) == 4


def test_one_unusable_recipient_and_nothing_is_sealed() -> None:
    said = hear("recipient-v1", told(recipient(), identity(), recipient(RECIPIENT[:-1]), WRAP))
    assert [stanza.arguments for stanza in said] == [("error", "recipient", "1")]
    said = hear("recipient-v1", told(identity("AGE-PLUGIN-QUORATE-1"), WRAP, recipient()))
    assert [stanza.arguments for stanza in said] == [("error", "identity", "0")]
    said = hear("recipient-v1", told(Stanza(("add-recipient",), b""), WRAP))
    assert [stanza.arguments for stanza in said] == [("error", "recipient", "0")]


def test_what_is_no_file_key_is_not_sealed() -> None:
    said = hear("recipient-v1", told(recipient(), Stanza(("wrap-file-key",), KEY + b"!")))
    assert [stanza.arguments for stanza in said] == [("error", "internal")]


def test_a_quorum_gives_the_file_key_and_is_asked_with_the_stanza_alone() -> None:
    quorum = Quorum()
    grease = Stanza(("x-grease",), b"")
    said = hear("identity-v1", told(identity(), passed(grease), passed(SEALED)), quorum)
    assert said == [
        Stanza(("msg",), b"3 of 3 approved?[2J"),
        Stanza(("file-key", "0"), KEY),
    ]
    (wanted,) = quorum.asked
    assert wanted == Wanted(keys.parse_identity(IDENTITY), keys.sealed_in(SEALED), "care")


def test_two_are_not_enough_and_the_reason_is_said() -> None:
    said = hear("identity-v1", told(identity(), passed(SEALED)), Quorum((1, 5)))
    assert said[-1].arguments == ("error", "internal")
    assert b"2 partial decryptions are right, and 3 are needed (hint: " in said[-1].body
    said = hear("identity-v1", told(identity(), passed(SEALED)), Refuses())
    assert said == [Stanza(("error", "internal"), b"the ward declined (hint: ask again)")]


def test_files_are_opened_one_by_one() -> None:
    another = keys.seal(PUBLIC.group, "record-18", bytes(16), os.urandom)
    theirs = keys.seal(OTHER.group, "record-19", bytes(16), os.urandom)
    incoming = told(passed(SEALED), passed(theirs, "1"), identity(), passed(another, "2"))
    said = hear("identity-v1", incoming)
    found = [stanza for stanza in said if stanza.kind == "file-key"]
    assert found == [Stanza(("file-key", "0"), KEY), Stanza(("file-key", "2"), bytes(16))]


def test_an_altered_stanza_is_an_error_and_nobody_is_asked() -> None:
    quorum = Quorum()
    altered = Stanza(SEALED.arguments, SEALED.body.replace(b"record-17", b"record-18"))
    for bad in (altered, Stanza(SEALED.arguments, b""), Stanza(("quorate/1", "x"), SEALED.body)):
        incoming = told(identity(), passed(SEALED), passed(bad))
        (said,) = hear("identity-v1", incoming, quorum)
        assert said.arguments == ("error", "stanza", "0", "1")
    assert not quorum.asked


def test_one_unusable_identity_and_nothing_is_opened() -> None:
    quorum = Quorum()
    incoming = told(identity(), identity("AGE-PLUGIN-QUORATE-1"), passed(SEALED))
    (said,) = hear("identity-v1", incoming, quorum)
    assert said.arguments == ("error", "identity", "1")
    assert not quorum.asked


def test_a_file_for_an_ordinary_recipient_is_explained() -> None:
    native = Stanza(("X25519", "A" * 43), bytes(32))
    said = hear("identity-v1", told(identity(), passed(native)))
    assert said == [Stanza(("msg",), PLAIN_HINT.encode())]
    assert hear("identity-v1", told(identity(), passed(Stanza(("scrypt", "A"), b"")))) == []


def test_a_reason_is_asked_for_and_needed() -> None:
    quorum = Quorum()
    incoming = told(
        identity(), passed(SEALED), answers=(Stanza(("ok",), b" acute care \n"), *(OK,) * 4)
    )
    asked, *_ = hear("identity-v1", incoming, quorum, reason="")
    assert asked.kind == "request-public"
    assert b"record-17" in asked.body
    assert quorum.asked[0].reason == "acute care"
    for answer in (Stanza(("fail",), b""), OK, Stanza(("ok",), b"  ")):
        said = hear(
            "identity-v1",
            told(identity(), passed(SEALED), answers=(answer, OK)),
            quorum,
            reason="",
        )
        assert said[-1].arguments == ("error", "internal")
        assert b"no reason was given" in said[-1].body
    assert len(quorum.asked) == 1


@pytest.mark.parametrize(
    "incoming",
    [
        b"",
        b"-> add-identity",
        b"-> done\n",
        b"done\n\n",
        b"-> x\n\n" * 3000,
        told(recipient(), WRAP, answers=()),
    ],
)
def test_an_age_program_that_stops_or_babbles_ends_it(incoming: bytes) -> None:
    with pytest.raises(MalformedMessage):
        hear("recipient-v1", incoming)


def test_another_conversation_is_refused() -> None:
    with pytest.raises(Usage, match="recipient-v1 and identity-v1"):
        hear("recipient-v2", told())
