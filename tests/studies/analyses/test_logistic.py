"""Logistic regression by a formula in a study: what statsmodels says of all rows in one place."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose

from quorate.errors import MalformedStudy
from quorate.studies.analyses.following import follows
from quorate.studies.inputs import EACH_ROW, size
from quorate.studies.results import NONE
from tests.studies.analyses.gbsg2 import TABLE, patients
from tests.studies.analyses.together import Members, members_of, split

ANALYSIS = """\
[analyses.relapse]
kind = "logistic"
formula = "{formula}"
"""
FORMULA = "cens ~ age + tsize + pnodes + C(tgrade) + C(menostat) + C(horTh)"


def members(
    folder: Path, rows: pd.DataFrame, formula: str = FORMULA, more: str = "", max_rows: int = 400
) -> Members:
    table = TABLE.format(min_cell=5).replace("max_rows = 400", f"max_rows = {max_rows}")
    text = table + ANALYSIS.format(formula=formula) + more
    return members_of(folder, text, *split(rows.to_dict("records")))


@pytest.mark.parametrize("formula", [FORMULA, "cens ~ pnodes * horTh"])
def test_says_what_statsmodels_says(tmp_path: Path, formula: str) -> None:
    rows = patients()
    rows["tgrade"] = pd.Categorical(rows.tgrade, ["I", "II", "III"])
    rows["menostat"] = pd.Categorical(rows.menostat, ["Pre", "Post"])
    found = members(tmp_path, rows, formula)
    results = found.in_the_clear()
    right = smf.logit(formula, rows).fit(disp=0)
    estimates = [float(r.value) for r in results if "estimate" in r.name]
    assert_allclose(sorted(estimates), sorted(right.params), rtol=1e-4, atol=1e-6)
    told = {one.name: float(one.value) for one in follows(found.plan, results)}
    errors = [value for name, value in told.items() if "standard error" in name]
    assert_allclose(sorted(errors), sorted(right.bse), rtol=1e-4)
    chances = [value for name, value in told.items() if name.startswith("relapse p, ")]
    assert_allclose(sorted(chances), sorted(right.pvalues), rtol=1e-3, atol=1e-3)


def test_the_plain_way_says_the_same(tmp_path: Path) -> None:
    found = members(tmp_path, patients())
    secret = [float(result.value) for result in found.in_the_clear()]
    assert_allclose(secret, np.array(found.plain(), float), rtol=1e-4, atol=1e-6)


def test_a_committee_says_what_one_who_sees_all_says(tmp_path: Path) -> None:
    found = members(tmp_path, patients()[:90], "cens ~ age + horTh", max_rows=30)
    for mine, right in zip(found.together(), found.in_the_clear(), strict=True):
        assert mine.label == right.label
        assert_allclose(float(mine.value), float(right.value), rtol=1e-4, atol=1e-5)


def test_separated_outcomes_are_said_and_a_penalty_helps(tmp_path: Path) -> None:
    rows = patients()
    rows["cens"] = (rows.pnodes > 5).astype(int)
    found = members(tmp_path, rows, "cens ~ pnodes + age")
    *numbers, independent = found.in_the_clear()
    assert {result.value for result in numbers} == {NONE}
    assert independent.value == "1"
    assert found.plain() == [*[None] * 6, 1.0]
    helped = members(tmp_path, rows, "cens ~ pnodes + age", "penalty = 1\nsteps = 12\n")
    secret = [float(result.value) for result in helped.in_the_clear()]
    assert_allclose(secret, np.array(helped.plain(), float), rtol=2e-4)


def test_collinear_columns_are_said(tmp_path: Path) -> None:
    rows = patients().assign(tsize=lambda r: r.pnodes)
    found = members(tmp_path, rows, "cens ~ tsize + pnodes")
    *numbers, independent = found.in_the_clear()
    assert {result.value for result in numbers} == {NONE}
    assert independent.value == "0"


@pytest.mark.parametrize(
    ("formula", "more", "message"),
    [
        ("age ~ cens", "", "a category of two values"),
        ("tgrade ~ age", "", "a category of two values"),
        ("cens ~ age", "steps = 1\n", "must be 2 to 20"),
        ("cens ~ age", "penalty = -1\n", "must be 0 to 1000"),
    ],
)
def test_refuses_what_it_is_not_for(tmp_path: Path, formula: str, more: str, message: str) -> None:
    with pytest.raises(MalformedStudy, match=message):
        members(tmp_path, patients(), formula, more)


def spoilt(found: Members, changes: dict[int, int], member: int = 0) -> Members:
    """Return the members, of whom one deals other words at some places of its first row's."""
    own = list(found.vectors[member])
    for place, word in changes.items():
        own[place] = word
    vectors = [*found.vectors]
    vectors[member] = tuple(own)
    return replace(found, vectors=tuple(vectors))


def first_row(found: Members) -> dict[str, int]:
    """Return where the first row's words stand, by what they are."""
    places, at = {}, 0
    for item in found.plan.inputs:
        if EACH_ROW in item.cells.axes:
            places[item.column or item.cells.axes[-1].column or "there"] = at
        at += size(found.plan.study, item.cells)
    return places


@pytest.mark.parametrize(
    ("what", "more", "word"),
    [
        ("age", 0, 91),
        ("age", 0, -(1 << 63)),
        ("age", 0, 100_000),
        ("cens", 0, 5),
        ("cens", 1, 1 << 62),
        ("horTh", 0, -1),
        ("there", 0, 2),
        ("there", 0, 0),
    ],
)
def test_a_row_dealt_otherwise_than_declared_counts_as_none(
    tmp_path: Path, what: str, more: int, word: int
) -> None:
    found = members(tmp_path, patients()[:150], "cens ~ age + horTh", max_rows=50)
    place = first_row(found)
    lied = spoilt(found, {place[what] + more: word})
    without = spoilt(found, {place["there"]: 0, place["age"]: 0})
    for category in ("cens", "horTh"):
        without = spoilt(without, {place[category]: 0, place[category] + 1: 0})
    assert numbers(lied) == numbers(without)


def test_control_such_a_row_turns_a_training_that_takes_it(tmp_path: Path) -> None:
    found = members(tmp_path, patients()[:150], "cens ~ age + horTh", max_rows=50)
    lied = spoilt(found, {first_row(found)["age"]: 100_000})
    honest, turned = np.array(found.plain(), float), np.array(lied.plain(), float)
    assert abs(turned[1]) > 10 * abs(honest[1])  # what age tells, by one row of 150


def numbers(found: Members) -> list[str]:
    return [result.value for result in found.in_the_clear()]
