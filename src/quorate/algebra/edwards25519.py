"""The prime-order subgroup of edwards25519 [RFC8032] and its scalars, on libsodium.

A point is its 32 bytes of RFC 8032, a scalar its 32 bytes, little-endian, below
`ORDER`. What arrives from anybody passes `decode_point` or `decode_scalar`
before anything else: libsodium adds points of small order without complaint
and reduces scalars silently. Where it raises on zero and on the identity,
these functions return what the group says.

Secrets meet secrets in libsodium's scalar functions, whose time does not depend
on them. Python's integers are for public numbers, such as Lagrange coefficients.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import reduce as fold
from typing import NewType

from nacl import bindings as sodium
from nacl.exceptions import RuntimeError as SodiumError

from quorate.errors import MalformedMessage

Point = NewType("Point", bytes)
Scalar = NewType("Scalar", bytes)

Randomness = Callable[[int], bytes]
"""Returns so many bytes from the operating system."""

ORDER = 2**252 + 27742317777372353535851937790883648493
ZERO = Scalar(bytes(32))
ONE = Scalar((1).to_bytes(32, "little"))
IDENTITY = Point((1).to_bytes(32, "little"))
BASE = Point(sodium.crypto_scalarmult_ed25519_base_noclamp(ONE))


def decode_point(data: bytes) -> Point:
    """Return the point that `data` encodes.

    Raises `MalformedMessage` unless these are the canonical 32 bytes of a
    point of the prime-order subgroup other than the identity.
    """
    if len(data) != 32 or not sodium.crypto_core_ed25519_is_valid_point(data):
        raise MalformedMessage("not a point of the prime-order subgroup")
    return Point(data)


def decode_scalar(data: bytes, *, zero_allowed: bool = True) -> Scalar:
    """Return the scalar that `data` encodes.

    Raises `MalformedMessage` unless these are 32 bytes of a number below `ORDER`.
    """
    if len(data) != 32 or int.from_bytes(data, "little") >= ORDER:
        raise MalformedMessage("not a scalar in its one encoding")
    if data == ZERO and not zero_allowed:
        raise MalformedMessage("a scalar is zero where it must not be")
    return Scalar(data)


def scalar(public: int) -> Scalar:
    """Return a public integer modulo `ORDER`."""
    return Scalar((public % ORDER).to_bytes(32, "little"))


def random_scalar(randomness: Randomness) -> Scalar:
    """Return a uniform scalar other than zero, from 64 bytes a try."""
    while (drawn := reduce(randomness(64))) == ZERO:
        pass
    return drawn


def reduce(data: bytes) -> Scalar:
    """Return 64 bytes, little-endian, modulo `ORDER`."""
    return Scalar(sodium.crypto_core_ed25519_scalar_reduce(data))


def hash_to_scalar(*parts: bytes) -> Scalar:
    """Return SHA-512 of the joined `parts`, modulo `ORDER`. The parts begin with a domain."""
    return reduce(hashlib.sha512(b"".join(parts)).digest())


def hash_to_point(*parts: bytes) -> Point:
    """Return a point whose logarithm nobody knows.

    SHA-512 of the joined `parts`, each half mapped by Elligator 2 [RFC9380] and
    cleared of its cofactor, and the two added. The parts begin with a domain.
    """
    hashed = hashlib.sha512(b"".join(parts)).digest()
    first, second = (sodium.crypto_core_ed25519_from_uniform(h) for h in (hashed[:32], hashed[32:]))
    return add(Point(first), Point(second))


def scalar_add(a: Scalar, b: Scalar) -> Scalar:
    return Scalar(sodium.crypto_core_ed25519_scalar_add(a, b))


def scalar_sub(a: Scalar, b: Scalar) -> Scalar:
    return Scalar(sodium.crypto_core_ed25519_scalar_sub(a, b))


def scalar_mul(a: Scalar, b: Scalar) -> Scalar:
    return Scalar(sodium.crypto_core_ed25519_scalar_mul(a, b))


def scalar_negate(a: Scalar) -> Scalar:
    return Scalar(sodium.crypto_core_ed25519_scalar_negate(a))


def scalar_invert(a: Scalar) -> Scalar:
    """Return 1/a. Raises `ZeroDivisionError` for zero."""
    if a == ZERO:
        raise ZeroDivisionError("zero has no inverse")
    return Scalar(sodium.crypto_core_ed25519_scalar_invert(a))


def scalar_sum(scalars: Iterable[Scalar]) -> Scalar:
    return fold(scalar_add, scalars, ZERO)


def add(p: Point, q: Point) -> Point:
    return Point(sodium.crypto_core_ed25519_add(p, q))


def sub(p: Point, q: Point) -> Point:
    return Point(sodium.crypto_core_ed25519_sub(p, q))


def negate(p: Point) -> Point:
    return sub(IDENTITY, p)


def mul(a: Scalar, p: Point) -> Point:
    """Return a * p. Raises `MalformedMessage` for a point outside the subgroup."""
    if a == ZERO or p == IDENTITY:
        return IDENTITY
    try:
        return Point(sodium.crypto_scalarmult_ed25519_noclamp(a, p))
    except SodiumError:
        raise MalformedMessage("not a point of the prime-order subgroup") from None


def base_mul(a: Scalar) -> Point:
    """Return a * BASE."""
    if a == ZERO:
        return IDENTITY
    return Point(sodium.crypto_scalarmult_ed25519_base_noclamp(a))


def sum_points(points: Iterable[Point]) -> Point:
    rest = iter(points)
    return fold(add, rest, next(rest, IDENTITY))


def multi_mul(scalars: Iterable[Scalar], points: Iterable[Point]) -> Point:
    """Return the sum of each scalar times its point; of both there are equally many."""
    return sum_points(mul(a, p) for a, p in zip(scalars, points, strict=True))
