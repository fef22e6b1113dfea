"""Claims against policies: each attack is stopped, and by one check alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from quorate.enclave.appraise import Appraisal, appraise, require
from quorate.enclave.claims import Claims, Flag, Outcome, Value
from quorate.enclave.ear import ear, trust_vector
from quorate.enclave.policy import Limit, Policy, Reference, check_policy
from quorate.enclave.simulation import qe_identity, sgx_report, tcb_info
from quorate.enclave.verify import verify
from quorate.errors import Refused, VerificationFailed
from tests.enclave.pki import (
    BOUND,
    NOW,
    PROGRAM,
    TCB,
    intel_anchors,
    platform,
    sgx_policy,
    simulated,
    td_report,
    tdx,
)
from tests.enclave.test_platforms import (
    AMD,
    ANCHORS,
    CHAIN,
    NITRO,
    QUOTED,
    REGISTERS,
    ROOT,
    document,
    report,
)

MEASURED = PROGRAM + bytes(16)
FIRMWARE = tuple(
    Limit(name, least, 255)
    for name, least in zip(("bootloader", "tee", "snp", "microcode"), TCB, strict=True)
)
SNP = Policy((Reference("snp", (Value("measurement", MEASURED),), FIRMWARE),))
SVN, SECOND = Limit("isv-svn", 2, 9), timedelta(seconds=1)
PCRS = tuple(Value(f"pcr{n}", bytes([n + 1] * 48)) for n in range(3))


def judge(
    claims: Claims, policy: Policy, due: bytes = BOUND, now: datetime = NOW
) -> set[tuple[str, Outcome]]:
    return {(each.name, each.outcome) for each in appraise(claims, policy, due, now).lacking}


def good() -> Claims:
    return verify(simulated(), NOW, intel_anchors())


def of(info: tuple[str, tuple[str, ...]] = ("UpToDate", ()), **report_changes: Any) -> Claims:
    evidence = simulated(sgx_report(PROGRAM, BOUND, **report_changes), tcb_info(NOW, *info))
    return verify(evidence, NOW, intel_anchors())


def aged(days: int) -> Claims:
    """A good quote with collateral that was signed so many days ago, and is not over."""
    then = NOW - timedelta(days=days)
    machine = platform()
    collateral = machine.collateral(tcb_info(then), qe_identity(then), NOW)
    return verify(replace(simulated(), intel=collateral), NOW, intel_anchors())


def tdx_claims(**changes: Any) -> Claims:
    return verify(tdx(td_report(**changes), 5), NOW, intel_anchors())


def tdx_policy(claims: Claims, **changes: Any) -> Policy:
    names = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
    values = tuple(each for each in claims.values if each.name in names)
    return Policy((Reference("tdx", values, **changes),))


ATTACKS: dict[str, tuple[str, Callable[[], set[tuple[str, Outcome]]]]] = {
    "another program": ("measurement", lambda: judge(of(), replace_program(bytes(32)))),
    "the same hex on another platform": ("measurement", lambda: judge(good(), other_platform())),
    "the signer alone": ("measurement", lambda: judge(of(signer=b"\7" * 32), named_wrongly())),
    "another nonce": ("report-data", lambda: judge(good(), sgx_policy(), due=bytes(64))),
    "no nonce": ("report-data", lambda: judge(good(), sgx_policy(), due=b"")),
    "out of date": ("tcb-status", lambda: judge(of(("OutOfDate", ())), sgx_policy())),
    "revoked": ("tcb-status", lambda: judge(revoked(), sgx_policy())),
    "an advisory": ("advisories", lambda: judge(of(("UpToDate", ("INTEL-SA-1",))), sgx_policy())),
    "stale collateral": ("collateral-age", lambda: judge(aged(8), sgx_policy())),
    "an older evaluation": ("evaluation", lambda: judge(good(), sgx_policy(min_evaluation=2))),
    "another machine": ("hardware", lambda: judge(good(), sgx_policy(hardware=(b"other",)))),
    "an older program": ("isv-svn", lambda: judge(good(), sgx_policy(limits=(SVN,)))),
    "a provisioning key": ("provisioning-key", lambda: judge(of(attributes=0x15), sgx_policy())),
    "an attribute of tomorrow": (
        "unknown-attributes",
        lambda: judge(of(attributes=0x10005), sgx_policy()),
    ),
    "not initialised": ("initialised", lambda: judge(of(attributes=0x04), sgx_policy())),
    "judged too late": (
        "window",
        lambda: judge(replace(good(), not_after=NOW - SECOND), sgx_policy()),
    ),
    "SNP in debug": ("debug", lambda: judge(report(policy=0xA0000), SNP)),
    "SNP at VMPL 1": ("vmpl", lambda: judge(report(vmpl=1), SNP)),
    "SNP of older firmware": ("microcode", lambda: judge(old_firmware(), SNP)),
    "SNP that migrates": ("migrate", lambda: judge(report(policy=0x60000), SNP)),
    "SNP with SMT": ("smt", lambda: judge(report(policy=0x30000), SNP)),
    "SNP with aliased memory": ("alias-check", lambda: judge(report(platform_info=0), SNP)),
    "Nitro in debug": ("debug", lambda: judge(nitro_debug(), nitro_policy())),
    "TDX in debug": ("debug", lambda: without_second(tdx_claims(attributes=1 << 28 | 1))),
    "TDX without SEPT_VE_DISABLE": (
        "sept-ve-disable",
        lambda: without_second(tdx_claims(attributes=0)),
    ),
    "TDX with a service domain": (
        "service-td",
        lambda: without_second(tdx_claims(service=b"\1" * 48)),
    ),
    "SGX in debug": ("debug", lambda: without_second(of(attributes=7))),
}


def replace_program(program: bytes) -> Policy:
    policy = sgx_policy()
    values = (Value("mrenclave", program),)
    return replace(policy, references=(replace(policy.references[0], measurements=values),))


def other_platform() -> Policy:
    """The same 32 bytes, allowed as SGX's, not as a simulation's."""
    sgx = Reference("sgx", (Value("mrenclave", PROGRAM),))
    return replace(
        replace_program(bytes(32)), references=(sgx, *replace_program(bytes(32)).references)
    )


def named_wrongly() -> Policy:
    policy = replace_program(bytes(32))
    reference = policy.references[0]
    values = (*reference.measurements, Value("mrsigner", b"\7" * 32))
    return replace(policy, references=(replace(reference, measurements=values),))


def revoked() -> Claims:
    """Both verifiers' words: ours says so, the other refuses; here ours alone."""
    claims = of(("OutOfDate", ()))
    assert claims.tcb is not None
    return replace(claims, tcb=replace(claims.tcb, status="Revoked"))


def old_firmware() -> Claims:
    """A chip with its key for a state of the firmware that is behind."""
    old = (3, 0, 8, 114)
    return report(chain=replace(CHAIN, vek=AMD.leaf(tcb=old)), tcb=old)


def nitro_debug() -> Claims:
    zero = {0: bytes(48), 1: PCRS[1].value, 2: PCRS[2].value}
    return replace(
        document(NITRO.document(ROOT, pcrs=zero)),
        values=PCRS,
    )


def nitro_policy() -> Policy:
    return Policy((Reference("nitro", PCRS),))


def without_second(claims: Claims) -> set[tuple[str, Outcome]]:
    """What our own verifier finds, where the second one refuses as well."""
    policy = sgx_policy() if claims.kind == "simulated" else tdx_policy(claims)
    found = judge(claims, policy)
    assert ("second verifier", Outcome.FAIL) in found
    return found - {("second verifier", Outcome.FAIL)}


@pytest.mark.parametrize("attack", ATTACKS)
def test_control_each_attack_is_stopped_by_one_check_alone(attack: str) -> None:
    """So with that check switched off, and nothing else, it would be accepted."""
    name, run = ATTACKS[attack]
    assert run() == {(name, Outcome.FAIL)}


def test_good_enclaves_are_accepted() -> None:
    tpm = Policy(
        (Reference("tpm", (Value("pcr11", REGISTERS[11]),)),), attestation_keys=ANCHORS.keys
    )
    for claims, policy in (
        (good(), sgx_policy()),
        (tdx_claims(), tdx_policy(tdx_claims())),
        (report(), SNP),
        (document(), nitro_policy()),
        (verify(QUOTED, NOW, ANCHORS), tpm),
    ):
        result = require(appraise(claims, policy, BOUND, NOW))
        assert result.accepted
        assert result.confidential == (claims.kind in {"tdx", "snp", "nitro"})
    assert not judge(aged(6), sgx_policy())


def test_what_a_policy_accepts_on_purpose() -> None:
    mitigated = sgx_policy(
        statuses=("UpToDate", "SWHardeningNeeded"), advisories_mitigated=("INTEL-SA-1",)
    )
    assert not judge(of(("SWHardeningNeeded", ("INTEL-SA-1",))), mitigated)
    machine = sgx_policy(hardware=(good().hardware,))
    assert appraise(good(), machine, BOUND, NOW).outcome("hardware") is Outcome.PASS
    vmpl = replace(
        SNP.references[0], limits=(*FIRMWARE, Limit("vmpl", 0, 1)), flags=(Flag("smt", True),)
    )
    assert not judge(report(vmpl=1, policy=0x30000), Policy((vmpl,)))


def test_what_cannot_be_assessed_and_must_be_refuses() -> None:
    claims = replace(good(), checked=())
    assert judge(claims, sgx_policy()) == {("second verifier", Outcome.NOT_ASSESSED)}
    unknown = sgx_policy(limits=(Limit("no-such-number", 0, 1),))
    assert judge(good(), unknown) == {("no-such-number", Outcome.NOT_ASSESSED)}
    flag = replace(good(), flags=(*good().flags, Flag("new-with-this-firmware", False)))
    assert judge(flag, sgx_policy()) == {("new-with-this-firmware", Outcome.FAIL)}
    with pytest.raises(Refused, match="second verifier not assessed"):
        require(appraise(claims, sgx_policy(), BOUND, NOW))


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (Policy(()), "accepts nothing"),
        (Policy((Reference("sgx", (Value("mrsigner", bytes(32)),)),)), "without mrenclave"),
        (Policy((Reference("tdx", (Value("mrtd", bytes(48)),)),)), "without rtmr0"),
        (Policy((Reference("simulated", (Value("mrenclave", PROGRAM),)),)), "need their root"),
        (replace(SNP, simulation_roots=(b"\1" * 32,)), "only they"),
        (Policy((Reference("snp", (Value("measurement", MEASURED),)),)), "without limits of boot"),
        (Policy((Reference("nitro", (Value("pcr0", bytes(48)), *PCRS[1:])),)), "debug mode"),
        (
            Policy((Reference("tpm", (Value("pcr23", PROGRAM),)),), attestation_keys=(PROGRAM,)),
            "set back",
        ),
        (sgx_policy(statuses=("Revoked",)), "no TCB status to accept"),
        (sgx_policy(statuses=("Anything",)), "no TCB status to accept"),
        (sgx_policy(collateral_max_age_days=365), "1 to 30 days"),
        (Policy((Reference("snp", (Value("measurement", b"\1"),)),)), "no measurement has"),
    ],
)
def test_a_policy_that_accepts_more_than_it_seems(policy: Policy, why: str) -> None:
    with pytest.raises(Refused, match=why):
        check_policy(policy)


def test_a_simulated_enclave_under_a_policy_for_hardware() -> None:
    """Its root is in no anchor: the evidence does not even verify, whatever it says it is."""
    production = other_kind()
    evidence = simulated()
    with pytest.raises(VerificationFailed, match="nothing allows"):
        verify(evidence, NOW, production.anchors())
    with pytest.raises(VerificationFailed, match="pinned root"):
        verify(replace(evidence, kind="sgx"), NOW, production.anchors())
    assert judge(good(), production) == {("measurement", Outcome.FAIL)}


def other_kind() -> Policy:
    return Policy((Reference("sgx", (Value("mrenclave", PROGRAM),)),))


def test_the_result_in_the_words_of_ear() -> None:
    fine = appraise(report(), SNP, BOUND, NOW)
    assert trust_vector(fine).status == "affirming"
    text = json.loads(ear(fine))["submods"]["enclave"]
    assert text["ear.status"] == "affirming"
    assert text["ear.trustworthiness-vector"]["hardware"] == 2
    simulation = trust_vector(appraise(good(), sgx_policy(), BOUND, NOW))
    assert (simulation.runtime_opaque, simulation.status) == (96, "contraindicated")


@pytest.mark.parametrize(
    ("result", "name", "value"),
    [
        (lambda: appraise(report(policy=0xA0000), SNP, BOUND, NOW), "runtime_opaque", 96),
        (lambda: appraise(report(measurement=bytes(48)), SNP, BOUND, NOW), "executables", 33),
        (lambda: appraise(report(vmpl=1), SNP, BOUND, NOW), "configuration", 96),
        (lambda: appraise(aged(8), sgx_policy(), BOUND, NOW), "hardware", 96),
        (
            lambda: appraise(good(), sgx_policy(hardware=(b"x",)), BOUND, NOW),
            "instance_identity",
            97,
        ),
    ],
)
def test_refusals_in_the_words_of_ear(
    result: Callable[[], Appraisal], name: str, value: int
) -> None:
    found = result()
    assert getattr(trust_vector(found), name) == value
    assert json.loads(ear(found))["submods"]["enclave"]["ear.status"] != "affirming"
