"""What a member and an enclave say to each other before a row leaves, and what must hold then.

    program = code, interpreter, study, roster --measure--> 32 bytes, in the approved study
    nonces and words of all members --Brief--> enclave --Begun--> evidence, admitted by each

The study is measured without its own measurement, which it cannot hold; the plan with it is in the
report data. From [RFC9334]. Unreviewed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.enclave.approvals import (
    EnclaveApproval,
    Owner,
    SignedWord,
    Subject,
    approvals_digest,
    require_approvals,
    sign_word,
)
from quorate.enclave.binding import Binding, Expected, Nonce
from quorate.enclave.evidence import Evidence
from quorate.enclave.measure import File, of_bytes
from quorate.errors import Refused
from quorate.studies.approval import OPEN_CLASSES, SignedApproval, verify_all_approve
from quorate.studies.group import Group
from quorate.studies.plan import Plan
from quorate.studies.planning import check
from quorate.studies.results import Result
from quorate.studies.study import Study
from quorate.studies.trust import ENCLAVE

RUN = 1
"""Rows leave once for a plan: a run that fails after that needs a new plan."""

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Offer:
    """What each member gives an enclave before it shows itself."""

    nonce: Nonce
    word: SignedWord


@dataclass(frozen=True, slots=True)
class Brief:
    """What an enclave is started with. All of it comes from its host, and is checked inside."""

    group: Group
    plan: Plan
    approvals: tuple[SignedApproval, ...]
    time: str
    offers: tuple[Offer, ...]  # by seat


@dataclass(frozen=True, slots=True)
class Begun:
    """What an enclave shows: what it is bound to, and the evidence of it."""

    binding: Binding
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Results:
    plan: bytes
    results: tuple[Result, ...]


def measured_with(code: Iterable[File], study: Study, group: Group) -> tuple[File, ...]:
    """Return all that is measured: the code, the study but for its title, and for whom it is."""
    bare = replace(study, title="", trust=ENCLAVE, enclave=wire.ABSENT)
    return (
        *code,
        of_bytes("plan", "study.cbor", wire.encode(bare)),
        of_bytes("roster", "roster.cbor", wire.encode(group)),
    )


def subject_of(plan: Plan) -> Subject:
    """Return what members approve of an enclave, from the plan that they approved."""
    enclosed = plan.study.enclosed
    return Subject(enclosed.policy().digest(), enclosed.measurement, plan.digest(), plan.group)


def owners_of(group: Group) -> tuple[Owner, ...]:
    return tuple(Owner(member.name, member.public_key) for member in group.members)


def offer(
    plan: Plan, name: str, key: Ed25519PrivateKey, measured: bytes, nonce: bytes, time: datetime
) -> Offer:
    """Return one member's offer. Raises `Refused` where its own build measures otherwise."""
    check_build(plan, measured)
    said = EnclaveApproval(name, subject_of(plan), "approve", True, time + _A_DAY, RUN)
    return Offer(Nonce(name, nonce), sign_word(key, said))


def check_build(plan: Plan, measured: bytes) -> None:
    """Refuse a plan whose enclave is not what one's own build measures to. Raises `Refused`."""
    approved = plan.study.enclosed.measurement
    if measured != approved:
        raise Refused(
            f"this member's build of the enclave measures {measured.hex()[:16]}..., and the study "
            f"names {approved.hex()[:16]}...: not one byte may differ",
            hint="see which file differs: quorate enclave measure FOLDER --diff OTHER",
        )


def expected(plan: Plan, offers: tuple[Offer, ...], name: str) -> Expected:
    """Return what `name` knows of the enclave without asking it."""
    (nonce,) = (one.nonce.value for one in offers if one.nonce.name == name)
    words = tuple(one.word for one in offers)
    return Expected(name, nonce, "compute", subject_of(plan), approvals_digest(words), RUN)


def check_brief(brief: Brief) -> tuple[SignedWord, ...]:
    """Return all members' words on the enclave, once everything in the brief holds.

    Raises `Refused`, `VerificationFailed`.
    """
    plan, group, at = brief.plan, brief.group, datetime.fromisoformat(brief.time)
    check(plan, group)
    verify_all_approve(group, plan, brief.approvals, at)
    check_open(plan, brief.approvals)
    if tuple(one.nonce.name for one in brief.offers) != group.names:
        raise Refused("the nonces are not one of each member, by seat")
    words = tuple(one.word for one in brief.offers)
    due = require_approvals(owners_of(group), subject_of(plan), words, at, RUN)
    if due != words:
        raise Refused("the words on the enclave are not one of each member, by seat")
    return words


def check_open(plan: Plan, approvals: Iterable[SignedApproval]) -> None:
    """Refuse real data for an enclave that keeps nothing from its host. Raises `Refused`."""
    if plan.study.enclosed.policy().confidential:
        return
    said = (signed.approval for signed in approvals)
    if real := [one.member for one in said if one.data not in OPEN_CLASSES]:
        refuse_real(real)


def refuse_real(members: Iterable[str]) -> None:
    raise Refused(
        f"a simulated enclave keeps nothing secret, and data of {', '.join(members)} are real",
        hint="try it on made-up data: quorate data add TABLE FILE --class synthetic",
    )


def results_digest(plan: Plan, results: tuple[Result, ...]) -> bytes:
    """Return SHA-256 of a plan's results: what a receipt is for."""
    return sha256(wire.signing_input("enclave-results", _Results(plan.digest(), results))).digest()
