"""Coefficients from sums of products: as floats compute them, whatever noise does to the sums."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from quorate.dp import regression
from quorate.dp.draws import uniform_words
from quorate.dp.regression import Matrix
from tests.dp.keyed import keyed

Floats = NDArray[np.float64]


def exact(values: Floats) -> list[Fraction]:
    return [Fraction(float(value)) for value in values]


def sums(design: Floats, outcome: Floats) -> tuple[Matrix, list[Fraction]]:
    return [exact(row) for row in design.T @ design], exact(design.T @ outcome)


def drawn(rows: int, seed: int) -> Floats:
    """Return a column of ones and three of numbers between -1 and 1."""
    words = uniform_words(3 * rows, keyed(f"rows {seed}")).reshape(rows, 3)
    inside = words / 2.0**63 - 1
    return np.column_stack([np.ones(rows), inside])


def test_without_noise_coefficients_are_those_of_least_squares() -> None:
    design = drawn(200, 1)
    outcome = design @ [0.1, 0.5, -0.25, 0] + drawn(200, 2)[:, 1] / 10
    gram, moments = sums(design, outcome)
    assert regression.ridge_of(gram, Fraction(0)) == 0
    found = np.array(regression.linear(gram, moments, Fraction(0)), float)
    np.testing.assert_allclose(found, np.linalg.lstsq(design, outcome)[0], atol=1e-9)


def test_one_step_is_newtons_from_the_model_without_columns() -> None:
    design = drawn(500, 3)
    outcome = np.where(design[:, 1] + drawn(500, 4)[:, 1] > 0.4, 1.0, -1.0)
    gram, moments = sums(design, outcome)
    found = np.array(regression.logistic(gram, moments, Fraction(0)), float)
    p = (1 + outcome.mean()) / 2
    start = np.array([np.log(p / (1 - p)), 0, 0, 0])
    step = np.linalg.solve(design.T @ design * p * (1 - p), design.T @ ((1 + outcome) / 2 - p))
    np.testing.assert_allclose(found, start + step, atol=1e-9)


def test_weak_effects_are_found_by_one_step_and_strong_ones_fall_short() -> None:
    design, chance = drawn(200_000, 5), drawn(200_000, 6)[:, 1]

    def found(slope: float) -> float:
        p = 1 / (1 + np.exp(-(0.3 + slope * design[:, 1])))
        gram, moments = sums(design, np.where((chance + 1) / 2 < p, 1.0, -1.0))
        return float(regression.logistic(gram, moments, Fraction(0))[1])

    assert found(0.5) == pytest.approx(0.5, abs=0.03)
    assert 2.0 < found(3.0) < 2.9


def test_an_outcome_that_nobody_has_leaves_finite_coefficients() -> None:
    design = drawn(50, 7)
    gram, moments = sums(design, np.full(50, -1.0))
    found = np.array(regression.logistic(gram, moments, Fraction(0)), float)
    assert np.isfinite(found).all()
    assert found[0] < -4


@given(st.lists(st.floats(-50, 50), min_size=6, max_size=6), st.fractions(0, 100))
def test_whatever_noise_makes_of_the_sums_there_are_coefficients(
    entries: list[float], variance: Fraction
) -> None:
    a, b, c, d, e, f = map(Fraction, entries)
    gram = [[a, b, c], [b, d, e], [c, e, f]]
    ridge = regression.ridge_of(gram, variance)
    eigenvalues = np.linalg.eigvalsh(np.array(gram, float) + float(ridge) * np.eye(3))
    assert eigenvalues[0] >= 2 * (3 * float(variance)) ** 0.5 - 1e-6
    found = regression.linear(gram, [Fraction(1)] * 3, ridge)
    for row, i in zip(gram, range(3), strict=True):
        left = sum((x * w for x, w in zip(row, found, strict=True)), ridge * found[i])
        assert left == 1
    if ridge:
        least = np.linalg.eigvalsh(np.array(gram, float))[0] + float(ridge) / 2
        assert least < 2 * (3 * float(variance)) ** 0.5 + 1e-3
