"""A body that some members can open together, and nobody can tell which.

The body's key is a scalar, shared by Shamir's scheme [Sha79] among m recipients of
whom any `min_recipients` recover it. Each share lies in a slot, encrypted to its recipient by
HPKE [RFC9180] with ML-KEM-768 and X25519 together. Slots carry no names and are a
power of two, at least four: the others are encrypted to keys that are thrown
away, and the order is drawn. So a member finds out whether it is a recipient by
trying every slot, and of all others nothing: whoever is left out is left out
unseen. A recipient's slot also opens the note: who the recipients are, how many it
takes, and the digest of each share, so that a wrong one is noticed.

Seen by all: that a body is sealed, its length, the number of slots. That slots do
not tell for whom they are rests on the anonymity of both key encapsulations.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Randomness, Scalar
from quorate.anonymous.pads import KEM_BYTES
from quorate.errors import MalformedMessage, NotFound, OutOfRange, Refused, VerificationFailed
from quorate.threshold.sharing import evaluate, polynomial, recover

MIN_SLOTS = 4
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_NONCE = bytes(12)  # every key here encrypts one thing
_INFO = b"quorate/v1/anonymous/slot"
_NAME_BYTES = 32
"""The longest name of a member: notes of as many slots are all of one length."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member that may be sealed to: its name, and its public key of 1,216 bytes."""

    name: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """The private half, from a seed of 32 bytes."""

    seed: bytes = field(repr=False)

    def private(self) -> hpke.MLKEM768X25519PrivateKey:
        return hpke.MLKEM768X25519PrivateKey(*self._halves())

    def public_key(self) -> bytes:
        mlkem, x25519 = self._halves()
        return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    def _halves(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        kdf = HKDF(SHA256(), 96, salt=None, info=b"quorate/v1/anonymous/recipient")
        both = kdf.derive(self.seed)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(both[:64])
        return mlkem, X25519PrivateKey.from_private_bytes(both[64:])


@dataclass(frozen=True, slots=True)
class Sealed:
    """What everybody sees: encrypted slots, the note for recipients, the body."""

    slots: tuple[bytes, ...]
    note: bytes
    box: bytes


@dataclass(frozen=True, slots=True)
class Holder:
    """One recipient, as the note tells the others."""

    name: str
    slot: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """For recipients only: how many it takes, and who they are."""

    min_recipients: int
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What a recipient puts in: its slot's share of the body's key."""

    slot: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What a recipient finds in a sealed body."""

    note: Note
    share: Share


def seal(
    body: bytes,
    thread: bytes,
    recipients: Sequence[Recipient],
    min_recipients: int,
    randomness: Randomness,
) -> Sealed:
    """Seal `body`, a post of `thread`, to `recipients` of whom `min_recipients` open it.

    Raises `Refused` for a rule nobody could keep, and `MalformedMessage` for a key that is none.
    """
    names = {recipient.name for recipient in recipients}
    if not 1 <= min_recipients <= len(recipients) or len(names) < len(recipients):
        raise Refused(f"of {len(names)} different recipients {min_recipients} cannot open it")
    secret = ed.random_scalar(randomness)
    coefficients = polynomial(secret, min_recipients, randomness)
    size = max(MIN_SLOTS, 1 << (len(recipients) - 1).bit_length())
    places = _shuffled(size, randomness)
    note_key, slots, holders = randomness(32), [b""] * size, list[Holder]()
    for place, recipient in zip(places, recipients, strict=False):
        share = evaluate(coefficients, place + 1)
        slots[place] = _encrypt(share + note_key, recipient.public_key)
        holders.append(Holder(recipient.name, place, _digest(place, share)))
    for place in places[len(recipients) :]:
        slots[place] = _encrypt(randomness(64), RecipientKey(randomness(32)).public_key())
    note = wire.encode(Note(min_recipients, tuple(holders)))
    padded = len(note).to_bytes(4, "little") + note.ljust(_note_bytes(size), b"\0")
    return Sealed(
        tuple(slots),
        ChaCha20Poly1305(note_key).encrypt(_NONCE, padded, thread),
        ChaCha20Poly1305(_body_key(secret)).encrypt(_NONCE, body, thread),
    )


def find(sealed: Sealed, thread: bytes, key: RecipientKey) -> Found:
    """Return one's share and the note. Raises `NotFound` for who is no recipient.

    All slots are tried, also once one has opened.
    """
    private, opened = key.private(), list[tuple[int, bytes]]()
    for place, slot in enumerate(sealed.slots):
        try:
            opened.append((place, _SUITE.decrypt(slot, private, _INFO)))
        except (InvalidTag, ValueError):
            continue
    for place, inside in opened:
        try:
            padded = ChaCha20Poly1305(inside[32:]).decrypt(_NONCE, sealed.note, thread)
            note = wire.decode(padded[4 : 4 + int.from_bytes(padded[:4], "little")], Note)
        except (InvalidTag, ValueError, MalformedMessage):
            continue
        return Found(note, Share(place, inside[:32]))
    raise NotFound("this body is not sealed to this member")


def unseal(sealed: Sealed, thread: bytes, note: Note, shares: Sequence[Share]) -> bytes:
    """Return the body, from the shares of enough recipients.

    Raises `VerificationFailed` naming whose share is not the author's, and where the
    author itself sealed what does not open; `Refused` for too few.
    """
    for share in shares:
        check_share(note, share)
    different = {share.slot: share.secret for share in shares}
    if len(different) < note.min_recipients:
        raise Refused(f"{len(different)} shares are here, and it takes {note.min_recipients}")
    try:
        good = [(slot + 1, ed.decode_scalar(share)) for slot, share in sorted(different.items())]
        key = _body_key(recover(good[: note.min_recipients]))
        return ChaCha20Poly1305(key).decrypt(_NONCE, sealed.box, thread)
    except (InvalidTag, MalformedMessage, OutOfRange):
        raise VerificationFailed("its author sealed this body so that it does not open") from None


def check_share(note: Note, share: Share) -> None:
    """Raise `VerificationFailed`, naming whose it should be, unless the note knows this share."""
    holder = next((holder for holder in note.holders if holder.slot == share.slot), None)
    if holder is None:
        raise VerificationFailed("a share of a slot that is no recipient's")
    if not hmac.compare_digest(_digest(share.slot, share.secret), holder.digest):
        raise VerificationFailed(f"the share of {holder.name} is not the one it was sealed")


def check_key(public_key: bytes) -> None:
    """Raise `MalformedMessage` for what cannot be sealed to."""
    _encrypt(b"", public_key)


def _encrypt(inside: bytes, public_key: bytes) -> bytes:
    try:
        public = hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public_key[:KEM_BYTES]),
            X25519PublicKey.from_public_bytes(public_key[KEM_BYTES:]),
        )
        return _SUITE.encrypt(inside, public, _INFO)
    except ValueError:
        raise MalformedMessage("not the public key of a recipient") from None


def _shuffled(size: int, randomness: Randomness) -> list[int]:
    """Return 0..size-1 in an order that nobody can guess."""
    return sorted(range(size), key=lambda _: randomness(16))


def _note_bytes(slots: int) -> int:
    """Return the length of the longest note of so many slots."""
    longest = Holder("x" * _NAME_BYTES, (1 << 16) - 1, bytes(32))
    return len(wire.encode(Note((1 << 16) - 1, (longest,) * slots)))


def _digest(slot: int, share: bytes) -> bytes:
    return wire.digest("anonymous/body-share", (slot, share))


def _body_key(secret: Scalar) -> bytes:
    return hashlib.sha256(b"quorate/v1/anonymous/body\0" + secret).digest()
