"""Secrets at rest: opened by their passphrase only, under their own name only."""

import os
from dataclasses import replace

import pytest

from quorate import wire
from quorate.errors import MalformedMessage, Refused, VerificationFailed
from quorate.node.quorum.vault import Lock, Vault, lock, make_vault, unlock

WORDS = "a passphrase for tests"
LOCK, VAULT = make_vault(WORDS, os.urandom)
SEALED = VAULT.seal("share 1", b"secret")


def test_a_vault_opens_with_its_passphrase() -> None:
    opened = unlock(wire.decode(wire.encode(LOCK), Lock), WORDS, os.urandom)
    assert opened.unseal("share 1", SEALED) == b"secret"
    assert opened.key.hex() not in repr(opened)
    assert opened.key not in wire.encode(LOCK)


def test_with_no_other_passphrase() -> None:
    for wrong in ("A passphrase for tests", "", WORDS + " "):
        with pytest.raises(Refused, match="passphrase is wrong"):
            unlock(LOCK, wrong, os.urandom)


def test_a_new_passphrase_opens_what_was_sealed_under_the_old_one() -> None:
    relocked = lock(VAULT, "another passphrase")
    assert unlock(relocked, "another passphrase", os.urandom).unseal("share 1", SEALED) == b"secret"
    with pytest.raises(Refused):
        unlock(relocked, WORDS, os.urandom)


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(Refused, match="shorter than 8"):
        make_vault("seven77", os.urandom)


@pytest.mark.parametrize(
    ("name", "sealed"),
    [
        ("share 2", SEALED),
        ("share 1", SEALED[:-1]),
        ("share 1", SEALED[:5]),
        ("share 1", bytes([SEALED[0] ^ 1]) + SEALED[1:]),
        ("share 1", SEALED[:-1] + bytes([SEALED[-1] ^ 1])),
    ],
    ids=["moved", "short", "no nonce", "nonce", "tag"],
)
def test_what_was_moved_or_altered_does_not_open(name: str, sealed: bytes) -> None:
    with pytest.raises(VerificationFailed):
        VAULT.unseal(name, sealed)


def test_another_vault_opens_nothing() -> None:
    with pytest.raises(VerificationFailed):
        Vault(os.urandom(32), os.urandom).unseal("share 1", SEALED)


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    assert VAULT.seal("share 1", b"secret") != SEALED


@pytest.mark.parametrize(
    "hostile",
    [
        replace(LOCK, memory_kib=1 << 30),
        replace(LOCK, memory_kib=1),
        replace(LOCK, passes=0),
        replace(LOCK, passes=1 << 20),
        replace(LOCK, lanes=0),
        replace(LOCK, lanes=1 << 20),
        replace(LOCK, salt=b""),
    ],
)
def test_a_lock_made_to_exhaust_the_machine_is_refused(hostile: Lock) -> None:
    with pytest.raises(MalformedMessage):
        unlock(hostile, WORDS, os.urandom)
