"""What nodes tell each other: any other bytes are malformed, and nothing else happens."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate import wire
from quorate.errors import MalformedMessage
from quorate.node.messages import (
    Ack,
    Go,
    Head,
    Held,
    Prepare,
    Prepared,
    Proposal,
    SignedHead,
)
from quorate.studies.approval import SignedApproval
from quorate.transport.link import Stop
from quorate.transport.records import Greeting, Record, Refusal
from tests.studies.trio import PLAN, approvals_of, signed_release

HEAD = SignedHead(Head("north", 7, bytes(32)), bytes(64))
MESSAGES: list[object] = [
    Ack(),
    Proposal(PLAN, approvals_of()),
    approvals_of()[0],
    Prepare(PLAN.digest(), 7, "2030-01-01T12:00:00Z", approvals_of(), b""),
    Prepared(None),
    Prepared(signed_release()),
    Go(7),
    HEAD,
    Held(HEAD),
    Held(None),
    Greeting(1, bytes(32), "quorate", int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())),
    Record("ask", 1, "topic", b"body"),
    Refusal("no", "hint"),
    Stop("enough", (1, 2)),
]
KINDS = [Ack, Proposal, SignedApproval, Prepare, Prepared, Go, SignedHead, Held, Greeting, Record]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_message_arrives_as_it_left(message: object) -> None:
    assert wire.decode(wire.encode(message), type(message)) == message


@given(st.sampled_from(MESSAGES), st.data())
def test_changed_bytes_are_malformed_or_say_what_they_now_say(
    message: object, data: st.DataObject
) -> None:
    """Cut, paste and flip: what still decodes must be the one encoding of what it decodes to."""
    encoded = wire.encode(message)
    at = data.draw(st.integers(0, len(encoded)))
    cut = data.draw(st.integers(0, 8))
    changed = encoded[:at] + data.draw(st.binary(max_size=8)) + encoded[at + cut :]
    try:
        found = wire.decode(changed, type(message))
    except MalformedMessage:
        return
    assert wire.encode(found) == changed


@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_noise_is_malformed(kind: type[object], noise: bytes) -> None:
    try:
        found = wire.decode(noise, kind)
    except MalformedMessage:
        return
    assert wire.encode(found) == noise
