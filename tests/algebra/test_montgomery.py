"""u-coordinates and points, against X25519 itself."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from quorate.algebra import edwards25519 as ed
from quorate.algebra.montgomery import point_of, u_of
from quorate.errors import MalformedMessage

PRIME = 2**255 - 19
BASE_U = (9).to_bytes(32, "little")
LOW_ORDER = (  # RFC 7748, section 6.1, and Curve25519's own page: u of small order, and their like
    *(0, 1, PRIME - 1),
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)


def clamped(secret: bytes) -> int:
    return int.from_bytes(secret, "little") & ~7 & (1 << 254) - 1 | 1 << 254


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_multiples_are_those_of_x25519(ours: bytes, theirs: bytes) -> None:
    share = X25519PrivateKey.from_private_bytes(theirs).public_key()
    point = ed.mul(ed.scalar(clamped(ours)), point_of(share.public_bytes_raw()))
    assert u_of(point) == X25519PrivateKey.from_private_bytes(ours).exchange(share)


def test_the_base_point_is_nine() -> None:
    assert u_of(ed.BASE) == BASE_U
    assert point_of(BASE_U) in (ed.BASE, ed.negate(ed.BASE))


@given(st.integers(1, ed.ORDER - 1))
def test_a_point_and_its_negative_have_one_coordinate(number: int) -> None:
    point = ed.base_mul(ed.scalar(number))
    assert u_of(point) == u_of(ed.negate(point))
    assert point_of(u_of(point)) in (point, ed.negate(point))


@pytest.mark.parametrize("number", LOW_ORDER)
def test_points_of_small_order_are_refused(number: int) -> None:
    with pytest.raises(MalformedMessage):
        point_of(number.to_bytes(32, "little"))


@pytest.mark.parametrize("number", [PRIME, PRIME + 9, 2**255 + 9, 2**256 - 1])
def test_other_encodings_are_refused(number: int) -> None:
    with pytest.raises(MalformedMessage):
        point_of(number.to_bytes(32, "little"))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_other_lengths_are_refused(size: int) -> None:
    with pytest.raises(MalformedMessage):
        point_of(BASE_U[:size].ljust(size, b"\0"))


def test_the_twist_and_points_with_torsion_are_refused() -> None:
    """Of random coordinates, half lie on the twist, and 7 of 8 of the rest have torsion."""
    taken = 0
    for _ in range(400):
        u = os.urandom(31) + bytes([os.urandom(1)[0] & 127])
        try:
            point = point_of(u)
        except MalformedMessage:
            continue
        assert u_of(point) == u
        taken += 1
    assert 3 <= taken <= 70  # 25 are due; further away is one run in a million


def test_the_identity_has_no_coordinate() -> None:
    with pytest.raises(MalformedMessage):
        u_of(ed.IDENTITY)
