"""TDH2: a group's public key seals, a quorum of its shares opens, and nobody else [SG02].

Who seals needs the public key alone. The ciphertext proves that its maker knew
what is in it, and under which label: one that was altered, blinded or moved
under another label is refused by every member, so no opening of one record
helps with another (chosen-ciphertext security; decisional Diffie-Hellman on
edwards25519, random oracles, members corrupted once and for all, fewer than
`min_signers` of them). The key is of a generation of its own, never one that signs.
**Unreviewed.**
"""

import hashlib
from dataclasses import dataclass

from quorate import wire
from quorate.algebra.edwards25519 import (
    Point,
    Randomness,
    base_mul,
    decode_point,
    decode_scalar,
    hash_to_point,
    hash_to_scalar,
    mul,
    random_scalar,
    scalar_add,
    scalar_mul,
    sub,
)
from quorate.errors import MalformedMessage, VerificationFailed

VERSION = 1
KEY_LENGTH = 16
"""Bytes sealed: the file key of an age file."""

MAX_RECORD = 128


@dataclass(frozen=True, slots=True)
class Label:
    """What a ciphertext is of. It says nothing of who may open it: policies and members change."""

    version: int
    key: bytes  # `seal_id` of the key it is sealed to
    record: str  # in the clear


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """16 bytes under a label: c, and 128 bytes of points and scalars, as in the paper."""

    label: Label
    c: bytes
    u: bytes
    u_bar: bytes
    e: bytes
    f: bytes

    def digest(self) -> bytes:
        return wire.digest("tdh2-ciphertext", self)


@dataclass(frozen=True, slots=True)
class _Proven:
    """What the proof inside a ciphertext is about."""

    c: bytes
    label: Label
    u: bytes
    w: bytes
    u_bar: bytes
    w_bar: bytes


def seal_id(public_key: Point) -> bytes:
    """Return the 32 bytes that name a key to those who seal: the same after resharing."""
    return wire.digest("seal-key", public_key)


def encrypt(public_key: Point, record: str, key: bytes, randomness: Randomness) -> Ciphertext:
    """Seal 16 bytes to `public_key` h under the identifier of a record.

    c = key XOR H1(r h), u = r B, w = s B, u_bar = r G, w_bar = s G,
    e = H2(c, L, u, w, u_bar, w_bar), f = s + r e, with G = H(h).
    """
    if len(key) != KEY_LENGTH:
        raise MalformedMessage(f"{KEY_LENGTH} bytes are sealed, and these are {len(key)}")
    label = Label(VERSION, seal_id(public_key), record)
    check_record(record)
    second = _second_base(public_key)
    r, s = random_scalar(randomness), random_scalar(randomness)
    u, u_bar = base_mul(r), mul(r, second)
    c = _masked(key, mul(r, public_key), label)
    e = hash_to_scalar(_proof_input(_Proven(c, label, u, base_mul(s), u_bar, mul(s, second))))
    return Ciphertext(label, c, u, u_bar, e, scalar_add(s, scalar_mul(r, e)))


def verify(public_key: Point, sealed: Ciphertext) -> Point:
    """Return u, the point that members multiply, where the ciphertext is whole.

    w = f B - e u, w_bar = f G - e u_bar, and e must be their hash. Raises
    `VerificationFailed`.
    """
    try:
        u, u_bar = decode_point(sealed.u), decode_point(sealed.u_bar)
        e, f = decode_scalar(sealed.e), decode_scalar(sealed.f)
        check_record(sealed.label.record)
    except MalformedMessage as error:
        raise VerificationFailed(f"a sealed key with a part that is {error}") from None
    if sealed.label.version != VERSION or sealed.label.key != seal_id(public_key):
        raise VerificationFailed("a key that is sealed to another group's key, or in another form")
    second = _second_base(public_key)
    w = sub(base_mul(f), mul(e, u))
    w_bar = sub(mul(f, second), mul(e, u_bar))
    proven = _Proven(sealed.c, sealed.label, u, w, u_bar, w_bar)
    if len(sealed.c) != KEY_LENGTH or hash_to_scalar(_proof_input(proven)) != e:
        raise VerificationFailed("a sealed key that was altered, or moved to another record")
    return u


def unmask(sealed: Ciphertext, shared: Point) -> bytes:
    """Return the 16 bytes, from x u: what a quorum's partial decryptions add up to."""
    return _masked(sealed.c, shared, sealed.label)


def check_record(record: str) -> None:
    """Raise `MalformedMessage` unless `record` is printable text of 1 to 128 bytes, not spaces."""
    fits = 1 <= len(record.encode(errors="replace")) <= MAX_RECORD
    if not fits or not record.isprintable() or record != record.strip():
        raise MalformedMessage(
            f"not usable as the identifier of a record: 1 to {MAX_RECORD} printable characters"
        )


def _second_base(public_key: Point) -> Point:
    return hash_to_point(wire.signing_input("tdh2-second-base", public_key))


def _masked(key: bytes, shared: Point, label: Label) -> bytes:
    pad = hashlib.sha512(wire.signing_input("tdh2-mask", (shared, label))).digest()
    return bytes(a ^ b for a, b in zip(key, pad, strict=False))


def _proof_input(proven: _Proven) -> bytes:
    return wire.signing_input("tdh2-proof", proven)
