"""The logrank test on shares: what lifelines says of the patients in one place."""

import numpy as np
import pytest
from lifelines.statistics import logrank_test
from numpy.testing import assert_allclose

from quorate.errors import OutOfRange
from quorate.models.logrank import MOST_PATIENTS, compared, read_logrank
from quorate.models.outputs import Degenerate
from quorate.mpc.replicated import Security
from tests.contract.test_engine import ENGINES, Run
from tests.models.engines import answered, assert_costs_what_it_says
from tests.models.patients import Ints, Patients, counted, patients


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Run:
    return ENGINES[request.param]


def statistic(run: Run, counts: Ints, most: int = MOST_PATIENTS) -> float:
    found = said(run, counts, most)
    assert isinstance(found, float)
    return found


def said(run: Run, counts: Ints, most: int = MOST_PATIENTS) -> float | Degenerate:
    return read_logrank(answered(run, compared, counts, limit=most))


def right(people: Patients) -> float:
    one, other = (people.group == g for g in (0, 1))
    found = logrank_test(people.bin[one], people.bin[other], people.event[one], people.event[other])
    return float(found.test_statistic)


@pytest.mark.parametrize("count", [40, 300])
def test_says_what_lifelines_says(run: Run, count: int) -> None:
    people = patients(count, bins=8)
    assert_allclose(statistic(run, counted(people, 8)), right(people), rtol=3e-5)


@pytest.mark.parametrize(("count", "hazards"), [(100_000, (0.01, 0.01)), (500_000, (0.02, 0.05))])
def test_is_as_good_for_many_patients(count: int, hazards: tuple[float, float]) -> None:
    people = patients(count, bins=60, hazards=hazards)
    found = statistic(ENGINES["oracle"], counted(people, 60))
    assert_allclose(found, right(people), rtol=1e-4, atol=1e-6)


def test_groups_that_do_not_differ_have_a_small_statistic() -> None:
    half = counted(patients(500, bins=8), 8)[0]
    assert statistic(ENGINES["oracle"], np.stack([half, half])) == 0


@pytest.mark.parametrize("kind", ["no events", "no patients", "one group", "never together"])
def test_without_events_among_both_groups_nothing_is_statistic(run: Run, kind: str) -> None:
    counts = counted(patients(60, bins=4), 4)
    match kind:
        case "no events":
            counts[:, 0] = 0
        case "no patients":
            counts[:] = 0
        case "one group":
            counts[1] = 0
        case _:
            counts[0, 1] = [30, 30, 0, 0]
            counts[1, 1] = [0, 0, 20, 20]
            counts[:, 0] = [[0, 5, 0, 0], [0, 0, 0, 5]]
    assert said(run, counts) is Degenerate.NO_EVENTS


def test_all_events_in_one_group_are_statistic() -> None:
    people = patients(200, bins=8)
    people = Patients(people.bin, people.event & (people.group == 0), people.group)
    assert_allclose(statistic(ENGINES["oracle"], counted(people, 8)), right(people), rtol=3e-5)


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_costs_what_it_says(security: Security) -> None:
    counts = counted(patients(60, bins=8), 8)
    rounds = assert_costs_what_it_says(compared, counts, security, limit=100)
    assert security == "malicious" or rounds == 147  # the figure of the docstring


def test_cost_does_not_depend_on_how_many_patients_there_are() -> None:
    few, many = (
        assert_costs_what_it_says(compared, counted(patients(n, 8), 8), "semi-honest", limit=1000)
        for n in (20, 500)
    )
    assert few == many


def test_refuses_more_patients_than_it_is_exact_for() -> None:
    with pytest.raises(OutOfRange, match="1,048,576"):
        said(ENGINES["oracle"], np.zeros((2, 2, 3), np.int64), MOST_PATIENTS + 1)
