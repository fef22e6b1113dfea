"""Fixed point is exact but for one rounding, and refuses what does not fit."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.algebra import fixed
from quorate.errors import OutOfRange

BITS = st.integers(0, 62)
REALS = st.fractions(-(10**6), 10**6, max_denominator=10**9)


@given(st.integers(-(2**63), 2**63 - 1), BITS)
def test_every_representable_value_comes_back(scaled: int, bits: int) -> None:
    assert fixed.encode(fixed.decode(scaled, bits), bits) == scaled


@given(REALS, st.integers(0, 40))
def test_the_only_error_is_one_rounding(value: Fraction, bits: int) -> None:
    error = abs(fixed.decode(fixed.encode(value, bits), bits) - value)
    assert error <= Fraction(1, 1 << (bits + 1))


@given(st.decimals(-1000, 1000, places=9, allow_nan=False))
def test_decimals_and_fractions_agree(value: Decimal) -> None:
    assert fixed.encode(value, 20) == fixed.encode(Fraction(value), 20)


@pytest.mark.parametrize(
    ("value", "scaled"), [(Fraction(1, 2), 0), (Fraction(3, 2), 2), (Fraction(-1, 2), 0)]
)
def test_ties_go_to_the_even_neighbour(value: Fraction, scaled: int) -> None:
    assert fixed.encode(value, 0) == scaled


@given(BITS)
def test_the_edges_of_the_range(bits: int) -> None:
    edge, unit = Fraction(2**63, 1 << bits), Fraction(1, 1 << bits)
    assert fixed.encode(-edge, bits) == -(2**63)
    assert fixed.encode(edge - unit, bits) == 2**63 - 1
    for outside in (edge, edge - unit / 2, -edge - unit):
        with pytest.raises(OutOfRange):
            fixed.encode(outside, bits)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_not_a_number_has_no_form(value: str) -> None:
    with pytest.raises(OutOfRange, match="only finite numbers"):
        fixed.encode(Decimal(value), 20)


@given(
    st.lists(REALS, min_size=1, max_size=20),
    st.fractions(0, 10**6, max_denominator=10**6),
    st.integers(0, 50),
)
def test_a_sum_that_is_said_to_fit_fits(values: list[Fraction], bound: Fraction, bits: int) -> None:
    within = [max(-bound, min(bound, value)) for value in values]
    if fixed.sum_fits(len(within), bound, bits):
        assert abs(sum(fixed.encode(value, bits) for value in within)) < 2**63


@given(st.integers(1, 10**6), BITS)
def test_the_first_sum_that_does_not_fit(terms: int, bits: int) -> None:
    """`bound` in whole units: the largest sum is exact, so the limit is sharp."""
    most = (2**63 - 1) // terms
    assert fixed.sum_fits(terms, fixed.decode(most, bits), bits)
    assert not fixed.sum_fits(terms, fixed.decode(-(-(2**63) // terms), bits), bits)
