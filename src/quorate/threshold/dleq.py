"""A proof that two points have the same logarithm, without showing it [CP92].

Who knows x convinces anybody that Y = x B and U = x E. Made non-interactive
with a hash of everything, the statement's context included, so that a proof
for one purpose is none for another.
"""

from dataclasses import dataclass

from quorate import wire
from quorate.algebra.edwards25519 import (
    Point,
    Randomness,
    Scalar,
    base_mul,
    decode_point,
    decode_scalar,
    hash_to_scalar,
    mul,
    scalar_add,
    scalar_mul,
    sub,
)
from quorate.errors import MalformedMessage, VerificationFailed


@dataclass(frozen=True, slots=True)
class Statement:
    """log_B(public) = log_base(product), said in a context: for whom, and of what."""

    context: bytes  # digest
    public: bytes  # Y
    base: bytes  # E
    product: bytes  # U


@dataclass(frozen=True, slots=True)
class Proof:
    """64 bytes: the challenge, and the response to it."""

    challenge: bytes
    response: bytes


@dataclass(frozen=True, slots=True)
class _Transcript:
    statement: Statement
    on_base: bytes  # k B
    on_other: bytes  # k E


def prove(statement: Statement, x: Scalar, randomness: Randomness) -> Proof:
    """Return a proof of `statement` by x, with c = H(statement, k B, k E) and z = k + c x."""
    # The nonce depends on the secret too: a broken source of randomness shows nothing.
    k = hash_to_scalar(b"quorate/v1/dleq-nonce\0", randomness(32), x, wire.encode(statement))
    c = _challenge(statement, base_mul(k), mul(k, Point(statement.base)))
    return Proof(c, scalar_add(k, scalar_mul(c, x)))


def verify(statement: Statement, proof: Proof) -> None:
    """Raise `VerificationFailed` unless `proof` is one of `statement`: c = H(..., zB-cY, zE-cU)."""
    try:
        public, base, product = map(
            decode_point, (statement.public, statement.base, statement.product)
        )
        c, z = decode_scalar(proof.challenge), decode_scalar(proof.response)
    except MalformedMessage as e:
        raise VerificationFailed(f"a proof about what is {e}") from None
    on_base = sub(base_mul(z), mul(c, public))
    on_other = sub(mul(z, base), mul(c, product))
    if _challenge(statement, on_base, on_other) != c:
        raise VerificationFailed("a proof that two points have one logarithm does not hold")


def _challenge(statement: Statement, on_base: Point, on_other: Point) -> Scalar:
    return hash_to_scalar(wire.signing_input("dleq", _Transcript(statement, on_base, on_other)))
