"""The guard's bit: set by a pair that differs by few rows, and by no other; at the stated cost."""

import os
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.algebra import ring
from quorate.errors import Abort, Refused
from quorate.studies.cohorts import Pair, difference, marks_of, pairs_of
from quorate.studies.cost import guard_cost
from quorate.studies.disclosure import disclose
from quorate.studies.plan import Plan
from quorate.studies.runners.guard import refuse_near
from quorate.studies.running import Running
from quorate.studies.sources import open_source
from quorate.studies.study import read_study
from quorate.transport.session import Session
from tests.parties import measure, names_of, run_parties
from tests.studies.trio import group_of, plan_of, write_csv

TEXT = """
title = "t"
purpose = "p"
max_rows = 1000
guard = true
[tables.patients]
age = "integer 0..120 years"
[releases]
r = "select count(*) as n from patients"
old = "select count(*) as n from patients where age >= 60"
"""


def plan_among(n: int) -> Plan:
    return plan_of(read_study(TEXT), group_of(*names_of(n)))


def guarding(plan: Plan, own: list[tuple[int, ...]]) -> Callable[[Session], Awaitable[bool]]:
    async def protocol(session: Session) -> bool:
        mine = ring.from_signed(np.array(own[session.me], np.int64))
        await refuse_near(Running(session, plan, mine, b"", lambda _: None, os.urandom))
        return True

    return protocol


@settings(max_examples=15)
@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=6))
def test_the_bit_is_set_by_sums_of_one_to_four_and_no_other(pairs: list[tuple[int, ...]]) -> None:
    own = [tuple(pair[party] for pair in pairs) for party in range(3)]
    near = any(1 <= sum(pair) < 5 for pair in pairs)
    for outcome in run_parties(guarding(plan_among(3), own), 3).values():
        assert isinstance(outcome, Abort) if near else outcome is True


@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize("pairs", [1, 7])
def test_a_comparison_costs_what_is_said(n: int, pairs: int) -> None:
    plan = plan_among(n)
    outcomes, rounds, sent = measure(guarding(plan, [(9,) * pairs] * n), n)
    assert outcomes[0] is True
    cost = guard_cost(plan, pairs)
    assert rounds == cost.rounds
    assert tuple(sent.values()) == cost.bytes_sent
    assert guard_cost(plan, 0).rounds == 0


marks = st.lists(st.integers(0, 6), max_size=12)


@given(marks, marks)
def test_a_difference_counts_rows_one_cohort_has_more_of(one: list[int], other: list[int]) -> None:
    right = sum(abs(one.count(mark) - other.count(mark)) for mark in range(7))
    assert difference(*(np.array(x, np.uint64) for x in (one, other))) == right


def test_marks_tell_rows_apart_by_all_columns_and_by_who_makes_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("marks")
    source = open_source(write_csv(folder / "a.csv", "age,id", ["60,1", "60,2", "30,3", "60,1"]))
    plan = plan_among(3)
    everybody, old = marks_of(source, plan, b"north")
    assert len(everybody) == 4
    assert len(set(everybody.tolist())) == 3
    assert set(old.tolist()) < set(everybody.tolist())
    assert difference(everybody, old) == 1
    assert not set(marks_of(source, plan, b"south")[0].tolist()) & set(everybody.tolist())


def test_a_plans_own_conditions_and_all_earlier_ones_are_compared() -> None:
    plan = plan_among(3)
    other = plan_of(read_study(TEXT.replace('"t"', '"u"')), group_of(*names_of(3)))
    elsewhere = plan_of(read_study(TEXT.replace("patients", "people")), group_of(*names_of(3)))
    digest = other.digest()
    own = Pair(1, plan.digest(), 0)
    crossed = [Pair(i, digest, k) for i in range(2) for k in range(2)]
    assert pairs_of(plan, [other, elsewhere]) == (own, *crossed)


def test_two_members_have_no_guard_and_the_disclosure_says_what_one_is() -> None:
    with pytest.raises(Refused, match="computed by three"):
        plan_of(read_study(TEXT), group_of(*names_of(2)), "two-members")
    assert any("a guard stops this one" in line for line in disclose(plan_among(3)).lines())
