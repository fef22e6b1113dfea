"""SEV-SNP, Nitro and TPM under generated roots: changed, foreign, old and revoked is refused."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.enclave import amd as amd_module
from quorate.enclave import der, snp
from quorate.enclave import nitro as nitro_module
from quorate.enclave import tpm as tpm_module
from quorate.enclave.anchors import PRODUCTION, Anchors
from quorate.enclave.certificates import fingerprint
from quorate.enclave.claims import Claims, Outcome
from quorate.enclave.evidence import AmdChain, Evidence, Register, TpmParts
from quorate.enclave.verify import verify
from quorate.errors import MalformedMessage, VerificationFailed
from tests.enclave.pki import BOUND, NOW, PROGRAM, Amd, Nitro, Tpm

AMD, NITRO, TPM = Amd(), Nitro(), Tpm()
CHAIN = AMD.chain()
ROOT = NITRO.certificate(ca=True)
DOCUMENT = NITRO.document(ROOT)
REGISTERS = {11: PROGRAM, 14: sha256(b"plan").digest()}
QUOTED = TPM.evidence(REGISTERS)
REFUSED = (VerificationFailed, MalformedMessage)


def nitro_anchor() -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return fingerprint(ROOT.public_bytes(Encoding.DER))


def parts(evidence: Evidence) -> TpmParts:
    assert evidence.tpm is not None
    return evidence.tpm


ANCHORS: Anchors = replace(
    PRODUCTION,
    amd=(fingerprint(CHAIN.ark),),
    aws=nitro_anchor(),
    keys=(fingerprint(parts(QUOTED).key),),
)


def report(data: bytes | None = None, chain: AmdChain = CHAIN, **changes: Any) -> Claims:
    evidence = Evidence("snp", data or AMD.report(**changes), amd=chain)
    return verify(evidence, NOW, ANCHORS)


def document(data: bytes = DOCUMENT) -> Claims:
    return verify(Evidence("nitro", data), NOW, ANCHORS)


def test_each_platform_says_what_was_put_into_it() -> None:
    said = report()
    assert (said.value("measurement"), said.report_data) == (PROGRAM + bytes(16), BOUND)
    assert (said.debug, said.number("vmpl"), said.number("microcode")) == (False, 0, 115)
    assert (document().value("pcr0"), document().report_data) == (b"\1" * 48, BOUND)
    tpm = verify(QUOTED, NOW, ANCHORS)
    assert (tpm.value("pcr11"), tpm.report_data) == (PROGRAM, BOUND)


def test_roots_of_ones_own_are_nobodys() -> None:
    for evidence in (Evidence("snp", AMD.report(), amd=CHAIN), Evidence("nitro", DOCUMENT), QUOTED):
        with pytest.raises(VerificationFailed, match=r"pinned root|nobody named"):
            verify(evidence, NOW)
        verify(evidence, NOW, ANCHORS)


def test_every_signed_byte_of_a_report_counts() -> None:
    good = AMD.report()
    for at in [*range(0, 0x2A0, 3), *range(0x2A0, len(good), 7)]:
        bad = bytearray(good)
        bad[at] ^= 1
        with pytest.raises(REFUSED):
            report(bytes(bad))


def test_control_without_the_signature_another_measurement_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forged = AMD.report().replace(PROGRAM, bytes(32))
    with pytest.raises(VerificationFailed, match="signature of the report"):
        report(forged)
    monkeypatch.setattr(amd_module, "verify_ecdsa", lambda *_: None)
    assert report(forged).value("measurement") == bytes(48)


@pytest.mark.parametrize("part", ["vek", "ask", "ark"])
def test_every_part_of_a_chain_of_amds_counts(part: str) -> None:
    good: bytes = getattr(CHAIN, part)
    for at in range(0, len(good), 5):
        bad = bytearray(good)
        bad[at] ^= 1
        changed: dict[str, Any] = {part: bytes(bad)}
        with pytest.raises(REFUSED):
            report(chain=replace(CHAIN, **changed))


@pytest.mark.parametrize(
    ("vek", "changes", "why"),
    [
        ({"tcb": (3, 0, 8, 116)}, {}, "another state of the firmware"),
        ({"chip": b"\7" * 64}, {}, "another chip"),
        ({"chip": None}, {}, "another chip"),
        ({"product": b"Rome"}, {}, "not known here"),
        ({"name": "SEV-VLEK", "chip": None}, {}, "another kind of key"),
        ({}, {"key": 1}, "another kind of key"),
        ({"name": "SEV-Other"}, {}, "no key that signs reports"),
    ],
)
def test_a_report_must_be_of_what_its_key_is_for(
    vek: dict[str, Any], changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(VerificationFailed, match=why):
        report(chain=replace(CHAIN, vek=AMD.leaf(**vek)), **changes)


def test_a_report_under_a_providers_key() -> None:
    chain = replace(CHAIN, vek=AMD.leaf("SEV-VLEK", chip=None))
    assert report(chain=chain, key=1, chip=bytes(64)).flag("provider-key")


@pytest.mark.parametrize(
    "changes", [{"version": 1}, {"version": 6}, {"vmpl": 4}, {"policy": 0}, {"key": 7}]
)
def test_a_report_of_another_form(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        report(**changes)
    with pytest.raises(MalformedMessage, match="1184 are due"):
        report(AMD.report() + b"\0")


def test_versions_stand_elsewhere_from_turin_on() -> None:
    reported = bytes((1, 2, 3, 4, 0, 0, 0, 5))
    assert snp.firmware_of(reported, "Turin") == snp.Firmware(2, 3, 4, 5, 1)
    assert snp.firmware_of(reported, "Genoa") == snp.Firmware(1, 2, 0, 5)


def test_amds_authority_that_was_taken_back() -> None:
    fine = replace(CHAIN, crl=AMD.revoked())
    checked = {each.name: each.outcome for each in report(chain=fine).checked}
    assert checked == {"revocation": Outcome.PASS}
    with pytest.raises(VerificationFailed, match="took its authority back"):
        report(chain=replace(CHAIN, crl=AMD.revoked(0x10001)))
    with pytest.raises(VerificationFailed, match="not signed by its root"):
        report(chain=replace(CHAIN, crl=Amd().revoked()))


def test_control_where_no_list_comes_it_is_believed_and_not_assessed() -> None:
    checked = {each.name: each.outcome for each in report().checked}
    assert checked == {"revocation": Outcome.NOT_ASSESSED}


@pytest.mark.parametrize("days", [-10, 100])
def test_a_chain_of_amds_outside_its_time(days: int) -> None:
    evidence = Evidence("snp", AMD.report(), amd=CHAIN)
    with pytest.raises(VerificationFailed, match="not valid"):
        verify(evidence, NOW + timedelta(days=days), ANCHORS)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_certificate(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        amd_module.read(data)


@pytest.mark.parametrize("text", ["", "0203", "300080", "30810100", "30840000000100", "3f8100"])
def test_der_in_another_spelling(text: str) -> None:
    with pytest.raises(MalformedMessage):
        der.one(bytes.fromhex(text))


# Nitro


def test_every_byte_of_a_document_counts() -> None:
    for at in range(0, len(DOCUMENT), 3):
        bad = bytearray(DOCUMENT)
        bad[at] ^= 1
        with pytest.raises(REFUSED):
            document(bytes(bad))
    with pytest.raises(MalformedMessage, match="after the end"):
        document(DOCUMENT + b"\0")


def test_control_without_the_signature_another_document_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forged = DOCUMENT.replace(b"\1" * 48, b"\7" * 48)
    with pytest.raises(VerificationFailed, match="signature of the document"):
        document(forged)
    monkeypatch.setattr(nitro_module, "verify_ecdsa", lambda *_: None)
    assert document(forged).value("pcr0") == b"\7" * 48


def test_a_document_in_debug_mode_has_a_good_signature() -> None:
    assert document(NITRO.document(ROOT, pcrs={0: bytes(48)})).debug
    assert document(NITRO.document(ROOT, pcrs={1: b"\1" * 48})).debug


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": "SHA256"},
        {"pcrs": {0: b"\1" * 47}},
        {"pcrs": {99: b"\1" * 48}},
        {"cabundle": []},
        {"cabundle": [b"\0"]},
        {"certificate": b""},
        {"timestamp": -1},
        {"timestamp": 1 << 60},
        {"more": 1},
        {"module_id": cbor2.CBORTag(37, bytes(16))},
    ],
)
def test_a_document_of_another_form(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        document(NITRO.document(ROOT, **changes))


def test_a_document_that_is_old_or_of_tomorrow() -> None:
    evidence = Evidence("nitro", DOCUMENT)
    with pytest.raises(VerificationFailed, match="not valid after"):
        verify(evidence, NOW + timedelta(hours=4), ANCHORS)
    later = int((NOW + timedelta(minutes=1)).timestamp() * 1000)
    with pytest.raises(VerificationFailed, match="a later time"):
        document(NITRO.document(ROOT, timestamp=later))


# TPM


def test_every_byte_of_a_tpms_quote_counts() -> None:
    for at in range(len(QUOTED.quote)):
        bad = bytearray(QUOTED.quote)
        bad[at] ^= 1
        with pytest.raises(REFUSED):
            verify(replace(QUOTED, quote=bytes(bad)), NOW, ANCHORS)


@pytest.mark.parametrize(
    "registers",
    [
        (Register(11, bytes(32)), Register(14, REGISTERS[14])),
        (Register(14, REGISTERS[14]), Register(11, PROGRAM)),
        (Register(11, PROGRAM),),
        (Register(11, PROGRAM + REGISTERS[14]), Register(14, b"")),
    ],
)
def test_other_registers_than_were_quoted(registers: tuple[Register, ...]) -> None:
    shown = replace(parts(QUOTED), registers=registers)
    with pytest.raises(REFUSED):
        verify(replace(QUOTED, tpm=shown), NOW, ANCHORS)


def test_control_without_the_digest_other_registers_are_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = replace(parts(QUOTED), registers=(Register(11, bytes(32)), Register(14, bytes(32))))
    monkeypatch.setattr(tpm_module, "_verify_registers", lambda *_: None)
    claims = verify(replace(QUOTED, tpm=shown), NOW, ANCHORS)
    assert claims.value("pcr11") == bytes(32)


def test_another_machines_key() -> None:
    with pytest.raises(VerificationFailed, match="nobody named"):
        verify(Tpm().evidence(REGISTERS), NOW, ANCHORS)


def test_what_a_key_signed_that_no_tpm_made() -> None:
    """A restricted key signs no text that begins as a TPM's own statements do."""
    other = QUOTED.quote[4:]
    with pytest.raises(MalformedMessage, match="not a quote that a TPM made"):
        tpm_module.parse(other)


def test_evidence_without_what_it_is_checked_with() -> None:
    for evidence in (Evidence("sgx", b""), Evidence("snp", b""), Evidence("tpm", b"")):
        with pytest.raises(MalformedMessage, match="without what it is checked with"):
            verify(evidence, NOW, ANCHORS)
