"""The arithmetic of distributed proofs, against polynomials multiplied term by term."""

import itertools
import secrets

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra import ghash
from quorate.algebra.ghash import ONE, Element, Elements, Fingerprint
from quorate.algebra.ring import Words
from quorate.mpc import folds
from quorate.mpc.folds import evaluated, folded, folded_elements, inner_products, products, summed
from tests.mpc.committee import noise


def monomial(row: int, at: list[Element]) -> Element:
    """Return what a row counts for: the first variable with its highest bit."""
    found = ONE
    for i, r in enumerate(at):
        if row >> (len(at) - 1 - i) & 1:
            found = ghash.times(found, r)
    return found


def plainly(x: Words, y: Words, at: list[Element], fingerprint: Fingerprint) -> Element:
    """Return the fingerprint of the product of two polynomials at a point."""
    found = 0
    for i, j in itertools.product(range(len(x)), repeat=2):
        (one,) = ghash.numbers(fingerprint.of(x[i] & y[j]))
        found ^= ghash.times(one, ghash.times(monomial(i, at), monomial(j, at)))
    return found


@pytest.mark.parametrize("variables", [1, 2, 3])
def test_values_of_a_product_give_it_everywhere(
    variables: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folds, "CHUNK", 4)
    fingerprint = Fingerprint(secrets.token_bytes(16))
    x, y, part = (noise(10 << variables).reshape(-1, 10) for _ in range(3))
    values = products([[x ^ part, part], [y]], fingerprint)
    assert values.shape == (3**variables, 2)
    at = [secrets.randbits(128) for _ in range(variables)]
    assert ghash.numbers(evaluated(values, at)) == [plainly(x, y, at, fingerprint)]


def test_the_rows_own_products_are_among_the_values() -> None:
    fingerprint = Fingerprint(secrets.token_bytes(16))
    x, y = (noise(8 * 6).reshape(8, 6) for _ in range(2))
    values = products([[x], [y]], fingerprint)
    expected = fingerprint.of((x & y).reshape(-1))
    assert_array_equal(summed(values, fingerprint.weights(6, 3)), expected)


def test_folding_sums_the_rows_that_have_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folds, "CHUNK", 4)
    rows, coefficients = noise(7 * 9).reshape(7, 9), noise(7)
    for p, found in enumerate(folded(rows, coefficients, 40)):
        chosen = (coefficients >> np.uint64(p) & np.uint64(1)).astype(np.bool_)
        assert_array_equal(found, np.bitwise_xor.reduce(rows[chosen], axis=0))


def test_a_folded_product_is_the_product_at_the_point() -> None:
    fingerprint = Fingerprint(secrets.token_bytes(16))
    x, y = (noise(4 * 2).reshape(4, 2) for _ in range(2))
    r, s = (np.uint64(secrets.randbits(32)) for _ in range(2))
    both = ghash.subfield_times(np.array([r]), np.array([s]))[0]
    coefficients = np.array([1, s, r, both], np.uint64)
    left, right = (ghash.from_planes(folded(one, coefficients, 32)) for one in (x, y))
    product = ghash.embedded(ghash.subfield_times(left, right))
    found = np.bitwise_xor.reduce(ghash.multiply(product, fingerprint.places(2)), axis=0)
    at = ghash.numbers(ghash.embedded(np.array([r, s])))
    assert ghash.numbers(found[None]) == [plainly(x, y, at, fingerprint)]


def test_elements_are_folded_and_multiplied_alike() -> None:
    x, y = (noise(2 * 16).reshape(16, 2) for _ in range(2))
    at = [secrets.randbits(128) for _ in range(3)]
    values = inner_products(x, y, 3)
    assert values.shape == (27, 2)
    expected = inner_products(folded_elements(x, at), folded_elements(y, at), 0)
    assert_array_equal(evaluated(values, at), expected)
    assert_array_equal(summed(values, [ONE] * 3), total(ghash.multiply(x, y)))


def total(a: Elements) -> Elements:
    found: Elements = np.bitwise_xor.reduce(a, axis=0, keepdims=True)
    return found
