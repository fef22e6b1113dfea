"""The benchmark of studies by groups notices a wrong cost; three processes give its figures."""

from dataclasses import replace

import pytest

from bench.cells import COUNT, FIVE, Timed, Workload, summary, time_one
from quorate.studies.protocols import COMMITTEE
from tests.mpc.committee import everyones

LOAD = Workload("3 × 2 groups", 3, 2, (("ward, unit", FIVE), ("ward", COUNT), ("", COUNT)))


def timed() -> list[Timed]:
    return everyones(lambda committee: time_one(committee.session.at("load"), LOAD, 1))


def test_a_study_is_right_and_costs_what_it_declares() -> None:
    assert LOAD.plan().protocol == COMMITTEE
    measured = summary(LOAD, timed())
    assert measured.committee_s >= 0
    assert measured.cost.rounds > 20


def test_another_cost_than_declared_is_noticed() -> None:
    first, *rest = timed()
    rounds, sent = first.cost
    with pytest.raises(AssertionError, match="is not as declared"):
        summary(LOAD, [replace(first, cost=(rounds, sent + 8)), *rest])
