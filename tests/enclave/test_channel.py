"""Two enclaves agree on keys, each with the other; nothing is reflected, relayed or mixed up."""

import os
from dataclasses import replace
from typing import Any

import pytest

from quorate.enclave import channel
from quorate.enclave.binding import Admitted
from quorate.enclave.channel import Hello, Kept, Keys, finish, hello, sign
from quorate.errors import Error, Refused, VerificationFailed
from tests.enclave.world import SUBJECT, Enclave, admitted, start


def opened(enclave: Enclave, end: channel.End) -> tuple[Kept, Hello]:
    return hello(end, enclave.binding, enclave.evidence.digest(), os.urandom)


def finished(kept: Kept, theirs: Hello, peer: Enclave, signature: bytes) -> Keys:
    """What a side does with the other's hello, evidence and signature."""
    seen = admitted(peer) if peer.binding.subject == SUBJECT else unchecked(peer)
    return finish(kept, theirs, peer.evidence.digest(), seen, signature)


def unchecked(peer: Enclave) -> Admitted:
    """As if another policy had admitted it: what the channel itself must refuse."""
    usual = admitted(start())
    return replace(usual, binding=peer.binding)


def test_both_ends_have_the_same_keys() -> None:
    one, other = start(), start()
    kept, first = opened(one, "caller")
    also, second = opened(other, "called")
    mine = finished(kept, second, other, sign(also, first, other.signing))
    theirs = finished(also, first, one, sign(kept, second, one.signing))
    assert (mine.send, mine.receive) == (theirs.receive, theirs.send)
    assert mine.transcript == theirs.transcript
    assert len({mine.send, mine.receive, mine.tag, mine.due}) == 4
    mine.confirm(theirs.tag)
    theirs.confirm(mine.tag)
    with pytest.raises(VerificationFailed, match="other keys"):
        mine.confirm(mine.tag)
    assert mine.send.hex() not in repr(mine)


def test_ones_own_messages_come_back() -> None:
    one = start()
    kept, first = opened(one, "caller")
    mirrored = replace(first, end="called")
    for reflected in (first, mirrored):
        with pytest.raises(VerificationFailed, match="its own message came back"):
            sign(kept, reflected, one.signing)
        with pytest.raises(VerificationFailed, match="its own message came back"):
            finished(kept, reflected, one, b"")
    with pytest.raises(VerificationFailed, match="its own message came back"):
        finished(kept, opened(one, "called")[1], one, b"")


def test_control_without_the_look_at_ends_a_mirror_is_taken_for_a_peer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = start()
    kept, first = opened(one, "caller")
    mirrored = replace(first, end="called")
    monkeypatch.setattr(channel, "_check_ends", lambda *_: None)
    as_peer = channel._signed("called", channel._transcript(first, mirrored))
    keys = finished(kept, mirrored, one, one.signing.sign(as_peer))
    assert len(keys.send) == 32


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"subject": replace(SUBJECT, policy=bytes(32))}, "another policy"),
        ({"subject": replace(SUBJECT, plan=bytes(32))}, "another plan"),
        ({"subject": replace(SUBJECT, roster=bytes(32))}, "another group"),
        ({"approvals": bytes(32)}, "another group, or on other approvals"),
        ({"run": 2}, "another run"),
    ],
)
def test_an_enclave_that_is_bound_to_something_else(changes: dict[str, Any], why: str) -> None:
    one, other = start(), start(**changes)
    kept, first = opened(one, "caller")
    also, second = opened(other, "called")
    with pytest.raises(Refused, match=why):
        finish(
            kept,
            second,
            other.evidence.digest(),
            unchecked(other),
            sign(also, first, other.signing),
        )


def test_a_relay_in_the_middle() -> None:
    """Its own fresh key under another's evidence, another's signature, another exchange's."""
    one, other, third = start(), start(), start()
    kept, first = opened(one, "caller")
    also, second = opened(other, "called")
    good = sign(also, first, other.signing)
    swapped = replace(second, ephemeral=opened(third, "called")[1].ephemeral)
    old = sign(also, opened(one, "caller")[1], other.signing)
    by_other = sign(also, first, third.signing)
    for theirs, signature in ((swapped, good), (second, old), (second, by_other), (second, b"")):
        with pytest.raises(VerificationFailed, match="did not sign this exchange"):
            finished(kept, theirs, other, signature)
    with pytest.raises(VerificationFailed, match="evidence of something else"):
        finished(kept, second, third, good)


def test_control_without_the_signature_the_relay_has_the_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other, relay = start(), start(), start()
    kept, first = opened(one, "caller")
    _, second = opened(other, "called")
    in_between, its = opened(relay, "called")
    swapped = replace(second, ephemeral=its.ephemeral)
    monkeypatch.setattr(channel, "verify_by", lambda *_: None)
    believed = finished(kept, swapped, other, b"")
    relay_kept = Kept(swapped, in_between.secret)
    held = finish(relay_kept, first, one.evidence.digest(), admitted(one), b"")
    assert held.receive == believed.send


def test_roles_that_were_swapped_on_the_way() -> None:
    one, other = start(), start()
    kept, first = opened(one, "caller")
    also, second = opened(other, "caller")
    with pytest.raises(VerificationFailed):
        sign(also, first, other.signing)
    as_called = Kept(replace(second, end="called"), also.secret)
    signature = sign(as_called, first, other.signing)
    with pytest.raises(Error):
        finished(kept, second, other, signature)


def test_a_fresh_key_that_is_none() -> None:
    one, other = start(), start()
    kept, first = opened(one, "caller")
    also, second = opened(other, "called")
    zero = Kept(replace(second, ephemeral=bytes(32)), also.secret)
    with pytest.raises(VerificationFailed, match="no key"):
        finished(kept, zero.hello, other, sign(zero, first, other.signing))
