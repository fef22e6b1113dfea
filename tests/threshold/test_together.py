"""A group signature within a session: by those who can, the same at all, cheats named."""

import os
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra import edwards25519 as ed
from quorate.errors import Abort, Error
from quorate.threshold import frost, generate_key
from quorate.threshold.keys import KeyShare
from quorate.threshold.together import GroupSigner
from quorate.transport.session import Session
from tests.parties import measure, run_parties

MESSAGE, SESSION = b"a certificate", bytes(32)


def signers(shares: tuple[KeyShare | None, ...], key: KeyShare) -> list[GroupSigner]:
    identities = [Ed25519PrivateKey.generate() for _ in shares]
    public = tuple(one.public_key().public_bytes_raw() for one in identities)
    return [
        GroupSigner(key.public, share, identity, public, os.urandom)
        for share, identity in zip(shares, identities, strict=True)
    ]


def outcomes(parties: list[GroupSigner]) -> dict[int, bytes | Error]:
    async def one(session: Session) -> bytes:
        return await parties[session.me].sign(session, SESSION, MESSAGE)

    return run_parties(one, len(parties))


def test_all_get_the_same_signature_and_the_cost_is_as_said() -> None:
    shares = generate_key(5, 3, os.urandom)[0]
    parties = signers(shares, shares[0])

    async def one(session: Session) -> bytes:
        return await parties[session.me].sign(session, SESSION, MESSAGE)

    signed, rounds, sent = measure(one, 5)
    (signature,) = set(signed.values())
    assert isinstance(signature, bytes)
    frost.verify(shares[0].public.group, MESSAGE, signature)
    assert rounds == 3
    assert set(sent.values()) == {321 * 4}


@pytest.mark.parametrize("locked", [(), (0,), (1, 4)])
def test_who_cannot_use_its_share_is_not_needed(locked: tuple[int, ...]) -> None:
    shares = generate_key(5, 3, os.urandom)[0]
    usable = tuple(None if p in locked else share for p, share in enumerate(shares))
    (signature,) = set(outcomes(signers(usable, shares[0])).values())
    assert isinstance(signature, bytes)
    frost.verify(shares[0].public.group, MESSAGE, signature)


def test_too_few_shares_end_it_with_a_hint() -> None:
    shares = generate_key(5, 3, os.urandom)[0]
    for outcome in outcomes(signers((*shares[:2], None, None, None), shares[0])).values():
        assert isinstance(outcome, Abort)
        assert "only 2 members can use their shares" in str(outcome)


def test_a_wrong_share_is_proof_and_all_name_the_same_member() -> None:
    shares = generate_key(5, 3, os.urandom)[0]
    wrong = replace(shares[3], secret=ed.scalar_add(shares[3].secret, ed.ONE))
    for outcome in outcomes(signers((*shares[:3], wrong, shares[4]), shares[0])).values():
        assert isinstance(outcome, Abort)
        assert outcome.culprits == {3}


def test_who_commits_in_anothers_place_is_suspected() -> None:
    shares = generate_key(5, 3, os.urandom)[0]
    for party, outcome in outcomes(signers((*shares[:4], shares[0]), shares[0])).items():
        assert isinstance(outcome, Abort)
        assert outcome.suspects == {4}, party
