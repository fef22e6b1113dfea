"""Likelihoods climbed by steps that all see: statsmodels' coefficients, from sums only."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from quorate.models.cox import (
    Followed,
    Ties,
    divisor_of,
    efron_likelihood,
    partial_likelihood,
    risk_sums,
)
from quorate.models.glm import LOGISTIC, Family, Rows, contribution, poisson
from quorate.models.newton import (
    Likeliest,
    improved,
    improvement,
    likeliest,
    start,
    uncertainty,
)
from quorate.models.outputs import Degenerate
from quorate.mpc.replicated import Security
from quorate.mpc.secret import SecretArray
from tests.contract.test_engine import ENGINES, Run
from tests.models.engines import answered, assert_costs_what_it_says

Floats = NDArray[np.float64]
Sums = Callable[[Floats], Floats]
MOST = 1000
BITS = 60


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Run:
    return ENGINES[request.param]


def climbed(
    run: Run,
    sums: Sums,
    columns: int,
    divisor: float,
    inner: Callable[[SecretArray], SecretArray] = lambda total: total,
) -> Likeliest | Degenerate:
    """Return what members find who add up `sums` at each step."""
    search = start(columns)
    while not search.is_over:
        words = answered(
            run, lambda t: improvement(inner(t)), sums(search.estimates), limit=1, f=BITS
        )
        after = improved(search, words)
        if isinstance(after, Degenerate):
            return after
        search = after
    words = answered(run, lambda t: uncertainty(inner(t)), sums(search.estimates), limit=1, f=BITS)
    return likeliest(search, words, divisor)


def rows(count: int, columns: int) -> Floats:
    spread = np.sin(np.arange(count * columns, dtype=float) ** 1.5).reshape(count, columns)
    design = np.column_stack([np.ones(count), spread])
    return np.asarray(design, np.float64)


def chances(count: int) -> Floats:
    return np.asarray((np.arange(count) * 0.7548776662466927) % 1, np.float64)


def regressed(run: Run, family: Family, of: Rows) -> Likeliest | Degenerate:
    divisor = family.divisor(MOST)
    sums = partial(contribution, family, of, divisor=divisor)
    return climbed(run, sums, of.design.shape[1], divisor)


def agree(found: Likeliest | Degenerate, estimates: Floats, errors: Floats) -> None:
    assert isinstance(found, Likeliest), found
    assert_allclose(found.estimates, estimates, rtol=1e-4)
    assert_allclose(found.standard_errors, errors, rtol=1e-4)


def test_logistic_regression_says_what_statsmodels_says(run: Run) -> None:
    design = rows(150, 2)
    outcome = (chances(150) < 1 / (1 + np.exp(-design @ [0.3, -1, 2]))).astype(float)
    right = sm.Logit(outcome, design).fit(disp=0)
    found = regressed(run, LOGISTIC, Rows(design, outcome, np.zeros(150)))
    agree(found, right.params, right.bse)


def test_poisson_regression_has_offsets() -> None:
    design, years = rows(300, 3), 0.2 + 3 * chances(300)[::-1]
    mean = years * np.exp(design @ [0.2, 0.5, -0.7, 0.3])
    outcome = np.floor(mean + chances(300))
    right = sm.GLM(outcome, design, family=sm.families.Poisson(), offset=np.log(years)).fit()
    of = Rows(design, outcome, np.log(years))
    agree(regressed(ENGINES["oracle"], poisson(30), of), right.params, right.bse)


def patients() -> tuple[Followed, int]:
    design, bins = rows(250, 3)[:, 1:], 12
    hazard = 0.1 * np.exp(design @ [0.6, -0.4, 0.3])
    last = np.floor(np.log1p(-chances(250)) / np.log1p(-np.minimum(hazard, 0.9))).astype(np.int64)
    return Followed(design, np.minimum(last, bins - 1), last < bins), bins


def equations(ties: Ties) -> Callable[[SecretArray], SecretArray]:
    if ties == Ties.BRESLOW:
        return lambda total: partial_likelihood(total, 3)
    return lambda total: efron_likelihood(total, 3, divisor_of(MOST))


def fitted(engine: str, people: Followed, bins: int, ties: Ties) -> Likeliest | Degenerate:
    divisor = divisor_of(MOST)
    sums = partial(risk_sums, people, bins=bins, divisor=divisor, ties=ties)
    return climbed(ENGINES[engine], sums, 3, divisor, equations(ties))


@pytest.mark.parametrize("ties", Ties)
@pytest.mark.parametrize("engine", ["oracle", "three parties that check"])
def test_cox_says_what_statsmodels_says_with_either_ties(engine: str, ties: Ties) -> None:
    people, bins = patients()
    right = sm.PHReg(people.bin.astype(float), people.design, people.event, ties=ties.value).fit()
    agree(fitted(engine, people, bins, ties), right.params, right.bse)


@pytest.mark.parametrize("bins", [1, 3])
def test_efrons_ties_are_right_where_most_of_those_at_risk_have_the_event(bins: int) -> None:
    people, twelve = patients()
    few = Followed(people.design, people.bin * bins // twelve, people.event)
    right = sm.PHReg(few.bin.astype(float), few.design, few.event, ties="efron").fit()
    agree(fitted("oracle", few, bins, Ties.EFRON), right.params, right.bse)


@pytest.mark.parametrize("ties", Ties)
def test_bins_without_anybody_at_risk_count_for_nothing(ties: Ties) -> None:
    people, bins = patients()
    few, many = (fitted("oracle", people, b, ties) for b in (bins, bins + 5))
    assert isinstance(few, Likeliest)
    assert isinstance(many, Likeliest)
    assert_allclose(few.estimates, many.estimates, rtol=1e-5)


def test_separated_outcomes_are_said() -> None:
    design = rows(120, 2)
    outcome = (design[:, 1] > 0.1).astype(float)
    found = regressed(ENGINES["oracle"], LOGISTIC, Rows(design, outcome, np.zeros(120)))
    assert found is Degenerate.SEPARATED


def test_an_outcome_that_never_happens_is_separated() -> None:
    design = rows(120, 2)
    found = regressed(ENGINES["oracle"], LOGISTIC, Rows(design, np.zeros(120), np.zeros(120)))
    assert found is Degenerate.SEPARATED


def test_collinear_columns_are_said() -> None:
    design = rows(120, 2)
    design[:, 2] = design[:, 1]
    found = regressed(
        ENGINES["oracle"], LOGISTIC, Rows(design, np.round(chances(120)), np.zeros(120))
    )
    assert found is Degenerate.COLLINEAR


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_costs_what_it_says(security: Security) -> None:
    design = rows(60, 3)
    of = Rows(design, (chances(60) < 0.4).astype(float), np.zeros(60))
    total = contribution(LOGISTIC, of, np.zeros(4), LOGISTIC.divisor(MOST))
    rounds = assert_costs_what_it_says(improvement, total, security, limit=1, f=BITS)
    assert security == "malicious" or rounds == 208  # the figure of the docstring


@pytest.mark.parametrize(("ties", "expected"), [(Ties.BRESLOW, 75), (Ties.EFRON, 181)])
def test_sums_of_those_at_risk_cost_what_they_say(ties: Ties, expected: int) -> None:
    people, bins = patients()
    total = risk_sums(people, np.zeros(3), bins, divisor_of(MOST), ties)
    rounds = assert_costs_what_it_says(equations(ties), total, "semi-honest", limit=1, f=BITS)
    assert rounds == expected  # the figures of the docstrings
