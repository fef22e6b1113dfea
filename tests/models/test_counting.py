"""Poisson regression on rows nobody sees: what statsmodels says."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from quorate.errors import OutOfRange
from quorate.models.counting import Counting, counted, counting, learned_rates
from quorate.models.oracle import plain_counting
from quorate.models.outputs import Degenerate
from quorate.models.trained import DESIGN_BITS, Learned
from quorate.mpc import expression, price
from quorate.mpc.cost import Cost
from quorate.mpc.engine import Engine, Oracle
from quorate.mpc.replicated import Security
from quorate.mpc.secret import SecretArray, deal
from quorate.studies.committee import PACE
from tests.contract.test_engine import ENGINES, Run
from tests.models.test_newton import chances, rows

Floats = NDArray[np.float64]


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Run:
    return ENGINES[request.param]


def fitted(
    run: Run, of: Counting, design: Floats, outcome: Floats, exposure: Floats
) -> Learned | Degenerate:
    async def dealt(engine: Engine, owner: int, values: NDArray[np.generic], f: int) -> SecretArray:
        mine, limit = (values if engine.holds(owner) else None), 1 if f else of.most
        return await deal(engine, owner, mine, shape=values.shape, limit=limit, fraction_bits=f)

    async def program(engine: Engine) -> list[NDArray[np.int64]]:
        x = await dealt(engine, 0, design, DESIGN_BITS)
        y = await dealt(engine, 1, outcome.astype(np.int64), 0)
        u = await dealt(engine, 2, exposure / of.unit, DESIGN_BITS)
        words = await counted(of, x, y, u).reveal(to=(0, 1, 2))
        return [np.asarray(words, np.int64)]

    (words,) = run(program)
    return learned_rates(np.asarray(words, np.int64), of)


def sample(count: int, constant: float = 0.2) -> tuple[Floats, Floats, Floats]:
    design, years = rows(count, 3), 0.2 + 3 * chances(count)[::-1]
    mean = years * np.exp(design @ [constant, 0.5, -0.7, 0.3])
    return design, np.floor(mean + chances(count)), years


def agree(found: Learned | Degenerate, right: sm.GLM) -> None:
    assert isinstance(found, Learned), found
    assert_allclose(found.estimates, right.params, rtol=1e-4)
    assert_allclose(found.standard_errors, right.bse, rtol=1e-4)


def of_statsmodels(design: Floats, outcome: Floats, years: Floats) -> sm.GLM:
    return sm.GLM(outcome, design, family=sm.families.Poisson(), offset=np.log(years)).fit()


def test_says_what_statsmodels_says(run: Run) -> None:
    design, outcome, years = sample(150)
    of = counting(150, 4, 6, 30, 4.0)
    agree(fitted(run, of, design, outcome, years), of_statsmodels(design, outcome, years))


@pytest.mark.parametrize("constant", [-3.0, 3.0])
def test_rates_may_be_low_or_high(constant: float) -> None:
    design, outcome, years = sample(600, constant)
    found = fitted(ENGINES["oracle"], counting(1000, 4, 8, 1000, 4.0), design, outcome, years)
    agree(found, of_statsmodels(design, outcome, years))


def test_rows_of_zeros_count_as_none() -> None:
    design, outcome, years = sample(150)
    none = np.zeros((50, 4))
    more = (np.concatenate([design, none]), *(np.append(x, none[:, 0]) for x in (outcome, years)))
    found = fitted(ENGINES["oracle"], counting(200, 4, 6, 30, 4.0), *more)
    agree(found, of_statsmodels(design, outcome, years))


def test_the_oracle_says_the_same() -> None:
    design, outcome, years = sample(300)
    of = counting(300, 4, 6, 30, 4.0)
    found = fitted(ENGINES["oracle"], of, design, outcome, years)
    assert isinstance(found, Learned)
    plain = np.array(plain_counting(of, design, outcome, years, np.ones(4)), float)
    assert_allclose(found.estimates, plain[:4], rtol=1e-4)
    assert_allclose(found.standard_errors * np.sqrt(of.scale), plain[4:8], rtol=1e-4)


@pytest.mark.parametrize("what", ["no events", "none in a group", "too few steps", "collinear"])
def test_what_has_no_answer_is_said(what: str) -> None:
    design, outcome, years = sample(200)
    design[:, 3] = design[:, 3] > 0
    steps = 2 if what == "too few steps" else 8
    if what == "no events":
        outcome = 0 * outcome
    if what == "none in a group":
        outcome = outcome * (1 - design[:, 3])
    if what == "collinear":
        design[:, 2] = design[:, 1]
    of = counting(200, 4, steps, 30, 4.0)
    found = fitted(ENGINES["oracle"], of, design, outcome, years)
    expected = Degenerate.COLLINEAR if what == "collinear" else Degenerate.SEPARATED
    assert found == expected
    plain = plain_counting(of, design, outcome, years, np.ones(4))
    assert plain[:8] == (None,) * 8
    assert plain[8] == (0.0 if what == "collinear" else 1.0)


@pytest.mark.parametrize("given", [(1 << 18, 4, 8, 1), (100, 4, 1, 1), (100, 4, 8, 1 << 20)])
def test_what_is_too_much_is_refused(given: tuple[int, int, int, int]) -> None:
    with pytest.raises(OutOfRange):
        counting(*given)


def cost(security: Security) -> Cost:
    engine, given = Oracle(security), []
    for shape, limit, f in (((1000, 3), 1 << DESIGN_BITS, DESIGN_BITS), ((1000,), 30, 0)):
        words = expression.Held(np.zeros(shape, np.uint64))
        given.append(SecretArray(engine, expression.node(words, [], shape, limit, f)))
    told = counted(counting(1000, 3, 7, 30), given[0], given[1], given[0][:, 0])
    return price.cost_of([told.node], PACE, security)


def test_costs_what_its_docstring_says() -> None:
    followed, verified = cost("semi-honest"), cost("malicious")
    assert (followed.rounds, max(followed.bytes_sent)) == (1684, 7_779_088)
    assert (verified.rounds, max(verified.bytes_sent)) == (1981, 44_548_776)
