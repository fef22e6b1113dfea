"""FROST against RFC 9591's numbers, and its signatures against other programs' Ed25519."""

import os
import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorate import wire
from quorate.algebra.edwards25519 import Scalar
from quorate.errors import Abort, MalformedMessage, Refused, VerificationFailed
from quorate.threshold import frost
from quorate.threshold.frost import NonceCommitment, SignatureShare, SigningPackage
from quorate.threshold.keys import KeyShare, PublicKey, seat
from tests.parties import measure, run_parties
from tests.published import published
from tests.threshold.dealt import deal, of_polynomial
from tests.threshold.numbers import drawing, unhex, vectors

VECTORS = vectors("frost-ed25519.json")


def key_of(case: Any) -> tuple[tuple[KeyShare, ...], PublicKey]:
    polynomial = tuple(Scalar(unhex(a)) for a in case["polynomial"])
    return of_polynomial(polynomial, case["max_signers"])


@pytest.mark.parametrize("case", VECTORS["good"], ids=lambda case: case["name"])
def test_the_numbers_of_the_rfc(case: Any) -> None:
    shares, public = key_of(case)
    assert public.group == unhex(case["group"])
    assert [share.secret for share in shares] == list(map(unhex, case["shares"]))
    nonces, commitments = [], []
    for signer in case["signers"]:
        kept, sent = frost.commit(
            shares[signer["identifier"] - 1], drawing(*map(unhex, signer["randomness"]))
        )
        assert (sent.hiding, sent.binding) == (unhex(signer["hiding"]), unhex(signer["binding"]))
        assert kept._secret == tuple(map(unhex, signer["nonces"]))
        nonces.append(kept)
        commitments.append(sent)
    package = frost.package(unhex(case["message"]), reversed(commitments))
    factors = frost._binding_factors(public, package)
    assert list(factors) == [unhex(signer["factor"]) for signer in case["signers"]]
    answers = [
        frost.sign(shares[signer["identifier"] - 1], kept, package)
        for signer, kept in zip(case["signers"], nonces, strict=True)
    ]
    assert [answer.z for answer in answers] == [unhex(signer["z"]) for signer in case["signers"]]
    for answer in answers:
        frost.verify_share(public, package, answer)
    signature = frost.aggregate(public, package, reversed(answers))
    assert signature == unhex(case["signature"])
    frost.verify(public.group, package.message, signature)


def test_these_are_the_published_numbers() -> None:
    given = published("rfc9591/frost-ed25519-sha512.json")
    (case,) = VECTORS["good"]
    assert case["signature"] == given["final_output"]["sig"]
    assert case["message"] == given["inputs"]["message"]
    assert case["polynomial"][0] == given["inputs"]["group_secret_key"]
    assert [signer["z"] for signer in case["signers"]] == [
        one["sig_share"] for one in given["round_two_outputs"]["outputs"]
    ]


@pytest.mark.parametrize("case", VECTORS["bad"], ids=lambda case: case["name"])
def test_what_must_not_become_a_signature(case: Any) -> None:
    _, public = key_of(VECTORS["good"][0])
    plain = {
        "message": unhex(case["message"]),
        "commitments": [
            {
                "identifier": c["identifier"],
                "hiding": unhex(c["hiding"]),
                "binding": unhex(c["binding"]),
            }
            for c in case["commitments"]
        ],
    }
    answers = [{"identifier": s["identifier"], "z": unhex(s["z"])} for s in case["shares"]]

    def attempt() -> bytes:
        package = wire.decode(wire.encode(plain), SigningPackage)
        shares = [wire.decode(wire.encode(answer), SignatureShare) for answer in answers]
        return frost.aggregate(public, package, shares)

    due = {"form": MalformedMessage, "signers": Refused, "share": Abort}[case["refused"]]
    with pytest.raises(due) as raised:
        attempt()
    if isinstance(raised.value, Abort):
        assert raised.value.suspects == set(map(seat, case["names"]))
        assert not raised.value.culprits


def signed(shares: tuple[KeyShare, ...], message: bytes) -> bytes:
    made = [frost.commit(share, os.urandom) for share in shares]
    package = frost.package(message, (sent for _, sent in made))
    answers = [
        frost.sign(share, kept, package) for share, (kept, _) in zip(shares, made, strict=True)
    ]
    return frost.aggregate(shares[0].public, package, answers)


@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 2), (5, 3)])
def test_any_quorum_signs_what_other_programs_accept(n: int, k: int) -> None:
    shares, public = deal(n, k)
    stock = Ed25519PublicKey.from_public_bytes(public.group)
    for size in range(k, n + 1):
        for quorum in combinations(shares, size):
            message = os.urandom(100)
            stock.verify(signature := signed(quorum, message), message)
            frost.verify(public.group, message, signature)


def test_67_of_100() -> None:
    shares, public = deal(100, 67)
    Ed25519PublicKey.from_public_bytes(public.group).verify(signed(shares[20:87], b""), b"")


def test_identifiers_of_two_bytes() -> None:
    shares, public = deal(300, 3)
    quorum = shares[0], shares[256], shares[299]
    frost.verify(public.group, b"m", signed(quorum, b"m"))


def test_a_stock_signature_verifies_and_an_altered_one_does_not() -> None:
    shares, public = deal(3, 2)
    signature = signed(shares[:2], b"message")
    frost.verify(public.group, b"message", signature)
    for k in range(0, 512, 3):
        altered = bytearray(signature)
        altered[k // 8] ^= 1 << k % 8
        with pytest.raises(VerificationFailed):
            frost.verify(public.group, b"message", bytes(altered))
    for bad in (b"", signature[:-1], signature + b"\0"):
        with pytest.raises(VerificationFailed, match="not in the form"):
            frost.verify(public.group, b"message", bad)
    with pytest.raises(VerificationFailed, match="not of this message"):
        frost.verify(public.group, b"messages", signature)
    with pytest.raises(VerificationFailed, match="not of this message"):
        frost.verify(deal(3, 2)[1].group, b"message", signature)


def test_messages_come_back_from_their_encoding_and_have_these_sizes() -> None:
    shares, _ = deal(3, 2)
    (kept, one), (_, two) = (frost.commit(share, os.urandom) for share in shares[:2])
    package = frost.package(b"m", [one, two])
    answer = frost.sign(shares[0], kept, package)
    assert wire.decode(wire.encode(one), NonceCommitment) == one
    assert wire.decode(wire.encode(package), SigningPackage) == package
    assert wire.decode(wire.encode(answer), SignatureShare) == answer
    assert len(wire.encode(one)) == frost.COMMITMENT_BYTES
    assert len(wire.encode(answer)) == frost.SHARE_BYTES


def test_nonces_are_hidden_and_depend_on_fresh_bytes_and_on_the_share() -> None:
    shares, _ = deal(3, 2)
    kept, _ = frost.commit(shares[0], os.urandom)
    for secret in kept._secret or ():
        assert secret.hex() not in repr(kept)
    made = {
        secret
        for share in shares
        for draw in (bytes(32), b"\1" * 32)
        for secret in frost.commit(share, drawing(draw, draw))[0]._secret or ()
    }
    assert len(made) == 6  # of 12: equal draws make equal nonces


@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 2), (5, 3)])
def test_costs_what_its_docstring_says(n: int, k: int) -> None:
    shares, public = deal(n, k)
    outcomes, rounds, sent = measure(
        lambda session: frost.run(session, shares[session.me], b"m", os.urandom), n
    )
    (signature,) = set(outcomes.values())
    assert isinstance(signature, bytes)
    frost.verify(public.group, b"m", signature)
    told = re.search(r"Cost: (\d+) rounds, (\d+) \* \(n - 1\) bytes", frost.run.__doc__ or "")
    assert told
    assert rounds == int(told[1])
    assert set(sent.values()) == {int(told[2]) * (n - 1)}


def test_a_liar_among_the_parties_is_suspected_by_all_others() -> None:
    shares, _ = deal(3, 2)
    liar = replace(shares[2], secret=shares[1].secret)
    holding = (*shares[:2], liar)
    outcomes = run_parties(
        lambda session: frost.run(session, holding[session.me], b"m", os.urandom), 3
    )
    for outcome in outcomes.values():
        assert isinstance(outcome, Abort)
        assert outcome.suspects == {2}
