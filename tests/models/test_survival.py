"""Survival curves on shares: what lifelines says, where it is shown, and nothing elsewhere."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from numpy.testing import assert_allclose

from quorate.models.survival import Curve, kaplan_meier, read_curves
from quorate.mpc.replicated import Security
from tests.contract.test_engine import ENGINES, Run
from tests.models.engines import Words, answered, assert_costs_what_it_says
from tests.models.patients import Ints, counted, patients

MOST = 1 << 20


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Run:
    return ENGINES[request.param]


def words_of(run: Run, counts: Ints, min_cell: int) -> Words:
    return answered(run, lambda c: kaplan_meier(c, min_cell), counts, limit=MOST)


def curves(run: Run, counts: Ints, min_cell: int) -> tuple[Curve, ...]:
    return read_curves(words_of(run, counts, min_cell), len(counts))


def test_says_what_lifelines_says(run: Run) -> None:
    people = patients(300, bins=8)
    counts = counted(people, 8)
    for group, curve in enumerate(curves(run, counts, min_cell=1)):
        mine = people.group == group
        right = KaplanMeierFitter().fit(people.bin[mine], people.event[mine])
        bins = list(curve.bins)
        assert bins == np.flatnonzero(counts[group, 0]).tolist()
        assert_allclose(curve.survival, right.survival_function_.iloc[:, 0][bins], atol=1e-7)
        assert_allclose(curve.at_risk, right.event_table["at_risk"][bins])
        events, risk = counts[group]
        greenwood = np.sqrt(np.cumsum(events / (risk * (risk - events))))[bins]
        assert_allclose(curve.standard_error, curve.survival * greenwood, rtol=1e-4)


def test_few_events_wait_for_more_and_few_at_risk_end_the_curve(run: Run) -> None:
    events = np.array([2, 2, 3, 0, 7, 5, 4, 5])
    risk = np.array([60, 55, 50, 45, 40, 30, 20, 4])
    (curve,) = curves(run, np.array([[events, risk]]), min_cell=5)
    assert curve.bins == (2, 4, 5)  # 7 events by bin 2, then 7, 5; then too few, and too few left
    assert curve.at_risk == (50, 40, 30)
    right = np.cumprod(1 - events / risk)[[2, 4, 5]]
    assert_allclose(curve.survival, right, atol=1e-7)


def test_what_is_not_shown_leaves_no_trace() -> None:
    """Two sets of patients that differ where nothing is shown have the same words."""
    risk = np.array([50, 45, 40, 30])
    early, late = ([3, 0, 5, 2], [0, 3, 5, 0])
    same_curve = np.array([[early, risk]]), np.array([[early, [50, 45, 40, 29]]])
    one, other = (words_of(ENGINES["oracle"], counts, 5) for counts in same_curve)
    assert (one == other).all()
    shown = [curves(ENGINES["oracle"], np.array([[e, risk]]), 5)[0].bins for e in (early, late)]
    assert shown == [(2,), (2,)]


def test_control_with_a_least_cell_of_one_the_same_difference_is_seen() -> None:
    risks = [50, 45, 40, 30], [50, 45, 40, 29]
    counts = [np.array([[[3, 0, 5, 2], risk]]) for risk in risks]
    one, other = (words_of(ENGINES["oracle"], each, 1) for each in counts)
    assert (one != other).any()


def test_everybody_gone_and_nobody_there(run: Run) -> None:
    counts = np.array([[[5, 10, 0], [15, 10, 0]], [[0, 0, 0], [0, 0, 0]]])
    first, second = curves(run, counts, min_cell=5)
    assert_allclose(first.survival, [10 / 15, 0], atol=1e-7)
    assert first.at_risk == (15, 10)
    assert second == Curve((), (), (), ())


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_costs_what_it_says(security: Security) -> None:
    counts = counted(patients(60, bins=4), 4)
    assert_costs_what_it_says(lambda c: kaplan_meier(c, 5), counts, security, limit=100)
