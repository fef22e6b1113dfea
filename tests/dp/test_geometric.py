"""Noise bit by bit: the law of bits and sign is the discrete Laplace one, and draws follow it."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from quorate.dp import geometric
from quorate.dp.geometric import (
    EXACT,
    bits_of_scale,
    discrete_laplace,
    signed_thresholds,
    thresholds,
)
from quorate.errors import OutOfRange
from tests.dp.keyed import keyed, told
from tests.dp.laws import DIGITS, decimal, laplace, unlike


@pytest.mark.parametrize("precision", [24, 64, EXACT])
@pytest.mark.parametrize("scale", [Fraction(1, 3), Fraction(2), Fraction(7, 2)])
def test_independent_bits_and_a_sign_make_the_noise(scale: Fraction, precision: int) -> None:
    with localcontext() as context:
        context.prec = DIGITS
        *chances, minus = (Decimal(t) / 2**precision for t in signed_thresholds(scale, precision))
        law = [Decimal(1)]
        for i, one in enumerate(chances):
            assert len(law) == 1 << i
            law = [p * (1 - one) for p in law] + [p * one for p in law]
        a = (-1 / decimal(scale)).exp()
        true = [(1 - a) / (1 + a) * a**k for k in range(len(law) + 400)]
        drawn = {k: p * (1 - minus) for k, p in enumerate(law)}
        drawn |= {-1 - k: p * minus for k, p in enumerate(law)}
        values = range(1 - len(true), len(true))
        off = sum(abs(drawn.get(x, Decimal(0)) - true[abs(x)]) for x in values) / 2
        assert off <= decimal(geometric.distance(scale, precision))


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
