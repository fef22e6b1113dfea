"""Claims held against a policy: an attestation result, as RFC 9334 calls it [RFC9334].

Pure: claims, policy, the report data that is due and the time go in. Every
check is pass, fail or not assessed; what cannot be assessed and must be, fails
the whole. Nothing here reads a clock, a file or a network.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from quorate.enclave.claims import Checked, Claims, Outcome
from quorate.enclave.policy import NO_CONFIDENTIALITY, Policy, Reference, check_policy
from quorate.enclave.second import NAME as SECOND
from quorate.errors import Refused

_SAFE = {
    "initialised": True,
    "provisioning-key": False,
    "launch-key": False,
    "dynamic-platform": False,
    "cached-keys": False,
    "smt": False,
    "sept-ve-disable": True,
    "perfmon": False,
    "service-td": False,
    "unknown-attributes": False,
    "migrate": False,
    "alias-check": True,
    "provider-key": False,
}
_EITHER = frozenset({"single-socket", "nonce", "clock-safe"})
_MAY_LACK = frozenset({"hardware", "revocation"})
"""Checks that may be not assessed: the policy names no machines; AMD's list is not at hand."""

_UNDATED = frozenset({"snp", "tpm"})
"""AMD certifies a state of the firmware, not a day; of a TPM no maker says what could grow old."""

_INTEL = frozenset({"sgx", "tdx", "simulated"})


@dataclass(frozen=True, slots=True)
class Appraisal:
    """What the checks found, each by itself."""

    checks: tuple[Checked, ...]
    confidential: bool  # whether the platform keeps data from whoever runs the machine
    policy: bytes  # its digest
    at: datetime

    @property
    def lacking(self) -> tuple[Checked, ...]:
        """The checks that refuse: failed, or not assessed though they must be."""
        return tuple(
            each
            for each in self.checks
            if each.outcome is Outcome.FAIL
            or (each.outcome is Outcome.NOT_ASSESSED and each.name not in _MAY_LACK)
        )

    @property
    def accepted(self) -> bool:
        return not self.lacking

    def outcome(self, name: str) -> Outcome:
        """Return how the check `name` went; one that was never made is not assessed."""
        found = (each.outcome for each in self.checks if each.name == name)
        return next(found, Outcome.NOT_ASSESSED)


def appraise(claims: Claims, policy: Policy, report_data: bytes, now: datetime) -> Appraisal:
    """Hold `claims` against `policy` and the report data that this very run is bound to.

    Raises `Refused` for a policy that is no policy. A refusal of the claims is in the
    result: `require` raises it.
    """
    check_policy(policy)
    reference = _reference(claims, policy)
    checks = [
        _passed("report-data", hmac.compare_digest(claims.report_data, report_data)),
        _passed("window", claims.not_before <= now <= claims.not_after),
        _passed("debug", not claims.debug, "debug mode: the host reads its memory"),
        _passed("measurement", reference is not None, "a program that the policy does not name"),
        *_second(claims),
        *(each for each in claims.checked if each.name != SECOND),
    ]
    if reference is not None:
        checks += _platform(claims, reference, now)
    return Appraisal(tuple(checks), claims.kind not in NO_CONFIDENTIALITY, policy.digest(), now)


def require(appraisal: Appraisal) -> Appraisal:
    """Return `appraisal` if it accepts. Raises `Refused` naming each check that does not."""
    lacking = [
        f"{each.name} {'failed' if each.outcome is Outcome.FAIL else 'not assessed'}"
        + (f" ({each.why})" if each.why else "")
        for each in appraisal.lacking
    ]
    if lacking:
        raise Refused(f"the enclave is not accepted: {', '.join(lacking)}")
    return appraisal


def _reference(claims: Claims, policy: Policy) -> Reference | None:
    """Return what the policy says of this program on this kind of platform."""
    for reference in policy.references:
        if reference.kind == claims.kind and all(
            claims.value(each.name) == each.value for each in reference.measurements
        ):
            return reference
    return None


def _platform(claims: Claims, reference: Reference, now: datetime) -> list[Checked]:
    checks = [*_flags(claims, reference), *_limits(claims, reference), *_tcb(claims, reference)]
    if claims.kind not in _UNDATED:
        checks.append(_age(claims, reference, now))
    if not reference.hardware:
        checks.append(Checked("hardware", Outcome.NOT_ASSESSED, "the policy names no machines"))
    else:
        known = claims.hardware in reference.hardware
        checks.append(_passed("hardware", known, "a machine that the policy does not name"))
    return checks


def _flags(claims: Claims, reference: Reference) -> list[Checked]:
    """A flag has its safe value, or the one that the policy names; one we do not know fails."""
    accepted = {flag.name: flag.on for flag in reference.flags}
    checks: list[Checked] = []
    for flag in claims.flags:
        if flag.name in _EITHER and flag.name not in accepted:
            continue
        wanted = accepted.get(flag.name, _SAFE.get(flag.name))
        fine = wanted is not None and flag.on == wanted
        checks.append(_passed(flag.name, fine, "on" if flag.on else "off"))
    said = {flag.name for flag in claims.flags}
    checks += [
        Checked(name, Outcome.NOT_ASSESSED, "the platform does not say")
        for name in accepted
        if name not in said
    ]
    return checks


def _limits(claims: Claims, reference: Reference) -> list[Checked]:
    checks: list[Checked] = []
    for limit in reference.limits:
        number = claims.number(limit.name)
        if number is None:
            why = "the platform does not say"
            checks.append(Checked(limit.name, Outcome.NOT_ASSESSED, why))
        else:
            fine = limit.least <= number <= limit.most
            checks.append(_passed(limit.name, fine, f"it is {number}"))
    vmpl = claims.number("vmpl")
    if vmpl is not None and all(limit.name != "vmpl" for limit in reference.limits):
        checks.append(_passed("vmpl", vmpl == 0, f"it is {vmpl}"))
    return checks


def _tcb(claims: Claims, reference: Reference) -> list[Checked]:
    tcb = claims.tcb
    if tcb is None:
        missing = claims.kind in _INTEL
        why = "the platform's state is not known"
        return [Checked("tcb-status", Outcome.NOT_ASSESSED, why)] if missing else []
    open_ones = sorted(set(tcb.advisories) - set(reference.advisories_mitigated))
    return [
        _passed("tcb-status", tcb.status in reference.statuses, tcb.status),
        _passed("advisories", not open_ones, ", ".join(open_ones)),
        _passed("evaluation", tcb.evaluation >= reference.min_evaluation, str(tcb.evaluation)),
    ]


def _age(claims: Claims, reference: Reference, now: datetime) -> Checked:
    if claims.issued is None:
        return Checked("collateral-age", Outcome.NOT_ASSESSED)
    oldest = now - timedelta(days=reference.collateral_max_age_days)
    return _passed("collateral-age", claims.issued >= oldest, f"of {claims.issued:%Y-%m-%d}")


def _second(claims: Claims) -> list[Checked]:
    """SGX and TDX need the second verifier's word; others have none."""
    if claims.kind not in _INTEL:
        return []
    said = [each for each in claims.checked if each.name == SECOND]
    return said or [Checked(SECOND, Outcome.NOT_ASSESSED)]


def _passed(name: str, fine: bool, why: str = "") -> Checked:
    return Checked(name, Outcome.PASS) if fine else Checked(name, Outcome.FAIL, why)
