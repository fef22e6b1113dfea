"""A whole key for one member, as a request like any other, under a higher rule of its own.

An emergency: its holders give up a plain key, so that what is sealed to it can be opened
without them. `KeyPlan.recovery` says how many must approve, and its holders accepted that
with the key. Each then hands its share over to the requester's reply key, and nowhere else.
When enough are together, the requester says so to all (`Recovered`); what was recovered
stays with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Refused, VerificationFailed
from quorate.quorum.answer import Holder, SignedAnswer
from quorate.quorum.countersign import check_may_answer, verify_approvals
from quorate.quorum.key import Key
from quorate.quorum.request import Request, verify_requester
from quorate.quorum.unlock import (
    Checked,
    check_unlock,
    identities,
    identity_of,
    read_document,
)
from quorate.threshold.answers import ReplyKey, SealedAnswer
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import KeyShare, seat
from quorate.threshold.partial import Asked
from quorate.threshold.recovery import (
    HandedOver,
    Recovering,
    check_document,
    hand_over,
    verify_proof,
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """A request for a whole key that may be put before a person."""

    key: Key
    request: Request
    recovering: Recovering

    @property
    def answers_to(self) -> ReplyKey:
        return self.recovering.requester

    @property
    def reply_keys(self) -> tuple[ReplyKey, ...]:
        """Whose secrets their members keep until the request is over."""
        return (self.recovering.requester,)

    @property
    def about(self) -> str:
        """What a share is used for, as the audit log has it."""
        return f"the whole key {self.key.plan.name}"

    @property
    def asked(self) -> Asked:
        return self.recovering.asked(self.request.digest())


@dataclass(frozen=True, slots=True)
class WrongShare:
    """A share that a holder signed and that is not its own: proof for whoever has the request."""

    identifier: int
    handed: HandedOver


@dataclass(frozen=True, slots=True)
class Recovered:
    """That a key was recovered, for all members; the key itself is with the requester only."""

    request: Request
    document: bytes
    requested: bytes  # its requester's signature
    answers: tuple[SignedAnswer, ...]  # approvals, in the order of holders
    proofs: tuple[WrongShare, ...]
    signature: bytes  # the requester's


def check_recovery(key: Key, request: Request, document: bytes, requester: Holder) -> Recovery:
    """Return the request, checked; `requester` is who the roster says has its name.

    Raises `Refused`, `VerificationFailed` or `MalformedMessage` for what no
    person should be asked.
    """
    recovering = read_document("recover", key, request, document, Recovering)
    if not request.requester == requester.name == recovering.requester.member:
        raise Refused("the key would go to another member than the one that asks")
    check_document(key.public, recovering, identity_of(requester))
    return Recovery(key, request, recovering)


def check_use(key: Key, request: Request, document: bytes, requester: Holder) -> Checked | Recovery:
    """Return a request that asks holders to use their shares, checked as its kind needs."""
    check = check_recovery if request.type == "recover" else check_unlock
    return check(key, request, document, requester)


def answer_recovery(
    checked: Recovery,
    share: KeyShare,
    identity: Ed25519PrivateKey,
    words: Iterable[SignedAnswer],
    at: datetime,
) -> SealedAnswer:
    """Return this holder's share, for the eyes of the requester only.

    Raises `Refused` unless, at the time `at`, the request is not over and as many
    holders approved as the key's recovery needs, this holder's own person among them.
    """
    check_may_answer(checked.request, checked.key.plan, share.identifier, words, at)
    return hand_over(share, identity, checked.asked, checked.answers_to)


def sign_recovered(
    identity: Ed25519PrivateKey, request: Request, proofs: tuple[WrongShare, ...]
) -> bytes:
    """Return the requester's signature that it has the key."""
    return identity.sign(_recovered_input(request, proofs))


def verify_recovered(key: Key, recovered: Recovered, requester: Holder) -> Recovery:
    """Return the request by which a key was recovered. Raises an `Error` unless all verifies.

    Enough holders approved it in time, the requester says that it has the key,
    and every proof shows that its holder cheated.
    """
    request = recovered.request
    checked = check_recovery(key, request, recovered.document, requester)
    verify_requester(request, requester.public_key, recovered.requested)
    verify_approvals(request, key.plan, recovered.answers)
    message = _recovered_input(request, recovered.proofs)
    otherwise = f"{requester.name} did not say so"
    verify_by(requester.public_key, recovered.signature, message, otherwise)
    them = identities(key)
    for proof in recovered.proofs:
        if not 1 <= proof.identifier <= len(them):
            raise VerificationFailed("a proof against nobody")
        holder = (proof.identifier, them[seat(proof.identifier)])
        verify_proof(key.public, checked.asked, proof.handed, holder)
    return checked


def _recovered_input(request: Request, proofs: tuple[WrongShare, ...]) -> bytes:
    return wire.signing_input("recovered", (request.digest(), proofs))
