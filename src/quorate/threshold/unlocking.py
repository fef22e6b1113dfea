"""What holders of a key are asked to unlock, what each must see to, and what comes out.

The document of a request says what is sought and to which fresh keys answers
go. The request holds the document's digest and is in the proof of every partial
decryption: an answer to one request is no answer to another. What is sealed
says nothing of who may open it, so it outlives policies and members; who asks,
why and until when is in the request.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate import wire
from quorate.algebra.edwards25519 import Point
from quorate.errors import Abort, Party, Refused, VerificationFailed
from quorate.threshold import plain, tdh2
from quorate.threshold.age.header import FILE_KEY_LENGTH, parse_header
from quorate.threshold.answers import (
    Identity,
    ReplyKey,
    SealedAnswer,
    Sought,
    are_of,
    read_answer,
    seal_to,
    unseal,
    verify_reply_key,
)
from quorate.threshold.keys import PublicKey, seat
from quorate.threshold.partial import Asked, Partial, check_purpose, combine

_OPENER = 0
"""Stands for the opener where a holder's identifier is bound to what it seals."""


@dataclass(frozen=True, slots=True)
class Unlocking:
    """The document of a request to unlock: `wire.encode` of it is what the request is about."""

    sought: Sought
    requester: ReplyKey
    opener: ReplyKey | None  # in plain mode: the approving holder that adds the parts up

    @property
    def answers_to(self) -> ReplyKey:
        return self.opener or self.requester

    def asked(self, request: bytes) -> Asked:
        """Return what an answer is bound to, from the request's digest."""
        return Asked(request, wire.digest("unlocking", self))


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The file key; who provably sent wrong parts; whose answer could not be read."""

    file_key: bytes = field(repr=False)
    culprits: tuple[Party, ...]
    suspects: tuple[Party, ...]


def check_document(
    public: PublicKey, document: Unlocking, requester: Identity, holders: tuple[Identity, ...]
) -> tuple[Point, ...]:
    """Return the points that holders multiply; `holders` are in the order of their identifiers.

    Raises `VerificationFailed` or `MalformedMessage` for what is not whole, and
    `Refused` for what this key does not open, or would open to the wrong member.
    """
    sought = document.sought
    tdh2.check_record(sought.record)
    verify_reply_key(sought, document.requester, requester)
    if sought.mode == "sealed":
        check_purpose(public, "unlock")
        if document.opener is not None:
            raise Refused("only what is sealed to a plain key goes through an opener")
        return (_sealed(public, sought)[1],)
    check_purpose(public, "plain")
    _check_opener(document, holders)
    return tuple(map(plain.base_of, plain.stanzas(parse_header(sought.content))))


def unlock(
    public: PublicKey,
    document: Unlocking,
    request: bytes,
    secret: X25519PrivateKey,
    answers: Iterable[SealedAnswer],
    holders: tuple[Identity, ...],
) -> Unlocked:
    """Return the file key from the answers of `min_signers` holders, at whom they are sealed to.

    Raises `Abort` where too few are right: culprits sent wrong parts under
    their signature, suspects what could not be read.
    """
    asked = document.asked(request)
    due = len(plain.stanzas(parse_header(document.sought.content))) if document.opener else 1
    found = _Read(due)
    for sealed in answers:
        if 1 <= sealed.identifier <= len(holders):  # nobody else's could count
            _read_one(found, secret, asked, sealed, holders[seat(sealed.identifier)])
    try:
        file_key, wrong = _open(public, document, asked, found.parts, holders)
    except Abort as e:
        culprits = found.culprits | e.suspects  # each of them signed what it sent
        suspects = found.suspects - culprits
        raise Abort(str(e), culprits=culprits, suspects=suspects, hint=e.hint) from None
    culprits = found.culprits.union(map(seat, wrong))
    return Unlocked(file_key, tuple(sorted(culprits)), tuple(sorted(found.suspects - culprits)))


def pass_on(file_key: bytes, document: Unlocking, asked: Asked) -> bytes:
    """Return the file key, sealed by the opener of a plain file to the requester."""
    return seal_to(document.requester, asked, _OPENER, file_key)


def take_over(secret: X25519PrivateKey, asked: Asked, box: bytes) -> bytes:
    """Return the file key that the opener passed on. Raises `VerificationFailed`."""
    file_key = unseal(secret, asked, _OPENER, box)
    if len(file_key) != FILE_KEY_LENGTH:
        raise VerificationFailed("what the opener sent is no file key")
    return file_key


@dataclass(slots=True)
class _Read:
    due: int  # parts in each answer
    parts: list[tuple[Partial, ...]] = field(default_factory=list)
    culprits: set[Party] = field(default_factory=set)
    suspects: set[Party] = field(default_factory=set)


def _read_one(
    found: _Read, secret: X25519PrivateKey, asked: Asked, sealed: SealedAnswer, holder: Identity
) -> None:
    try:
        signed = read_answer(secret, asked, sealed, holder)
    except VerificationFailed:
        found.suspects.add(seat(sealed.identifier))
        return
    if are_of(signed, sealed.identifier, found.due):
        found.parts.append(signed.parts)
    else:
        found.culprits.add(seat(sealed.identifier))


def _open(
    public: PublicKey,
    document: Unlocking,
    asked: Asked,
    given: list[tuple[Partial, ...]],
    holders: tuple[Identity, ...],
) -> tuple[bytes, tuple[int, ...]]:
    """Return the file key and the identifiers of those whose parts were wrong."""
    if document.opener is None:
        ciphertext, base = _sealed(public, document.sought)
        combined = combine(public, base, asked, (part for (part,) in given))
        return tdh2.unmask(ciphertext, combined.point), combined.wrong
    opened = plain.open_header(public, parse_header(document.sought.content), asked, given)
    approving = {holders[seat(part.identifier)].member for parts in given for part in parts}
    if document.opener.member not in approving:
        raise Refused("the opener has not approved this request itself")
    return opened.file_key, opened.wrong


def _sealed(public: PublicKey, sought: Sought) -> tuple[tdh2.Ciphertext, Point]:
    ciphertext = wire.decode(sought.content, tdh2.Ciphertext)
    if ciphertext.label.record != sought.record:
        raise VerificationFailed("what is to be opened was sealed as another record")
    return ciphertext, tdh2.verify(public.group, ciphertext)


def _check_opener(document: Unlocking, holders: tuple[Identity, ...]) -> None:
    if document.opener is None:
        raise Refused("what is sealed to a plain key is opened by one of the key's holders")
    if document.opener.member == document.requester.member:
        raise Refused("who asks for a file that is sealed to a plain key cannot be its opener")
    opener = next((h for h in holders if h.member == document.opener.member), None)
    if opener is None:
        raise Refused("the opener holds no share of this key")
    verify_reply_key(document.sought, document.opener, opener)
