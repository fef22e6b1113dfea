"""The signature scheme inside COCKTAIL-DKG [COCKTAIL26]: a Schnorr signature with its own prefix.

Used for proofs of possession and for the certificate of a key generation. It is
not Ed25519, on purpose: neither verifies as the other.
"""

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import Abort, MalformedMessage, VerificationFailed

SUITE = b"COCKTAIL-DKG-Ed25519-SHA512"


def sign(secret: Scalar, message: bytes) -> bytes:
    """Return R and z = k + c secret: 64 bytes, the same ones whenever the same is signed."""
    nonce = ed.hash_to_scalar(SUITE, b"-NONCE", secret, message)
    if nonce == ed.ZERO:  # z would be the secret, but for a public factor
        raise Abort("this message cannot be signed with this key")
    commitment = ed.base_mul(nonce)
    challenge = _challenge(commitment, ed.base_mul(secret), message)
    return commitment + ed.scalar_add(nonce, ed.scalar_mul(challenge, secret))


def verify(public: Point, message: bytes, signature: bytes) -> None:
    """Raise `VerificationFailed` unless z BASE = R + c public."""
    try:
        commitment, z = ed.decode_point(signature[:32]), ed.decode_scalar(signature[32:])
    except MalformedMessage:
        raise VerificationFailed("the signature is not in the form of one") from None
    challenge = _challenge(commitment, public, message)
    if ed.base_mul(z) != ed.add(commitment, ed.mul(challenge, public)):
        raise VerificationFailed("the signature is not of this message under this key")


def _challenge(commitment: Point, public: Point, message: bytes) -> Scalar:
    return ed.hash_to_scalar(SUITE, b"-H7", commitment, public, message)
