"""Noise bit by bit: the bits' law is the geometric one, and draws follow it."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from quorate.dp import geometric
from quorate.dp.geometric import EXACT, bits_of_scale, discrete_laplace, thresholds
from quorate.errors import OutOfRange
from tests.dp.keyed import keyed, told
from tests.dp.laws import DIGITS, decimal, laplace, negative_binomial, unlike


@pytest.mark.parametrize("precision", [24, 64, EXACT])
@pytest.mark.parametrize("scale", [Fraction(1, 3), Fraction(2), Fraction(7, 2)])
def test_independent_bits_make_a_geometric_number(scale: Fraction, precision: int) -> None:
    chances = thresholds(scale, precision)
    with localcontext() as context:
        context.prec = DIGITS
        unit = Decimal(2) ** precision
        law = [Decimal(1)]
        for i, chance in enumerate(chances):
            one = chance / unit
            assert len(law) == 1 << i
            law = [p * (1 - one) for p in law] + [p * one for p in law]
        true = negative_binomial(scale, 1, len(law) + 400)
        zero = Decimal(0)
        off = sum((abs(a - b) for a, b in zip(law, true, strict=False)), zero) / 2
        off += sum(true[len(law) :], zero)
        assert 2 * off <= decimal(geometric.distance(scale, precision))


@pytest.mark.parametrize("scale", [Fraction(1, 3), Fraction(2), Fraction(82), Fraction(1024)])
def test_draws_follow_the_law(scale: Fraction) -> None:
    drawn = discrete_laplace(scale, 200_000, keyed(f"bits {scale}"))
    assert not unlike(drawn, laplace(scale))
    assert unlike(drawn, laplace(scale * Fraction(9, 10)))


def test_a_tie_of_the_upper_word_is_decided_by_the_lower() -> None:
    assert bits_of_scale(Fraction(1, 50), EXACT) == 1
    (chance,) = thresholds(Fraction(1, 50), EXACT)
    high, low = chance >> 64, chance & ((1 << 64) - 1)
    for lower, value in ((low - 1, 1), (low, 0), (low + 1, 0)):
        drawn = geometric.geometric(Fraction(1, 50), 1, told(high, lower))
        assert drawn.tolist() == [value]


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(-1), Fraction(1 << 60)])
def test_scales_without_numbers_are_refused(scale: Fraction) -> None:
    with pytest.raises(OutOfRange):
        thresholds(scale, EXACT)
