"""An owner's rows on their way into an attested enclave, sealed to the key that was attested.

A fresh data key goes by HPKE [RFC9180] to the enclave's key; rows go under it,
piece by piece, ChaCha20-Poly1305 [RFC8439]. The owner signs what it sends, since
anyone could seal: rows in another's name are refused inside. A data key is made
once for each run; that also stops a second run over the same rows.

Adversary: the host and the network, which see lengths and times. Unreviewed.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from quorate import wire
from quorate.algebra.signatures import verify_by
from quorate.enclave.approvals import Owner
from quorate.enclave.binding import Admitted, Binding
from quorate.errors import Refused, VerificationFailed

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
KEY = 32
MAX_PIECES = 1 << 20


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes before the rows: the sealed data key, and what will follow."""

    owner: str
    binding: bytes  # digest of what the enclave is bound to
    box: bytes
    pieces: int
    commitment: bytes  # of the rows, hiding: the data key is in it


@dataclass(frozen=True, slots=True)
class SignedParcel:
    parcel: Parcel
    signature: bytes


@dataclass(frozen=True, slots=True)
class _Piece:
    """What a piece is of: none can be moved, repeated or left out."""

    owner: str
    binding: bytes
    index: int
    pieces: int


def seal_rows(
    admitted: Admitted,
    owner: str,
    key: Ed25519PrivateKey,
    pieces: Sequence[bytes],
    randomness: Callable[[int], bytes],
    claim: Callable[[bytes], bool],
) -> tuple[SignedParcel, tuple[bytes, ...]]:
    """Return `pieces` of rows, sealed for this run of this enclave. Each grows by 16 bytes.

    `claim` is given what names plan, run and owner, and must say, durably, whether it
    is the first time. Raises `Refused` where it is not: a plan's rows leave once a run.
    """
    binding = admitted.binding
    if not 1 <= len(pieces) <= MAX_PIECES:
        raise Refused(f"rows in {len(pieces)} pieces; 1 to {MAX_PIECES} are sent")
    if not claim(release_name(binding, owner)):
        raise Refused("the rows have left for this run of this plan before")
    secret = randomness(KEY)
    public = X25519PublicKey.from_public_bytes(binding.sealing_key)
    box = SUITE.encrypt(secret, public, info=_info(binding, owner))
    cipher = ChaCha20Poly1305(secret)
    sealed = tuple(
        cipher.encrypt(_nonce(n), piece, _about(binding, owner, n, len(pieces)))
        for n, piece in enumerate(pieces)
    )
    digest = commitment(secret, pieces)
    parcel = Parcel(owner, binding.digest(), box, len(pieces), digest)
    return SignedParcel(parcel, key.sign(_signed(parcel))), sealed


def open_rows(
    binding: Binding,
    secret: X25519PrivateKey,
    owner: Owner,
    signed: SignedParcel,
    sealed: Iterable[bytes],
) -> tuple[bytes, ...]:
    """Return the rows of `owner`, whole, inside the enclave. Raises `VerificationFailed`."""
    parcel = signed.parcel
    verify_by(
        owner.public_key,
        signed.signature,
        _signed(parcel),
        f"the rows in the name of {owner.name} are not signed by it",
    )
    if parcel.owner != owner.name or parcel.binding != binding.digest():
        raise VerificationFailed("the rows are for another enclave, run or owner")
    if not 1 <= parcel.pieces <= MAX_PIECES:
        raise VerificationFailed("the rows are in an impossible number of pieces")
    try:
        key = SUITE.decrypt(parcel.box, secret, info=_info(binding, owner.name))
        rows = tuple(_opened(ChaCha20Poly1305(key), binding, parcel, sealed))
    except (InvalidTag, ValueError):
        raise VerificationFailed("the rows do not open: altered, moved or cut") from None
    if not hmac.compare_digest(commitment(key, rows), parcel.commitment):
        raise VerificationFailed("the rows are not those that their owner committed to")
    return rows


def release_name(binding: Binding, owner: str) -> bytes:
    """Return what is claimed once: the plan, the run's number and whose rows they are."""
    return wire.digest("enclave-release", (binding.subject.plan, binding.run, owner))


def commitment(secret: bytes, pieces: Iterable[bytes]) -> bytes:
    """Return HMAC-SHA-256 of all pieces under the data key: it tells nothing without the key."""
    mac = hmac.new(secret, digestmod=hashlib.sha256)
    for piece in pieces:
        mac.update(len(piece).to_bytes(8) + piece)
    return mac.digest()


def _opened(
    cipher: ChaCha20Poly1305, binding: Binding, parcel: Parcel, sealed: Iterable[bytes]
) -> Iterator[bytes]:
    count = 0
    for count, piece in enumerate(sealed, start=1):
        about = _about(binding, parcel.owner, count - 1, parcel.pieces)
        yield cipher.decrypt(_nonce(count - 1), piece, about)
    if count != parcel.pieces:
        raise VerificationFailed(f"{count} pieces of {parcel.pieces} have come")


def _info(binding: Binding, owner: str) -> bytes:
    return wire.signing_input("enclave-rows", (binding, owner))


def _about(binding: Binding, owner: str, index: int, pieces: int) -> bytes:
    return wire.encode(_Piece(owner, binding.digest(), index, pieces))


def _signed(parcel: Parcel) -> bytes:
    return wire.signing_input("enclave-parcel", parcel)


def _nonce(index: int) -> bytes:
    return index.to_bytes(12)
