"""Keyed streams of uniform ring words: AES-128 in counter mode, one stream per (key, label).

A stream never repeats as long as no label is used twice under one key; keys
belong to one session, so labels need to be unique within the session only.
Streams can start anywhere: word w lies in counter block w // 2.
"""

import hashlib

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from quorate.algebra.ring import BLOCK, Words, blocks

KEY_BYTES = 32
_WORDS_PER_COUNTER = 2
_ZEROS = bytes(8 * BLOCK)


class Stream:
    """The stream of `label` under `key`."""

    def __init__(self, key: bytes, label: str, *, start: int = 0) -> None:
        if start % _WORDS_PER_COUNTER:
            raise ValueError("a stream starts at an even word")
        aes_key = hashlib.blake2b(label.encode(), key=key, digest_size=16).digest()
        counter = (start // _WORDS_PER_COUNTER).to_bytes(16, "big")
        self._cipher = Cipher(algorithms.AES128(aes_key), modes.CTR(counter)).encryptor()

    def fill(self, out: Words) -> None:
        """Overwrite `out` with the next words of the stream."""
        for here in blocks(out.size):
            part = out[here].data.cast("B")
            self._cipher.update_into(memoryview(_ZEROS)[: len(part)], part)

    def mask(self, words: Words) -> None:
        """XOR the next words of the stream into `words`, in place."""
        data = words.data.cast("B")
        self._cipher.update_into(data, data)

    def words(self, count: int) -> Words:
        """Return the next `count` words."""
        out = np.empty(count, np.uint64)
        self.fill(out)
        return out
