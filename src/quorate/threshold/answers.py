"""How a holder's partial decryptions reach one member only, under the holder's own name.

An answer is sealed with HPKE [RFC9180] to a fresh key that its member signed for
what is to be opened, so that nobody takes the requester's place. Inside, the
holder signs its parts with its identity key [RFC8032]: a wrong part is proof
against it, before anybody. An answer that does not open proves nothing, it could
be anybody's.

Adversary: the requester, holders and the network, together; fewer than
`min_signers` holders. Unreviewed.
"""

from dataclasses import dataclass
from typing import Literal, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from quorate import wire
from quorate.algebra.edwards25519 import Point, Randomness
from quorate.errors import MalformedMessage, VerificationFailed
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import KeyShare, PublicKey
from quorate.threshold.partial import Asked, Partial, make_partial, verify_partial

T = TypeVar("T")

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is to be opened, and as which record."""

    mode: Literal["sealed", "plain"]
    content: bytes  # the encoding of a `tdh2.Ciphertext`; or a whole age header
    record: str


@dataclass(frozen=True, slots=True)
class Whole:
    """What is to be recovered: a key itself, not what is sealed to it."""

    key: bytes  # identifier


@dataclass(frozen=True, slots=True)
class Identity:
    """A member, and the Ed25519 key that speaks for it."""

    member: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class ReplyKey:
    """A fresh X25519 key of a member, signed with its identity key for what is sought."""

    member: str
    key: bytes
    signature: bytes


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


def make_reply_key(
    identity: Ed25519PrivateKey, member: str, sought: Sought | Whole, randomness: Randomness
) -> tuple[X25519PrivateKey, ReplyKey]:
    """Return a fresh key pair to which answers about this are sealed."""
    secret = X25519PrivateKey.from_private_bytes(randomness(32))
    key = secret.public_key().public_bytes_raw()
    return secret, ReplyKey(member, key, identity.sign(_terms(sought, member, key)))


def verify_reply_key(sought: Sought | Whole, reply: ReplyKey, owner: Identity) -> None:
    """Raise `VerificationFailed` unless `owner` takes answers about this with that key."""
    otherwise = f"the key to answer to is not one that {owner.member} signed for this"
    if reply.member != owner.member:
        raise VerificationFailed(otherwise)
    terms = _terms(sought, reply.member, reply.key)
    verify_by(owner.public_key, reply.signature, terms, otherwise)


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
    signed = SignedParts(parts, identity.sign(_parts_input(asked, parts)))
    box = seal_to(to, asked, share.identifier, wire.encode(signed))
    return SealedAnswer(share.identifier, box)


def read_answer(
    secret: X25519PrivateKey, asked: Asked, sealed: SealedAnswer, holder: Identity
) -> SignedParts:
    """Return a holder's parts, signed by it. Raises `VerificationFailed`: no proof."""
    signed = open_box(secret, asked, sealed, holder, SignedParts)
    _verify_parts(asked, signed, holder)
    return signed


def open_box(
    secret: X25519PrivateKey, asked: Asked, sealed: SealedAnswer, holder: Identity, kind: type[T]
) -> T:
    """Return what is in an answer's box, its signature unread. Raises `VerificationFailed`."""
    try:
        return wire.decode(unseal(secret, asked, sealed.identifier, sealed.box), kind)
    except MalformedMessage as e:
        raise VerificationFailed(f"an answer of {holder.member} is {e}") from None


def are_of(signed: SignedParts, identifier: int, due: int) -> bool:
    """Return whether a holder signed as many parts as are due, and in its own name."""
    return len(signed.parts) == due and all(p.identifier == identifier for p in signed.parts)


def verify_proof(
    public: PublicKey,
    asked: Asked,
    bases: tuple[Point, ...],
    signed: SignedParts,
    holder: tuple[int, Identity],
) -> None:
    """Raise `VerificationFailed` unless `signed` proves that this holder cheated.

    `bases` are `check_document`'s; the holder is given with its identifier.
    """
    identifier, identity = holder
    _verify_parts(asked, signed, identity)
    if not are_of(signed, identifier, len(bases)):
        return
    for base, part in zip(bases, signed.parts, strict=True):
        try:
            verify_partial(public, base, asked, part)
        except VerificationFailed:
            return
    raise VerificationFailed("the parts are right: they prove nothing against their holder")


def seal_to(to: ReplyKey, asked: Asked, identifier: int, message: bytes) -> bytes:
    """Return `message` for the owner of a reply key; `identifier` is its sender's."""
    try:
        key = X25519PublicKey.from_public_bytes(to.key)
        return SUITE.encrypt(message, key, info=_about(asked, identifier))
    except ValueError:  # of small order, or no key at all
        raise VerificationFailed(f"the key to answer to of {to.member} is not usable") from None


def unseal(secret: X25519PrivateKey, asked: Asked, identifier: int, box: bytes) -> bytes:
    """Return what `seal_to` sealed. Raises `VerificationFailed`."""
    try:
        return SUITE.decrypt(box, secret, info=_about(asked, identifier))
    except InvalidTag:
        raise VerificationFailed("an answer that is not to this request, or to us") from None


def _verify_parts(asked: Asked, signed: SignedParts, holder: Identity) -> None:
    otherwise = f"partial decryptions in the name of {holder.member} are not signed by it"
    verify_by(holder.public_key, signed.signature, _parts_input(asked, signed.parts), otherwise)


def _terms(sought: Sought | Whole, member: str, key: bytes) -> bytes:
    return wire.signing_input("reply-key", (sought, member, key))


def _parts_input(asked: Asked, parts: tuple[Partial, ...]) -> bytes:
    return wire.signing_input("parts", (asked, parts))


def _about(asked: Asked, identifier: int) -> bytes:
    return wire.signing_input("answer-box", (asked, identifier))
