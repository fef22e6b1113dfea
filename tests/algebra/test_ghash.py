"""The field of GHASH, against OpenSSL and against schoolbook arithmetic."""

import secrets

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra import ghash
from quorate.algebra.ghash import ONE, Element, Fingerprint

MODULUS = 1 << 128 | 1 << 7 | 1 << 2 | 1 << 1 | 1


def some(count: int) -> list[Element]:
    return [secrets.randbits(128) for _ in range(count)]


def words(count: int) -> ghash.Elements:
    return np.frombuffer(secrets.token_bytes(8 * count), np.uint64)


def plainly(a: Element, b: Element) -> Element:
    """Multiply as polynomials whose lowest coefficient is the lowest bit."""
    left, right = (int(f"{x:0128b}"[::-1], 2) for x in (a, b))
    product = 0
    for i in range(128):
        product ^= (left << i) * (right >> i & 1)
    for i in range(254, 127, -1):
        product ^= (MODULUS << i - 128) * (product >> i & 1)
    return int(f"{product:0128b}"[::-1], 2)


def test_single_elements_are_multiplied() -> None:
    for a, b in zip([ONE, 0, *some(20)], some(22), strict=True):
        assert ghash.times(a, b) == plainly(a, b)
    a = some(1)[0]
    assert ghash.power(a, 5) == plainly(plainly(plainly(plainly(a, a), a), a), a)
    assert ghash.times(ghash.power(a, (1 << 128) - 2), a) == ONE


def test_arrays_are_multiplied() -> None:
    a, b = some(30), some(30)
    expected = [plainly(x, y) for x, y in zip(a, b, strict=True)]
    found = ghash.multiply(ghash.elements(a), ghash.elements(b))
    assert ghash.numbers(found) == expected
    one = ghash.scaled(ghash.elements(a), b[0])
    assert ghash.numbers(one) == [plainly(x, b[0]) for x in a]


@pytest.mark.parametrize("size", [2, 6, 4098])
def test_a_fingerprint_is_the_polynomial_that_openssl_evaluates(size: int) -> None:
    fingerprint, data = Fingerprint(secrets.token_bytes(16)), words(size)
    expected = 0
    for block in range(size // 2):
        value = ghash.element(data[2 * block : 2 * block + 2].tobytes())
        expected ^= plainly(value, ghash.power(fingerprint.point, size // 2 + 1 - block))
    assert ghash.numbers(fingerprint.of(data)) == [expected]


def test_a_fingerprint_is_the_sum_of_what_its_bits_count_for() -> None:
    fingerprint, data = Fingerprint(secrets.token_bytes(16)), words(6)
    bits = np.unpackbits(data.view(np.uint8)).view(np.bool_)
    found = np.bitwise_xor.reduce(fingerprint.places(6)[bits], axis=0)
    assert_array_equal(found, fingerprint.of(data)[0])


def test_fingerprints_of_pieces_make_that_of_the_whole() -> None:
    fingerprint, data = Fingerprint(secrets.token_bytes(16)), words(10)
    pieces = fingerprint.after(fingerprint.of(data[:4]), 6) ^ fingerprint.of(data[4:])
    assert_array_equal(pieces, fingerprint.of(data))


def test_the_subfield_is_one() -> None:
    """Its products are those of the field, its basis is independent, its betas as declared."""
    a, b = (words(40) & np.uint64(0xFFFFFFFF) for _ in range(2))
    inside = ghash.subfield_times(a, b)
    assert int(inside.max()) < 1 << 32
    outside = ghash.multiply(ghash.embedded(a), ghash.embedded(b))
    assert_array_equal(ghash.embedded(inside), outside)
    product = ONE
    for beta in ghash.betas():
        assert plainly(beta, beta) ^ beta == product
        product = plainly(product, beta)
    units = np.uint64(1) << np.arange(32, dtype=np.uint64)
    assert tuple(ghash.numbers(ghash.embedded(units))) == ghash.basis()
    assert ghash.power(some_of_subfield(), 1 << 32) == some_of_subfield()


def some_of_subfield() -> Element:
    return ghash.numbers(ghash.embedded(np.array([0x9E3779B9], np.uint64)))[0]


def test_planes_are_elements() -> None:
    planes = words(32 * 4).reshape(32, 4)
    found = ghash.from_planes(planes)
    bits = [np.unpackbits(plane.view(np.uint8)) for plane in planes]
    for place in (0, 1, 63, 64, 255):
        assert int(found[place]) == sum(int(row[place]) << p for p, row in enumerate(bits))
