"""Keyed tags: two parties find out that they hold the same words, a third cannot make them err.

A tag is GMAC [Dwo07] under a key that is used once: derived from the pair's key and a
label that no other step of the session has. Whoever lacks the key and changes b bytes
passes with probability at most (b / 16 + 2) / 2^128, whatever it changes.
"""

import hashlib

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from quorate.algebra.ring import Words

TAG_BYTES = 16


class Tag:
    """The tag, under `key` and for `label` alone, of the words added in turn."""

    def __init__(self, key: bytes, label: str) -> None:
        once = hashlib.blake2b(f"tag {label}".encode(), key=key, digest_size=16).digest()
        self._gmac = Cipher(algorithms.AES128(once), modes.GCM(bytes(12))).encryptor()

    def add(self, words: Words) -> None:
        self._gmac.authenticate_additional_data(np.ascontiguousarray(words).data.cast("B"))

    def value(self) -> bytes:
        """Return the tag of all that was added; nothing can be added after."""
        self._gmac.finalize()
        return self._gmac.tag
