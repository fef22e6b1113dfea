"""The benchmark of a third party runs, is right, and costs what is declared."""

from bench.third_party import plan, time_one
from quorate.studies.running import at_once
from tests.mpc.committee import everyones


def test_a_run_is_right_and_costs_what_it_declares() -> None:
    of = plan()
    timed = everyones(lambda committee: time_one(committee.session.at("run"), of, 600, 1, at_once))
    assert [one.cost[0] for one in timed] == [8, 8, 8]
