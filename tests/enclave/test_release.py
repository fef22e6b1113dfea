"""Rows leave for the enclave that was approved, attested and is bound to this run, and once."""

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from quorate.enclave import approvals as approvals_module
from quorate.enclave import binding as binding_module
from quorate.enclave import rows as rows_module
from quorate.enclave.approvals import SignedWord, require_approvals, sign_word
from quorate.enclave.binding import Nonce, admit, check_binding
from quorate.enclave.measure import of_bytes
from quorate.enclave.rows import SignedParcel, open_rows, seal_rows
from quorate.errors import Error, Refused, VerificationFailed
from tests.enclave.pki import NOW
from tests.enclave.world import (
    FILES,
    KEYS,
    NAMES,
    OWNERS,
    SUBJECT,
    WORDS,
    Enclave,
    admitted,
    expected,
    nonces,
    once,
    policy,
    start,
    word,
)

ROWS = (b"age 58\n" * 100, b"", b"age 71\n")


def sent(enclave: Enclave, name: str = "north") -> tuple[SignedParcel, tuple[bytes, ...]]:
    return seal_rows(admitted(enclave, name), name, KEYS[name], ROWS, os.urandom, once())


def test_rows_of_every_owner_arrive_whole_under_one_quote() -> None:
    enclave = start()
    for owner in OWNERS:
        parcel, sealed = sent(enclave, owner.name)
        assert open_rows(enclave.binding, enclave.sealing, owner, parcel, sealed) == ROWS
        assert [len(each) for each in sealed] == [len(each) + 16 for each in ROWS]


def test_an_enclave_whose_code_differs_by_a_byte_gets_nothing() -> None:
    changed = (*FILES[1:], of_bytes("wheel", "quorate.whl", b"wheel of quoratf"))
    with pytest.raises(Refused, match="measurement failed"):
        admitted(start(changed))


def test_control_under_a_policy_for_the_changed_code_it_is_admitted() -> None:
    """So it is the measurement that refuses it: all else about it is right."""
    changed = (*FILES[1:], of_bytes("wheel", "quorate.whl", b"wheel of quoratf"))
    subject = replace(SUBJECT, policy=policy(changed).digest())
    enclave = start(changed, subject=subject)
    wanted = expected(enclave, subject=subject)
    admit(enclave.evidence, enclave.binding, wanted, policy(changed), NOW)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"role": "dealer"}, "another role"),
        ({"subject": replace(SUBJECT, plan=bytes(32))}, "another plan"),
        ({"subject": replace(SUBJECT, policy=bytes(32))}, "another policy"),
        ({"subject": replace(SUBJECT, roster=bytes(32))}, "another roster"),
        ({"subject": replace(SUBJECT, program=bytes(32))}, "another program"),
        ({"approvals": bytes(32)}, "another approvals"),
        ({"run": 2}, "another run"),
        ({"sealing_key": b""}, "not of their length"),
        ({"nonces": tuple(reversed(nonces()))}, "not one of each"),
        ({"nonces": (*nonces(), nonces()[-1])}, "not one of each"),
    ],
)
def test_a_quote_bound_to_anything_else(changes: dict[str, Any], why: str) -> None:
    enclave = start(**changes)
    with pytest.raises(Refused, match=why):
        admitted(enclave)


def test_a_quote_that_was_made_for_another_owner_or_before() -> None:
    enclave, later = start(), start()
    for nonce in (os.urandom(32), expected(enclave, "south").nonce, b""):
        wanted = expected(enclave, nonce=nonce)
        with pytest.raises(Refused, match="not fresh"):
            admit(enclave.evidence, enclave.binding, wanted, policy(), NOW)
    with pytest.raises(Refused, match="not fresh"):  # the old evidence is shown again
        admit(enclave.evidence, enclave.binding, expected(later), policy(), NOW)


def test_control_without_the_nonce_old_evidence_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    enclave, later = start(), start()
    monkeypatch.setattr(binding_module, "check_binding", lambda *_: None)
    taken = admit(enclave.evidence, enclave.binding, expected(later), policy(), NOW)
    assert taken.binding == enclave.binding


def test_keys_that_the_quote_does_not_vouch_for() -> None:
    enclave, host = start(), start()
    swapped = replace(enclave.binding, sealing_key=host.binding.sealing_key)
    with pytest.raises(Refused, match="report-data failed"):
        admit(enclave.evidence, swapped, expected(enclave), policy(), NOW)


def test_control_a_quote_over_the_hosts_key_is_admitted_if_the_enclave_makes_it() -> None:
    host = start()
    enclave = start(sealing_key=host.binding.sealing_key)
    assert admitted(enclave).binding.sealing_key == host.binding.sealing_key


def test_a_policy_that_was_changed_after_the_approval() -> None:
    enclave = start()
    laxer = replace(policy(), references=(replace(policy().references[0], min_evaluation=1),))
    with pytest.raises(Refused, match="not the one that was approved"):
        admit(enclave.evidence, enclave.binding, expected(enclave), laxer, NOW)


def test_rows_leave_once_for_a_run() -> None:
    enclave, claim = start(), once()
    seal_rows(admitted(enclave), "north", KEYS["north"], ROWS, os.urandom, claim)
    again = start()  # restarted: other keys, the same run
    with pytest.raises(Refused, match="have left for this run"):
        seal_rows(admitted(again), "north", KEYS["north"], ROWS, os.urandom, claim)


def test_control_without_a_memory_of_what_left_a_second_enclave_gets_the_rows() -> None:
    for enclave in (start(), start()):
        parcel, sealed = seal_rows(
            admitted(enclave), "north", KEYS["north"], ROWS, os.urandom, lambda _: True
        )
        assert open_rows(enclave.binding, enclave.sealing, OWNERS[0], parcel, sealed) == ROWS


def test_rows_in_anothers_name_altered_moved_or_cut() -> None:
    enclave, other = start(), start()
    parcel, sealed = sent(enclave)
    flipped = bytes([sealed[0][0] ^ 1]) + sealed[0][1:]

    def refused(signed: SignedParcel, pieces: tuple[bytes, ...], into: Enclave = enclave) -> None:
        with pytest.raises(VerificationFailed):
            open_rows(into.binding, into.sealing, OWNERS[0], signed, pieces)

    for pieces in ((flipped, *sealed[1:]), sealed[::-1], sealed[:-1], (*sealed, sealed[0]), ()):
        refused(parcel, pieces)
    refused(parcel, sealed, other)
    refused(*sent(enclave, "south"))
    mine = KEYS["south"].sign(rows_module._signed(parcel.parcel))
    refused(replace(parcel, signature=mine), sealed)
    shorter = replace(parcel.parcel, pieces=2)
    refused(SignedParcel(shorter, KEYS["north"].sign(rows_module._signed(shorter))), sealed[:2])
    other_rows = replace(parcel.parcel, commitment=bytes(32))
    signed = SignedParcel(other_rows, KEYS["north"].sign(rows_module._signed(other_rows)))
    refused(signed, sealed)


def test_control_without_the_owners_signature_anyone_sends_rows_in_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enclave = start()
    forged, sealed = seal_rows(
        admitted(enclave), "north", KEYS["south"], (b"made up",), os.urandom, once()
    )
    with pytest.raises(VerificationFailed, match="not signed by it"):
        open_rows(enclave.binding, enclave.sealing, OWNERS[0], forged, sealed)
    monkeypatch.setattr(rows_module, "verify_by", lambda *_: None)
    rows = open_rows(enclave.binding, enclave.sealing, OWNERS[0], forged, sealed)
    assert rows == (b"made up",)


def test_no_secret_is_in_what_is_sent_or_shown() -> None:
    enclave = start()
    parcel, sealed = sent(enclave)
    assert b"age" not in b"".join(sealed) + repr(parcel).encode()


# Approvals


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (WORDS[:2], "west"),
        ((), "north, south, west"),
        ((*WORDS, word("south", word="withdraw")), "south"),
        ((word("south", word="withdraw"), *WORDS), "south"),
        ((*WORDS[:2], word("west", expires=NOW)), "west"),
        ((*WORDS[:2], word("west", subject=replace(SUBJECT, policy=bytes(32)))), "west"),
        ((*WORDS[:2], word("west", subject=replace(SUBJECT, program=bytes(32)))), "west"),
        ((*WORDS[:2], word("west", runs=0)), "west"),
    ],
)
def test_approvals_that_are_missing_withdrawn_over_or_of_something_else(
    words: tuple[SignedWord, ...], missing: str
) -> None:
    with pytest.raises(Refused, match=f"by {missing}$"):
        require_approvals(OWNERS, SUBJECT, words, NOW, 1)


def test_standing_approvals_of_all() -> None:
    assert require_approvals(OWNERS, SUBJECT, reversed(WORDS), NOW, 1) == WORDS
    with pytest.raises(Refused, match="north, south, west"):
        require_approvals(OWNERS, SUBJECT, WORDS, NOW, 2)  # a second run
    with pytest.raises(Refused):
        require_approvals(OWNERS, SUBJECT, WORDS, NOW + timedelta(days=2), 1)
    with pytest.raises(Refused, match="by anybody"):
        require_approvals((), SUBJECT, WORDS, NOW, 1)


def test_an_approval_in_anothers_name() -> None:
    forged = sign_word(KEYS["north"], word("west").approval)
    with pytest.raises(VerificationFailed, match="in the name of west"):
        require_approvals(OWNERS, SUBJECT, (*WORDS[:2], forged), NOW, 1)


def test_control_without_signatures_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    forged = sign_word(KEYS["north"], word("west").approval)
    monkeypatch.setattr(approvals_module, "verify_by", lambda *_: None)
    assert require_approvals(OWNERS, SUBJECT, (*WORDS[:2], forged), NOW, 1)


def test_a_binding_names_every_owner() -> None:
    enclave = start(nonces=(Nonce("north", os.urandom(32)),))
    check_binding(enclave.binding, expected(enclave))
    for name in NAMES[1:]:
        wanted = replace(expected(enclave), name=name)
        with pytest.raises(Error, match="not fresh"):
            check_binding(enclave.binding, wanted)
