"""Regressions by steps that all see: statsmodels' numbers, at the stated cost."""

import csv
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from quorate.algebra import ring
from quorate.errors import DataError, MalformedStudy, Refused
from quorate.studies.analyses.following import follows
from quorate.studies.cost import SIGNATURE_BYTES, run_cost, steps_cost
from quorate.studies.disclosure import disclose
from quorate.studies.own_rows import own_rows
from quorate.studies.plan import Plan
from quorate.studies.protocols import STEPS
from quorate.studies.results import NONE, WITHHELD, Result
from quorate.studies.runners.steps import Stepped, reveal_steps
from quorate.studies.running import Running
from quorate.studies.sources import open_source
from quorate.studies.study import read_study
from quorate.transport.session import Session
from tests.parties import measure, names_of, run_parties
from tests.studies.trio import group_of, plan_of

TEXT = """
title = "t"
purpose = "p"
max_rows = 400
min_cell = {least}
[tables.patients]
events = "integer 0..20 events"
years = "number 0.25..10 years"
age = "integer 20..90 years"
arm = "category a b c"
died = "category no yes"
[analyses.model]
reveal_iterations = true
"""
POISSON = 'kind = "poisson"\nformula = "events ~ age + C(arm)"\noffset = "years"\n'
COX = (
    'kind = "cox"\nformula = "years ~ age + C(arm)"\ntime = "years"\nevent = "died"\n'
    'happened = "yes"\nwidth = 0.25\n'
)
BRESLOW = COX + 'ties = "breslow"\n'
LOGISTIC = 'kind = "logistic"\nformula = "C(died) ~ age + C(arm)"\n'
Rows = Sequence[Mapping[str, object]]


def rows_of(count: int) -> list[dict[str, object]]:
    """Return patients whose events depend on age and arm."""
    at = np.arange(count)
    age = 20 + (at * 37) % 71
    arm = (at * 7) % 3
    years = 0.25 + ((at * 29) % 40) / 4.0
    years = np.minimum(years, 10.0)
    chance = (at * 0.7548776662466927) % 1
    mean = years * np.exp(-1.2 + 0.012 * age - 0.4 * (arm == 1) + 0.3 * (arm == 2))
    died = chance < 1 / (1 + np.exp(2.0 - 0.03 * age + 0.5 * (arm == 2)))
    events = np.minimum(np.floor(mean + chance), 20).astype(int)
    return [
        {
            "events": int(events[i]),
            "years": float(years[i]),
            "age": int(age[i]),
            "arm": "abc"[arm[i]],
            "died": "yes" if died[i] else "no",
        }
        for i in range(count)
    ]


def files_of(folder: Path, parts: Sequence[Rows]) -> list[Path]:
    paths = [folder / f"{name}.csv" for name in names_of(len(parts))]
    for path, rows in zip(paths, parts, strict=True):
        with path.open("w", newline="") as lines:
            writer = csv.DictWriter(lines, ["events", "years", "age", "arm", "died"])
            writer.writeheader()
            writer.writerows(rows)
    return paths


def plan_among(n: int, analysis: str, *accept: str, least: int = 5) -> Plan:
    study = read_study(TEXT.format(least=least) + analysis)
    plan = plan_of(study, group_of(*names_of(n)), *accept)
    assert plan.protocol == STEPS
    return plan


def stepping(plan: Plan, files: Sequence[Path]) -> Callable[[Session], Awaitable[Stepped]]:
    own = [own_rows(open_source(path), plan).reshape(-1) for path in files]

    async def protocol(session: Session) -> Stepped:
        mine = ring.from_signed(own[session.me])
        return await reveal_steps(Running(session, plan, mine, b"", lambda _: None, os.urandom))

    return protocol


def stepped(plan: Plan, files: Sequence[Path]) -> Stepped:
    outcomes = run_parties(stepping(plan, files), len(files))
    found = [outcome for outcome in outcomes.values() if isinstance(outcome, Stepped)]
    assert len(found) == len(files), outcomes
    assert len({(one.told, one.steps) for one in found}) == 1
    return found[0]


def results_of(plan: Plan, files: Sequence[Path]) -> tuple[Result, ...]:
    return plan.results_revealed((), (), stepped(plan, files).told)


def split(rows: Rows, n: int = 3) -> list[Rows]:
    return [rows[i::n] for i in range(n)]


def design(rows: Rows) -> NDArray[np.float64]:
    arms = [[r["arm"] == "b", r["arm"] == "c"] for r in rows]
    age = np.array([r["age"] for r in rows], float)
    return np.column_stack([np.ones(len(rows)), age, np.array(arms, float)])


def right_of(kind: str, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what statsmodels says."""
    years = np.array([r["years"] for r in rows], float)
    if kind == "poisson":
        events = np.array([r["events"] for r in rows], float)
        family = sm.families.Poisson()
        fit = sm.GLM(events, design(rows), family=family, offset=np.log(years)).fit()
    elif kind == "logistic":
        fit = sm.Logit(np.array([r["died"] == "yes" for r in rows], float), design(rows)).fit(
            disp=0
        )
    else:
        bins = np.minimum(np.floor((years - 0.25) / 0.25), 38)
        died = np.array([r["died"] == "yes" for r in rows])
        ties = "breslow" if kind == "breslow" else "efron"
        fit = sm.PHReg(bins, design(rows)[:, 1:], died, ties=ties).fit()
    return np.asarray(fit.params, np.float64), np.asarray(fit.bse, np.float64)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("poisson", POISSON), ("logistic", LOGISTIC), ("cox", COX), ("breslow", BRESLOW)],
)
def test_estimates_and_errors_are_those_of_statsmodels(
    tmp_path: Path, kind: str, text: str
) -> None:
    rows, plan = rows_of(400), plan_among(4, text, "semi-honest")
    results = results_of(plan, files_of(tmp_path, split(rows, 4)))
    params, errors = right_of(kind, rows)
    p = len(params)
    assert_allclose([float(r.value) for r in results[:p]], params, rtol=1e-4, atol=5e-6)
    told = {one.name: float(one.value) for one in follows(plan, results)}
    found = [value for name, value in told.items() if "standard error" in name]
    assert_allclose(found, errors, rtol=1e-4)
    ratio = {"poisson": "rate ratio", "logistic": "odds ratio"}.get(kind, "hazard ratio")
    ratios = [value for name, value in told.items() if ratio in name]
    assert_allclose(ratios, np.exp(params[-3:]), rtol=1e-4)


def test_everybody_sees_the_same_steps_and_the_last_is_the_result(tmp_path: Path) -> None:
    plan, rows = plan_among(3, POISSON, "semi-honest"), rows_of(300)
    found = stepped(plan, files_of(tmp_path, split(rows)))
    assert 3 <= len(found.steps) <= 12
    words = np.array(found.told[:4]) / 2.0**30
    assert_allclose(found.steps[-1], words, atol=2.0**-29)


@pytest.mark.parametrize(("n", "accept"), [(3, ()), (4, ("semi-honest",))])
@pytest.mark.parametrize("text", [LOGISTIC, COX])
def test_a_run_costs_what_is_said_for_its_steps(
    tmp_path: Path, n: int, accept: tuple[str, ...], text: str
) -> None:
    plan = plan_among(n, text, *accept)
    files = files_of(tmp_path, split(rows_of(150), n))
    outcomes, rounds, sent = measure(stepping(plan, files), n)
    found = outcomes[0]
    assert isinstance(found, Stepped)
    cost, signing = steps_cost(plan, len(found.steps)), (n - 1) * SIGNATURE_BYTES
    assert 0 < rounds + 1 <= cost.rounds  # where one waits for less than all, fewer are counted
    assert tuple(sent[party] + signing for party in range(n)) == cost.bytes_sent
    assert run_cost(plan).rounds > cost.rounds


def test_a_separated_outcome_and_collinear_columns_are_said_to_be(tmp_path: Path) -> None:
    rows = rows_of(150)
    apart = [{**row, "died": "yes" if int(str(row["age"])) > 55 else "no"} for row in rows]
    results = results_of(plan_among(3, LOGISTIC, "semi-honest"), files_of(tmp_path, split(apart)))
    assert [r.value for r in results] == [*[NONE] * 8, "1"]
    flat = [{**row, "age": 50} for row in rows]
    results = results_of(plan_among(3, LOGISTIC, "semi-honest"), files_of(tmp_path, split(flat)))
    assert [r.value for r in results] == [*[NONE] * 8, "0"]


def test_one_hospital_with_all_events_is_no_trouble(tmp_path: Path) -> None:
    rows = rows_of(300)
    parts = [
        [r for r in rows if r["died"] == "yes"],
        *split([r for r in rows if r["died"] == "no"], 2),
    ]
    results = results_of(plan_among(3, COX, "semi-honest"), files_of(tmp_path, parts))
    params, _ = right_of("cox", rows)
    assert_allclose([float(r.value) for r in results[:3]], params, rtol=1e-4)


def test_without_events_there_is_no_answer(tmp_path: Path) -> None:
    rows = [{**row, "died": "no"} for row in rows_of(120)]
    results = results_of(plan_among(3, COX, "semi-honest"), files_of(tmp_path, split(rows)))
    assert {r.value for r in results[:-1]} == {NONE}


@pytest.mark.parametrize("text", [POISSON, LOGISTIC, COX])
def test_fewer_than_ten_rows_a_coefficient_and_no_step_is_shown(tmp_path: Path, text: str) -> None:
    p = 3 if text == COX else 4
    for count, shown in ((10 * p - 1, False), (10 * p, True)):
        plan = plan_among(3, text, "semi-honest")
        found = stepped(plan, files_of(tmp_path, split(rows_of(count))))
        assert found.told[-1] == shown
        if not shown:
            assert found.steps == ()
            results = plan.results_revealed((), (), found.told)
            assert {r.value for r in results} == {WITHHELD}


def test_two_members_with_rows_are_too_few(tmp_path: Path) -> None:
    rows = rows_of(200)
    where = 'where = "age >= 40"\n'
    parts = [rows[:90], rows[90:], [{**rows[0], "age": 25}]]
    found = stepped(plan_among(3, POISSON + where, "semi-honest"), files_of(tmp_path, parts))
    assert found.told[-1] == 0
    assert found.steps == ()


def test_a_condition_leaves_rows_out_and_excuses_none(tmp_path: Path) -> None:
    rows = rows_of(300)
    where = 'where = "age >= 40"\n'
    plan = plan_among(3, POISSON + where, "semi-honest")
    results = results_of(plan, files_of(tmp_path, split(rows)))
    params, _ = right_of("poisson", [row for row in rows if int(str(row["age"])) >= 40])
    assert_allclose([float(r.value) for r in results[:4]], params, rtol=1e-4)
    (path,) = files_of(tmp_path, [[*rows, {**rows[0], "age": 19}]])
    with pytest.raises(DataError, match="out of bounds"):
        own_rows(open_source(path), plan)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (POISSON.replace("events ~", "years ~"), "must be a whole number"),
        (POISSON.replace('"years"', '"events"'), "may be 0 or less"),
        (COX.replace("years ~", "age ~"), "the outcome must be years"),
        (COX + 'ties = "exact"\n', "is none of efron, breslow"),
        (LOGISTIC + "steps = 5\n", "is of no use"),
        (LOGISTIC + '[releases]\nr = "select count(*) as n from patients"\n', "stand alone"),
        (POISSON + '[analyses.more]\nkind = "quantile"\ncolumn = "age"\n', "stand alone"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, why: str) -> None:
    with pytest.raises((MalformedStudy, Refused), match=why):
        plan_among(3, text)


def test_steps_that_all_see_are_accepted_in_so_many_words() -> None:
    head = TEXT.replace("reveal_iterations = true\n", "").format(least=5)
    with pytest.raises(MalformedStudy, match="by steps that all members see"):
        plan_of(read_study(head + COX))


def test_the_disclosure_says_that_steps_are_seen() -> None:
    lines, others = ("\n".join(disclose(plan_among(3, t)).lines()) for t in (COX, BRESLOW))
    assert "in each of at most 26 steps, by how much 3 coefficients change" in lines
    assert "events in one bin are tied, as Efron has it" in lines
    assert "events in one bin are tied, as Breslow has it" in others
