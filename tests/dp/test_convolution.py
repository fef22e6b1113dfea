"""Wide Gaussian noise from narrow draws: its exact probabilities, and how far off they are."""

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.dp import convolution, tables
from quorate.dp.convolution import LEAST, NARROW, PRECISION, SMOOTH, Pieces, pieces
from quorate.errors import OutOfRange
from tests.dp.laws import DIGITS, decimal, probabilities

Law = dict[int, int]
"""Of twice each value, in units of 2^(-64 draws)."""


def narrow(parts: Pieces) -> Law:
    """Return the chances of one draw, of which a sign and g make a half of an odd number."""
    reached = [0, *parts.thresholds.tolist(), 1 << PRECISION]
    chances = [b - a for a, b in pairwise(reached)]
    found = {2 * g + 1: chance for g, chance in enumerate(chances)}
    return found | {-half: chance for half, chance in found.items()}


def added(one: Law, other: Law, factor: int) -> Law:
    found: Law = {}
    for x, p in one.items():
        for y, q in other.items():
            found[x + factor * y] = found.get(x + factor * y, 0) + p * q
    return found


def law_of(parts: Pieces) -> list[tuple[int, Decimal]]:
    """Return the chances of the weighted sum of all draws, exactly added up."""
    first, *others = parts.weights
    each = found = narrow(parts)
    assert first == 1
    for weight in others:
        found = added(found, each, weight)
    whole = Decimal(1 << (PRECISION + 1) * len(parts.weights))
    assert all(twice % 2 == 0 for twice in found)
    return [(twice // 2, Decimal(chance) / whole) for twice, chance in found.items()]


def distance_of(law: list[tuple[int, Decimal]], variance: Fraction) -> Decimal:
    """Return the total variation distance from the discrete Gaussian, to 90 digits."""
    spread, found = 2 * decimal(variance), dict(law)
    reach = range(-max(found) - 1, max(found) + 2)
    weights = [(-Decimal(x * x) / spread).exp() for x in reach]
    whole = sum(weights, Decimal(0))
    apart = (
        abs(weight / whole - found.get(x, Decimal(0)))
        for x, weight in zip(reach, weights, strict=True)
    )
    return sum(apart, Decimal(0)) / 2


@pytest.mark.parametrize("variance", [LEAST, Fraction(50, 3), Fraction(401), Fraction(1600)])
def test_narrow_draws_add_up_to_the_law_within_the_stated_distance(variance: Fraction) -> None:
    parts = pieces(variance)
    with localcontext() as context:
        context.prec = DIGITS
        off = distance_of(law_of(parts), variance)
        assert off <= decimal(parts.distance)
        assert off > decimal(parts.distance) / 10**4  # the statement is not idle


def test_control_draws_too_narrow_for_their_factor_do_not_add_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With w = 1/2 in place of 5/2 the sum is off by more than anybody may be charged."""
    variance = Fraction(340)
    monkeypatch.setattr(convolution, "SMOOTH", Fraction(1, 2))
    parts = pieces.__wrapped__(variance)
    with localcontext() as context:
        context.prec = DIGITS
        assert distance_of(law_of(parts), variance) > 10**6 * decimal(parts.distance)


def test_the_factor_of_poissons_formula_is_as_small_as_said() -> None:
    """2 (e^(-2 pi^2 w) + e^(-8 pi^2 w) + ...) < 2^-70 at w = 5/2, and 2^-69 with what is left."""
    pi = Decimal("3.14159265358979323846264338327950288419716939937510")
    with localcontext() as context:
        context.prec = DIGITS
        w = decimal(SMOOTH)
        off = 2 * sum((-2 * pi**2 * w * j**2).exp() for j in range(1, 10))
        assert off < Decimal(2) ** -70
        assert off / (1 - off) < decimal(convolution.OFF)


@given(st.fractions(10, 10**22))
def test_pieces_have_the_variance_and_are_narrow(variance: Fraction) -> None:
    parts = pieces(variance)
    assert parts.variance * sum(weight**2 for weight in parts.weights) == variance
    assert all(weight % 2 for weight in parts.weights)
    assert parts.variance >= SMOOTH
    assert parts.variance < NARROW
    assert parts.thresholds.size < 160
    assert parts.distance < Fraction(1, 1 << 52)


def test_half_gaussian_tables_have_their_law() -> None:
    variance = Fraction(81, 4)
    found = probabilities(tables.half_gaussian(variance))
    with localcontext() as context:
        context.prec = DIGITS
        spread = 2 * decimal(variance)
        weights = [
            (-((Decimal(g) + Decimal("0.5")) ** 2) / spread).exp() for g in range(len(found))
        ]
        for chance, weight in zip(found, weights, strict=True):
            assert abs(decimal(chance) - weight / sum(weights)) < Decimal(2) ** -126


def test_noise_that_draws_cannot_make_is_refused() -> None:
    with pytest.raises(OutOfRange, match="too narrow"):
        pieces(LEAST - 1)
    with pytest.raises(OutOfRange, match="bits; the most is 48"):
        pieces(Fraction(1 << 100))
