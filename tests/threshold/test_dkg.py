"""A key that nobody deals: what comes out, what it costs, and the published numbers."""

import hashlib
import os
import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import MalformedMessage, OutOfRange, VerificationFailed
from quorate.threshold import delivery, dkg, frost, schnorr, sharing
from quorate.threshold.dkg import Confirmation, Generated, Pending
from quorate.threshold.keys import KeyShare, PublicKey
from quorate.threshold.record import Record, recover
from quorate.threshold.setup import (
    Dealing,
    Promise,
    Setup,
    SignedDealing,
    possession_input,
    sign_dealing,
    transcript,
)
from quorate.transport.session import Session
from tests.parties import measure
from tests.published import published
from tests.threshold.ceremony import holders
from tests.threshold.dealt import verify_share
from tests.threshold.numbers import unhex


@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 2), (5, 3), (5, 5)])
def test_all_have_shares_of_one_key_and_any_quorum_signs(n: int, k: int) -> None:
    outcomes = holders(n, k).generate()
    (public,) = {outcome.share.public for outcome in outcomes}
    assert (public.min_signers, public.max_signers, public.purpose) == (k, n, "sign")
    for outcome in outcomes:
        outcome.share.verify()
    for quorum in combinations([outcome.share for outcome in outcomes], k):
        key = sharing.recover([(share.identifier, share.secret) for share in quorum])
        assert ed.base_mul(key) == public.group
    made = [frost.commit(outcome.share, os.urandom) for outcome in outcomes[-k:]]
    package = frost.package(b"m", [sent for _, sent in made])
    answers = [
        frost.sign(outcome.share, kept, package)
        for outcome, (kept, _) in zip(outcomes[-k:], made, strict=True)
    ]
    frost.verify(public.group, b"m", frost.aggregate(public, package, answers))


def test_a_key_serves_the_purpose_all_agreed_on() -> None:
    assert {one.share.public.purpose for one in holders(3, 2, "unlock").generate()} == {"unlock"}


def test_two_runs_make_two_keys() -> None:
    same = holders(3, 2)
    assert same.generate()[0].share.public != same.generate()[0].share.public


def test_every_message_and_what_is_kept_comes_back_from_its_encoding() -> None:
    them = holders(3, 2)
    dealings = them.dealings()
    pending, sent = them.check(0, dealings)
    everything: list[tuple[object, type]] = [
        (them.setup, Setup),
        (dealings[1], SignedDealing),
        (pending, Pending),
        (sent, Confirmation),
        (them.generate()[0], Generated),
    ]
    for value, kind in everything:
        assert wire.decode(wire.encode(value), kind) == value


def test_what_is_kept_does_not_show_secrets() -> None:
    them = holders(3, 2)
    pending, _ = them.check(0, them.dealings())
    outcome = them.generate()[0]
    assert repr(pending.secret) not in repr(pending)
    assert repr(outcome.share.secret) not in repr(outcome)


def test_payloads_arrive() -> None:
    them = holders(3, 2)
    dealings = [
        dkg.round1(
            them.setup, static, key, os.urandom, [f"{seat} to {to}".encode() for to in range(3)]
        )
        for seat, (static, key) in enumerate(zip(them.statics, them.identities, strict=True))
    ]
    for to in range(3):
        pending, _ = them.check(to, dealings)
        assert pending.payloads == tuple(f"{seat} to {to}".encode() for seat in range(3))


@pytest.mark.parametrize("payloads", [[b"one"], [b""] * 4, [b"", b"", bytes(65536 - 47)]])
def test_payloads_are_one_for_each_and_not_too_long(payloads: list[bytes]) -> None:
    them = holders(3, 2)
    with pytest.raises(OutOfRange, match="one payload of at most 65488 bytes"):
        dkg.round1(them.setup, them.statics[0], them.identities[0], os.urandom, payloads)


@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 2), (5, 3), (10, 7)])
def test_costs_what_its_docstring_says(n: int, k: int) -> None:
    them = holders(n, k)

    async def run(session: Session) -> Generated:
        static, identity = them.statics[session.me], them.identities[session.me]
        return await dkg.run(session, them.setup, static, identity, os.urandom)

    outcomes, rounds, sent = measure(run, n)
    assert len({one.share.public for one in outcomes.values() if isinstance(one, Generated)}) == 1
    formula = re.search(r"Cost: (\d+) rounds, (.+) bytes a party", dkg.run.__doc__ or "")
    assert formula
    assert rounds == int(formula[1])
    a, b, c = map(int, re.findall(r"\d\d+", formula[2]))
    assert set(sent.values()) == {(a * k + b * n + c) * (n - 1)}


def test_a_share_is_made_again_from_the_record_and_the_static_key() -> None:
    them = holders(3, 2)
    for static, outcome in zip(them.statics, them.generate(), strict=True):
        stored = wire.decode(wire.encode(outcome.record), Record)
        assert recover(stored, static) == outcome.share
        with pytest.raises(VerificationFailed, match="no holder"):
            recover(stored, ed.scalar(5))


def test_an_altered_record_gives_nothing() -> None:
    them = holders(3, 2)
    record = them.generate()[0].record
    other = them.generate()[0].record
    for bad in (
        replace(record, extension=b"other"),
        replace(record, promises=other.promises),
        replace(record, promises=record.promises[:2]),
        replace(record, ciphertexts=other.ciphertexts),
        replace(record, ciphertexts=(b"", *record.ciphertexts[1:])),
        replace(record, ciphertexts=(bytes(47), *record.ciphertexts[1:])),
        replace(record, signatures=record.signatures[:2]),
        replace(record, signatures=other.signatures),
        replace(record, setup=replace(record.setup, session=b"other")),
        replace(record, setup=replace(record.setup, min_signers=3)),
    ):
        with pytest.raises(VerificationFailed):
            recover(bad, them.statics[0])


@pytest.mark.parametrize(
    "change",
    [
        {"min_signers": 1},
        {"min_signers": 4},
        {"session": b""},
        {"static_keys": (ed.BASE, ed.BASE, ed.base_mul(ed.scalar(2)))},
        {"static_keys": (ed.BASE, ed.IDENTITY, ed.base_mul(ed.scalar(2)))},
        {"static_keys": (ed.BASE,)},
        {"identities": (b"a" * 32, b"a" * 32, b"b" * 32)},
        {"identities": (b"a" * 32, b"b" * 32)},
        {"identities": (b"a" * 32, b"b" * 32, b"c" * 31)},
    ],
    ids=str,
)
def test_a_setup_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    setup = holders(3, 2).setup
    with pytest.raises(MalformedMessage):
        replace(setup, **change)


def test_signatures_inside_are_of_one_message_and_one_key_and_no_ed25519() -> None:
    secret = ed.random_scalar(os.urandom)
    public, signature = ed.base_mul(secret), schnorr.sign(secret, b"m")
    schnorr.verify(public, b"m", signature)
    z = ed.decode_scalar(signature[32:])
    for bad in (
        signature[:32] + ed.scalar_add(z, ed.ONE),
        ed.BASE + signature[32:],
        ed.IDENTITY + signature[32:],
        signature[:32] + (int.from_bytes(z, "little") + ed.ORDER).to_bytes(32, "little"),
        signature[:63],
        b"",
    ):
        with pytest.raises(VerificationFailed):
            schnorr.verify(public, b"m", bad)
    for key, message in ((ed.BASE, b"m"), (public, b"n")):
        with pytest.raises(VerificationFailed, match="not of this message"):
            schnorr.verify(key, message, signature)
    with pytest.raises(VerificationFailed):
        frost.verify(public, b"m", signature)


def test_the_published_numbers() -> None:
    cases = published("cocktail-dkg/cocktail-dkg-ed25519-sha512.json")["vectors"]
    assert [(case["t"], case["n"]) for case in cases[:2]] == [(2, 3), (3, 5)]
    for case in cases:
        check_published(case)


def check_published(case: Any) -> None:
    n, k = case["n"], case["t"]
    statics = [Scalar(unhex(text)) for text in case["config"]["static_secret_keys"]]
    keys = [Ed25519PrivateKey.generate() for _ in range(n)]
    setup = Setup(
        "sign",
        k,
        unhex(case["session_tag"]),
        tuple(Point(unhex(text)) for text in case["config"]["static_public_keys"]),
        tuple(key.public_key().public_bytes_raw() for key in keys),
    )
    assert setup.static_keys == tuple(map(ed.base_mul, statics))
    assert setup.context() == unhex(case["context"])
    dealings = [
        sign_dealing(setup, one["participant_id"], dealing_of(setup, statics, one), key)
        for one, key in zip(case["round1"], keys, strict=True)
    ]
    checked = [
        dkg.round2(setup, static, mine, dealings, unhex(case["extension"]))
        for static, mine in zip(statics, dealings, strict=True)
    ]
    for (pending, _), due in zip(checked, case["round2"], strict=True):
        assert pending.secret == unhex(due["secret_share"])
        assert list(pending.payloads) == [unhex(text) for text in case.get("payloads", [""] * n)]
    told = transcript(setup, [d.dealing.promise for d in dealings], unhex(case["extension"]))
    assert hashlib.sha512(told).digest() == unhex(case["round3"]["transcript_hash"])
    confirmations = [sent for _, sent in checked]
    signatures = [unhex(one["signature"]) for one in case["round3"]["signatures"]]
    assert [sent.signature for sent in confirmations] == signatures
    for static, (pending, _), due in zip(statics, checked, case["round2"], strict=True):
        outcome = dkg.round3(pending, confirmations)
        public = outcome.share.public
        assert public.group == unhex(case["group_public_key"])
        share_point = public.verification_share(due["participant_id"])
        assert share_point == unhex(due["verification_share"])
        assert recover(outcome.record, static) == outcome.share


def dealing_of(setup: Setup, statics: list[Scalar], one: Any) -> Dealing:
    """The published dealing; its proof and its ciphertexts are made again and compared."""
    me = one["participant_id"]
    promise = Promise(
        tuple(Point(unhex(text)) for text in one["vss_commitment"]),
        unhex(one["pop"]),
        Point(unhex(one["ephemeral_public_key"])),
    )
    made = one["pop_intermediate"]
    assert possession_input(setup.context(), promise) == unhex(made["message"])
    constant = Scalar(unhex(made["nonce_input"])[len(schnorr.SUITE + b"-NONCE") :][:32])
    assert schnorr.sign(constant, unhex(made["message"])) == promise.proof
    for recipient, text in enumerate(one["encrypted_shares"], 1):
        route = setup.route(me, recipient, promise.ephemeral)
        secrets = delivery.recipient_secrets(route, statics[recipient - 1])
        found = delivery.open_sealed(route, secrets, unhex(text))
        verify_share(found.share, recipient, promise.commitment)
        assert delivery.seal(route, secrets, found.share, found.payload) == unhex(text)
    return Dealing(promise, tuple(unhex(text) for text in one["encrypted_shares"]))


def test_published_dealings_of_frost_users_make_their_key() -> None:
    inputs = published("frost-ed25519/vectors_dkg.json")["inputs"]
    members = [inputs[str(i)] for i in (1, 2, 3)]
    commitments = [tuple(Point(unhex(c)) for c in m["vss_commitments"]) for m in members]
    public = PublicKey("sign", 3, sharing.add_commitments(commitments))
    assert public.group == unhex(inputs["verifying_key"])
    for identifier, member in enumerate(members, 1):
        KeyShare(identifier, Scalar(unhex(member["signing_share"])), public).verify()
