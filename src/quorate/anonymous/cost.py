"""What a run costs each member, exactly: the terms of its messages in their encoding."""

from dataclasses import dataclass

from quorate.anonymous.messages import CELL_OVERHEAD

_SIGNED = 82
"""Bytes around a body: the map, its two names, the signature. The body's length is apart."""

_KEYS, _VOTE, _KEY = 1392, 90, 66
"""Bytes of the bodies of rounds 1, 5 and 6, which depend on nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Rounds of a run that succeeds; bytes of one member's messages; bytes it sends in all."""

    rounds: int
    bytes_said: int
    bytes_sent: int


def cost(n: int, cell_bytes: int) -> Cost:
    """Return what a run of `n` members with cells of `cell_bytes` costs each of them.

    Every member says, in six messages,

        1392 + (13 + 1091 (n - 1)) + (6 + 16 n) + (7 + n (cell_bytes + 48)) + 90 + 66 + 6 * 82

    bytes and the lengths of what is longer than 23 bytes, and says it to n - 1 others.
    """
    ciphertexts = 13 + _length(n - 1) + 1091 * (n - 1)
    sums = 6 + _length(16 * n) + 16 * n
    row = n * (cell_bytes + CELL_OVERHEAD)
    vector = 7 + _length(row) + row
    bodies = (_KEYS, ciphertexts, sums, vector, _VOTE, _KEY)
    said = sum(_SIGNED + _length(size) + size for size in bodies)
    return Cost(6, said, (n - 1) * said)


def _length(size: int) -> int:
    """Return the bytes in which CBOR writes a length [RFC8949]."""
    return 1 + sum(size >= bound for bound in (24, 1 << 8)) + 2 * (size >= 1 << 16)
