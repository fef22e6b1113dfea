"""A message in parts: each alone is noise, all together add up to it.

This is the idea of [Cha88] in two functions, and information-theoretic: any
n - 1 parts are uniform, whatever the message. But whoever hands out parts is
seen to do so. In a group nobody hands out anything: every member publishes one
part in every run, with something to say or not (`quorate.anonymous.dcnet`).
"""

import os
from collections.abc import Callable, Sequence

from quorate.errors import MalformedMessage, OutOfRange

Randomness = Callable[[int], bytes]
"""Returns so many bytes from the operating system."""


def split(message: bytes, n: int, randomness: Randomness = os.urandom) -> list[bytes]:
    """Return `n` parts of the message's length whose exclusive or is the message.

    All but the last are drawn; the last is what is missing. Raises `OutOfRange`
    for fewer than two parts.
    """
    if n < 2:
        raise OutOfRange(f"a message is split into at least 2 parts, not {n}")
    parts = [randomness(len(message)) for _ in range(n - 1)]
    return [*parts, combine([message, *parts])]


def combine(parts: Sequence[bytes]) -> bytes:
    """Return the exclusive or of all `parts`. Raises `MalformedMessage` unless all are as long."""
    if len({len(part) for part in parts}) != 1:
        raise MalformedMessage("the parts of one message are all of one length")
    total = 0
    for part in parts:
        total ^= int.from_bytes(part, "little")
    return total.to_bytes(len(parts[0]), "little")
