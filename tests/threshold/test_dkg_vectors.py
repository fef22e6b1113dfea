"""The project's own numbers of a key generation: good ones, and dealings to be refused."""

import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import Abort
from quorate.threshold import dkg, evidence
from quorate.threshold.setup import Dealing, Promise, Setup, SignedDealing
from tests.threshold.numbers import drawing, unhex, vectors

VECTORS = vectors("dkg-ed25519.json")


def setup_of(case: Any) -> Setup:
    return Setup(
        case["purpose"],
        case["min_signers"],
        unhex(case["session"]),
        tuple(Point(unhex(key)) for key in case["static_keys"]),
        tuple(unhex(key) for key in case["identities"]),
    )


def dealing_of(one: Any) -> SignedDealing:
    commitment = tuple(Point(unhex(point)) for point in one["commitment"])
    promise = Promise(commitment, unhex(one["proof"]), Point(unhex(one["ephemeral"])))
    return SignedDealing(
        Dealing(promise, tuple(map(unhex, one["ciphertexts"]))), unhex(one["signature"])
    )


@pytest.mark.parametrize("case", VECTORS["good"], ids=lambda case: case["name"])
def test_the_numbers_come_out(case: Any) -> None:
    setup = setup_of(case)
    statics = [Scalar(unhex(secret)) for secret in case["static_secrets"]]
    assert setup.static_keys == tuple(map(ed.base_mul, statics))
    assert setup.context() == unhex(case["context"])
    assert setup.digest() == unhex(case["setup"])
    dealings = []
    for static, seed, draws in zip(
        statics, case["identity_seeds"], case["randomness"], strict=True
    ):
        identity = Ed25519PrivateKey.from_private_bytes(unhex(seed))
        dealings.append(dkg.round1(setup, static, identity, drawing(*map(unhex, draws))))
    assert dealings == list(map(dealing_of, case["dealings"]))
    checked = [
        dkg.round2(setup, static, mine, dealings)
        for static, mine in zip(statics, dealings, strict=True)
    ]
    confirmations = [sent for _, sent in checked]
    assert {sent.transcript for sent in confirmations} == {unhex(case["transcript"])}
    assert [sent.signature for sent in confirmations] == list(map(unhex, case["signatures"]))
    shares = [dkg.round3(pending, confirmations).share for pending, _ in checked]
    assert [share.secret for share in shares] == list(map(unhex, case["shares"]))
    for share in shares:
        assert share.public.commitment == tuple(map(unhex, case["key"]))
        assert share.public.key_id() == unhex(case["key_id"])


@pytest.mark.parametrize("bad", VECTORS["bad"], ids=lambda bad: bad["name"])
def test_a_bad_dealing_is_refused_and_proven(bad: Any) -> None:
    case = VECTORS["good"][1]
    setup, static = setup_of(case), Scalar(unhex(case["static_secrets"][0]))
    dealings = list(map(dealing_of, case["dealings"]))
    dealings[bad["sender"] - 1] = false = dealing_of(bad["dealing"])
    with pytest.raises(Abort) as aborted:
        dkg.round2(setup, static, dealings[0], dealings)
    named = {bad["sender"] - 1}
    if bad["refused"] == "signature":
        assert aborted.value.suspects == named
        assert not aborted.value.culprits
        return
    assert aborted.value.culprits == named
    if bad["refused"] == "dealing":
        evidence.verify_false_dealing(setup, bad["sender"], false)
    else:
        complaint = evidence.complain(setup, static, bad["sender"], false.dealing, os.urandom)
        evidence.verify_complaint(setup, complaint, false)
