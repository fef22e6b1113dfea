"""Sealed state: an old copy, a fork and another program's are refused; members are the counter."""

import os
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from quorate.enclave import state
from quorate.enclave.state import (
    Head,
    Place,
    SealedState,
    SignedWitness,
    follow,
    open_state,
    require_first,
    seal_state,
    witness,
)
from quorate.errors import Refused, VerificationFailed
from tests.enclave.world import KEYS, NAMES, OWNERS

KEY = bytes(range(32))
NONCE = b"n" * 32
FIRST = seal_state(KEY, Place(b"plan", b"program", 0, b""), b"count 0", os.urandom)


def after(last: SealedState, content: bytes) -> SealedState:
    place = replace(last.place, epoch=last.place.epoch + 1, previous=last.head().state)
    return seal_state(KEY, place, content, os.urandom)


SECOND = after(FIRST, b"count 1")


def say(sealed: SealedState, names: tuple[str, ...] = NAMES) -> tuple[SignedWitness, ...]:
    return tuple(witness(KEYS[name], name, sealed.head(), NONCE) for name in names)


def opened(sealed: SealedState, witnesses: tuple[SignedWitness, ...], quorum: int = 2) -> bytes:
    return open_state(KEY, sealed, OWNERS, quorum, witnesses, NONCE)


def test_the_newest_state_opens() -> None:
    assert opened(FIRST, say(FIRST)) == b"count 0"
    assert opened(SECOND, say(SECOND, NAMES[:2])) == b"count 1"
    assert follow(follow(None, FIRST), SECOND) == SECOND.head() == follow(SECOND.head(), SECOND)


def test_a_state_that_was_rolled_back() -> None:
    with pytest.raises(Refused, match="0 members of 2"):
        opened(FIRST, say(SECOND))
    with pytest.raises(Refused, match="1 members of 2"):  # one member was restored from a copy
        opened(FIRST, (*say(FIRST, NAMES[:1]), *say(SECOND, NAMES[1:])))
    with pytest.raises(Refused, match="rolled back, or forked"):
        follow(SECOND.head(), FIRST)


def test_control_without_members_an_old_state_opens() -> None:
    """The platform's key alone opens it: sealing does not tell old from new."""
    cipher = ChaCha20Poly1305(KEY)
    assert cipher.decrypt(FIRST.nonce, FIRST.box, state._about(FIRST.place)) == b"count 0"


def test_two_enclaves_from_one_state() -> None:
    fork = after(FIRST, b"another count")
    with pytest.raises(Refused, match="rolled back, or forked"):
        follow(SECOND.head(), fork)
    with pytest.raises(Refused):
        opened(fork, (*say(fork, NAMES[:1]), *say(SECOND, NAMES[1:])))


def test_words_of_yesterday_of_strangers_or_said_twice() -> None:
    old = tuple(witness(KEYS[name], name, FIRST.head(), b"o" * 32) for name in NAMES)
    stranger = witness(KEYS["north"], "east", FIRST.head(), NONCE)
    once = say(FIRST, NAMES[:1])
    for words in (old, (*once, stranger), once * 3, ()):
        with pytest.raises(Refused, match="members of 2"):
            opened(FIRST, words)
    forged = witness(KEYS["north"], "south", FIRST.head(), NONCE)
    with pytest.raises(VerificationFailed, match="in the name of south"):
        opened(FIRST, (*once, forged))


def test_control_without_the_nonce_words_of_yesterday_bring_an_old_state_back() -> None:
    yesterday = say(FIRST)
    assert open_state(KEY, FIRST, OWNERS, 2, yesterday, NONCE) == b"count 0"


def say_none(names: tuple[str, ...] = NAMES, nonce: bytes = NONCE) -> tuple[SignedWitness, ...]:
    return tuple(witness(KEYS[name], name, None, nonce) for name in names)


def test_a_state_that_its_host_dropped() -> None:
    """One member was restored from a copy of before, and knows of none."""
    require_first(OWNERS, 2, say_none(NAMES[:2]), NONCE)
    for words in ((*say_none(NAMES[:1]), *say(FIRST, NAMES[1:])), say_none(nonce=b"o" * 32), ()):
        with pytest.raises(Refused, match="members of 2 say that there is no state yet"):
            require_first(OWNERS, 2, words, NONCE)
    with pytest.raises(Refused, match="members of 2 say that this state is the newest"):
        opened(FIRST, say_none())


def test_control_of_a_dropped_state_members_that_forgot_let_the_count_start_anew() -> None:
    require_first(OWNERS, 2, (*say_none(NAMES[:2]), *say(SECOND, NAMES[2:])), NONCE)
    again = seal_state(KEY, FIRST.place, b"count 0", os.urandom)
    assert follow(None, again) == again.head()


@pytest.mark.parametrize("quorum", [0, 1, 4])
def test_quorums_that_do_not_overlap(quorum: int) -> None:
    with pytest.raises(Refused, match="could name two states"):
        require_first(OWNERS, quorum, say_none(), NONCE)
    with pytest.raises(Refused, match="could name two states"):
        opened(FIRST, say(FIRST), quorum)


def test_another_key_place_or_content() -> None:
    moved = replace(FIRST, place=replace(FIRST.place, plan=b"other"))
    altered = replace(FIRST, box=bytes([FIRST.box[0] ^ 1]) + FIRST.box[1:])
    for bad in (moved, altered):
        with pytest.raises(VerificationFailed, match="does not open"):
            opened(bad, say(bad))
    with pytest.raises(VerificationFailed, match="does not open"):
        open_state(bytes(32), FIRST, OWNERS, 2, say(FIRST), NONCE)


def test_a_history_begins_at_0_and_is_of_one_plan() -> None:
    with pytest.raises(Refused, match="not numbered 0"):
        follow(None, SECOND)
    other: Head = replace(FIRST.head(), plan=b"other")
    with pytest.raises(Refused, match="another plan or program"):
        follow(other, SECOND)
