"""A member's word on a plan: that exactly this may run, until a day, or that it may not.

Signed with the member's identity key over `wire.signing_input("approval", ...)`
[RFC8032]. Words travel and are stored with their signatures and are verified
anew wherever they count; a release carries those under which it ran.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import NotFound, Refused, VerificationFailed
from quorate.studies.group import Group
from quorate.studies.plan import Plan
from quorate.studies.planning import check
from quorate.studies.times import check_time

Word = Literal["approve", "decline", "revoke"]
DataClass = Literal["real", "synthetic", "public"]
CLASSES: tuple[DataClass, ...] = ("real", "synthetic", "public")
OPEN_CLASSES = ("synthetic", "public")
"""Of such data exact results may stand beside noised ones."""


MAX_ARMS = 16
DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Approval:
    """One member's word. Declining comes before approving, revoking after."""

    plan: bytes  # digest
    member: str
    word: Word
    time: str  # UTC
    expires: str  # UTC; from then on an approval counts no more
    data: DataClass = "real"  # what the member's owner says its data are
    beside: tuple[bytes, ...] = ()  # digests of the other plans of a bundle: it is one word on all

    @property
    def plans(self) -> tuple[bytes, ...]:
        """Return the digest of every plan this word is on."""
        return self.plan, *self.beside


@dataclass(frozen=True, slots=True)
class SignedApproval:
    """An approval under its member's identity key."""

    approval: Approval
    signature: bytes


def sign_approval(key: Ed25519PrivateKey, approval: Approval) -> SignedApproval:
    """Return `approval` signed with the identity key of its member."""
    return SignedApproval(approval, key.sign(wire.signing_input("approval", approval)))


@lru_cache(maxsize=1024)  # a signature stays good, and every page and every step asks again
def verify_approval(group: Group, signed: SignedApproval) -> None:
    """Raise `VerificationFailed` unless the member named in `signed` signed it."""
    approval = signed.approval
    try:
        member = group.members[group.party(approval.member)]
        check_time(approval.time)
        check_time(approval.expires)
        _check_words(approval)
    except (NotFound, Refused) as e:
        raise VerificationFailed(f"an approval is not usable: {e}", hint=e.hint) from None
    otherwise = f"an approval in the name of {approval.member} is not signed by it"
    member.verify(signed.signature, "approval", approval, otherwise)


def valid_approvals(
    group: Group, plan: bytes, words: Iterable[SignedApproval]
) -> dict[str, SignedApproval]:
    """Return the approvals of the plan of this digest by member, every word verified."""
    found: dict[str, SignedApproval] = {}
    for signed in words:
        verify_approval(group, signed)
        if plan in signed.approval.plans and signed.approval.word == "approve":
            found.setdefault(signed.approval.member, signed)
    return found


def verify_all_approve(
    group: Group, plan: Plan, words: Iterable[SignedApproval], at: datetime
) -> tuple[SignedApproval, ...]:
    """Return one valid approval of each member, in the order of seats.

    Raises `Refused` naming who has not approved, or whose approval is over at
    the time `at`, and `VerificationFailed` for a word that is not its member's.
    """
    found = valid_approvals(group, plan.digest(), words)
    missing = [name for name in group.names if name not in found]
    if missing:
        raise Refused(
            f"study {plan.short_id} lacks the approval of {', '.join(missing)}",
            hint=f"their staff can give it with: quorate study approve {plan.short_id}",
        )
    over = [name for name in group.names if is_over(found[name], at)]
    if over:
        raise Refused(
            f"the approval of study {plan.short_id} by {', '.join(over)} is over",
            hint="propose the study again",
        )
    approvals = tuple(found[name] for name in group.names)
    if len({approval.approval.plans for approval in approvals}) > 1:
        raise Refused(
            f"study {plan.short_id} was not approved as part of one and the same bundle by all",
            hint="propose it again",
        )
    return approvals


def bundle_digest(plans: tuple[bytes, ...]) -> bytes:
    """Return what identifies plans that are approved by one word."""
    return wire.digest("bundle", plans)


def check_bundle(group: Group, plans: Sequence[Plan]) -> None:
    """Refuse a bundle that is not of different plans of one proposer. Raises `Refused`."""
    if not 1 <= len(plans) <= MAX_ARMS or len({plan.digest() for plan in plans}) < len(plans):
        raise Refused(f"a bundle has 1 to {MAX_ARMS} plans, and no two the same")
    if len({(plan.proposer, plan.study.table.name) for plan in plans}) > 1:
        raise Refused("the plans of a bundle have several proposers, or are of several tables")
    for plan in plans:
        check(plan, group)


def check_classes(plans: Sequence[Plan], data: Mapping[str, DataClass]) -> None:
    """Refuse exact results beside noised ones, unless every dataset is public or synthetic.

    `data` are the classes by member. An exact result beside a noised one undoes its noise.
    Raises `Refused` naming whose data are neither.
    """
    if len({plan.privacy for plan in plans}) < 2:
        return
    if real := [name for name, said in data.items() if said not in OPEN_CLASSES]:
        raise Refused(
            f"exact results would stand beside noised ones, and data of {', '.join(real)} are real",
            hint="compare on public or synthetic data: quorate data add TABLE FILE --class public",
        )


def _check_words(approval: Approval) -> None:
    whole = all(len(digest) == len(approval.plan) == DIGEST_BYTES for digest in approval.beside)
    apart = len(set(approval.plans)) == len(approval.plans) <= MAX_ARMS
    if approval.data not in CLASSES or not apart or not whole:
        raise Refused("it is on no bundle, or of no class of data")


def is_over(signed: SignedApproval, at: datetime) -> bool:
    """Return whether an approval no longer counts at the time `at`."""
    return datetime.fromisoformat(signed.approval.expires) <= at
