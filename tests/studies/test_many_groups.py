"""Fifty groups and five statistics of each, in one session: the rounds are those of one group."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from quorate.algebra import ring
from quorate.studies.committee import Revealed, reveal_shown
from quorate.studies.cost import run_cost
from quorate.studies.plan import Plan
from quorate.studies.results import Result
from quorate.studies.sources import aggregate, open_source
from quorate.studies.study import read_study
from quorate.transport.session import Session
from tests.parties import measure, names_of
from tests.studies.trio import group_of, plan_of

TEXT = """
title = "t"
purpose = "p"
max_rows = 10_000
min_cell = {least}
[tables.patients]
age = "integer 0..120 years"
ward = "category {wards}"
[releases]
by_ward = "select ward, {asked} from patients group by ward"
"""
ASKED = "count(*) as n, sum(age) as s, avg(age) as mean, var(age) as spread, stddev(age) as sd"
GROUPS = 50


def plan(groups: int, least: int = 5, asked: str = ASKED) -> Plan:
    wards = " ".join(f"w{i}" for i in range(groups))
    text = TEXT.format(least=least, wards=wards, asked=asked)
    return plan_of(read_study(text), group_of(*names_of(3)))


def ages(member: int, ward: int) -> list[int]:
    return [(member * 31 + ward * 17 + i * 7) % 121 for i in range(2 + ward % 3 + member)]


def revealed(folder: Path, studied: Plan, groups: int) -> tuple[tuple[Result, ...], int]:
    """Return the results, and the rounds that were counted."""
    vectors = []
    for member in range(3):
        path = folder / f"{member}.csv"
        lines = [f"{age},w{w}" for w in range(groups) for age in ages(member, w)]
        path.write_text("\n".join(["age,ward", *lines, ""]), encoding="utf-8")
        vectors.append(np.array(aggregate(open_source(path), studied), np.int64))

    async def protocol(session: Session) -> Revealed:
        return await reveal_shown(
            session,
            studied.study,
            ring.from_signed(vectors[session.me]),
            security="malicious",
            context=b"test",
            claim=lambda _: None,
            randomness=os.urandom,
        )

    outcomes, rounds, _ = measure(protocol, 3)
    found = outcomes[0]
    assert isinstance(found, Revealed), found
    return studied.results_revealed(found.numbers, found.hidden, found.told), rounds


def test_fifty_groups_and_five_statistics_take_the_rounds_of_one_group(tmp_path: Path) -> None:
    results, rounds = revealed(tmp_path, plan(GROUPS), GROUPS)
    assert len(results) == 5 * GROUPS
    assert rounds == revealed(tmp_path, plan(1), 1)[1]
    every = {(r.cell, r.label): float(r.value) for r in results}
    for ward in range(GROUPS):
        rows = np.array([age for member in range(3) for age in ages(member, ward)], float)
        right = [len(rows), rows.sum(), rows.mean(), rows.var(ddof=1), rows.std(ddof=1)]
        mine = [value for (cell, _), value in every.items() if cell == (f"ward = w{ward}",)]
        assert_allclose(sorted(mine), sorted(right), rtol=1e-6)


@pytest.mark.parametrize("least", [1, 5])
def test_what_a_plan_says_it_costs_has_the_rounds_of_one_statistic_too(least: int) -> None:
    one = run_cost(plan(1, least, "count(*) as n")).rounds
    assert run_cost(plan(GROUPS, least)).rounds == one
