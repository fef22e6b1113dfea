"""A member's word on a plan: that exactly this may run, until a day, or that it may not.

Signed with the member's identity key over `wire.signing_input("approval", ...)`
[RFC8032]. Words travel and are stored with their signatures and are verified
anew wherever they count; a release carries those under which it ran.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import NotFound, Refused, VerificationFailed
from quorate.studies.group import Group
from quorate.studies.plan import Plan, check_time

Word = Literal["approve", "decline", "revoke"]


@dataclass(frozen=True, slots=True)
class Approval:
    """One member's word. Declining comes before approving, revoking after."""

    plan: bytes  # digest
    member: str
    word: Word
    time: str  # UTC
    expires: str  # UTC; from then on an approval counts no more


@dataclass(frozen=True, slots=True)
class SignedApproval:
    """An approval under its member's identity key."""

    approval: Approval
    signature: bytes


def sign_approval(key: Ed25519PrivateKey, approval: Approval) -> SignedApproval:
    """Return `approval` signed with the identity key of its member."""
    return SignedApproval(approval, key.sign(wire.signing_input("approval", approval)))


def verify_approval(group: Group, signed: SignedApproval) -> None:
    """Raise `VerificationFailed` unless the member named in `signed` signed it."""
    approval = signed.approval
    try:
        member = group.members[group.party(approval.member)]
        check_time(approval.time)
        check_time(approval.expires)
    except (NotFound, Refused) as e:
        raise VerificationFailed(f"an approval is not usable: {e}", hint=e.hint) from None
    otherwise = f"an approval in the name of {approval.member} is not signed by it"
    member.verify(signed.signature, "approval", approval, otherwise)


def valid_approvals(
    group: Group, plan: Plan, words: Iterable[SignedApproval]
) -> dict[str, SignedApproval]:
    """Return the approvals of `plan` among `words` by member, every word verified."""
    found: dict[str, SignedApproval] = {}
    for signed in words:
        verify_approval(group, signed)
        if signed.approval.plan == plan.digest() and signed.approval.word == "approve":
            found.setdefault(signed.approval.member, signed)
    return found


def verify_all_approve(
    group: Group, plan: Plan, words: Iterable[SignedApproval], at: datetime
) -> tuple[SignedApproval, ...]:
    """Return one valid approval of each member, in the order of seats.

    Raises `Refused` naming who has not approved, or whose approval is over at
    the time `at`, and `VerificationFailed` for a word that is not its member's.
    """
    found = valid_approvals(group, plan, words)
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
    return tuple(found[name] for name in group.names)


def is_over(signed: SignedApproval, at: datetime) -> bool:
    """Return whether an approval no longer counts at the time `at`."""
    return datetime.fromisoformat(signed.approval.expires) <= at
