"""TDH2: what a quorum opens, and everything that it does not."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import Abort, MalformedMessage, Refused, VerificationFailed
from quorate.threshold import tdh2
from quorate.threshold.partial import (
    Asked,
    Partial,
    check_purpose,
    combine,
    make_partial,
    verify_partial,
)
from quorate.threshold.sharing import lagrange, recover
from tests.algebra import slow_edwards25519 as slow
from tests.threshold.holders import deal

KEY = bytes(range(16))
SHARES = deal("unlock")
PUBLIC = SHARES[0].public
SEALED = tdh2.encrypt(PUBLIC.group, "record-17", KEY, os.urandom)
ASKED = Asked(bytes(32), SEALED.digest())
OTHER = Asked(bytes([1] * 32), SEALED.digest())
U = tdh2.verify(PUBLIC.group, SEALED)
PARTIALS = [make_partial(share, U, ASKED, os.urandom) for share in SHARES]

TORSION = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
BAD_POINTS = {
    "identity": bytes(ed.IDENTITY),
    "of order 8": TORSION,
    "with torsion": bytes(ed.add(ed.BASE, Point(TORSION))),
    "not canonical": (2**255 - 19 + 3).to_bytes(32, "little"),
    "off the curve": (2).to_bytes(32, "little"),
    "short": bytes(31),
}
BAD_SCALARS = {"the order": ed.ORDER.to_bytes(32, "little"), "short": bytes(31)}


def opened(partials: list[Partial]) -> bytes:
    return tdh2.unmask(SEALED, combine(PUBLIC, U, ASKED, partials).point)


@given(st.permutations(PARTIALS), st.integers(3, 5))
def test_any_three_of_five_open_and_none_is_special(some: list[Partial], count: int) -> None:
    assert opened(some[:count]) == KEY


def test_the_shared_secret_is_that_of_the_whole_key() -> None:
    whole = recover([(share.identifier, share.secret) for share in SHARES[:3]])
    assert combine(PUBLIC, U, ASKED, PARTIALS[2:]).point == ed.mul(whole, U)
    assert tdh2.unmask(SEALED, ed.mul(whole, U)) == KEY


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_the_quorum_open_nothing(count: int) -> None:
    with pytest.raises(Abort, match=f"{count} partial decryptions are right, and 3 are needed"):
        opened(PARTIALS[:count])
    with pytest.raises(Abort):
        opened(PARTIALS[:count] * 5)


def test_two_shares_interpolate_to_another_key() -> None:
    whole = recover([(share.identifier, share.secret) for share in SHARES[:2]])
    assert tdh2.unmask(SEALED, ed.mul(whole, U)) != KEY


def test_a_wrong_partial_is_named_and_left_out() -> None:
    wrong = replace(PARTIALS[1], point=PARTIALS[2].point)
    combined = combine(PUBLIC, U, ASKED, [PARTIALS[0], wrong, *PARTIALS[2:4]])
    assert combined.wrong == (2,)
    assert tdh2.unmask(SEALED, combined.point) == KEY
    with pytest.raises(Abort) as e:
        opened([PARTIALS[0], wrong, PARTIALS[2]])
    assert e.value.suspects == {1}
    assert not e.value.culprits


def test_control_without_its_proof_a_wrong_partial_spoils_the_key_unseen() -> None:
    points = [PARTIALS[0].point, PARTIALS[2].point, PARTIALS[2].point]  # 2 sent what 3 did
    weights = [lagrange(i, (1, 2, 3)) for i in (1, 2, 3)]
    assert tdh2.unmask(SEALED, ed.multi_mul(weights, map(Point, points))) != KEY


def test_a_partial_counts_for_its_request_its_key_and_its_holder_only() -> None:
    verify_partial(PUBLIC, U, ASKED, PARTIALS[0])
    other = deal("unlock")[0].public
    elsewhere = tdh2.verify(PUBLIC.group, tdh2.encrypt(PUBLIC.group, "r", KEY, os.urandom))
    for public, base, asked, partial in (
        (PUBLIC, U, OTHER, PARTIALS[0]),
        (PUBLIC, U, replace(ASKED, sealed=bytes(32)), PARTIALS[0]),
        (other, U, ASKED, PARTIALS[0]),
        (replace(PUBLIC, max_signers=6), U, ASKED, PARTIALS[0]),
        (PUBLIC, elsewhere, ASKED, PARTIALS[0]),
        (PUBLIC, U, ASKED, replace(PARTIALS[0], identifier=2)),
        (PUBLIC, U, ASKED, replace(PARTIALS[0], identifier=0)),
        (PUBLIC, U, ASKED, replace(PARTIALS[0], identifier=6)),
    ):
        with pytest.raises(VerificationFailed):
            verify_partial(public, base, asked, partial)


def test_control_a_proof_that_names_no_request_counts_for_any() -> None:
    """What three holders gave for one request, replayed for another that nobody approved."""
    nameless = Asked(b"", b"")
    given = [make_partial(share, U, nameless, os.urandom) for share in SHARES[:3]]
    assert tdh2.unmask(SEALED, combine(PUBLIC, U, nameless, given).point) == KEY
    named = [make_partial(share, U, ASKED, os.urandom) for share in SHARES[:3]]
    with pytest.raises(Abort):
        combine(PUBLIC, U, OTHER, named)


@pytest.mark.parametrize("bad", BAD_POINTS.values(), ids=BAD_POINTS)
def test_points_outside_the_group_are_refused_wherever_they_arrive(bad: bytes) -> None:
    for altered in (replace(SEALED, u=bad), replace(SEALED, u_bar=bad)):
        with pytest.raises(VerificationFailed):
            tdh2.verify(PUBLIC.group, altered)
    with pytest.raises(VerificationFailed):
        verify_partial(PUBLIC, U, ASKED, replace(PARTIALS[0], point=bad))


def test_control_a_point_of_small_order_leaks_a_share() -> None:
    """A holder that multiplies what it is sent tells three bits of its share each time."""
    torsion = slow.decode(TORSION)
    assert torsion is not None
    secret = int.from_bytes(SHARES[0].secret, "little")
    answered = slow.mul(secret, torsion)
    (rest,) = (k for k in range(8) if slow.mul(k, torsion) == answered)
    assert rest == secret % 8


@pytest.mark.parametrize("bad", BAD_SCALARS.values(), ids=BAD_SCALARS)
def test_scalars_in_another_encoding_are_refused_wherever_they_arrive(bad: bytes) -> None:
    proof = PARTIALS[0].proof
    for altered in (replace(proof, challenge=bad), replace(proof, response=bad)):
        with pytest.raises(VerificationFailed):
            verify_partial(PUBLIC, U, ASKED, replace(PARTIALS[0], proof=altered))
    for sealed in (replace(SEALED, e=bad), replace(SEALED, f=bad)):
        with pytest.raises(VerificationFailed):
            tdh2.verify(PUBLIC.group, sealed)


@given(st.data())
def test_no_bit_of_a_ciphertext_can_change(choose: st.DataObject) -> None:
    encoded = bytearray(wire.encode(SEALED))
    place = choose.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= 1 << choose.draw(st.integers(0, 7))
    with pytest.raises((MalformedMessage, VerificationFailed)):
        tdh2.verify(PUBLIC.group, wire.decode(bytes(encoded), tdh2.Ciphertext))


def test_a_ciphertext_moved_to_another_record_is_refused() -> None:
    moved = replace(SEALED, label=replace(SEALED.label, record="record-18"))
    with pytest.raises(VerificationFailed, match="moved to another record"):
        tdh2.verify(PUBLIC.group, moved)


def test_control_without_the_check_another_label_gives_the_same_point() -> None:
    """The points of a moved ciphertext are whole: only the proof ties them to the record."""
    moved = replace(SEALED, label=replace(SEALED.label, record="record-18"))
    point = combine(PUBLIC, ed.decode_point(moved.u), ASKED, PARTIALS).point
    assert tdh2.unmask(SEALED, point) == KEY


def blinded(sealed: tdh2.Ciphertext, r: Scalar, record: str) -> tdh2.Ciphertext:
    """What an attacker makes of another's ciphertext, with a label of its own and no witness."""
    u, u_bar = (ed.mul(r, ed.decode_point(p)) for p in (sealed.u, sealed.u_bar))
    return replace(sealed, u=u, u_bar=u_bar, label=replace(sealed.label, record=record))


def test_a_blinded_ciphertext_is_refused_by_every_holder() -> None:
    r = ed.random_scalar(os.urandom)
    attempt = blinded(SEALED, r, "mine")
    with pytest.raises(VerificationFailed):
        tdh2.verify(PUBLIC.group, attempt)
    # Nor does scaling the proof with the points help: the hash is over both.
    scaled = replace(attempt, f=ed.scalar_mul(r, ed.decode_scalar(SEALED.f)))
    with pytest.raises(VerificationFailed):
        tdh2.verify(PUBLIC.group, scaled)


def test_control_without_the_check_a_blinded_ciphertext_opens_the_victims() -> None:
    r = ed.random_scalar(os.urandom)
    attempt = blinded(SEALED, r, "mine")
    base = ed.decode_point(attempt.u)  # a holder that does not call `tdh2.verify`
    partials = [make_partial(share, base, OTHER, os.urandom) for share in SHARES[:3]]
    point = combine(PUBLIC, base, OTHER, partials).point
    assert tdh2.unmask(SEALED, ed.mul(ed.scalar_invert(r), point)) == KEY


def test_another_key_opens_nothing_and_says_so() -> None:
    with pytest.raises(VerificationFailed, match="another group's key"):
        tdh2.verify(deal("unlock")[0].public.group, SEALED)


@pytest.mark.parametrize("record", ["", " r", "r\n", "a\x1b[2J", "r" * 129, "ü" * 65, "\ud800"])
def test_records_that_cannot_be_shown_are_not_sealed(record: str) -> None:
    with pytest.raises(MalformedMessage):
        tdh2.encrypt(PUBLIC.group, record, KEY, os.urandom)


def test_only_file_keys_are_sealed() -> None:
    with pytest.raises(MalformedMessage):
        tdh2.encrypt(PUBLIC.group, "r", KEY + b"!", os.urandom)


def test_a_signing_key_never_unlocks() -> None:
    signing = deal("sign")[0].public
    for purpose in ("unlock", "plain"):
        with pytest.raises(Refused, match="generated to sign"):
            check_purpose(signing, purpose)


def test_shares_show_nothing() -> None:
    assert SHARES[0].secret.hex() not in repr(SHARES[0])


def test_sizes_are_as_the_page_says() -> None:
    raw = sum(map(len, (SEALED.c, SEALED.u, SEALED.u_bar, SEALED.e, SEALED.f)))
    assert raw == 144
    partial = PARTIALS[0]
    assert sum(map(len, (partial.point, partial.proof.challenge, partial.proof.response))) == 96
