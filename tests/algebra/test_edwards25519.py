"""edwards25519 on libsodium against the formulas on Python's integers."""

import hashlib
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import MalformedMessage
from tests.algebra import slow_edwards25519 as slow
from tests.published import published

EDGES = [0, 1, 2, 8, ed.ORDER - 1, ed.ORDER // 2, 2**252]
NUMBERS = st.one_of(st.sampled_from(EDGES), st.integers(0, ed.ORDER - 1))
TORSION = [slow.encode(point) for point in slow.torsion()]
some = settings(max_examples=25, deadline=None)


def point_of(k: int) -> Point:
    return Point(slow.encode(slow.mul(k, slow.BASE)))


def number(a: Scalar) -> int:
    return int.from_bytes(a, "little")


@some
@given(NUMBERS, NUMBERS)
def test_points_as_the_formulas_say(j: int, k: int) -> None:
    a, b = ed.scalar(j), ed.scalar(k)
    p, q = ed.base_mul(a), ed.base_mul(b)
    assert (p, q) == (point_of(j), point_of(k))
    assert ed.add(p, q) == point_of((j + k) % ed.ORDER)
    assert ed.sub(p, q) == point_of((j - k) % ed.ORDER)
    assert ed.negate(p) == point_of(-j % ed.ORDER)
    assert ed.mul(b, p) == ed.mul(a, q) == point_of(j * k % ed.ORDER)
    assert ed.multi_mul([a, b, a], [p, q, q]) == point_of((j * j + k * k + j * k) % ed.ORDER)


@given(NUMBERS, NUMBERS)
def test_scalars_as_integers_modulo_the_order(j: int, k: int) -> None:
    a, b = ed.scalar(j), ed.scalar(k)
    assert number(ed.scalar_add(a, b)) == (j + k) % ed.ORDER
    assert number(ed.scalar_sub(a, b)) == (j - k) % ed.ORDER
    assert number(ed.scalar_mul(a, b)) == j * k % ed.ORDER
    assert number(ed.scalar_negate(a)) == -j % ed.ORDER
    assert number(ed.scalar_sum([a, b, b])) == (j + 2 * k) % ed.ORDER
    if j:
        assert number(ed.scalar_invert(a)) == pow(j, -1, ed.ORDER)


def test_zero_has_no_inverse_and_sums_of_nothing_are_neutral() -> None:
    with pytest.raises(ZeroDivisionError):
        ed.scalar_invert(ed.ZERO)
    assert ed.scalar_sum([]) == ed.ZERO
    assert ed.sum_points([]) == ed.multi_mul([], []) == ed.IDENTITY
    with pytest.raises(ValueError, match="shorter"):
        ed.multi_mul([ed.ONE], [])


@given(st.binary(min_size=64, max_size=64))
def test_long_strings_are_reduced(data: bytes) -> None:
    assert number(ed.reduce(data)) == int.from_bytes(data, "little") % ed.ORDER


def test_a_random_scalar_is_never_zero() -> None:
    draws = iter([bytes(64), (ed.ORDER * 5).to_bytes(64, "little"), b"\x07" + bytes(63)])
    assert number(ed.random_scalar(lambda size: next(draws)[:size])) == 7
    assert ed.random_scalar(os.urandom) != ed.random_scalar(os.urandom)


def test_hashes_join_their_parts() -> None:
    digest = hashlib.sha512(b"domain" + b"text").digest()
    assert number(ed.hash_to_scalar(b"domain", b"text")) == (
        int.from_bytes(digest, "little") % ed.ORDER
    )
    assert ed.hash_to_point(b"domain", b"text") == ed.hash_to_point(b"domaintext")
    hashed = {ed.hash_to_point(b"domain", bytes([k])) for k in range(32)}
    assert len(hashed) == 32
    for point in hashed:
        ed.decode_point(point)


@some
@given(st.one_of(st.sampled_from(EDGES[1:]), st.integers(1, ed.ORDER - 1)))
def test_a_point_of_the_subgroup_is_taken(k: int) -> None:
    assert ed.decode_point(point_of(k)) == point_of(k)


@some
@given(st.integers(0, ed.ORDER - 1), st.integers(1, 7))
def test_a_point_with_torsion_is_refused(k: int, eighth: int) -> None:
    mixed = slow.encode(slow.add(slow.mul(k, slow.BASE), slow.torsion()[eighth]))
    with pytest.raises(MalformedMessage, match="prime-order subgroup"):
        ed.decode_point(mixed)
    with pytest.raises(MalformedMessage, match="prime-order subgroup"):
        ed.mul(ed.scalar(8), Point(mixed))


def test_control_libsodium_adds_points_with_torsion() -> None:
    """What `decode_point` is for: addition alone would let the torsion through."""
    mixed = Point(slow.encode(slow.add(slow.BASE, slow.torsion()[1])))
    assert ed.add(ed.BASE, mixed) == slow.encode(
        slow.add(slow.BASE, slow.add(slow.BASE, slow.torsion()[1]))
    )


NOT_POINTS = {
    "nothing": b"",
    "31 bytes": ed.BASE[:31],
    "33 bytes": ed.BASE + b"\0",
    "all zeros": bytes(32),
    "all ones": b"\xff" * 32,
    "the identity": ed.IDENTITY,
    "the identity with a sign": (1 | 1 << 255).to_bytes(32, "little"),
    "y = p, which is 0 again": slow.P.to_bytes(32, "little"),
    "y = p + 1, which is the identity again": (slow.P + 1).to_bytes(32, "little"),
    "no point has this y": (2).to_bytes(32, "little"),
    **{f"{k} eighths of a turn": point for k, point in enumerate(TORSION)},
}


@pytest.mark.parametrize("data", NOT_POINTS.values(), ids=NOT_POINTS.keys())
def test_what_is_no_point_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage, match="not a point of the prime-order subgroup"):
        ed.decode_point(data)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_random_bytes_are_a_point_if_the_formulas_say_so(data: bytes) -> None:
    point = slow.decode(data)
    if point and point != (0, 1) and slow.mul(slow.ORDER, point) == (0, 1):
        assert ed.decode_point(data) == data
    else:
        with pytest.raises(MalformedMessage):
            ed.decode_point(data)


@pytest.mark.parametrize("k", [ed.ORDER, ed.ORDER + 1, 2**253, 2**255, 2**256 - 1])
def test_a_scalar_beyond_the_order_is_refused(k: int) -> None:
    with pytest.raises(MalformedMessage, match="not a scalar"):
        ed.decode_scalar(k.to_bytes(32, "little"))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_scalar_has_32_bytes(size: int) -> None:
    with pytest.raises(MalformedMessage, match="not a scalar"):
        ed.decode_scalar(bytes(size))


def test_zero_is_a_scalar_where_it_may_be() -> None:
    assert ed.decode_scalar(ed.ZERO) == ed.ZERO
    assert ed.decode_scalar(ed.ONE, zero_allowed=False) == ed.ONE
    with pytest.raises(MalformedMessage, match="zero"):
        ed.decode_scalar(ed.ZERO, zero_allowed=False)


def test_published_points_are_judged_by_their_flags() -> None:
    vectors = published("ed25519-edge-cases/ed25519vectors.json")
    tried: set[bool] = set()
    for vector in vectors:
        flags = set(vector["flags"] or ())
        bad = flags & {"low_order_A", "low_order_component_A", "non_canonical_A"}
        key = bytes.fromhex(vector["key"])
        tried.add(bool(bad))
        if bad:
            with pytest.raises(MalformedMessage):
                ed.decode_point(key)
        else:
            ed.decode_point(key)
    assert tried == {True, False}
