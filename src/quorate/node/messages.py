"""What nodes tell each other about studies, outside sessions.

topic     ask                answer
proposal  Proposal           Ack
approval  SignedApproval     Ack
decline   SignedApproval     Ack      (with `agrees` false)
prepare   Prepare            Prepared
go        Go                 Ack
cancel    Go                 Ack
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from quorate import wire
from quorate.errors import VerificationFailed
from quorate.studies.group import Group
from quorate.studies.plan import Plan
from quorate.studies.release import Release


@dataclass(frozen=True, slots=True)
class Ack:
    """Heard, and done."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One member's word on a plan: it agrees that exactly this is run, or declines."""

    plan: bytes  # digest
    member: str
    agrees: bool
    time: str  # UTC


@dataclass(frozen=True, slots=True)
class SignedApproval:
    """An approval under its member's identity key."""

    approval: Approval
    signature: bytes


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan, with the words on it that the sender knows of."""

    plan: Plan
    approvals: tuple[SignedApproval, ...]


@dataclass(frozen=True, slots=True)
class Prepare:
    """Get ready to run: compute your own part and open session `session` for it."""

    plan: bytes  # digest
    session: int  # 1 .. 2^63 - 1, random
    time: str  # UTC; goes into the certificate
    approvals: tuple[SignedApproval, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Ready; or the release, where this study was run to its end before."""

    release: Release | None


@dataclass(frozen=True, slots=True)
class Go:
    """Begin, or forget, the prepared session."""

    session: int


def sign_approval(key: Ed25519PrivateKey, approval: Approval) -> SignedApproval:
    """Return `approval` signed with the identity key of its member."""
    return SignedApproval(approval, key.sign(wire.signing_input("approval", approval)))


def verify_approval(group: Group, signed: SignedApproval) -> None:
    """Raise `VerificationFailed` unless the member named in `signed` signed it."""
    approval = signed.approval
    member = group.members[group.party(approval.member)]
    key = Ed25519PublicKey.from_public_bytes(member.public_key)
    try:
        key.verify(signed.signature, wire.signing_input("approval", approval))
    except InvalidSignature:
        raise VerificationFailed(
            f"an approval in the name of {approval.member} is not signed by it"
        ) from None
