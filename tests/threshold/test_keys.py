"""A key's public half is checked when it arrives; a share belongs to its key."""

import os
from dataclasses import replace

import pytest

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.errors import MalformedMessage, OutOfRange, VerificationFailed
from quorate.threshold import sharing
from quorate.threshold.keys import KeyShare, PublicKey
from tests.threshold.dealt import deal


def test_shares_belong_to_their_key() -> None:
    shares, public = deal(5, 3)
    assert (public.min_signers, public.max_signers, str(public.rule)) == (3, 5, "3 of 5")
    assert public.group == ed.base_mul(sharing.recover([(s.identifier, s.secret) for s in shares]))
    assert [s.identifier for s in shares] == list(public.identifiers())
    for share in shares:
        share.verify()
        assert public.verification_share(share.identifier) == ed.base_mul(share.secret)


def test_a_share_comes_back_from_its_encoding() -> None:
    shares, public = deal(3, 2)
    assert wire.decode(wire.encode(public), PublicKey) == public
    assert wire.decode(wire.encode(shares[1]), KeyShare) == shares[1]


def test_a_share_does_not_show_its_secret() -> None:
    (share, *_), _ = deal(3, 2)
    assert share.secret.hex() not in repr(share)
    assert repr(bytes(share.secret)) not in repr(share)


def test_keys_have_names_of_their_own() -> None:
    _, public = deal(4, 2)
    others = [
        replace(public, purpose="unlock"),
        replace(public, max_signers=5),
        replace(public, commitment=(*public.commitment, ed.BASE)),
        deal(4, 2)[1],
    ]
    assert len({key.key_id() for key in [public, *others]}) == 5


@pytest.mark.parametrize("identifier", [-1, 0, 4, 65536])
def test_who_holds_no_share_has_no_point(identifier: int) -> None:
    _, public = deal(3, 2)
    with pytest.raises(OutOfRange, match="no holder"):
        public.verification_share(identifier)


def test_a_share_of_another_key_or_of_nobody_is_noticed() -> None:
    (one, two, _), _ = deal(3, 2)
    (other, _, _), _ = deal(3, 2)
    for bad in (
        replace(one, identifier=2),
        replace(one, identifier=4),
        replace(one, secret=two.secret),
        replace(one, public=other.public),
        replace(one, secret=ed.Scalar(ed.ORDER.to_bytes(32, "little"))),
        replace(one, secret=ed.Scalar(b"")),
    ):
        with pytest.raises(VerificationFailed, match="stored share"):
            bad.verify()


@pytest.mark.parametrize(
    "bad",
    [
        {"commitment": ()},
        {"commitment": (ed.BASE,)},
        {"commitment": (ed.BASE,) * 4},
        {"max_signers": 65536},
        {"commitment": (ed.BASE, ed.IDENTITY)},
        {"commitment": (bytes(32), ed.BASE)},
        {"commitment": (ed.BASE[:31], ed.BASE)},
    ],
    ids=lambda bad: str(bad)[:40],
)
def test_what_is_no_key_is_not_decoded(bad: dict[str, object]) -> None:
    plain = {"purpose": "sign", "max_signers": 3, "commitment": (ed.BASE, ed.BASE), **bad}
    with pytest.raises(MalformedMessage):
        wire.decode(wire.encode(plain), PublicKey)


def test_a_purpose_is_one_of_two() -> None:
    plain = {"purpose": "both", "max_signers": 3, "commitment": (ed.BASE, ed.BASE)}
    with pytest.raises(MalformedMessage):
        wire.decode(wire.encode(plain), PublicKey)
    wire.decode(wire.encode({**plain, "purpose": "unlock"}), PublicKey)


def test_what_is_dealt_is_random() -> None:
    f = sharing.polynomial(ed.ONE, 4, os.urandom)
    assert f[0] == ed.ONE
    assert len(set(f)) == 4
