"""Unlocking as a request like any other: what a holder sees to before its share is used.

Twice: before its person is asked, and when a quorum has approved. Then its
partial decryption goes to the reply key of the request's document, and nowhere
else. So an approval is of this record, for this requester, until this hour.
When enough answers are together, the member they went to says so to all
(`Opened`), with the approvals and with what proves that a holder cheated.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.edwards25519 import Point, Randomness
from quorate.errors import Refused, VerificationFailed
from quorate.quorum.answer import Holder, SignedAnswer
from quorate.quorum.countersign import check_may_answer, verify_approvals
from quorate.quorum.key import Key
from quorate.quorum.request import Purpose, Request, check_request, verify_requester
from quorate.threshold.age.header import parse_header
from quorate.threshold.answers import (
    Identity,
    ReplyKey,
    SealedAnswer,
    SignedParts,
    answer,
    verify_proof,
)
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import KeyShare, seat
from quorate.threshold.plain import Register, check_register
from quorate.threshold.unlocking import Unlocking, check_document

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """A request to unlock that may be put before a person."""

    key: Key
    request: Request
    unlocking: Unlocking
    bases: tuple[Point, ...]

    @property
    def answers_to(self) -> ReplyKey:
        return self.unlocking.answers_to

    @property
    def reply_keys(self) -> tuple[ReplyKey, ...]:
        """Whose secrets their members keep until the request is over."""
        opener = self.unlocking.opener
        return (self.unlocking.requester, *([opener] if opener else []))

    @property
    def about(self) -> str:
        """What a share is used for, as the audit log has it."""
        return self.unlocking.sought.record


@dataclass(frozen=True, slots=True)
class Own:
    """What one holder answers with."""

    share: KeyShare
    identity: Ed25519PrivateKey = field(repr=False)
    register: Register


@dataclass(frozen=True, slots=True)
class Proof:
    """What a holder signed and is wrong: whoever has the request can see that it cheated."""

    identifier: int
    signed: SignedParts


@dataclass(frozen=True, slots=True)
class Opened:
    """That a request was unlocked, for all members; the file key is for the requester only."""

    request: Request
    document: bytes
    requested: bytes  # its requester's signature
    answers: tuple[SignedAnswer, ...]  # approvals, in the order of holders
    box: bytes  # the file key, sealed to the requester's reply key
    proofs: tuple[Proof, ...]
    signature: bytes  # of the member to whom the answers went


def identities(key: Key) -> tuple[Identity, ...]:
    """Return the holders of a key, in the order of their identifiers."""
    return tuple(identity_of(holder) for holder in key.plan.holders)


def check_unlock(key: Key, request: Request, document: bytes, requester: Holder) -> Checked:
    """Return the request, checked; `requester` is who the roster says has its name.

    Raises `Refused`, `VerificationFailed` or `MalformedMessage` for what no
    person should be asked.
    """
    unlocking = read_document("unlock", key, request, document, Unlocking)
    if not request.requester == requester.name == unlocking.requester.member:
        raise Refused("the answers would go to another member than the one that asks")
    bases = check_document(key.public, unlocking, identity_of(requester), identities(key))
    return Checked(key, request, unlocking, bases)


def read_document(
    purpose: Purpose, key: Key, request: Request, document: bytes, kind: type[T]
) -> T:
    """Return the document of a request of this kind to this key. Raises an `Error` otherwise."""
    check_request(request, document)
    if request.type != purpose or request.key != key.key_id():
        raise Refused(f"this does not ask to {purpose} with this key")
    return wire.decode(document, kind)


def answer_unlock(
    checked: Checked,
    own: Own,
    words: Iterable[SignedAnswer],
    at: datetime,
    randomness: Randomness,
) -> SealedAnswer:
    """Return this holder's partial decryptions, for the eyes of the requester or opener only.

    Raises `Refused` unless, at the time `at`, the request is not over and a
    quorum that includes this holder's own person has approved it; and for a
    plain file that the register knows as another record. Asking alone registers nothing.
    """
    key, request, unlocking = checked.key, checked.request, checked.unlocking
    check_may_answer(request, key.plan, own.share.identifier, words, at)
    sought, asked = unlocking.sought, unlocking.asked(request.digest())
    if sought.mode == "plain":
        check_register(own.register, parse_header(sought.content), sought.record)
    return answer(own.share, own.identity, asked, checked.bases, unlocking.answers_to, randomness)


def sign_opened(
    identity: Ed25519PrivateKey, request: Request, box: bytes, proofs: tuple[Proof, ...]
) -> bytes:
    """Return the signature of the member to whom the answers went."""
    return identity.sign(_opened_input(request, box, proofs))


def verify_opened(key: Key, opened: Opened, requester: Holder) -> Checked:
    """Return the request that was unlocked. Raises an `Error` unless all of it verifies.

    Enough holders approved it in time, whoever the answers went to says so,
    and every proof shows that its holder cheated.
    """
    request = opened.request
    checked = check_unlock(key, request, opened.document, requester)
    verify_requester(request, requester.public_key, opened.requested)
    verify_approvals(request, key.plan, opened.answers)
    who = checked.unlocking.answers_to.member
    owner = next(h for h in (requester, *key.plan.holders) if h.name == who)
    message = _opened_input(request, opened.box, opened.proofs)
    verify_by(owner.public_key, opened.signature, message, f"{who} did not say so")
    asked, them = checked.unlocking.asked(request.digest()), identities(key)
    for proof in opened.proofs:
        if not 1 <= proof.identifier <= len(them):
            raise VerificationFailed("a proof against nobody")
        holder = (proof.identifier, them[seat(proof.identifier)])
        verify_proof(key.public, asked, checked.bases, proof.signed, holder)
    return checked


def _opened_input(request: Request, box: bytes, proofs: tuple[Proof, ...]) -> bytes:
    return wire.signing_input("opened", (request.digest(), box, proofs))


def identity_of(holder: Holder) -> Identity:
    return Identity(holder.name, holder.public_key)
