"""Chunks of a payload open at their place only, and an end that is missing is noticed."""

from io import BytesIO

import pytest

from quorate.errors import VerificationFailed
from quorate.threshold.age import payload

KEY, NONCE = bytes(range(16)), bytes(range(16, 32))
SEALED = payload.CHUNK + payload.TAG


def seal(content: bytes) -> bytes:
    return b"".join(payload.seal(KEY, NONCE, BytesIO(content).read))


def unseal(sealed: bytes, key: bytes = KEY) -> bytes:
    return b"".join(payload.unseal(key, BytesIO(sealed).read))


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131072, 200_000])
def test_content_of_any_size_returns(size: int) -> None:
    content = bytes(i * 31 & 255 for i in range(size))
    sealed = seal(content)
    assert unseal(sealed) == content
    chunks = max(1, -(-size // payload.CHUNK))
    assert len(sealed) == payload.NONCE + size + chunks * payload.TAG


CONTENT = bytes(150_000)
WHOLE = seal(CONTENT)
CHUNKS = [WHOLE[16:][i : i + SEALED] for i in range(0, len(WHOLE) - 16, SEALED)]


@pytest.mark.parametrize(
    "altered",
    [
        b"",
        WHOLE[:15],
        WHOLE[:16],
        WHOLE[:-1],
        WHOLE[: 16 + SEALED],  # cut between chunks
        WHOLE[: 16 + 2 * SEALED],
        WHOLE + b"\0",
        WHOLE[:16] + CHUNKS[1] + CHUNKS[0] + CHUNKS[2],
        WHOLE[:16] + CHUNKS[0] + CHUNKS[0] + CHUNKS[1] + CHUNKS[2],
        WHOLE[:16] + CHUNKS[1] + CHUNKS[2],
        bytes([WHOLE[0] ^ 1]) + WHOLE[1:],
        WHOLE[:20] + bytes([WHOLE[20] ^ 1]) + WHOLE[21:],
        WHOLE[:-1] + bytes([WHOLE[-1] ^ 128]),
    ],
    ids=range(13),
)
def test_altered_moved_and_cut_payloads_do_not_open(altered: bytes) -> None:
    with pytest.raises(VerificationFailed):
        unseal(altered)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(VerificationFailed):
        unseal(WHOLE, bytes(16))


def test_an_empty_chunk_after_others_is_no_end() -> None:
    aead = payload._aead(KEY, NONCE)
    first = aead.encrypt(payload._place(0, last=False), bytes(payload.CHUNK), None)
    last = aead.encrypt(payload._place(1, last=True), b"", None)
    with pytest.raises(VerificationFailed):
        unseal(NONCE + first + last)
