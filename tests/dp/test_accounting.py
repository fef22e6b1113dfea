"""What releases cost: never less than the truth, in integers that are rounded up."""

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.dp import accounting
from quorate.dp.accounting import ATTO, NANO, NOTHING, Charge, charge, epsilon_of, guarantee, total
from quorate.dp.mechanisms import gaussian, laplace
from quorate.errors import OutOfRange

MILLIONTH = Fraction(1, 10**6)
EXACT = Fraction(0)


def test_ten_tenths_are_one() -> None:
    tenth = charge(laplace(1, Fraction(1, 10)), EXACT)
    assert total(repeat(tenth, 10)).nano_epsilon == NANO


def test_nothing_is_too_small_to_count() -> None:
    least = charge(laplace(1, Fraction(1, 10**320)), Fraction(1, 10**320))
    assert least == Charge(1, 1, 1)


@given(st.fractions(min_value=Fraction(1, 10**12), max_value=1000))
def test_costs_are_rounded_up_by_less_than_a_unit(epsilon: Fraction) -> None:
    found = charge(laplace(3, epsilon), EXACT)
    assert found.nano_epsilon is not None
    assert 0 <= Fraction(found.nano_epsilon, NANO) - epsilon < Fraction(1, NANO)
    assert 0 <= Fraction(found.nano_rho, NANO) - epsilon**2 / 2 < Fraction(1, NANO)


def test_gaussian_noise_has_no_epsilon_of_its_own_and_nor_has_what_it_is_added_to() -> None:
    both = charge(laplace(1, Fraction(1)), EXACT).plus(charge(gaussian(4, Fraction(1, 10)), EXACT))
    assert both.nano_epsilon is None
    assert both.nano_rho == 600_000_000


@given(st.integers(1, 10 * NANO), st.integers(10, 400))
def test_an_epsilon_is_no_smaller_than_at_any_alpha(nano_rho: int, tenths: int) -> None:
    """It is the minimum over alpha, or just above it."""
    found = Fraction(epsilon_of(nano_rho, MILLIONTH), NANO)
    with localcontext() as context:
        context.prec = 60
        rho = Decimal(nano_rho) / NANO
        alpha = 1 + Decimal(tenths) / 10 / (rho.sqrt() + Decimal("0.01"))
        here = rho * alpha + (1 - 1 / alpha).ln() + (Decimal(10**6) / alpha).ln() / (alpha - 1)
        assert Decimal(found.numerator) / found.denominator <= here + Decimal(1) / 10**8


@pytest.mark.parametrize(
    ("releases", "epsilon", "known"),
    [(100, Fraction(1, 10), 5.22), (10, Fraction(1, 10), 1.0)],
)
def test_the_better_way_of_counting_is_stated(
    releases: int, epsilon: Fraction, known: float
) -> None:
    spent = total(repeat(charge(laplace(1, epsilon), EXACT), releases))
    found = guarantee(spent, MILLIONTH)
    assert found.nano_epsilon / NANO == pytest.approx(known, abs=0.01)
    assert found.atto_delta == (0 if releases == 10 else ATTO // 10**6)


def test_inexact_noise_adds_to_delta_on_both_sides() -> None:
    spent = charge(laplace(1, Fraction(1)), Fraction(1, 10**12))
    found = guarantee(spent, MILLIONTH)
    assert found.nano_epsilon == NANO
    assert found.atto_delta == 3_718_282  # (1 + e) 10^-12, rounded up


def test_delta_is_never_above_one() -> None:
    spent = Charge(500 * NANO, 10**6 * NANO, 1)
    assert guarantee(spent, MILLIONTH).atto_delta == ATTO


def test_nothing_costs_nothing() -> None:
    assert total([]) == NOTHING
    assert guarantee(NOTHING, MILLIONTH).nano_epsilon == 0


def test_budgets_that_protect_nobody_are_refused() -> None:
    with pytest.raises(OutOfRange):
        charge(laplace(1, Fraction(10**7)), EXACT)
    for delta in (Fraction(0), Fraction(1)):
        with pytest.raises(OutOfRange):
            epsilon_of(NANO, delta)
    assert accounting.MOST < 1 << 63
