"""Least squares on shares: what NumPy and statsmodels say of the rows in one place."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from quorate.errors import OutOfRange
from quorate.models.linear import Least, linear, moments, read_linear
from quorate.models.outputs import Degenerate
from quorate.mpc.replicated import Security
from tests.contract.test_engine import ENGINES, Run
from tests.models.data import diabetes, halved
from tests.models.engines import answered, assert_costs_what_it_says

Floats = NDArray[np.float64]
MOST = 1000
BITS = 60


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Run:
    return ENGINES[request.param]


def fitted(run: Run, columns: Floats, outcome: Floats) -> Least | Degenerate:
    """Return what is said of columns in [-1, 1], the first of which is 1."""
    total = moments(columns, outcome, MOST)
    words = answered(run, linear, total, limit=1, f=BITS)
    return read_linear(words, MOST)


def rows(count: int, columns: int) -> tuple[Floats, Floats]:
    spread = np.sin(np.arange(count * columns, dtype=float) ** 1.5).reshape(count, columns)
    design = np.column_stack([np.ones(count), spread])
    outcome = np.tanh(design @ np.linspace(-0.4, 0.5, columns + 1) + np.cos(np.arange(count)) / 4)
    return design, outcome


def test_says_what_statsmodels_says(run: Run) -> None:
    columns, outcome = rows(120, 3)
    found, right = fitted(run, columns, outcome), sm.OLS(outcome, columns).fit()
    assert isinstance(found, Least)
    assert_allclose(found.estimates, right.params, rtol=1e-5)
    assert_allclose(found.standard_errors, right.bse, rtol=1e-5)
    assert_allclose(found.sigma, right.mse_resid**0.5, rtol=1e-6)
    assert_allclose(found.r_squared, right.rsquared, rtol=1e-6)
    assert found.rows == 120


def test_columns_as_they_are_need_no_middle() -> None:
    """Ages and pressures far from 0, only divided by powers of two."""
    columns, outcome = diabetes()
    design, scale = halved(columns)
    found = fitted(ENGINES["oracle"], design, outcome / 512)
    assert isinstance(found, Least)
    right = sm.OLS(outcome, sm.add_constant(columns)).fit()
    assert_allclose(found.estimates * 512 / scale, right.params, rtol=1e-4)
    assert_allclose(found.standard_errors * 512 / scale, right.bse, rtol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 2.0**-9])
def test_small_numbers_of_wide_bounds_are_as_good(scale: float) -> None:
    columns, outcome = rows(200, 4)
    shrunk = columns * np.array([1, scale, 1, scale, 1])
    found = fitted(ENGINES["oracle"], shrunk, outcome)
    assert isinstance(found, Least)
    assert_allclose(found.estimates, sm.OLS(outcome, shrunk).fit().params, rtol=1e-4)


def test_columns_correlated_to_five_nines_are_told_apart() -> None:
    columns, outcome = rows(300, 3)
    columns[:, 2] = columns[:, 1] * 0.95 + columns[:, 2] * 3e-3
    right = sm.OLS(outcome, columns).fit()
    assert np.asarray(np.corrcoef(columns[:, 1:3].T))[0, 1] > 0.99998
    found = fitted(ENGINES["oracle"], columns, outcome)
    assert isinstance(found, Least)
    assert_allclose(found.estimates, right.params, rtol=1e-4)
    assert_allclose(found.standard_errors, right.bse, rtol=1e-4)


@pytest.mark.parametrize("kind", ["the sum of two", "constant", "zero", "twice the same"])
def test_collinear_columns_are_said_and_nothing_else(run: Run, kind: str) -> None:
    columns, outcome = rows(120, 3)
    columns[:, 3] = {
        "the sum of two": (columns[:, 1] + columns[:, 2]) / 2,
        "constant": np.full(120, 0.3),
        "zero": np.zeros(120),
        "twice the same": columns[:, 1],
    }[kind]
    total = moments(columns, outcome, MOST)
    words = answered(run, linear, total, limit=1, f=BITS)
    assert read_linear(words, MOST) is Degenerate.COLLINEAR
    assert not words.any()


def test_an_outcome_that_does_not_vary_has_no_slopes() -> None:
    columns, _ = rows(120, 3)
    found = fitted(ENGINES["oracle"], columns, np.full(120, 0.25))
    assert isinstance(found, Least)
    assert_allclose(found.estimates, [0.25, 0, 0, 0], atol=1e-6)
    assert found.sigma < 1e-3


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_costs_what_it_says(security: Security) -> None:
    total = moments(*rows(50, 3), MOST)
    rounds = assert_costs_what_it_says(linear, total, security, limit=1, f=BITS)
    assert security == "malicious" or rounds == 247  # the figure of the docstring


def test_refuses_more_columns_than_it_is_made_for() -> None:
    wide = np.zeros((130, 130))
    with pytest.raises(OutOfRange, match="not 129"):
        answered(ENGINES["oracle"], linear, wide, limit=1, f=BITS)
