"""Quotes of SGX and TDX under generated roots: what is changed, old or foreign is refused."""

import os
import re
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.enclave import dcap, second
from quorate.enclave import quote as quotes
from quorate.enclave.anchors import PRODUCTION
from quorate.enclave.claims import Claims, Outcome
from quorate.enclave.collateral import IsvLevel, ModuleLevel, QeIdentity, TcbInfo, TdxModuleIdentity
from quorate.enclave.dcap import verify_dcap
from quorate.enclave.evidence import Collateral, Evidence, Kind
from quorate.enclave.simulation import (
    new_platform,
    qe_identity,
    revocations,
    sgx_report,
    tcb_info,
)
from quorate.enclave.verify import verify
from quorate.errors import MalformedMessage, VerificationFailed
from tests.enclave.pki import (
    BOUND,
    NOW,
    PROGRAM,
    intel_anchors,
    platform,
    simulated,
    td_info,
    td_report,
    tdx,
)

REFUSED = (VerificationFailed, MalformedMessage)


def ours(evidence: Evidence) -> Claims:
    assert evidence.intel is not None
    return verify_dcap(evidence.quote, evidence.intel, NOW, platform().anchor, evidence.kind)


def opinion(claims: Claims) -> Outcome:
    return next(each.outcome for each in claims.checked if each.name == second.NAME)


def intel(evidence: Evidence) -> Collateral:
    assert evidence.intel is not None
    return evidence.intel


def resigned(evidence: Evidence, info: TcbInfo | None, identity: QeIdentity | None) -> Evidence:
    """The same quote with other statements of the maker, properly signed."""
    collateral = platform().collateral(info or tcb_info(NOW), identity or qe_identity(NOW), NOW)
    return replace(evidence, intel=collateral)


def test_a_simulated_quote_says_what_was_put_into_it() -> None:
    claims = verify(simulated(), NOW, intel_anchors())
    assert (claims.value("mrenclave"), claims.report_data) == (PROGRAM, BOUND)
    assert claims.tcb is not None
    assert claims.tcb.status == "UpToDate"
    assert opinion(claims) is Outcome.PASS


@pytest.mark.parametrize("version", [4, 5])
def test_a_quote_of_tdx(version: int) -> None:
    claims = verify(tdx(td_report(), version), NOW, intel_anchors())
    assert claims.value("mrtd") == PROGRAM + bytes(16)
    assert claims.report_data == BOUND
    assert opinion(claims) is Outcome.PASS


def test_a_quote_of_tdx_15_with_a_service_domain() -> None:
    plain = verify(tdx(td_report(service=bytes(48)), 5), NOW, intel_anchors())
    assert (plain.flag("service-td"), opinion(plain)) == (False, Outcome.PASS)
    served = verify(tdx(td_report(service=b"\1" * 48), 5), NOW, intel_anchors())
    assert (served.flag("service-td"), opinion(served)) == (True, Outcome.FAIL)


def test_verification_takes_less_than_10_ms_of_this_processor() -> None:
    evidence = simulated()
    verify(evidence, NOW, intel_anchors())
    begin = time.process_time()
    for _ in range(10):
        verify(evidence, NOW, intel_anchors())
    assert (time.process_time() - begin) / 10 < 0.010


def test_every_byte_of_a_quote_counts() -> None:
    evidence = simulated()
    good = ours(evidence)
    begin = evidence.quote.index(b"-----BEGIN")
    for at in [*range(begin), *range(begin, len(evidence.quote), 11)]:
        bad = bytearray(evidence.quote)
        bad[at] ^= 1
        try:
            claims = ours(replace(evidence, quote=bytes(bad)))
        except REFUSED:
            continue
        # PEM has more than one spelling; what it says must be the same.
        assert at >= begin
        assert claims == good


def test_control_without_the_signature_another_report_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evidence = simulated()
    forged = evidence.quote.replace(PROGRAM, bytes(32))
    with pytest.raises(VerificationFailed, match="signature of the quote"):
        ours(replace(evidence, quote=forged))
    monkeypatch.setattr(dcap, "verify_ecdsa", lambda *_: None)
    assert ours(replace(evidence, quote=forged)).value("mrenclave") == bytes(32)


@pytest.mark.parametrize(
    "name",
    [
        "pck_crl_issuer_chain",
        "root_ca_crl",
        "pck_crl",
        "tcb_info_issuer_chain",
        "tcb_info",
        "tcb_info_signature",
        "qe_identity_issuer_chain",
        "qe_identity",
        "qe_identity_signature",
    ],
)
def test_every_part_of_the_collateral_counts(name: str) -> None:
    evidence = simulated()
    part: str | bytes = getattr(intel(evidence), name)
    middle = len(part) // 2
    if isinstance(part, str):
        other = "A" if part[middle] != "A" else "B"
        changed: str | bytes = part[:middle] + other + part[middle + 1 :]
    else:
        changed = part[:middle] + bytes([part[middle] ^ 1]) + part[middle + 1 :]
    altered: dict[str, Any] = {name: changed}
    with pytest.raises(REFUSED):
        ours(replace(evidence, intel=replace(intel(evidence), **altered)))
    empty: dict[str, Any] = {name: part[:0]}
    with pytest.raises(REFUSED):
        ours(replace(evidence, intel=replace(intel(evidence), **empty)))


CORPUS = (simulated(), simulated(sgx_report(PROGRAM, BOUND, attributes=7)), tdx(td_report(), 4))


STRICTER = re.compile(
    "does not end at the pinned root|not a chain of certificates|bytes after the quote"
    "|of the revocation list does not hold together|by another authority"
)
"""Why ours alone may refuse: the other takes the root from its own memory, not from the chains."""


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_both_verifiers_agree_on_whatever_is_altered(data: st.DataObject) -> None:
    """Cut, flipped or overwritten anywhere: what ours accepts, the other accepts, and alike."""
    evidence = data.draw(st.sampled_from(CORPUS))
    quote, collateral = evidence.quote, intel(evidence)
    names = ["quote", *Collateral.__dataclass_fields__]
    name = data.draw(st.sampled_from(names))
    part: str | bytes = quote if name == "quote" else getattr(collateral, name)
    raw = bytearray(part.encode() if isinstance(part, str) else part)
    at = data.draw(st.integers(0, len(raw) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "write", "none"])):
        case "flip":
            raw[at] ^= 1 << data.draw(st.integers(0, 6))
        case "cut":
            del raw[at:]
        case "write":
            raw[at : at + 4] = data.draw(st.binary(min_size=1, max_size=4))
    if isinstance(part, str):
        if not raw.isascii():
            return
        changed: dict[str, Any] = {name: raw.decode()}
        collateral = replace(collateral, **changed)
    elif name == "quote":
        quote = bytes(raw)
    else:
        changed = {name: bytes(raw)}
        collateral = replace(collateral, **changed)
    mine, why = verdict_of_ours(quote, collateral, evidence.kind)
    other = verdict_of_the_other(quote, collateral)
    assert mine == other or STRICTER.search(why), why


def verdict_of_ours(
    quote: bytes, collateral: Collateral, kind: Kind
) -> tuple[tuple[str, ...] | None, str]:
    """The status and advisories, or why not."""
    try:
        claims = ours(Evidence(kind, quote, intel=collateral))
    except REFUSED as refused:
        return None, str(refused)
    assert claims.tcb is not None
    return None if claims.debug else (claims.tcb.status, *claims.tcb.advisories), ""


def verdict_of_the_other(quote: bytes, collateral: Collateral) -> tuple[str, ...] | None:
    from cryptography.hazmat.primitives.serialization import Encoding

    pytest.importorskip("dcap_qvl", reason="the extra enclave is not installed")
    root = platform().root.certificate.public_bytes(Encoding.DER)
    try:
        tcb = second.ask(quote, collateral, NOW, root)
    except VerificationFailed:
        return None
    return (tcb.status, *tcb.advisories)


def test_a_root_of_ones_own_is_not_intels() -> None:
    evidence = replace(simulated(), kind="sgx")
    with pytest.raises(VerificationFailed, match="does not end at the pinned root"):
        verify(evidence, NOW)
    with pytest.raises(VerificationFailed, match="nothing allows that"):
        verify(simulated(), NOW, PRODUCTION)


def test_control_under_its_own_root_it_is_believed() -> None:
    assert not verify(simulated(), NOW, replace(PRODUCTION, simulation=(platform().anchor,))).debug


def test_of_several_simulated_machines_each_is_believed_under_its_own_root_alone() -> None:
    one, other = simulated(), new_platform(NOW, os.urandom)
    papers = other.collateral(tcb_info(NOW), qe_identity(NOW), NOW)
    second_one = other.evidence(PROGRAM, BOUND, papers)
    both = replace(PRODUCTION, simulation=(platform().anchor, other.anchor))
    assert verify(one, NOW, both).anchor == platform().anchor
    assert verify(second_one, NOW, both).anchor == other.anchor
    for mixed in (replace(one, intel=papers), replace(second_one, intel=one.intel)):
        with pytest.raises(VerificationFailed):
            verify(mixed, NOW, both)
    with pytest.raises(VerificationFailed, match="does not end at the pinned root"):
        verify(second_one, NOW, replace(PRODUCTION, simulation=(platform().anchor,)))


@pytest.mark.parametrize(
    ("when", "why"),
    [
        (NOW - timedelta(hours=2), "not valid before"),
        (NOW + timedelta(days=30), "not valid after"),
        (NOW + timedelta(days=400), "not valid after"),
    ],
)
def test_early_and_expired(when: Any, why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        verify(simulated(), when, intel_anchors())


def test_control_valid_until_the_second_of_the_next_update_and_no_longer() -> None:
    end = verify(simulated(), NOW, intel_anchors()).not_after
    assert verify(simulated(), end, intel_anchors()).not_after == end
    with pytest.raises(VerificationFailed, match="not valid after"):
        verify(simulated(), end + timedelta(seconds=1), intel_anchors())


def revoked(where: str) -> Evidence:
    machine, evidence = platform(), simulated()
    serial = {
        "machine": machine.machine.certificate.serial_number,
        "platforms": machine.platforms.certificate.serial_number,
        "signer": machine.signer.certificate.serial_number,
    }[where]
    name = "pck_crl" if where == "machine" else "root_ca_crl"
    by = machine.platforms if where == "machine" else machine.root
    changed: dict[str, Any] = {name: revocations(by, (serial,), NOW)}
    return replace(evidence, intel=replace(intel(evidence), **changed))


@pytest.mark.parametrize("where", ["machine", "platforms", "signer"])
def test_a_revoked_certificate(where: str) -> None:
    with pytest.raises(VerificationFailed, match="was revoked"):
        ours(revoked(where))


def test_control_where_lists_are_not_looked_at_a_revoked_machine_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dcap, "verify_not_revoked", lambda *_: None)
    assert not ours(revoked("machine")).debug


def test_a_list_by_another_authority_is_not_taken() -> None:
    machine, evidence = platform(), simulated()
    other = replace(intel(evidence), pck_crl=revocations(machine.root, (), NOW))
    with pytest.raises(VerificationFailed, match="not signed by its issuer"):
        ours(replace(evidence, intel=other))


def test_the_key_of_another_enclave_does_not_sign_quotes() -> None:
    machine = platform()
    body = sgx_report(PROGRAM, BOUND)
    header = simulated().quote[:48]
    stranger = replace(machine, attestation=machine.machine.key)
    quote = header + body + stranger.signature(header + body, nested=False)
    with pytest.raises(VerificationFailed, match="not the quoting enclave's"):
        ours(replace(simulated(), quote=quote))


@pytest.mark.parametrize(
    "change",
    [
        {"mrsigner": "00" * 32},
        {"isvprodid": 2},
        {"attributes": "00" * 16},
        {"miscselect": "00000001"},
        {"tcb_levels": ()},
        {"id": "TD_QE"},
        {"version": 1},
    ],
)
def test_another_quoting_enclave(change: dict[str, Any]) -> None:
    identity = msgspec.structs.replace(qe_identity(NOW), **change)
    evidence = resigned(simulated(), None, identity)
    with pytest.raises(VerificationFailed):
        ours(evidence)
    assert verdict_of_the_other(evidence.quote, intel(evidence)) is None


@pytest.mark.parametrize(
    "change", [{"fmspc": "00" * 6}, {"pce_id": "0001"}, {"id": "TDX"}, {"version": 2}]
)
def test_statements_about_another_family(change: dict[str, Any]) -> None:
    evidence = resigned(simulated(), msgspec.structs.replace(tcb_info(NOW), **change), None)
    with pytest.raises(REFUSED):  # the other verifier looks at neither `pceId` nor an old version
        ours(evidence)


@pytest.mark.parametrize(
    ("platform_status", "enclave_status", "both"),
    [
        ("UpToDate", "OutOfDate", "OutOfDate"),
        ("SWHardeningNeeded", "OutOfDate", "OutOfDate"),
        ("ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"),
        ("ConfigurationAndSWHardeningNeeded", "UpToDate", "ConfigurationAndSWHardeningNeeded"),
        ("OutOfDate", "UpToDate", "OutOfDate"),
    ],
)
def test_what_the_quoting_enclave_lacks_the_platform_lacks(
    platform_status: str, enclave_status: str, both: str
) -> None:
    level = ModuleLevel(IsvLevel(1), "2026-01-01T00:00:00Z", enclave_status, ("INTEL-SA-2",))
    identity = msgspec.structs.replace(qe_identity(NOW), tcb_levels=(level,))
    evidence = resigned(simulated(), tcb_info(NOW, platform_status, ("INTEL-SA-1",)), identity)
    claims = ours(evidence)
    assert claims.tcb is not None
    found = (claims.tcb.status, *claims.tcb.advisories)
    assert found == (both, "INTEL-SA-1", "INTEL-SA-2")
    assert found == verdict_of_the_other(evidence.quote, intel(evidence))


def test_a_tdx_module_of_an_older_version_makes_the_platform_out_of_date() -> None:
    level = ModuleLevel(IsvLevel(1), "2026-01-01T00:00:00Z", "OutOfDate", ("INTEL-SA-3",))
    module = TdxModuleIdentity("TDX_01", "00" * 48, "00" * 8, "FF" * 8, (level,))
    info = msgspec.structs.replace(td_info(), tdx_module_identities=(module,))
    body = bytearray(td_report())
    body[1] = 1
    evidence = tdx(bytes(body), 4, info)
    claims = ours(evidence)
    assert claims.tcb is not None
    assert claims.tcb.status == "OutOfDate"
    other = verdict_of_the_other(evidence.quote, intel(evidence))
    assert other == (claims.tcb.status, *claims.tcb.advisories)
    with pytest.raises(VerificationFailed, match="no version that Intel names"):
        ours(tdx(bytes(body), 4))


def test_bytes_after_a_quote() -> None:
    evidence = simulated()
    padded = replace(evidence, quote=evidence.quote + bytes(70))
    assert ours(padded) == ours(evidence)
    with pytest.raises(MalformedMessage, match="after the quote"):
        ours(replace(evidence, quote=evidence.quote + b"\0\1"))


@given(st.binary(max_size=1500))
def test_bytes_that_are_no_quote_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        quotes.parse(data)
    with pytest.raises(MalformedMessage):
        quotes.parse(simulated().quote[:64] + data)


def test_a_quote_of_tdx_is_none_of_sgx() -> None:
    with pytest.raises(VerificationFailed, match="said to be of sgx"):
        ours(replace(tdx(td_report(), 4), kind="sgx"))
