"""What holders of a key are asked to unlock, and how their answers reach whoever asked, only.

The document of a request says what is to be opened, as which record, and to
which fresh keys answers go; each such key is signed by its member for this
content and record alone, so that nobody takes the requester's place. The request
holds the document's digest and is in the proof of every partial decryption: an
answer to one request is no answer to another.

An answer is sealed with HPKE [RFC9180]; inside, its holder signs what it sends,
so that a wrong partial decryption is proof against it. A box that does not open
proves nothing: it could be anybody's. **Unreviewed.**
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from quorate import wire
from quorate.algebra.edwards25519 import Point, Randomness
from quorate.errors import Abort, MalformedMessage, Refused, VerificationFailed
from quorate.threshold import plain, tdh2
from quorate.threshold.age.header import FILE_KEY_LENGTH, parse_header
from quorate.threshold.keys import KeyShare, PublicKey
from quorate.threshold.partial import Asked, Partial, check_purpose, combine, make_partial

Mode = Literal["sealed", "plain"]
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True)
class Identity:
    """A member, and the Ed25519 key that speaks for it."""

    member: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class ReplyKey:
    """A fresh X25519 key of a member, signed with its identity key for one content."""

    member: str
    key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Unlocking:
    """The document of a request to unlock: `wire.encode` of it is what the request is about."""

    mode: Mode
    content: bytes  # the encoding of a `tdh2.Ciphertext`; or a whole age header
    record: str
    requester: ReplyKey
    opener: ReplyKey | None  # in plain mode: the approving holder that adds the parts up

    @property
    def answers_to(self) -> ReplyKey:
        return self.opener or self.requester

    def asked(self, request: bytes) -> Asked:
        """Return what an answer is bound to, from the request's digest."""
        return Asked(request, wire.digest("unlocking", self))


@dataclass(frozen=True, slots=True)
class SealedAnswer:
    """A holder's partial decryptions, for one pair of eyes."""

    identifier: int
    box: bytes


@dataclass(frozen=True, slots=True)
class SignedParts:
    """The same, opened: one part for each stanza in plain mode, else exactly one."""

    parts: tuple[Partial, ...]
    signature: bytes


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The file key; who provably sent wrong parts; whose answer could not be read."""

    file_key: bytes = field(repr=False)
    culprits: tuple[int, ...]
    suspects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _ReplyTerms:
    content: bytes
    record: str
    member: str
    key: bytes


def make_reply_key(
    identity: Ed25519PrivateKey, member: str, content: bytes, record: str, randomness: Randomness
) -> tuple[X25519PrivateKey, ReplyKey]:
    """Return a fresh key pair to which answers about this content, as this record, are sealed."""
    secret = X25519PrivateKey.from_private_bytes(randomness(32))
    key = secret.public_key().public_bytes_raw()
    terms = wire.signing_input("reply-key", _ReplyTerms(content, record, member, key))
    return secret, ReplyKey(member, key, identity.sign(terms))


def check_document(
    public: PublicKey, document: Unlocking, requester: Identity, holders: tuple[Identity, ...]
) -> tuple[Point, ...]:
    """Return the points that holders multiply; their order is that of their identifiers.

    Raises `VerificationFailed` or `MalformedMessage` for what is not whole, and
    `Refused` for what this key does not open, or would open to the wrong member.
    """
    tdh2.check_record(document.record)
    _check_reply_key(document, document.requester, requester)
    if document.mode == "sealed":
        check_purpose(public, "unlock")
        if document.opener is not None:
            raise Refused("only what is sealed to a plain key goes through an opener")
        return (_sealed_point(public, document)[0],)
    check_purpose(public, "plain")
    if document.opener is None:
        raise Refused("what is sealed to a plain key is opened by one of the key's holders")
    if document.opener.member == document.requester.member:
        raise Refused("who asks for a file that is sealed to a plain key cannot be its opener")
    opener = next((h for h in holders if h.member == document.opener.member), None)
    if opener is None:
        raise Refused("the opener holds no share of this key")
    _check_reply_key(document, document.opener, opener)
    return tuple(map(plain.base_of, plain.stanzas(parse_header(document.content))))


def answer(
    share: KeyShare,
    identity: Ed25519PrivateKey,
    asked: Asked,
    bases: tuple[Point, ...],
    to: ReplyKey,
    randomness: Randomness,
) -> SealedAnswer:
    """Return this holder's parts, once its person approved; `bases` are `check_document`'s."""
    parts = tuple(make_partial(share, base, asked, randomness) for base in bases)
    signed = SignedParts(parts, identity.sign(wire.signing_input("parts", (asked, parts))))
    about = _about(asked, share.identifier)
    return SealedAnswer(share.identifier, _box(to, about, wire.encode(signed)))


def read_answer(
    secret: X25519PrivateKey, asked: Asked, sealed: SealedAnswer, holder: Identity
) -> tuple[Partial, ...]:
    """Return a holder's parts, signed by it. Raises `VerificationFailed`: no proof."""
    message = f"the answer in the name of {holder.member} is not its answer to this request"
    try:
        data = SUITE.decrypt(sealed.box, secret, info=_about(asked, sealed.identifier))
        signed = wire.decode(data, SignedParts)
        signed_bytes = wire.signing_input("parts", (asked, signed.parts))
        Ed25519PublicKey.from_public_bytes(holder.public_key).verify(signed.signature, signed_bytes)
    except (InvalidTag, InvalidSignature, MalformedMessage, ValueError):
        raise VerificationFailed(message) from None
    return signed.parts


def unlock(
    public: PublicKey,
    document: Unlocking,
    request: bytes,
    secret: X25519PrivateKey,
    answers: Iterable[SealedAnswer],
    holders: tuple[Identity, ...],
) -> Unlocked:
    """Return the file key from the answers of `min_signers` holders, at whom they are sealed to.

    Raises `Abort` where too few are right, which names identifiers: culprits
    sent wrong parts under their signature, suspects what could not be read.
    """
    asked = document.asked(request)
    found = _Read(len(plain.stanzas(parse_header(document.content))) if document.opener else 1)
    for sealed in answers:
        if 1 <= sealed.identifier <= len(holders):  # nobody else's could count
            _read_one(found, secret, asked, sealed, holders[sealed.identifier - 1])
    try:
        file_key, wrong = _open(public, document, asked, found.parts, holders)
    except Abort as e:
        culprits = found.culprits | e.culprits
        suspects = found.suspects - culprits
        raise Abort(str(e), culprits=culprits, suspects=suspects, hint=e.hint) from None
    culprits = found.culprits.union(wrong)
    return Unlocked(file_key, tuple(sorted(culprits)), tuple(sorted(found.suspects - culprits)))


@dataclass(slots=True)
class _Read:
    due: int  # parts in each answer
    parts: list[tuple[Partial, ...]] = field(default_factory=list)
    culprits: set[int] = field(default_factory=set)
    suspects: set[int] = field(default_factory=set)


def _read_one(
    found: _Read, secret: X25519PrivateKey, asked: Asked, sealed: SealedAnswer, holder: Identity
) -> None:
    try:
        parts = read_answer(secret, asked, sealed, holder)
    except VerificationFailed:
        found.suspects.add(sealed.identifier)
        return
    if len(parts) == found.due and all(p.identifier == sealed.identifier for p in parts):
        found.parts.append(parts)
    else:
        found.culprits.add(sealed.identifier)  # it signed another number, or in another's name


def _open(
    public: PublicKey,
    document: Unlocking,
    asked: Asked,
    given: list[tuple[Partial, ...]],
    holders: tuple[Identity, ...],
) -> tuple[bytes, tuple[int, ...]]:
    """Return the file key and whose parts were wrong."""
    if document.opener is None:
        base, ciphertext = _sealed_point(public, document)
        combined = combine(public, base, asked, (part for (part,) in given))
        return tdh2.unmask(ciphertext, combined.point), combined.wrong
    opened = plain.open_header(public, parse_header(document.content), asked, given)
    answered = {holders[part.identifier - 1].member for parts in given for part in parts}
    if document.opener.member not in answered:
        raise Refused("the opener has not approved this request itself")
    return opened.file_key, opened.wrong


def pass_on(file_key: bytes, document: Unlocking, asked: Asked) -> bytes:
    """Return the file key, sealed by the opener of a plain file to the requester."""
    return _box(document.requester, _about(asked, 0), file_key)


def take_over(secret: X25519PrivateKey, asked: Asked, box: bytes) -> bytes:
    """Return the file key that the opener passed on. Raises `VerificationFailed`."""
    try:
        file_key = SUITE.decrypt(box, secret, info=_about(asked, 0))
    except InvalidTag:
        file_key = b""
    if len(file_key) != FILE_KEY_LENGTH:
        raise VerificationFailed("what the opener sent is not the file key for this request")
    return file_key


def _sealed_point(public: PublicKey, document: Unlocking) -> tuple[Point, tdh2.Ciphertext]:
    ciphertext = wire.decode(document.content, tdh2.Ciphertext)
    if ciphertext.label.record != document.record:
        raise VerificationFailed("what is to be opened was sealed as another record")
    return tdh2.verify(public.group, ciphertext), ciphertext


def _check_reply_key(document: Unlocking, reply: ReplyKey, member: Identity) -> None:
    terms = _ReplyTerms(document.content, document.record, reply.member, reply.key)
    try:
        key = Ed25519PublicKey.from_public_bytes(member.public_key)
        key.verify(reply.signature, wire.signing_input("reply-key", terms))
    except (InvalidSignature, ValueError):
        raise VerificationFailed(
            f"the key to answer to was not signed by {member.member} for this"
        ) from None
    if reply.member != member.member:
        raise VerificationFailed("the key to answer to is another member's")


def _box(to: ReplyKey, about: bytes, message: bytes) -> bytes:
    try:
        return SUITE.encrypt(message, X25519PublicKey.from_public_bytes(to.key), info=about)
    except ValueError:  # of small order, or no key at all
        raise VerificationFailed(f"the key to answer to of {to.member} is not usable") from None


def _about(asked: Asked, identifier: int) -> bytes:
    return wire.signing_input("answer-box", (asked, identifier))
