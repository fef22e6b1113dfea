"""Regressions under privacy: what rows add up to, how far one moves it, what comes out."""

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from quorate.dp.mechanisms import Gaussian, Laplace
from quorate.errors import Error, MalformedStudy, Refused
from quorate.studies.disclosure import disclose
from quorate.studies.noised import charge_of, vectors_of
from quorate.studies.plain import execute, results_of_words, words_of
from quorate.studies.plan import Plan
from quorate.studies.private_rows import noiseless
from quorate.studies.protocols import JOINT_NOISE, NOISE_IN_SHARES
from quorate.studies.regressions import LARGEST, Product, asked_regressions, products_of
from quorate.studies.release import verify_release
from quorate.studies.sources import open_source
from quorate.studies.study import read_study
from tests.dp.keyed import keyed
from tests.parties import run_parties
from tests.studies.rows import received
from tests.studies.test_runner_noise import running
from tests.studies.trio import TRIO, group_of, plan_of

HEAD = """
title = "t"
purpose = "p"
max_rows = 100_000
min_cell = {min_cell}
[privacy]
bounds = "protocol"
rows = {rows}
neighbours = "{neighbours}"
noise = "{noise}"
[tables.people]
age = "integer 18..98 years"
weight = "number 30..130.5 kg"
drug = "category none old new"
died = "category no yes"
"""
LINEAR = """
[analyses.heavy]
kind = "linear"
formula = "weight ~ age * C(drug)"
privacy = {{ {budget} }}
"""
LOGISTIC = """
[analyses.risk]
kind = "logistic"
formula = "died ~ age + C(drug)"
privacy = {{ {budget} }}
"""
COUNT = """
[releases.all]
sql = "select count(*) as n from people"
privacy = {{ {budget} }}
"""


def planned(
    *asked: str,
    budget: str = "epsilon = 1.0",
    noise: str = "jointly",
    rows: int = 1,
    neighbours: str = "add or remove",
    min_cell: int = 1,
    accept: tuple[str, ...] = (),
) -> Plan:
    text = (HEAD + "".join(asked)).format(
        budget=budget, noise=noise, rows=rows, neighbours=neighbours, min_cell=min_cell
    )
    return plan_of(read_study(text), TRIO, *accept)


def written(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(["age,weight,drug,died", *rows]) + "\n")
    return path


def added(plan: Plan, path: Path) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(noiseless(open_source(path), plan), np.int64)


# What rows add up to

ROWS = ["18,30,none,no", "98,130.5,new,yes", "58,80.25,old,yes", "37,55,new,no"]


def worth(one: Product, row: str) -> float:
    """Return what a row adds to the sum of a product, computed with floats."""
    has = dict(zip(("age", "weight", "drug", "died"), row.split(","), strict=True))
    spans = {"age": (18, 98), "weight": (30, 130.5)}
    found = 1.0
    for name in one.numbers:
        low, high = spans[name]
        found *= (2 * float(has[name]) - low - high) / (high - low)
    if not all(has[name] == value for name, value in one.levels):
        return 0
    return found if all(has[name] == value for name, value in one.sign) else -found


def test_sums_are_those_of_all_products_of_columns(tmp_path: Path) -> None:
    plan = planned(LINEAR, LOGISTIC)
    found = added(plan, written(tmp_path / "rows.csv", ROWS)) / LARGEST
    products = [one for asked in asked_regressions(plan.study) for one in products_of(asked)]
    expected = [sum(worth(one, row) for row in ROWS) for one in products]
    np.testing.assert_allclose(found, expected, atol=len(ROWS) * 3 / 2 / LARGEST)
    assert found[0] == len(ROWS)
    assert len(set(products)) < len(products)  # the two share some
    for asked in asked_regressions(plan.study):
        assert len(set(products_of(asked))) == len(products_of(asked))


WILD = ["1e300,-5,new,yes", "-9,nan,old,yes", ",,,", "58,130.5,none,no", "98,30,new,maybe"]


def neighbouring(unit_rows: int, neighbours: str) -> Iterator[tuple[list[str], list[str]]]:
    for one, other in product(WILD, WILD):
        rest = [*ROWS, WILD[1]]
        gone = [] if neighbours == "add or remove" else [other] * unit_rows
        yield rest + [one] * unit_rows, rest + gone


@pytest.mark.parametrize("neighbours", ["add or remove", "replace"])
@pytest.mark.parametrize("rows", [1, 2])
def test_no_patient_moves_the_sums_further_than_said(
    tmp_path: Path, rows: int, neighbours: str
) -> None:
    pure = planned(LINEAR, LOGISTIC, rows=rows, neighbours=neighbours)
    rho = planned(LINEAR, LOGISTIC, rows=rows, neighbours=neighbours, budget="rho = 0.5")
    for one, other in neighbouring(rows, neighbours):
        moved = added(pure, written(tmp_path / "one.csv", one))
        moved = moved - added(pure, written(tmp_path / "other.csv", other))
        parts = np.split(moved, [pure.vectors[0].size])
        for part, laplace, gaussian in zip(parts, pure.vectors, rho.vectors, strict=True):
            assert isinstance(laplace.mechanism, Laplace)
            assert int(np.abs(part).sum()) <= laplace.mechanism.sensitivity
            assert isinstance(gaussian.mechanism, Gaussian)
            squared = gaussian.mechanism.squared_sensitivity
            assert gaussian.factor**2 * int((part**2).sum()) <= squared


def test_every_entry_can_be_reached_by_one_patient(tmp_path: Path) -> None:
    """So that what is said is not merely large."""
    plan = planned(LOGISTIC)
    full = ["98,30,none,yes"], ["98,30,old,yes"], ["98,30,new,no"]
    found = [np.abs(added(plan, written(tmp_path / "a.csv", rows))) for rows in full]
    assert np.max(found, axis=0).tolist() == [LARGEST] * plan.vectors[0].size


# What comes out


def drawn(path: Path, count: int, seed: str) -> Path:
    """Write rows whose weight and death depend on age and drug."""
    words = np.frombuffer(keyed(seed)(8 * 4 * count), "<u8").reshape(count, 4) / 2.0**64
    ages = 18 + np.floor(81 * words[:, 0]).astype(int)
    drugs = np.floor(3 * words[:, 1]).astype(int)
    weights = 50 + 0.4 * ages + np.array([0, 5, -5])[drugs] + 10 * (words[:, 2] - 0.5)
    logit = -1 + 0.02 * (ages - 58) + np.array([0, 0.3, -0.4])[drugs]
    died = words[:, 3] < 1 / (1 + np.exp(-logit))
    names = ("none", "old", "new")
    return written(
        path,
        [
            f"{age},{weight:.2f},{names[drug]},{'yes' if dead else 'no'}"
            for age, weight, drug, dead in zip(ages, weights, drugs, died, strict=True)
        ],
    )


@pytest.mark.parametrize(
    ("noise", "budget", "protocol"),
    [
        ("jointly", "epsilon = 4", JOINT_NOISE),
        ("in shares", "epsilon = 20", NOISE_IN_SHARES),
        ("jointly", "rho = 4", JOINT_NOISE),
        ("in shares", "rho = 4", NOISE_IN_SHARES),
    ],
)
def test_coefficients_are_found_and_certified(
    tmp_path: Path, noise: str, budget: str, protocol: str
) -> None:
    plan = planned(LINEAR, LOGISTIC, budget=budget, noise=noise)
    assert plan.protocol == protocol
    own = noiseless(open_source(drawn(tmp_path / "rows.csv", 30_000, "rows")), plan)
    released = run_parties(running(plan, own, randomness=os.urandom), 3)[0]
    assert not isinstance(released, Exception), released
    release = released.release
    verify_release(release)
    results = release.certificate.results
    heavy = {r.cell: float(r.value) for r in results if r.name == "heavy estimate"}
    risk = {r.cell: float(r.value) for r in results if r.name == "risk estimate"}
    assert heavy["(Intercept)",] == pytest.approx(50, abs=1.5)
    assert heavy["age",] == pytest.approx(0.4, abs=0.03)
    assert heavy["drug[old]",] == pytest.approx(5, abs=2)
    assert heavy["age:drug[old]",] == pytest.approx(0, abs=0.04)
    assert risk["age",] == pytest.approx(0.02, abs=0.004)
    assert risk["drug[new]",] == pytest.approx(-0.4, abs=0.15)
    assert risk["(Intercept)",] == pytest.approx(-1 - 0.02 * 58, abs=0.2)
    (rows,) = (float(r.value) for r in results if r.name == "risk rows")
    assert rows == pytest.approx(90_000, abs=200)
    for wrong in ("1/3", "99999999999999999999"):
        forged = (replace(results[0], exact=wrong, value="0.333333"), *results[1:])
        certificate = replace(release.certificate, results=forged)
        with pytest.raises(Error):
            verify_release(replace(release, certificate=certificate))


def test_few_rows_are_withheld_and_no_rows_are_no_failure(tmp_path: Path) -> None:
    few = planned(LOGISTIC, min_cell=1000)
    zeros = (0,) * few.vectors[0].size
    assert {r.value for r in few.results(zeros)} == {"withheld"}
    found = planned(LOGISTIC).results((1, *zeros[1:]))
    assert {r.value for r in found} == {"withheld"}


def test_what_is_disclosed_names_sums_bounds_and_budget() -> None:
    lines = "\n".join(disclose(planned(COUNT, LOGISTIC)).lines())
    assert "risk costs epsilon 1" in lines
    assert "sums of products of its formula's columns and outcome" in lines
    assert "age is integer 18..98 years by protocol" in lines
    assert "risk: coefficients follow from its noisy sums" in lines


def test_budgets_of_releases_and_regressions_add_up() -> None:
    study = planned(COUNT, LINEAR, LOGISTIC).study
    assert charge_of(study, 3).nano_epsilon == 3 * 10**9
    for vector in vectors_of(study)[1:]:
        assert isinstance(vector.mechanism, Laplace)
        assert vector.mechanism.epsilon == Fraction(1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (LINEAR.replace('"linear"', '"crosstab"'), "cannot be released under privacy"),
        (LINEAR.replace("formula", "steps"), "no other parameter"),
        (LINEAR.replace('"linear"', '"logistic"'), "must be a category"),
        (LOGISTIC.replace('"logistic"', '"linear"'), "must be a number"),
        (LOGISTIC.replace("privacy", "# privacy"), "has no budget, and others have"),
        (LOGISTIC.replace("C(drug)", "C(dose)"), "there is no column"),
    ],
)
def test_what_is_no_private_regression_is_refused(asked: str, message: str) -> None:
    with pytest.raises(MalformedStudy, match=message):
        planned(COUNT, asked)


def test_noise_on_each_record_has_no_regressions() -> None:
    with pytest.raises(Refused, match="no regression"):
        planned(LOGISTIC, noise="each record", neighbours="replace")


def test_two_members_can_regress_with_noise_in_shares() -> None:
    study = planned(LOGISTIC, budget="epsilon = 20").study
    assert plan_of(study, group_of("north", "south")).protocol == NOISE_IN_SHARES
    assert len(TRIO.names) == 3


def test_a_third_party_gives_the_same_coefficients_and_modes(tmp_path: Path) -> None:
    mode = COUNT.replace("count(*) as n", "mode(drug) as most_used")
    text = HEAD.replace('noise = "{noise}"\n', "") + LOGISTIC + mode
    text = text.format(budget="epsilon = 8.0", rows=1, neighbours="add or remove", min_cell=1)
    plan = plan_of(read_study('trust = "third-party"\nthird_party = "north"\n' + text))
    file = open_source(drawn(tmp_path / "rows.csv", 30_000, "rows"))
    words = execute(plan, received(plan, [file] * 3), os.urandom)
    assert words.size == words_of(plan) == plan.revealed
    (most, *found) = results_of_words(plan, words)
    risk = {r.cell: float(r.value) for r in found}
    assert most.value in {"none", "old", "new"}
    assert risk["age",] == pytest.approx(0.02, abs=0.004)
    assert risk["drug[new]",] == pytest.approx(-0.4, abs=0.15)
