"""Sets of numbers are found again from their power sums; whatever is no such set is noticed."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.algebra import mersenne
from quorate.algebra.mersenne import P, distinct_roots
from quorate.errors import MalformedMessage

numbers = st.one_of(st.integers(0, P - 1), st.integers(0, 20), st.integers(P - 20, P - 1))


def sums(found: list[int], n: int) -> list[int]:
    columns = zip(*(mersenne.powers(x, n) for x in found), strict=True)
    return [sum(column) % P for column in columns]


@given(st.sets(numbers, min_size=1, max_size=12))
def test_distinct_numbers_are_found_in_ascending_order(expected: set[int]) -> None:
    assert distinct_roots(sums([*expected], len(expected))) == sorted(expected)


@given(st.sets(numbers, min_size=1, max_size=8), st.data())
def test_a_number_that_is_there_twice_is_noticed(found: set[int], data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(sorted(found)))
    assert distinct_roots(sums([*found, twice], len(found) + 1)) is None


@given(st.lists(st.integers(0, P - 1), min_size=2, max_size=8))
def test_whatever_the_sums_the_answer_has_them_or_is_none(given_sums: list[int]) -> None:
    found = distinct_roots(given_sums)
    if found is not None:
        assert len(set(found)) == len(given_sums)
        assert sums(found, len(given_sums)) == given_sums


def test_a_polynomial_without_roots_is_noticed() -> None:
    # x^2 + 1: minus one is no square where P is 3 modulo 4. Sums of roots 0, of their squares -2.
    assert distinct_roots([0, P - 2]) is None


@pytest.mark.parametrize("n", [20, 100])
def test_many_random_numbers_are_found(n: int) -> None:
    expected = sorted({int.from_bytes(secrets.token_bytes(16), "little") % P for _ in range(n)})
    assert distinct_roots(sums(expected, len(expected))) == expected


@given(st.lists(numbers, max_size=5))
def test_what_is_encoded_is_decoded(elements: list[int]) -> None:
    assert mersenne.decode(mersenne.encode(elements)) == elements


@pytest.mark.parametrize("data", [b"\0", bytes(15), bytes(17), P.to_bytes(16, "little")])
def test_what_is_no_number_of_the_field_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        mersenne.decode(data)
