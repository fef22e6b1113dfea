"""Uniform numbers and the exponential: no bias, no error above what is said."""

from decimal import localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.dp.draws import WORD, happens, uniform_below
from quorate.dp.exponential import exp_above, exp_below, exp_minus
from tests.dp.keyed import keyed, told
from tests.dp.laws import DIGITS, decimal, unlike

exponents = st.fractions(min_value=0, max_value=50, max_denominator=10**6)


@given(exponents, st.integers(8, 200))
def test_the_exponential_is_off_by_less_than_a_unit(x: Fraction, bits: int) -> None:
    with localcontext() as context:
        context.prec = DIGITS
        assert abs(exp_minus(x, bits) - (-decimal(x)).exp() * 2**bits) < 1


@given(exponents, st.integers(8, 100))
def test_bounds_of_the_exponential_are_bounds(x: Fraction, bits: int) -> None:
    with localcontext() as context:
        context.prec = DIGITS
        true = decimal(x).exp() * 2**bits
        assert true - 2 < exp_below(x, bits) <= true < exp_above(x, bits) < true + 3


@pytest.mark.parametrize("bound", [3, 5, 1 << 63, (1 << 63) + 1, WORD - 1])
def test_words_that_would_favour_small_numbers_are_drawn_again(bound: int) -> None:
    most = WORD - WORD % bound
    assert uniform_below(bound, 1, told(most - 1)).tolist() == [(most - 1) % bound]
    again = [word for word in (most, WORD - 1) if word >= most and word < WORD]
    for word in again:
        assert uniform_below(bound, 2, told(word, 1, word, 2)).tolist() == [2, 1]


def test_powers_of_two_need_no_second_word() -> None:
    assert uniform_below(1 << 62, 1, told(WORD - 1)).tolist() == [(1 << 62) - 1]
    assert uniform_below(WORD, 1, told(WORD - 1)).tolist() == [WORD - 1]
    assert uniform_below(1, 2, told(5, 6)).tolist() == [0, 0]


def test_numbers_below_a_bound_are_equally_frequent() -> None:
    drawn = uniform_below(7, 70_000, keyed("below 7")).astype(np.int64)
    assert not unlike(drawn, lambda x: 1 / 7 if 0 <= x < 7 else 0.0)


def test_chances_are_kept() -> None:
    chances = np.repeat(np.array([0, 1, 2, 3], np.uint64), 30_000)
    found = happens(chances, 3, keyed("thirds")).reshape(4, -1).mean(axis=1)
    np.testing.assert_allclose(found, [0, 1 / 3, 2 / 3, 1], atol=0.012)
    assert (found[0], found[3]) == (0, 1)
