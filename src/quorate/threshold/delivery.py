"""A share on its way to one holder, over whatever carries it [COCKTAIL26].

Key and nonce are a hash of two Diffie-Hellman secrets, of the recipient's
static key with the sender's ephemeral and with its static one, and of the
session's context; the cipher is XChaCha20-Poly1305. The secrets are encoded as
plain points of RFC 8032, as the published vectors have them, not by Ristretto,
as the text says.
"""

import hashlib
from dataclasses import dataclass, field

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import MalformedMessage, VerificationFailed
from quorate.threshold.schnorr import SUITE

OVERHEAD = 32 + 16
"""Bytes of a ciphertext beyond its payload: the share and the tag."""

MAX_CIPHERTEXT = 64 << 10


@dataclass(frozen=True, slots=True)
class Route:
    """From whom, to whom, in which session. All public."""

    context: bytes
    ephemeral: Point  # the sender's, for this session
    sender: Point
    recipient: Point


@dataclass(frozen=True, slots=True)
class Secrets:
    """What sender and recipient both compute, and nobody else."""

    ephemeral: Point = field(repr=False)
    static: Point = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the recipient finds."""

    share: Scalar = field(repr=False)
    payload: bytes = field(repr=False)


def sender_secrets(route: Route, ephemeral: Scalar, static: Scalar) -> Secrets:
    return Secrets(ed.mul(ephemeral, route.recipient), ed.mul(static, route.recipient))


def recipient_secrets(route: Route, static: Scalar) -> Secrets:
    return Secrets(ed.mul(static, route.ephemeral), ed.mul(static, route.sender))


def seal(route: Route, secrets: Secrets, share: Scalar, payload: bytes = b"") -> bytes:
    """Return `share` and `payload`, readable by the recipient only: `OVERHEAD` bytes more."""
    key, nonce = _key(route, secrets)
    return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(share + payload, None, nonce, key)


def open_sealed(route: Route, secrets: Secrets, ciphertext: bytes) -> Delivered:
    """Return what was sealed. Raises `VerificationFailed` if it was not sealed for this route."""
    if len(ciphertext) < OVERHEAD:
        raise VerificationFailed("a share is too short to decrypt")
    key, nonce = _key(route, secrets)
    try:
        plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, None, nonce, key)
    except CryptoError:
        raise VerificationFailed("a share does not decrypt") from None
    try:
        return Delivered(ed.decode_scalar(plain[:32]), plain[32:])
    except MalformedMessage:
        raise VerificationFailed("what decrypts is not a share") from None


def _key(route: Route, secrets: Secrets) -> tuple[bytes, bytes]:
    hashed = hashlib.sha512(SUITE + b"-H6" + secrets.ephemeral + secrets.static)
    hashed.update(route.ephemeral + route.sender + route.recipient)
    hashed.update(len(route.context).to_bytes(8, "little") + route.context)
    return hashed.digest()[:32], hashed.digest()[32:56]
