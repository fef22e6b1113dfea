"""A cell opens with every member's share and not with one less; all cells look alike."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.anonymous import cell
from quorate.errors import MalformedMessage, OutOfRange

SID = secrets.token_bytes(32)
CELL = 64


def shares(n: int) -> list[Scalar]:
    return [ed.random_scalar(secrets.token_bytes) for _ in range(n)]


def joint(secret: list[Scalar]) -> Point:
    return ed.sum_points(map(ed.base_mul, secret))


def seal(text: bytes, key: Point) -> bytes:
    return cell.seal(text, key, SID, CELL, secrets.token_bytes)


@given(st.binary(max_size=CELL - 4))
def test_all_shares_open_it_and_all_but_one_do_not(text: bytes) -> None:
    held = shares(3)
    sealed = seal(text, joint(held))
    assert len(sealed) == CELL + 48
    assert cell.unseal(sealed, ed.scalar_sum(held), SID) == text
    for without in range(3):
        with pytest.raises(MalformedMessage):
            cell.unseal(sealed, ed.scalar_sum(held[:without] + held[without + 1 :]), SID)


def test_a_long_text_is_refused() -> None:
    with pytest.raises(OutOfRange):
        seal(bytes(CELL - 3), joint(shares(2)))


def test_an_altered_cell_and_one_of_another_run_do_not_open() -> None:
    held = shares(2)
    sealed, secret = seal(b"text", joint(held)), ed.scalar_sum(held)
    for at in (0, 31, 32, len(sealed) - 1):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(MalformedMessage):
            cell.unseal(bytes(altered), secret, SID)
    with pytest.raises(MalformedMessage):
        cell.unseal(sealed, secret, bytes(32))
    for wrong in (b"", bytes(CELL + 48), ed.IDENTITY + sealed[32:]):
        with pytest.raises(MalformedMessage):
            cell.unseal(wrong, secret, SID)


@pytest.mark.parametrize("padded", [b"\5\0\0\0text", b"\1\0\0\0ab\0", b"\xff\xff\xff\xff"])
def test_what_no_text_pads_to_is_refused(padded: bytes) -> None:
    with pytest.raises(MalformedMessage):
        cell.unpad(padded)


def test_a_share_is_proven_for_one_seat_of_one_run() -> None:
    (secret,) = shares(1)
    proof, share = cell.prove(secret, SID, 2), ed.base_mul(secret)
    cell.check_proof(proof, share, SID, 2)
    for run, seat in ((SID, 1), (bytes(32), 2)):
        with pytest.raises(MalformedMessage):
            cell.check_proof(proof, share, run, seat)


def rogue(honest: list[Scalar], own: Scalar) -> Point:
    """A last share that cancels the others': the joint key becomes the liar's own."""
    return ed.sub(ed.base_mul(own), joint(honest))


def test_who_does_not_know_its_shares_secret_cannot_prove_it() -> None:
    honest, own = shares(2), shares(1)[0]
    share = rogue(honest, own)
    for guess in (own, ed.scalar_sub(own, honest[0]), ed.ONE):
        with pytest.raises(MalformedMessage):
            cell.check_proof(cell.prove(guess, SID, 2), share, SID, 2)


def test_control_without_the_proof_the_last_member_reads_alone() -> None:
    honest, own = shares(2), shares(1)[0]
    key = ed.sum_points([*map(ed.base_mul, honest), rogue(honest, own)])
    assert cell.unseal(seal(b"text", key), own, SID) == b"text"
