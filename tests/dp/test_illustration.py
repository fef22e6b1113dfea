"""The textbook's noise: its numbers are luck, and it hides nothing. Known figures, and draws."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from quorate.dp.draws import uniform_words
from quorate.dp.illustration import (
    HALF_WIDTH,
    HOSPITALS,
    USERS,
    Uniform,
    statement,
    whole_noise_is_zero,
)
from quorate.errors import OutOfRange
from tests.dp.keyed import keyed

TWO = Uniform(HALF_WIDTH)


def drawn(shape: tuple[int, ...], name: str) -> NDArray[np.float64]:
    """Return uniform noise between -2 and 2, fine enough to judge by."""
    words = uniform_words(int(np.prod(shape)), keyed(name)).reshape(shape)
    return words / 2.0**62 - 2.0


def test_the_textbooks_means() -> None:
    assert sum(USERS) / len(USERS) == Fraction("30.6")
    ages = [age for hospital in HOSPITALS for age in hospital]
    assert sum(ages) / len(ages) == Fraction(472, 7)


@given(st.fractions(min_value=0, max_value=10), st.floats(0, 10))
def test_of_one_value_delta_is_the_same_at_every_epsilon(gap: Fraction, epsilon: float) -> None:
    assert TWO.sum_delta(1, gap, epsilon) == pytest.approx(float(TWO.delta(gap)), abs=1e-9)


@pytest.mark.parametrize(("gap", "delta"), [(1, 0.25), (2, 0.5), (4, 1.0), (15, 1.0)])
def test_values_four_apart_are_told_apart_for_certain(gap: int, delta: float) -> None:
    assert TWO.delta(Fraction(gap)) == delta


@pytest.mark.parametrize(
    ("rows", "gap", "deltas"),
    [
        (5, 1, (0.149, 0.003, 0.0)),
        (5, 5, (0.66, 0.48, 0.09)),
        (5, 15, (0.998, 0.998, 0.991)),
        (5, 82, (1.0, 1.0, 1.0)),
        (7, 1, (0.127, 0.001, 0.0)),
        (7, 5, (0.58, 0.37, 0.02)),
        (7, 15, (0.988, 0.981, 0.921)),
    ],
)
def test_sums_hide_no_more(rows: int, gap: int, deltas: tuple[float, ...]) -> None:
    found = [TWO.sum_delta(rows, Fraction(gap), epsilon) for epsilon in (0, 1, 5)]
    np.testing.assert_allclose(found, deltas, atol=0.006)


def test_a_sums_delta_is_what_draws_show() -> None:
    """The best event of this size: the noisy sum lies below a point."""
    sums = drawn((200_000, 5), "sums").sum(axis=1)
    points = np.linspace(-10, 15, 400)
    below = np.searchsorted(np.sort(sums), points) / sums.size
    shifted = np.searchsorted(np.sort(sums + 5), points) / sums.size
    shown = float((below - np.e * shifted).max())
    assert shown == pytest.approx(TWO.sum_delta(5, Fraction(5), 1.0), abs=0.01)


@pytest.mark.parametrize(
    ("answers", "chance"), [(1, 0.0), (2, 0.125), (5, 0.5566), (10, 0.888), (20, 0.9937)]
)
def test_an_age_is_recovered_from_repeated_answers(answers: int, chance: float) -> None:
    assert float(TWO.recovered(answers)) == pytest.approx(chance, abs=1e-3)
    noisy = 40 + drawn((20_000, answers), f"answers {answers}")
    fits = [(np.abs(noisy - age) <= 2).all(axis=1) for age in range(36, 45)]
    assert float((np.sum(fits, axis=0) == 1).mean()) == pytest.approx(chance, abs=0.015)


@pytest.mark.parametrize("quarters", [1, 2, 3, 4])
def test_narrow_noise_is_seen_through_as_fast(quarters: int) -> None:
    half_width = Fraction(quarters, 4)
    noise = Uniform(half_width)
    noisy = drawn((20_000, 2), f"narrow {half_width}") / 2 * float(half_width)
    fits = [(np.abs(noisy - age) <= half_width).all(axis=1) for age in (-2, -1, 0, 1, 2)]
    found = float((np.sum(fits, axis=0) == 1).mean())
    assert found == pytest.approx(float(noise.recovered(2)), abs=0.02)


def test_thirty_point_six_again_is_luck() -> None:
    assert TWO.mean_error(5) == pytest.approx(0.516, abs=1e-3)
    assert TWO.mean_error(7) == pytest.approx(0.437, abs=1e-3)
    within = float(TWO.within(5, Fraction(1, 20)))
    assert within == pytest.approx(0.075, abs=1e-3)
    means = drawn((100_000, 5), "luck").mean(axis=1)
    assert float(means.std()) == pytest.approx(TWO.mean_error(5), rel=0.02)
    assert float((np.abs(means) < 0.05).mean()) == pytest.approx(within, abs=0.005)


def test_whole_noise_adds_up_to_nothing_as_often_as_counted() -> None:
    assert whole_noise_is_zero(5, 2) == Fraction(381, 3125)
    ways = [sum(noise) == 0 for noise in product(range(-1, 2), repeat=4)]
    assert whole_noise_is_zero(4, 1) == Fraction(sum(ways), len(ways))


@pytest.mark.parametrize(("rows", "epsilon"), [(1, 100.4), (5, 44.9), (7, 38.0)])
def test_small_noise_is_a_large_epsilon(rows: int, epsilon: float) -> None:
    assert TWO.same_variance_epsilon(Fraction(82), rows) == pytest.approx(epsilon, abs=0.1)


def test_the_statement_says_what_it_is() -> None:
    said = statement(TWO)
    assert said.startswith("NOT differentially private. epsilon = none (infinite)")
    for part in ("min(1, gap/4)", "0.25 for a difference of 1", "with certainty", "0.56"):
        assert part in said


def test_noise_without_width_is_refused() -> None:
    with pytest.raises(OutOfRange):
        Uniform(Fraction(0))
