"""Randomness that is the same in every run of a test, and good: a keyed stream."""

import hashlib

from quorate.mpc.agreement import Randomness
from quorate.mpc.streams import Stream


def keyed(name: str) -> Randomness:
    """Return the randomness of this name."""
    stream = Stream(hashlib.sha256(name.encode()).digest(), "test")

    def draw(count: int) -> bytes:
        return stream.words(-(-count // 8)).tobytes()[:count]

    return draw


def told(*words: int) -> Randomness:
    """Return randomness that gives these words of 64 bits, one after the other, and no more."""
    rest = list(words)

    def draw(count: int) -> bytes:
        given = [rest.pop(0) for _ in range(count // 8)]
        return b"".join(word.to_bytes(8, "little") for word in given)

    return draw
