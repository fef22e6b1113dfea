"""Errors that are told before anything is spent: as they were measured, and as real noise makes."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from quorate.dp.central import by_samplers
from quorate.errors import Refused
from quorate.studies.noise_plan import Assumed, Expected, expected_errors
from quorate.studies.noised import bounds_of, square_step
from quorate.studies.plan import Plan
from quorate.studies.study import Study, read_study
from tests.dp.keyed import keyed
from tests.studies.trio import plan_of

STUDY = """
title = "t"
purpose = "p"
max_rows = 100_000
min_cell = 1
[privacy]
bounds = "protocol, section 3"
neighbours = "{neighbours}"
[tables.people]
age = "integer 18..100 years"
sex = "category F M"
[releases.all]
sql = \"\"\"select count(*) as n, avg(age) as a, var(age) as v, stddev(age) as d, sum(age) as s
from people\"\"\"
privacy = {{ epsilon = 4 }}
[releases.mean]
sql = "select avg(age) as a from people"
privacy = {{ epsilon = 1 }}
[releases.by_sex]
sql = "select sex, count(*) as n from people group by sex"
privacy = {{ epsilon = 1 }}
"""


def study(neighbours: str = "add or remove") -> Study:
    return read_study(STUDY.format(neighbours=neighbours))


def told(found: tuple[Expected, ...], release: str, value: str, epsilon: float) -> Expected:
    (one,) = (e for e in found if (e.release, e.value, e.epsilon) == (release, value, epsilon))
    return one


@pytest.mark.parametrize(
    ("rows", "members", "epsilon", "one", "shared", "alone"),
    [
        (5, 5, 1.0, 23.2, 29.9, 51.9),  # safe against two of five
        (7, 3, 1.0, 16.5, 20.3, 28.6),
        (7, 3, 8.0, 2.07, 2.54, 3.59),
        (100, 3, 1.0, 1.16, 1.42, 2.00),
        (1000, 3, 1.0, 0.116, 0.142, 0.200),
    ],
)
def test_errors_of_a_mean_are_those_that_were_measured(
    rows: int, members: int, epsilon: float, one: float, shared: float, alone: float
) -> None:
    found = told(expected_errors(study("replace"), Assumed(members, rows)), "mean", "a", epsilon)
    assert found.one_place == pytest.approx(one, rel=0.05)
    assert found.in_shares == pytest.approx(shared, rel=0.05)
    assert found.each_alone == pytest.approx(alone, rel=0.05)
    assert found.each_record is not None
    assert (found.each_record > found.one_place) == (epsilon < 8)  # of so few rows


def noisy(plan: Plan, exact: list[int], name: str) -> dict[str, float]:
    """Return one noisy result, as a run gives it."""
    noise, at = list(exact), 0
    for i, vector in enumerate(plan.vectors):
        assert vector.mechanism is not None
        drawn = by_samplers(vector.mechanism, vector.size, keyed(f"{name} {i}"))
        for k, one in enumerate(drawn.tolist()):
            noise[at + k] = vector.factor * noise[at + k] + one
        at += vector.size
    results = plan.results(tuple(noise))
    return {f"{r.release}.{r.label}": float(r.value) for r in results}


PAID = {
    "epsilon": lambda epsilon: f"epsilon = {epsilon}",
    "delta": lambda epsilon: f"epsilon = {epsilon}, delta = 1e-6",
    "rho": lambda epsilon: f"rho = {epsilon**2 / 2}",
}


@pytest.mark.parametrize("paid", PAID)
def test_errors_are_those_of_real_noise(paid: str) -> None:
    """1,000 rows whose mean lies a quarter off the middle, with a spread of a quarter."""
    text = STUDY.format(neighbours="add or remove")
    for epsilon in (1, 4):
        text = text.replace(f"{{ epsilon = {epsilon} }}", f"{{ {PAID[paid](epsilon)} }}")
    plan, rows = plan_of(read_study(text)), 1000
    centred, squares = 41 * rows, 2 * 41**2 * rows  # in half steps: width 82, quarter 20.5 years
    coarse = square_step(bounds_of(plan.study, "age"))
    exact = [rows, centred, squares // coarse, 79 * rows, rows, centred, rows // 2, rows // 2]
    draws = [noisy(plan, exact, f"draw {i}") for i in range(400)]
    truth = {
        "all.n": rows,
        "all.a": 79.5,
        "all.v": 20.5**2,
        "all.d": 20.5,
        "all.s": 79 * rows,
        "mean.a": 79.5,
        "by_sex.n, sex = F": rows // 2,
    }
    epsilons = {"all": Fraction(4), "mean": Fraction(1), "by_sex": Fraction(1)}
    for name, true in truth.items():
        release, value = name.split(".")
        found = expected_errors(plan.study, Assumed(3, rows), [epsilons[release]])
        said = told(found, release, value.split(",")[0], float(epsilons[release])).one_place
        seen = float(np.sqrt(np.mean([(draw[name] - true) ** 2 for draw in draws])))
        assert seen == pytest.approx(said, rel=0.2), name


def test_rows_needed_bring_a_mean_as_near_as_wanted() -> None:
    found = told(expected_errors(study("replace"), Assumed(3, 1000, 0.5)), "mean", "a", 1.0)
    assert found.rows_needed is not None
    assert found.rows_needed == pytest.approx(492, rel=0.01)


def test_budgets_that_are_looked_at_are_of_the_studys_own_kind() -> None:
    text = STUDY.format(neighbours="add or remove").replace("{ epsilon = 4 }", "{ rho = 2 }")
    text = text.replace("{ epsilon = 1 }", "{ epsilon = 1, delta = 1e-6 }")
    found = expected_errors(read_study(text), Assumed(3, 1000, 0.5), [Fraction(2)])
    said = {one.release: (one.budget, one.rows_needed) for one in found if one.value == "a"}
    assert said["all"][0] == "rho 2"
    assert said["mean"][0] == "epsilon 2, delta 1e-06"
    mean = told(found, "mean", "a", 2.0)
    assert mean.rows_needed == pytest.approx(1.96 * mean.one_place * 1000 / 0.5, abs=1)


def test_an_exact_study_has_no_noise_to_plan() -> None:
    with pytest.raises(Refused, match="exact"):
        expected_errors(replace(study(), privacy=None), Assumed(3, 10))
