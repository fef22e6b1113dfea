"""A result's origin, checked later: was valid then, would pass today, and what to believe."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.enclave import receipt as receipts
from quorate.enclave.approvals import Owner, approvals_digest, require_approvals, sign_word
from quorate.enclave.receipt import (
    Archive,
    Intake,
    Receipt,
    check_receipt,
    sign_receipt,
    watermark,
)
from quorate.errors import VerificationFailed
from tests.enclave.pki import NOW
from tests.enclave.world import OWNERS, SUBJECT, WORDS, Enclave, policy, start, word

RESULT = b"R" * 32
ENCLAVE = start()


def archived(enclave: Enclave = ENCLAVE) -> Archive:
    said = Receipt(
        enclave.binding, (Intake("north", bytes(32), 70),), RESULT, watermark("simulated")
    )
    signed = sign_receipt(enclave.signing, said)
    return Archive(signed, enclave.evidence, policy(), WORDS, NOW)


def test_valid_then_and_today() -> None:
    verdict = check_receipt(archived(), RESULT, OWNERS, NOW + timedelta(hours=1))
    assert (verdict.was_valid, verdict.passes_today) == ("", "")
    assert verdict.watermark == "SIMULATED - NO CONFIDENTIALITY"
    assert any("did not look" in each for each in verdict.believe)


@pytest.mark.parametrize(
    ("days", "why"),
    [(8, "no standing approval"), (40, "no standing approval"), (0, "")],
)
def test_valid_then_and_not_today(days: int, why: str) -> None:
    verdict = check_receipt(archived(), RESULT, OWNERS, NOW + timedelta(days=days))
    assert not verdict.was_valid
    assert verdict.passes_today.startswith(why)
    assert bool(verdict.passes_today) == bool(why)


def test_collateral_that_has_grown_old_since() -> None:
    long = tuple(word(owner.name, expires=NOW + timedelta(days=999)) for owner in OWNERS)
    enclave = start(approvals=approvals_digest(long))
    archive = replace(archived(enclave), approvals=long)
    stale = check_receipt(archive, RESULT, OWNERS, NOW + timedelta(days=8))
    over = check_receipt(archive, RESULT, OWNERS, NOW + timedelta(days=31))
    assert (stale.was_valid, over.was_valid) == ("", "")
    assert "collateral-age failed" in stale.passes_today
    assert "not valid after" in over.passes_today


def test_never_valid_though_it_says_when() -> None:
    early = replace(archived(), accepted=NOW - timedelta(days=3))
    assert "not valid before" in check_receipt(early, RESULT, OWNERS, NOW).was_valid


def test_what_is_no_receipt_for_this_result() -> None:
    good = archived()
    said = good.signed.receipt
    unmarked = sign_receipt(ENCLAVE.signing, replace(said, watermark=""))
    laxer = replace(policy(), references=(replace(policy().references[0], min_evaluation=1),))
    for archive, result, why in (
        (good, bytes(32), "another result"),
        (replace(good, signed=unmarked), RESULT, "hides"),
        (replace(good, signed=replace(good.signed, receipt=replace(said, result=bytes(32)))),
         bytes(32), "not signed by the enclave"),
        (replace(good, policy=laxer), RESULT, "another policy"),
        (replace(good, approvals=WORDS[:2]), RESULT, "other approvals"),
    ):  # fmt: skip
        with pytest.raises(VerificationFailed, match=why):
            check_receipt(archive, result, OWNERS, NOW)


def test_control_without_the_signature_any_result_has_a_receipt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = archived()
    forged = replace(good.signed, receipt=replace(good.signed.receipt, result=bytes(32)))
    monkeypatch.setattr(receipts, "verify_by", lambda *_: None)
    assert not check_receipt(replace(good, signed=forged), bytes(32), OWNERS, NOW).was_valid


STRANGER = Ed25519PrivateKey.generate()
STRANGERS = (Owner("north", STRANGER.public_key().public_bytes_raw()),)


def made_up() -> Archive:
    """A whole archive by who is nobody's owner: its own enclave, approval and result."""
    words = (sign_word(STRANGER, word("north").approval),)
    enclave = start(approvals=approvals_digest(words))
    return replace(archived(enclave), approvals=words)


def test_a_receipt_that_strangers_made_up() -> None:
    with pytest.raises(VerificationFailed, match="in the name of north"):
        require_approvals(OWNERS, SUBJECT, made_up().approvals, NOW, 1)
    assert "in the name of north" in check_receipt(made_up(), RESULT, OWNERS, NOW).was_valid


def test_control_under_owners_that_it_brings_along_it_is_valid() -> None:
    assert not check_receipt(made_up(), RESULT, STRANGERS, NOW).was_valid


def test_evidence_of_another_enclave_vouches_for_nothing() -> None:
    other = replace(archived(), evidence=start().evidence)
    assert "report-data failed" in check_receipt(other, RESULT, OWNERS, NOW).was_valid


def test_an_owner_that_did_not_build_it_itself_is_named() -> None:
    words = (*WORDS[:2], word("west", rebuilt=False))
    enclave = start(approvals=approvals_digest(words))
    verdict = check_receipt(replace(archived(enclave), approvals=words), RESULT, OWNERS, NOW)
    assert "west approved a measurement it did not rebuild" in verdict.believe


def test_an_archive_is_one_record() -> None:
    archive = archived()
    assert wire.decode(wire.encode(archive), Archive) == archive
