"""A key of several members: planned and approved by each, then generated, then certified by each.

Who holds what: every holder one share; everybody the `Key`, which says whose
the shares are. Each holder signs the finished key with its identity key, and
only where all have does it count. So who knows the roster knows the group's key,
and a signature under it means `min_signers` of these holders.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import MalformedMessage, Refused, VerificationFailed
from quorate.quorum.answer import Holder
from quorate.quorum.key_plan import KeyPlan, check_plan
from quorate.studies.group import Group
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import PublicKey
from quorate.threshold.reshare import Certificate, verify_certificate
from quorate.wire import ABSENT, Absent


@dataclass(frozen=True, slots=True)
class Key:
    """A key that exists."""

    plan: KeyPlan
    public: PublicKey
    signatures: tuple[bytes, ...]  # each holder's, over plan and public key, in their order
    handover: Certificate | Absent = ABSENT  # where it renews another: that all its shares work

    def key_id(self) -> bytes:
        return self.public.key_id()

    def holder(self, identifier: int) -> Holder:
        return self.plan.holders[identifier - 1]


def sign_plan(identity: Ed25519PrivateKey, plan: KeyPlan) -> bytes:
    """Return the proposer's signature."""
    return identity.sign(wire.signing_input("key plan", plan))


def verify_plan(plan: KeyPlan, public_key: bytes, signature: bytes) -> None:
    """Raise `VerificationFailed` unless its proposer signed the plan."""
    message = wire.signing_input("key plan", plan)
    verify_by(public_key, signature, message, "the key's plan is not signed by its proposer")


def sign_key(identity: Ed25519PrivateKey, plan: KeyPlan, public: PublicKey) -> bytes:
    """Return a holder's signature that this is the key it holds a share of."""
    return identity.sign(_certified(plan, public))


def verify_key_signature(plan: KeyPlan, public: PublicKey, holder: Holder, signed: bytes) -> None:
    """Raise `VerificationFailed` unless `holder` certified this key."""
    otherwise = f"{holder.name} did not certify the key"
    verify_by(holder.public_key, signed, _certified(plan, public), otherwise)


def verify_key(key: Key, group: Group | None = None) -> None:
    """Raise `VerificationFailed` unless every holder certified `key`.

    Give `group` where the roster is known: without it, anybody could have made up the holders.
    """
    plan, public = key.plan, key.public
    try:
        fits = plan.access == public.access
        if group is not None:
            check_plan(plan, group)
    except (Refused, MalformedMessage) as e:
        raise VerificationFailed(f"the key is not usable: {e}", hint=e.hint) from None
    if not fits or plan.purpose != public.purpose:
        raise VerificationFailed("the key is not the one its holders planned")
    if len({h.operator for h in plan.holders}) < len(plan.holders):
        raise VerificationFailed("two of the key's holders have one operator")
    if len(key.signatures) != len(plan.holders):
        raise VerificationFailed("not every holder certified the key")
    for holder, signed in zip(plan.holders, key.signatures, strict=True):
        verify_key_signature(plan, public, holder, signed)
    _verify_handover(key)


def _verify_handover(key: Key) -> None:
    """Raise `VerificationFailed` unless a renewed key is the old one, and its shares work."""
    renews, certificate = key.plan.renews, key.handover
    if renews is ABSENT and certificate is ABSENT:
        return
    if renews is ABSENT or certificate is ABSENT or certificate.setup.handover is ABSENT:
        raise VerificationFailed("the key was not handed over as it was planned")
    setup = certificate.setup
    try:
        due = key.plan.setup(setup.static_keys, certificate.setup.handover.static_keys)
    except MalformedMessage as e:
        raise VerificationFailed(f"the key was not handed over: {e}") from None
    if setup != due:
        raise VerificationFailed("the key was handed over otherwise than it was planned")
    verify_certificate(certificate)
    if certificate.public_key() != key.public:
        raise VerificationFailed("the certificate is of another key")


def _certified(plan: KeyPlan, public: PublicKey) -> bytes:
    return wire.signing_input("key", (plan.digest(), public))
