"""Noise on each record: through file, SQL, runner and result, at the stated cost, and no more."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from quorate.dp import local
from quorate.dp.accounting import NANO
from quorate.dp.mechanisms import Bounds
from quorate.errors import Abort, DataError, Refused
from quorate.studies import private_rows
from quorate.studies.cost import run_cost
from quorate.studies.disclosure import disclose
from quorate.studies.plan import Plan
from quorate.studies.planning import check
from quorate.studies.private_rows import perturbed
from quorate.studies.protocols import NOISE_ON_RECORDS
from quorate.studies.records import charge_of_records, questions_of
from quorate.studies.release import verify_release
from quorate.studies.sources import open_source
from quorate.studies.study import read_study
from quorate.transport.session import Session
from tests.dp.game import epsilon_shown
from tests.dp.keyed import keyed
from tests.faults import alter
from tests.parties import measure, run_parties
from tests.studies.test_runner_noise import agreed, running
from tests.studies.trio import TRIO, plan_of

STUDY = """
title = "t"
purpose = "p"
max_rows = 100_000
min_cell = 1
[privacy]
bounds = "protocol"
noise = "each record"
neighbours = "replace"
[tables.people]
age = "integer 18..100 years"
sex = "category F M"
[releases.all]
sql = "select count(*) as n, avg(age) as a from people"
privacy = { epsilon = 2 }
[releases.by_sex]
sql = "select sex, count(*) as n from people where age > 50 group by sex"
privacy = { epsilon = 3 }
"""
N = 4000


def planned(text: str = STUDY) -> Plan:
    return plan_of(read_study(text))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of 4,000 patients of 40 or 70 years, some without a sex that is declared."""
    path = tmp_path_factory.mktemp("records") / "people.csv"
    rows = [f"{40 + 30 * (i % 2)},{'FMX'[i % 3]}" for i in range(N)]
    path.write_text("\n".join(["age,sex", *rows]) + "\n")
    return path


def test_estimates_are_near_the_truth_and_never_it(people: Path) -> None:
    plan = planned()
    assert (plan.protocol, plan.trust_model, plan.t) == (NOISE_ON_RECORDS, "local-noise", 2)
    own = [perturbed(open_source(people), plan, keyed(f"near {p}")) for p in range(3)]
    outcomes, _, sent = measure(lambda s: running(plan, own[s.me])(s), 3)
    ran = agreed(outcomes)
    verify_release(ran.release, group=None)
    found = {r.label: Fraction(r.exact) for r in ran.release.certificate.results}
    assert found["n"] == 3 * N
    (question,) = (q for q in questions_of(plan.study) if q.column)
    assert not isinstance(question.mechanism, local.Response)
    error = (float(local.worst_variance(question.mechanism)) / (3 * N)) ** 0.5
    assert 0 < abs(found["a"] - 55) < 4 * error
    assert found["n, sex = F"] == pytest.approx(N / 2, abs=200)
    assert tuple(sent.values()) == run_cost(plan).bytes_sent


def test_what_it_costs_is_what_the_releases_say() -> None:
    assert charge_of_records(planned().study).nano_epsilon == 5 * NANO


def test_rounds_are_those_of_the_plan(people: Path) -> None:
    plan = planned()
    own = perturbed(open_source(people), plan, os.urandom)
    _, rounds, _ = measure(running(plan, own), 3)
    assert rounds == run_cost(plan).rounds


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('neighbours = "replace"', "", "how many records"),
        ("epsilon = 2", "rho = 2", "pure epsilon"),
        ("avg(age) as a", "var(age) as a", "not var"),
        ("avg(age) as a from people", "avg(age) as a from people where age > 50", "not avg"),
        ("100_000", "100_000_000", "too much"),
        ("epsilon = 2", "epsilon = 20", "at most 12"),
    ],
)
def test_what_records_cannot_answer_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        planned(STUDY.replace(old, new))


def test_a_plan_cannot_name_another_trust_model() -> None:
    with pytest.raises(Refused, match="trust model"):
        check(replace(planned(), trust_model="mpc"), TRIO)


def test_the_disclosure_says_what_leaves_and_how_it_is_noised() -> None:
    said = "\n".join(disclose(planned()).lines())
    for words in (
        "of each member, how many records it has",
        "randomised response among 3, epsilon 3",
        "nobody need be trusted",
        "all together: epsilon 5",
    ):
        assert words in said


def test_rows_that_no_study_would_take_stop_nothing_but_their_number_does(tmp_path: Path) -> None:
    plan, path = planned(STUDY.replace("100_000", "5")), tmp_path / "people.csv"
    path.write_text("age,sex\n1e400,F\nold,\n-7,Q\n")
    assert perturbed(open_source(path), plan, os.urandom)[0] == 3
    for rows in ("", "50,F\n" * 6):
        path.write_text("age,sex\n" + rows)
        with pytest.raises(DataError):
            perturbed(open_source(path), plan, os.urandom)


@pytest.mark.parametrize("lie", [(5, -1, 6, 0, 0, 0), (5, 10**9, 5, 0, 0), (-3, 0, -3, 0, 0)])
def test_sums_that_no_records_could_have_release_nothing(lie: tuple[int, ...]) -> None:
    plan = planned()
    honest = (5, 1, 5, 0, 0)
    numbers = lie[: plan.numbers]
    for outcome in run_parties(lambda s: running(plan, numbers if s.me else honest)(s), 3).values():
        assert isinstance(outcome, Abort)


def test_a_lie_told_to_one_member_only_is_noticed() -> None:
    plan = planned()

    def protocol() -> Callable[[Session], Awaitable[object]]:
        return running(plan, (5, 1, 5, 0, 0))

    lie = alter(0, 1, "/4", lambda sent: bytes([sent[0] ^ 1]) + sent[1:])
    outcomes = run_parties(protocol(), 3, lie)
    assert all(isinstance(outcome, Abort) for outcome in outcomes.values())


# The game: one record, through the file and the SQL


def answers(folder: Path, row: str, draws: int) -> dict[str, np.ndarray]:
    """Return what so many records of the same patient answer, question by question."""
    plan, path = planned(STUDY.replace("100_000", "1_000_000")), folder / "one.csv"
    path.write_text("\n".join(["age,sex", *[row] * draws]) + "\n")
    seen: dict[str, np.ndarray] = {}
    real = private_rows._perturbed_sums

    def noted(question: object, true: np.ndarray, randomness: object) -> list[int]:
        sent = question.mechanism.perturbed(true, randomness)  # type: ignore[attr-defined]
        seen[question.release] = sent  # type: ignore[attr-defined]
        return real(question, true, randomness)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(private_rows, "_perturbed_sums", noted)
        perturbed(open_source(path), plan, keyed(row))
    return seen


def test_a_record_shows_no_more_than_its_epsilon(tmp_path: Path) -> None:
    one, other = (answers(tmp_path, row, 50_000) for row in ("18,F", "1e400,M"))
    for release, epsilon in (("all", 2), ("by_sex", 3)):
        assert 0.5 * epsilon < epsilon_shown(one[release], other[release]) <= epsilon


def test_control_a_record_that_is_not_held_to_its_bounds_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_rows, "_bounded", lambda reading: reading)
    monkeypatch.setattr(Bounds, "clamped", lambda _, steps: steps)
    one, other = (answers(tmp_path, row, 20_000) for row in ("18,F", "100000,F"))
    assert epsilon_shown(one["all"], other["all"]) > 2
