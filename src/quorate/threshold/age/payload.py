"""The payload of an age file: chunks of 64 KiB, each sealed at its place [AgeFormat24].

A chunk that was altered, moved, repeated or left out does not open, and neither
does a payload without its end. What was yielded before that is authentic, but it
is not the whole: who writes a file throws it away when this raises.
"""

from collections.abc import Callable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quorate.errors import VerificationFailed

CHUNK = 1 << 16
TAG = 16
NONCE = 16

Read = Callable[[int], bytes]
"""What a buffered stream's `read` does: so many bytes, fewer only at the end."""


def seal(file_key: bytes, nonce: bytes, read: Read) -> Iterator[bytes]:
    """Yield the payload for all that `read` gives; `nonce` is 16 fresh bytes."""
    aead = _aead(file_key, nonce)
    yield nonce
    chunk, number = read(CHUNK), 0
    while following := read(CHUNK) if len(chunk) == CHUNK else b"":
        yield aead.encrypt(_place(number, last=False), chunk, None)
        chunk, number = following, number + 1
    yield aead.encrypt(_place(number, last=True), chunk, None)


def unseal(file_key: bytes, read: Read) -> Iterator[bytes]:
    """Yield the content, chunk by chunk. Raises `VerificationFailed`."""
    nonce = read(NONCE)
    if len(nonce) != NONCE:
        raise _altered()
    aead = _aead(file_key, nonce)
    chunk, number = read(CHUNK + TAG), 0
    while following := read(CHUNK + TAG) if len(chunk) == CHUNK + TAG else b"":
        yield _opened(aead, _place(number, last=False), chunk)
        chunk, number = following, number + 1
    content = _opened(aead, _place(number, last=True), chunk)
    if not content and number:
        raise _altered()  # only an empty file ends in an empty chunk
    yield content


def _opened(aead: ChaCha20Poly1305, place: bytes, chunk: bytes) -> bytes:
    try:
        return aead.decrypt(place, chunk, None)
    except InvalidTag:
        raise _altered() from None


def _place(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _aead(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt=nonce, info=b"payload").derive(file_key))


def _altered() -> VerificationFailed:
    return VerificationFailed("the sealed file was altered or cut: what came out is not the whole")
