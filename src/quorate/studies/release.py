"""A release: what came out, signed by every member, checkable by anyone offline.

The certificate binds the result to the digests of the plan and of the roster
and to one session, and carries the disclosure in words and a digest of the
approvals under which it ran. Each member signs it with its Ed25519 key [RFC8032] over
`wire.signing_input("certificate", certificate)`. A release carries plan, roster,
certificate and signatures, so that it verifies alone; that its roster is the
roster one thinks of is known only to who compares its digest or passes `group`.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import starmap

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Error, Refused, VerificationFailed
from quorate.studies import document
from quorate.studies.analyses.kinds import every_value
from quorate.studies.analyses.outcome import could_be_told
from quorate.studies.approval import SignedApproval, verify_all_approve
from quorate.studies.disclosure import disclose
from quorate.studies.group import Group
from quorate.studies.noisy_results import is_possible_noisy
from quorate.studies.plan import Plan
from quorate.studies.planning import check
from quorate.studies.results import Result, is_possible, slots
from quorate.studies.schema import check_text
from quorate.studies.times import check_time
from quorate.threshold import frost

FORMAT = 4
SESSION_BYTES = 32


@dataclass(frozen=True, slots=True)
class Left:
    """What one member says its owner lets be spent on the data after this release."""

    member: str
    nano_epsilon: int | None  # None where the owner does not count so
    nano_rho: int | None


@dataclass(frozen=True, slots=True)
class Certificate:
    format: int
    plan: bytes  # digest
    group: bytes  # digest
    session: bytes
    results: tuple[Result, ...]  # in the plan's order
    members: tuple[str, ...]  # who signs, in roster order
    disclosure: tuple[str, ...]  # what approving the plan meant, in words
    approvals: bytes  # digest of the approvals under which it ran
    group_key: bytes  # the key of the group that signs beside its members; empty if it has none
    left: tuple[Left, ...]  # of the budgets, by seat; empty where values are exact
    time: str  # UTC, such as 2027-01-31T09:30:00Z
    software: str


@dataclass(frozen=True, slots=True)
class Signature:
    member: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Release:
    plan: Plan
    group: Group
    approvals: tuple[SignedApproval, ...]  # in roster order
    certificate: Certificate
    signatures: tuple[Signature, ...]  # in roster order
    group_signature: bytes  # of the certificate, under its group's key; empty if there is none


@dataclass(frozen=True, slots=True)
class Verified:
    """What a release that verifies proves: these members signed these results of this plan."""

    plan: Plan
    group: Group
    certificate: Certificate
    roster_known: bool  # the roster was compared with one the verifier brought


def certify(
    plan: Plan,
    approvals: tuple[SignedApproval, ...],
    *,
    session: bytes,
    results: tuple[Result, ...],
    time: str,
    software: str,
    group_key: bytes = b"",
    left: tuple[Left, ...] = (),
) -> Certificate:
    return Certificate(
        format=FORMAT,
        plan=plan.digest(),
        group=plan.group,
        session=session,
        results=results,
        members=plan.members,
        disclosure=disclose(plan).lines(),
        approvals=wire.digest("approvals", approvals),
        group_key=group_key,
        left=left,
        time=time,
        software=software,
    )


def sign_certificate(key: Ed25519PrivateKey, certificate: Certificate) -> bytes:
    """Return the 64-byte signature of the member who holds `key`."""
    return key.sign(wire.signing_input("certificate", certificate))


def verify_signature(group: Group, certificate: Certificate, signed: Signature) -> None:
    """Raise `VerificationFailed` unless the member named in `signed` signed `certificate`."""
    member = next((m for m in group.members if m.name == signed.member), None)
    if member is None:
        raise VerificationFailed("signed by somebody who is not a member of the group")
    otherwise = f"the signature of {member.name} does not verify"
    member.verify(signed.signature, "certificate", certificate, otherwise)


def group_message(certificate: Certificate) -> bytes:
    """Return what the group signs, where it has a key: what every member signs."""
    return wire.signing_input("certificate", certificate)


def verify_group_signature(certificate: Certificate, signature: bytes) -> None:
    """Raise `VerificationFailed` unless the group signed, under the key all members name."""
    if certificate.group_key or signature:
        frost.verify(certificate.group_key, group_message(certificate), signature)


def verify_certificate(certificate: Certificate, plan: Plan, group: Group) -> None:
    """Raise `VerificationFailed` unless `certificate` is one for `plan` in `group`.

    Signatures apart, and whether the results are the ones this member computed:
    a member compares those before it signs.
    """
    try:
        check(plan, group)
        check_time(certificate.time)
        check_text("software", certificate.software, 100)
    except Error as e:
        raise VerificationFailed(str(e), hint=e.hint) from e
    _require(certificate.format == FORMAT, "the certificate has an unknown format")
    _require(certificate.plan == plan.digest(), "the certificate is for another plan")
    _require(certificate.group == group.digest(), "the certificate is for another group")
    _require(certificate.members == group.names, "the certificate names other members")
    _require(len(certificate.session) == SESSION_BYTES, "the certificate names no session")
    told = certificate.disclosure == disclose(plan).lines()
    _require(told, "the certificate's disclosure is not that of the plan")
    due = () if plan.study.privacy is None else plan.members
    same = len(certificate.left) == len(due)
    same = same and all(left.member == m for left, m in zip(certificate.left, due, strict=True))
    _require(same, "the certificate does not say what is left of each member's budget")
    _verify_results(certificate.results, plan)


def verify_release(release: Release, *, group: Group | None = None) -> Verified:
    """Return what `release` proves. Raises `VerificationFailed` if anything is wrong.

    Give `group` where the roster is known: without it, anybody could have made
    up the members, and only `Verified.group` can be compared by eye.
    """
    if group is not None and group.digest() != release.group.digest():
        raise VerificationFailed(
            "the release is of another group, or another roster of it",
            hint="compare the group's digest with its members",
        )
    verify_certificate(release.certificate, release.plan, release.group)
    _verify_approvals(release)
    signers = tuple(signed.member for signed in release.signatures)
    _require(signers == release.group.names, "not every member signed, once and in order")
    for signed in release.signatures:
        verify_signature(release.group, release.certificate, signed)
    verify_group_signature(release.certificate, release.group_signature)
    return Verified(release.plan, release.group, release.certificate, group is not None)


def _verify_results(results: tuple[Result, ...], plan: Plan) -> None:
    """Check that these are the results the plan names, in the one form each can have."""
    places = tuple(slots(plan.study))
    told = tuple(every_value(plan.study, len(plan.members)))
    possible_one = is_possible if plan.study.privacy is None else is_possible_noisy
    due = len(places) + len(told)
    _require(len(results) == due, "the results are not those of the plan")
    possible = [
        *map(partial(possible_one, plan.study), places, results),
        *starmap(could_be_told, zip(told, results[len(places) :], strict=True)),
    ]
    for result, right in zip(results, possible, strict=True):
        _require(
            right, f"the result {result.name} is not the one the plan names, or misstates its value"
        )


def _verify_approvals(release: Release) -> None:
    """Check that every member had approved this very plan when it ran."""
    certificate = release.certificate
    try:
        at = datetime.fromisoformat(certificate.time)
        approvals = verify_all_approve(release.group, release.plan, release.approvals, at)
    except Refused as e:
        raise VerificationFailed(str(e), hint=e.hint) from None
    _require(approvals == release.approvals, "the approvals are not one of each member, in order")
    same = wire.digest("approvals", release.approvals) == certificate.approvals
    _require(same, "the certificate is for other approvals")


def to_json(release: Release) -> str:
    return document.write("release 4", release)


def from_json(text: str) -> Release:
    """Return the release a file holds, not yet verified. Raises `MalformedMessage`."""
    return document.read("release 4", text, Release)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise VerificationFailed(message)
