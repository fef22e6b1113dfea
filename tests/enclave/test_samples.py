"""Every row of the listing of real samples gives its verdict, at a time in its window."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from quorate.enclave.anchors import PRODUCTION
from quorate.enclave.appraise import appraise
from quorate.enclave.certificates import fingerprint
from quorate.enclave.claims import Claims, Flag, Outcome, Value
from quorate.enclave.evidence import Collateral, Evidence
from quorate.enclave.policy import Limit, Policy, Reference
from quorate.enclave.verify import verify
from quorate.errors import VerificationFailed
from tests.enclave.samples import (
    amd_chain,
    automata_collateral,
    collateral,
    sample,
    tpm_parts,
)

JUNE = datetime(2025, 6, 25, tzinfo=UTC)
ANY = tuple(Limit(name, 0, 255) for name in ("bootloader", "tee", "snp", "microcode"))
SGX = ("phala/sgx_quote", "phala/sgx_quote_collateral.json")


def refused(claims: Claims, when: datetime, *names: str, **accepted: Any) -> set[str]:
    """The checks that refuse it under a policy that names this very program."""
    program = tuple(Value(name, claims.value(name) or b"") for name in names)
    policy = Policy((Reference(claims.kind, program, **accepted),))
    return {each.name for each in appraise(claims, policy, claims.report_data, when).lacking}


def outcome(claims: Claims, name: str) -> Outcome:
    return next(each.outcome for each in claims.checked if each.name == name)


def sgx(path: str, parts: Collateral) -> Evidence:
    return Evidence("sgx", sample(path), intel=parts)


def test_sgx_that_needs_configuration_and_hardening() -> None:
    claims = verify(sgx(SGX[0], collateral(SGX[1])), JUNE)
    assert claims.tcb is not None
    assert claims.tcb.status == "ConfigurationAndSWHardeningNeeded"
    assert claims.tcb.advisories == ("INTEL-SA-00289", "INTEL-SA-00615")
    assert not claims.debug
    assert outcome(claims, "second verifier") is Outcome.PASS
    assert refused(claims, JUNE, "mrenclave") == {"tcb-status", "advisories"}
    mitigated = {"statuses": (claims.tcb.status,), "advisories_mitigated": claims.tcb.advisories}
    assert not refused(claims, JUNE, "mrenclave", **mitigated)


def test_tdx_that_is_up_to_date() -> None:
    quote = sample("phala/tdx_quote")
    evidence = Evidence("tdx", quote, intel=collateral("phala/tdx_quote_collateral.json"))
    claims = verify(evidence, JUNE)
    assert claims.tcb is not None
    assert claims.tcb.status == "UpToDate"
    assert outcome(claims, "second verifier") is Outcome.PASS
    names = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
    cloud = tuple(Flag(name, on=True) for name in ("dynamic-platform", "cached-keys", "smt"))
    assert refused(claims, JUNE, *names) == {each.name for each in cloud}
    assert not refused(claims, JUNE, *names, flags=cloud)
    with pytest.raises(VerificationFailed, match="said to be of sgx"):
        verify(replace(evidence, kind="sgx"), JUNE)


def test_sgx_that_needs_hardening() -> None:
    quote = bytes.fromhex(sample("automata/samples/quotev3.hex").decode().strip())
    evidence = Evidence("sgx", quote, intel=automata_collateral())
    claims = verify(evidence, datetime(2025, 8, 20, tzinfo=UTC))
    assert claims.tcb is not None
    assert (claims.tcb.status, claims.tcb.advisories) == (
        "SWHardeningNeeded",
        ("INTEL-SA-00615",),
    )
    assert outcome(claims, "second verifier") is Outcome.PASS


def test_sgx_in_debug_mode() -> None:
    claims = verify(sgx("automata/solana/quote_sgx.bin", collateral(SGX[1])), JUNE)
    assert claims.debug
    assert outcome(claims, "second verifier") is Outcome.FAIL
    assert "debug" in refused(claims, JUNE, "mrenclave")


@pytest.mark.parametrize(
    ("when", "why"),
    [
        (datetime(2025, 6, 18, tzinfo=UTC), "not valid before"),
        (datetime(2025, 7, 20, tzinfo=UTC), "not valid after"),
    ],
)
def test_a_quote_outside_the_window_of_its_collateral(when: datetime, why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        verify(sgx(SGX[0], collateral(SGX[1])), when)


def test_sev_snp_on_milan() -> None:
    report = bytes.fromhex(sample("virtee-sev/report_milan.hex").decode().strip())
    chain = amd_chain("virtee-sev/vcek_milan.der", "virtee-sev/ask.pem", "virtee-sev/ark.pem")
    claims = verify(Evidence("snp", report, amd=chain), JUNE)
    assert not claims.debug
    assert claims.number("vmpl") == 0
    assert outcome(claims, "revocation") is Outcome.NOT_ASSESSED
    other = amd_chain("go-sev-guest/vcek.testcer", "virtee-sev/ask.pem", "virtee-sev/ark.pem")
    with pytest.raises(VerificationFailed, match="the report"):
        verify(Evidence("snp", report, amd=other), JUNE)


def test_sev_snp_with_debug_allowed() -> None:
    chain = amd_chain("go-sev-guest/vcek.testcer", "go-sev-guest/ask_ark_milan.pem")
    evidence = Evidence("snp", sample("go-sev-guest/attestation.bin"), amd=chain)
    claims = verify(evidence, JUNE)
    assert claims.debug
    assert "debug" in refused(claims, JUNE, "measurement", limits=ANY)


def test_sev_snp_under_a_providers_key_at_vmpl_1() -> None:
    chain = amd_chain("trustee/snp/test-vlek.der", "go-sev-guest/ask_ark_milan_vlek.pem")
    evidence = Evidence("snp", sample("trustee/snp/test-vlek-report.bin"), amd=chain)
    claims = verify(evidence, JUNE)
    assert claims.number("vmpl") == 1
    assert claims.flag("provider-key")
    flags = tuple(Flag(each.name, each.on) for each in claims.flags)
    assert refused(claims, JUNE, "measurement", limits=ANY, flags=flags) == {"vmpl"}
    allowed = (*ANY, Limit("vmpl", 0, 1))
    assert not refused(claims, JUNE, "measurement", limits=allowed, flags=flags)
    with pytest.raises(VerificationFailed, match="not valid after"):
        verify(evidence, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("path", "when", "debug"),
    [
        ("evervault-nitro/beta/valid-attestation-doc-bytes", (2022, 10, 13, 9), False),
        ("evervault-nitro/beta/debug-mode-attestation-doc-bytes", (2022, 10, 12, 14), True),
        ("eternis-nitro/example_attestation", (2024, 9, 9, 20), True),
    ],
)
def test_nitro(path: str, when: tuple[int, int, int, int], debug: bool) -> None:
    evidence = Evidence("nitro", decoded(sample(path)))
    assert verify(evidence, datetime(*when, tzinfo=UTC)).debug is debug
    with pytest.raises(VerificationFailed, match="not valid after"):
        verify(evidence, datetime(*when, tzinfo=UTC).replace(month=11))


def test_a_corrupted_document_of_nitro() -> None:
    evidence = Evidence("nitro", decoded(sample("eternis-nitro/invalid_attestation")))
    with pytest.raises(VerificationFailed, match="signature of the document"):
        verify(evidence, datetime(2024, 7, 23, 22, tzinfo=UTC))  # in its own certificate's time


def test_a_quote_of_a_software_tpm() -> None:
    parts = tpm_parts()
    evidence = Evidence("tpm", sample("swtpm/q.msg"), tpm=parts)
    anchors = replace(PRODUCTION, keys=(fingerprint(parts.key),))
    assert len(verify(evidence, JUNE, anchors).values) == len(parts.registers) == 13
    with pytest.raises(VerificationFailed, match="nobody named"):
        verify(evidence, JUNE)


def decoded(data: bytes) -> bytes:
    """A document as it is, or out of base64."""
    import base64

    return data if data[:1] in {b"\x84", b"\xd2"} else base64.b64decode(data)
