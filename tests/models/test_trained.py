"""Logistic regression on rows nobody sees: what statsmodels and scikit-learn say."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from quorate.errors import OutOfRange
from quorate.models.outputs import Degenerate
from quorate.models.trained import (
    DESIGN_BITS,
    Learned,
    Training,
    learned,
    trained,
    trained_in_blocks,
    training,
)
from quorate.mpc import expression, price, secret
from quorate.mpc.cost import Cost
from quorate.mpc.engine import Engine, Oracle
from quorate.mpc.replicated import Security
from quorate.mpc.secret import SecretArray, deal
from quorate.studies.committee import PACE
from tests.contract.test_engine import ENGINES, Run
from tests.models.data import halved, wisconsin
from tests.models.test_newton import chances, rows

Floats = NDArray[np.float64]


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Run:
    return ENGINES[request.param]


def fitted(
    run: Run, of: Training, design: Floats, outcome: NDArray[np.int64], block: int = 0
) -> Learned | Degenerate:
    async def dealt(engine: Engine, owner: int, values: NDArray[np.generic], f: int) -> SecretArray:
        mine = values if engine.holds(owner) else None
        return await deal(engine, owner, mine, shape=values.shape, limit=1, fraction_bits=f)

    async def program(engine: Engine) -> list[NDArray[np.int64]]:
        x = await dealt(engine, 0, design, DESIGN_BITS)
        y = await dealt(engine, 1, outcome, 0)
        told = await trained_in_blocks(of, x, y, block) if block else trained(of, x, y)
        words = await told.reveal(to=(0, 1, 2))
        return [np.asarray(words, np.int64)]

    (words,) = run(program)
    return learned(np.asarray(words, np.int64), of)


def sample(count: int) -> tuple[Floats, NDArray[np.int64]]:
    design = rows(count, 2)
    chance = 1 / (1 + np.exp(-design @ [0.3, -1, 2]))
    return design, (chances(count) < chance).astype(np.int64)


def test_says_what_statsmodels_says(run: Run) -> None:
    design, outcome = sample(150)
    found = fitted(run, training(150, 3, 7, 0.0), design, outcome)
    right = sm.Logit(outcome, design).fit(disp=0)
    assert isinstance(found, Learned)
    assert_allclose(found.estimates, right.params, rtol=1e-4)
    assert_allclose(found.standard_errors, right.bse, rtol=1e-4)


def test_blocks_say_the_same(run: Run) -> None:
    design, outcome = sample(150)
    found = fitted(run, training(150, 3, 7, 0.0), design, outcome, block=64)
    assert isinstance(found, Learned)
    assert_allclose(found.estimates, sm.Logit(outcome, design).fit(disp=0).params, rtol=1e-4)


def test_rows_of_zeros_count_as_none() -> None:
    design, outcome = sample(150)
    padded = np.concatenate([design, np.zeros((70, 3))])
    found = fitted(
        ENGINES["oracle"], training(220, 3, 7, 0.0), padded, np.append(outcome, np.zeros(70, int))
    )
    assert isinstance(found, Learned)
    assert_allclose(found.estimates, sm.Logit(outcome, design).fit(disp=0).params, rtol=1e-4)


def test_a_penalty_is_that_of_scikit_learn_and_as_right_about_patients() -> None:
    columns, outcome = wisconsin()
    design, _ = halved(columns)
    found = fitted(ENGINES["oracle"], training(569, 31, 12, 1.0), design, outcome)
    right = LogisticRegression(C=1.0, tol=1e-10, solver="newton-cholesky", max_iter=500)
    right.fit(design[:, 1:], outcome)
    assert isinstance(found, Learned)
    there = np.append(right.intercept_, right.coef_)
    assert_allclose(found.estimates, there, rtol=1e-4, atol=1e-4)
    mine, theirs = (((design @ b > 0) == outcome).mean() for b in (found.estimates, there))
    assert mine == theirs > 0.9


def test_separated_outcomes_are_said() -> None:
    columns, outcome = wisconsin()
    found = fitted(ENGINES["oracle"], training(569, 31, 10, 0.0), halved(columns)[0], outcome)
    assert found is Degenerate.SEPARATED


def test_collinear_columns_are_said() -> None:
    design, outcome = sample(150)
    design[:, 2] = design[:, 1]
    found = fitted(ENGINES["oracle"], training(150, 3, 5, 0.0), design, outcome)
    assert found is Degenerate.COLLINEAR


def test_refuses_more_rows_than_it_is_exact_for() -> None:
    with pytest.raises(OutOfRange, match="131,072"):
        training(131_073, 3, 7, 0.0)


@pytest.mark.parametrize(
    ("security", "rounds", "busiest"),
    [("semi-honest", 844, 8_059_496), ("malicious", 1057, 43_768_312)],
)
def test_costs_what_it_says(security: Security, rounds: int, busiest: int) -> None:
    found = cost(security, 7)
    assert (found.rounds, max(found.bytes_sent)) == (rounds, busiest)
    assert security == "malicious" or cost(security, 8).rounds == rounds + 112


def cost(security: Security, steps: int) -> Cost:
    engine, n, p = Oracle(security), 1000, 3
    dealt = expression.Held(np.zeros(n * p, np.uint64))
    design = expression.node(dealt, [], (n, p), 1 << DESIGN_BITS, DESIGN_BITS)
    outcome = secret.held(engine, np.zeros(n, np.uint64), shape=(n,), limit=1)
    told = trained(training(n, p, steps, 0.0), SecretArray(engine, design), outcome)
    return price.cost_of([told.node], PACE, security)
