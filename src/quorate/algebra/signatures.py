"""What somebody signed with the Ed25519 key that speaks for it [RFC8032], checked."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorate.errors import VerificationFailed


def verify_by(identity: bytes, signature: bytes, message: bytes, otherwise: str) -> None:
    """Raise `VerificationFailed(otherwise)` unless `identity`, 32 bytes, signed `message`."""
    try:
        Ed25519PublicKey.from_public_bytes(identity).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise VerificationFailed(otherwise) from None
