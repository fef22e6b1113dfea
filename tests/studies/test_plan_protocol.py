"""By which protocol a plan runs, who computes it, and what comes of what a committee reveals."""

from dataclasses import replace
from typing import Any

import pytest

from quorate.errors import Abort, Refused
from quorate.studies.inputs import asked_of
from quorate.studies.planning import check
from quorate.studies.protocols import (
    ADDITIVE,
    COMMITTEE,
    SEMI_HONEST,
    SMALL_CELLS_SEEN,
    TWO_MEMBERS,
)
from quorate.studies.results import WITHHELD
from quorate.studies.study import Study, read_study
from tests.studies.trio import group_of, plan_of

GROUPED = """
title = "t"
purpose = "p"
max_rows = 1000
min_cell = {min_cell}
[tables.people]
age = "integer 0..120 years"
ward = "category {wards}"
[releases]
r = "{sql}"
t = "select count(*) as n from people"
"""


def grouped(
    sql: str = "select ward, count(*) as n from people group by ward",
    *,
    min_cell: int = 5,
    wards: int = 2,
) -> Study:
    names = " ".join(f"w{i}" for i in range(wards))
    return read_study(GROUPED.format(sql=sql, min_cell=min_cell, wards=names))


FOUR = group_of("north", "south", "west", "east")


@pytest.mark.parametrize(
    "sql",
    [
        "select ward, count(*) as n from people group by ward",
        "select count(*) as n from people where age > 100",
        "select histogram(age, 0, 50, 120) as n from people",
    ],
)
def test_where_cells_could_be_small_the_first_three_members_decide(sql: str) -> None:
    plan = plan_of(grouped(sql), FOUR)
    assert (plan.protocol, plan.computes, plan.t) == (COMMITTEE, FOUR.names[:3], 1)


def test_all_else_is_summed_by_everybody() -> None:
    everything = grouped("select sum(age) as s from people")
    pair = group_of("north", "south")
    for plan in (
        plan_of(everything, FOUR),
        plan_of(grouped(min_cell=1), FOUR),
        plan_of(grouped(), FOUR, SMALL_CELLS_SEEN),
        plan_of(grouped(), pair, TWO_MEMBERS),
    ):
        assert (plan.protocol, plan.computes) == (ADDITIVE, plan.members)
        assert plan.t == len(plan.members) - 1


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": ADDITIVE},
        {"protocol": ADDITIVE, "computes": FOUR.names, "t": 3},
        {"computes": FOUR.names},
        {"computes": ("south", "north", "west")},
        {"computes": ("north", "south", "east")},
        {"t": 3},
        {"accept": (SMALL_CELLS_SEEN,)},
    ],
)
def test_a_plan_that_says_another_protection_than_it_has_is_refused(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(Refused):
        check(replace(plan_of(grouped(), FOUR), **changes), FOUR)


def test_a_committee_checks_unless_the_members_accept_that_it_does_not() -> None:
    assert plan_of(grouped(), FOUR).security == "malicious"
    trusting = plan_of(grouped(), FOUR, SEMI_HONEST)
    assert trusting.security == "semi-honest"
    assert trusting.digest() != plan_of(grouped(), FOUR).digest()


def test_where_no_three_compute_there_is_nothing_to_leave_unverified() -> None:
    with pytest.raises(Refused, match="nothing to leave unverified"):
        plan_of(grouped(min_cell=1), FOUR, SEMI_HONEST)


def test_more_comparisons_than_a_committee_makes_are_refused() -> None:
    plan_of(grouped(wards=1000), FOUR)
    sql = "select ward, age2, count(*) as n from people group by ward, age2"
    text = GROUPED.replace("[releases]", 'age2 = "category {wards}"\n[releases]')
    names = " ".join(f"w{i}" for i in range(45))
    study = read_study(text.format(sql=sql, min_cell=5, wards=names))
    with pytest.raises(
        Refused, match="2051325 pairs would be compared, and the most is"
    ) as refused:
        plan_of(study, FOUR)
    assert "--accept small-cells-seen" in refused.value.hint
    plan_of(study, FOUR, SMALL_CELLS_SEEN)


def test_a_count_that_only_decides_is_not_asked_for() -> None:
    study = grouped("select ward, sum(age) as s from people group by ward")
    wards, ward_sums, whole = plan_of(study, FOUR).inputs
    assert (wards.amount, ward_sums.amount, whole.amount) == ("count", "sum", "count")
    assert asked_of(study) == (ward_sums, whole)


SHOWN = plan_of(
    grouped("select ward, count(*) as n, sum(age) as s from people group by ward"), FOUR
)


@pytest.mark.parametrize(
    ("numbers", "possible"),
    [
        ((0, 9, 0, 90, 13), True),
        ((0, 9, 0, 9 * 120 + 1, 13), False),
        ((0, 4, 0, 90, 13), False),
        ((0, -1, 0, 90, 13), False),
        ((0, 9, 0, 90, 4001), False),
        ((0, 9, 0, 90, 3), False),
    ],
)
def test_what_a_committee_cannot_have_found_aborts(
    numbers: tuple[int, ...], *, possible: bool
) -> None:
    hidden = (True, False, False)
    if possible:
        values = [result.value for result in SHOWN.results_revealed(numbers, hidden)]
        assert values == [WITHHELD, "9", WITHHELD, "90", "13"]
        return
    with pytest.raises(Abort, match="impossible"):
        SHOWN.results_revealed(numbers, hidden)


def test_what_is_withheld_is_not_held_to_bounds() -> None:
    hidden = (True, True, True)
    assert {r.value for r in SHOWN.results_revealed((0,) * 5, hidden)} == {WITHHELD}
