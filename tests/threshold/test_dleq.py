"""Proofs of equal logarithms hold for what they say, and for nothing else."""

import os
from dataclasses import replace

import pytest

from quorate.algebra import edwards25519 as ed
from quorate.errors import VerificationFailed
from quorate.threshold import dleq
from quorate.threshold.dleq import Proof, Statement

X = ed.random_scalar(os.urandom)
E = ed.base_mul(ed.random_scalar(os.urandom))
TRUE = Statement(bytes(32), ed.base_mul(X), E, ed.mul(X, E))
FALSE = replace(TRUE, product=ed.mul(ed.random_scalar(os.urandom), E))


def test_a_true_statement_is_proven() -> None:
    dleq.verify(TRUE, dleq.prove(TRUE, X, os.urandom))


def test_a_false_one_is_not_even_by_who_knows_the_logarithm() -> None:
    with pytest.raises(VerificationFailed):
        dleq.verify(FALSE, dleq.prove(FALSE, X, os.urandom))


def test_a_proof_is_of_one_statement_only() -> None:
    proof = dleq.prove(TRUE, X, os.urandom)
    other = ed.scalar(7)
    for altered in (
        replace(TRUE, context=bytes([1] * 32)),
        replace(TRUE, public=ed.mul(other, ed.BASE)),
        replace(TRUE, base=ed.mul(other, E), product=ed.mul(other, ed.mul(X, E))),
        replace(TRUE, base=TRUE.product, product=TRUE.base),
    ):
        with pytest.raises(VerificationFailed):
            dleq.verify(altered, proof)


def test_an_altered_proof_does_not_hold() -> None:
    proof = dleq.prove(TRUE, X, os.urandom)
    one = ed.ONE
    for altered in (
        Proof(ed.scalar_add(ed.Scalar(proof.challenge), one), proof.response),
        Proof(proof.challenge, ed.scalar_add(ed.Scalar(proof.response), one)),
        Proof(bytes(32), bytes(32)),
        Proof(b"", b""),
    ):
        with pytest.raises(VerificationFailed):
            dleq.verify(TRUE, altered)


def test_a_broken_source_of_randomness_gives_each_statement_its_own_nonce() -> None:
    """Two proofs under one nonce would give the secret away: z - z' = (c - c') x."""
    other = replace(TRUE, context=bytes([1] * 32))
    first, second = (dleq.prove(s, X, bytes) for s in (TRUE, other))  # `bytes` gives zeros
    assert extracted(first, second) != X


def test_control_one_nonce_for_two_statements_gives_the_secret() -> None:
    k = ed.random_scalar(os.urandom)

    def prove(context: bytes) -> Proof:
        statement = replace(TRUE, context=context)
        c = dleq._challenge(statement, ed.base_mul(k), ed.mul(k, E))
        proof = Proof(c, ed.scalar_add(k, ed.scalar_mul(c, X)))
        dleq.verify(statement, proof)
        return proof

    assert extracted(prove(bytes(32)), prove(bytes([1] * 32))) == X


def extracted(first: Proof, second: Proof) -> ed.Scalar:
    z = ed.scalar_sub(ed.Scalar(first.response), ed.Scalar(second.response))
    c = ed.scalar_sub(ed.Scalar(first.challenge), ed.Scalar(second.challenge))
    return ed.scalar_mul(z, ed.scalar_invert(c))
