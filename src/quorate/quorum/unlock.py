"""Unlocking as a request like any other: what a holder sees to before its share is used.

Twice: before its person is asked, and when a quorum has approved. Then its
partial decryption goes to the reply key of the request's document, and nowhere
else. So an approval is of this record, for this requester, until this hour.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.edwards25519 import Point, Randomness
from quorate.errors import Refused
from quorate.quorum.answer import Holder, SignedAnswer, approvals
from quorate.quorum.key import Key
from quorate.quorum.request import Request, check_request, is_over
from quorate.threshold.age.header import parse_header
from quorate.threshold.answers import Identity, SealedAnswer, answer
from quorate.threshold.keys import KeyShare, seat
from quorate.threshold.plain import Register, check_register
from quorate.threshold.unlocking import Unlocking, check_document


@dataclass(frozen=True, slots=True)
class Checked:
    """A request to unlock that may be put before a person."""

    key: Key
    request: Request
    unlocking: Unlocking
    bases: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """What one holder answers with."""

    share: KeyShare
    identity: Ed25519PrivateKey = field(repr=False)
    register: Register


def identities(key: Key) -> tuple[Identity, ...]:
    """Return the holders of a key, in the order of their identifiers."""
    return tuple(_identity(holder) for holder in key.plan.holders)


def check_unlock(key: Key, request: Request, document: bytes, requester: Holder) -> Checked:
    """Return the request, checked; `requester` is who the roster says has its name.

    Raises `Refused`, `VerificationFailed` or `MalformedMessage` for what no
    person should be asked.
    """
    check_request(request, document)
    if request.type != "unlock" or request.key != key.key_id():
        raise Refused("this does not ask to unlock with this key")
    unlocking = wire.decode(document, Unlocking)
    if not request.requester == requester.name == unlocking.requester.member:
        raise Refused("the answers would go to another member than the one that asks")
    bases = check_document(key.public, unlocking, _identity(requester), identities(key))
    return Checked(key, request, unlocking, bases)


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
    if is_over(request.expires, at):
        raise Refused("the request is over", hint="ask for it again")
    approving = approvals(key.plan.holders, request.digest(), words, at)
    names = [signed.answer.member for signed in approving]
    if key.plan.names[seat(own.share.identifier)] not in names:
        raise Refused("this member has not approved the request")
    if len(names) < key.plan.min_signers:
        raise Refused(f"{len(names)} holders approved, where {key.plan.rule} must")
    sought, asked = unlocking.sought, unlocking.asked(request.digest())
    if sought.mode == "plain":
        check_register(own.register, parse_header(sought.content), sought.record)
    return answer(own.share, own.identity, asked, checked.bases, unlocking.answers_to, randomness)


def _identity(holder: Holder) -> Identity:
    return Identity(holder.name, holder.public_key)
