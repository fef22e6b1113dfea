"""age's own recipients: an X25519 key, and the stanza that wraps a file key to it [AgeFormat24]."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quorate.errors import MalformedMessage, VerificationFailed
from quorate.threshold.age import bech32
from quorate.threshold.age.header import FILE_KEY_LENGTH, Stanza, from_base64

KIND = "X25519"
KEY_LENGTH = 32
_BODY_LENGTH = FILE_KEY_LENGTH + 16


def recipient_text(public_key: bytes) -> str:
    return bech32.encode("age", public_key)


def identity_text(secret_key: bytes) -> str:
    """Return a secret key as a line of age's identity file: whoever reads it opens everything."""
    return bech32.encode("age-secret-key-", secret_key).upper()


def ephemeral_share(stanza: Stanza) -> bytes:
    """Return the sender's ephemeral share (32 bytes). Raises `MalformedMessage`."""
    if stanza.kind != KIND or len(stanza.arguments) != 2:
        raise MalformedMessage("a stanza that is not of an X25519 recipient")
    share = from_base64(stanza.arguments[1])
    # The body's length is checked before its tag: a longer one could open under many keys.
    if len(share) != KEY_LENGTH or len(stanza.body) != _BODY_LENGTH:
        raise MalformedMessage("an X25519 stanza of wrong lengths")
    return share


def unwrap(stanza: Stanza, recipient: bytes, shared_secret: bytes) -> bytes:
    """Return the file key. Raises `VerificationFailed` where it was not wrapped to `recipient`."""
    salt = ephemeral_share(stanza) + recipient
    key = HKDF(SHA256(), 32, salt=salt, info=b"age-encryption.org/v1/X25519").derive(shared_secret)
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), stanza.body, None)
    except InvalidTag:
        raise VerificationFailed(
            "this stanza does not hold a file key for this recipient"
        ) from None
