"""X25519's u-coordinates as points of edwards25519, and back [RFC7748].

u = (1 + y) / (1 - y). A u-coordinate stands for a point and its negative; the
point with even x is taken. Multiples of the two are negatives of each other and
have the same u-coordinate again, so that x u is what X25519 computes.
"""

from nacl import bindings as sodium

from quorate.algebra.edwards25519 import IDENTITY, Point, decode_point
from quorate.errors import MalformedMessage

_PRIME = 2**255 - 19


def point_of(u: bytes) -> Point:
    """Return the point of a u-coordinate that somebody sent, with x even.

    Raises `MalformedMessage` unless these are the canonical 32 bytes of a point
    of the curve (not of its twist) in the prime-order subgroup. What an honest
    sender computes from the base point always is.
    """
    number = int.from_bytes(u, "little")
    if len(u) != 32 or number >= _PRIME - 1:  # p - 1 is -1, which has no y
        raise MalformedMessage("not a u-coordinate in its one encoding")
    y = (number - 1) * pow(number + 1, -1, _PRIME) % _PRIME
    return decode_point(y.to_bytes(32, "little"))


def u_of(point: Point) -> bytes:
    """Return the u-coordinate of a point. Raises `MalformedMessage` for the identity."""
    if point == IDENTITY:
        raise MalformedMessage("the identity has no u-coordinate")
    return sodium.crypto_sign_ed25519_pk_to_curve25519(point)
