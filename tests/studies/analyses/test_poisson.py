"""Poisson regression in a study that shows no step: what statsmodels says of all rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose

from quorate.errors import MalformedStudy
from quorate.studies.analyses.following import follows
from quorate.studies.disclosure import disclose
from quorate.studies.results import NONE, WITHHELD
from tests.studies.analyses.together import Members, members_of, split

TEXT = """\
title = "What goes with falls"
purpose = "to see what goes with falls"
max_rows = {max_rows}
min_cell = 5

[tables.patients]
falls = "integer 0..30 falls"
years = "number 0.1..8 years"
age = "integer 20..90 years"
sex = "category f m"

[analyses.falls]
kind = "poisson"
formula = "{formula}"
"""
FORMULA = "falls ~ age * C(sex)"
OFFSET = 'offset = "years"\n'


def patients(count: int) -> pd.DataFrame:
    at = np.arange(count)
    age, is_m, years = 20 + (at * 37) % 71, (at * 7) % 3 == 0, 0.1 + ((at * 29) % 40) / 8
    mean = years * np.exp(-2 + 0.02 * age - 0.5 * is_m)
    falls = np.floor(mean + (at * 0.7548776662466927) % 1).astype(int)
    sex = np.where(is_m, "m", "f")
    return pd.DataFrame({"falls": falls, "years": years, "age": age, "sex": sex})


def members(
    folder: Path,
    rows: pd.DataFrame,
    more: str = OFFSET,
    max_rows: int = 200,
    formula: str = FORMULA,
) -> Members:
    text = TEXT.format(max_rows=max_rows, formula=formula) + more
    return members_of(folder, text, *split(rows.to_dict("records")))


@pytest.mark.parametrize("more", [OFFSET, ""])
def test_says_what_statsmodels_says(tmp_path: Path, more: str) -> None:
    rows = patients(480)
    found = members(tmp_path, rows, more)
    results = found.in_the_clear()
    offset = np.log(rows.years) if more else None
    right = smf.glm(FORMULA, rows, family=sm.families.Poisson(), offset=offset).fit()
    estimates = [float(r.value) for r in results if "estimate" in r.name]
    assert_allclose(sorted(estimates), sorted(right.params), rtol=1e-4, atol=1e-6)
    told = {one.name: float(one.value) for one in follows(found.plan, results)}
    errors = [value for name, value in told.items() if "standard error" in name]
    assert_allclose(sorted(errors), sorted(right.bse), rtol=1e-4)
    chances = [value for name, value in told.items() if name.startswith("falls p, ")]
    assert_allclose(sorted(chances), sorted(right.pvalues), rtol=1e-3, atol=1e-3)
    ratios = [value for name, value in told.items() if "rate ratio" in name]
    assert_allclose(sorted(ratios), sorted(np.exp(right.params.iloc[1:])), rtol=1e-4)


def test_the_plain_way_says_the_same(tmp_path: Path) -> None:
    found = members(tmp_path, patients(480))
    secret = [float(result.value) for result in found.in_the_clear()]
    assert_allclose(secret, np.array(found.plain(), float), rtol=1e-4, atol=1e-5)


def test_a_committee_says_what_one_who_sees_all_says(tmp_path: Path) -> None:
    found = members(tmp_path, patients(90), max_rows=30, formula="falls ~ age")
    for mine, right in zip(found.together(), found.in_the_clear(), strict=True):
        assert mine.label == right.label
        assert_allclose(float(mine.value), float(right.value), rtol=1e-4, atol=1e-5)


def test_where_nobody_of_a_group_falls_there_is_no_answer(tmp_path: Path) -> None:
    rows = patients(480)
    rows.loc[rows.sex == "m", "falls"] = 0
    results = members(tmp_path, rows, formula="falls ~ age + C(sex)").in_the_clear()
    assert [r.value for r in results] == [*[NONE] * 6, "1"]


def test_fewer_than_ten_rows_a_coefficient_are_withheld(tmp_path: Path) -> None:
    for count, withheld in ((39, True), (40, False)):
        results = members(tmp_path, patients(count), max_rows=20).in_the_clear()
        assert ({r.value for r in results} == {WITHHELD}) == withheld


@pytest.mark.parametrize(
    ("more", "why"),
    [("steps = 1\n", "must be 2 to 20"), ("reveal_iterations = true\nsteps = 5\n", "of no use")],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, more: str, why: str) -> None:
    with pytest.raises(MalformedStudy, match=why):
        members(tmp_path, patients(60), more)


def test_the_disclosure_says_that_no_step_is_seen(tmp_path: Path) -> None:
    lines = "\n".join(disclose(members(tmp_path, patients(60)).plan).lines())
    assert "and no step on the way" in lines


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["poisson", "logistic"])
def test_forty_thousand_rows_that_nobody_sees(tmp_path: Path, kind: str) -> None:
    rows = patients(40_200)
    rows["fell"] = np.where(rows.falls > 0, "yes", "no")
    text = TEXT.format(max_rows=13_400, formula="falls ~ age + C(sex)")
    text = text.replace('sex = "category', 'fell = "category no yes"\nsex = "category')
    family = sm.families.Poisson() if kind == "poisson" else sm.families.Binomial()
    offset = np.log(rows.years) if kind == "poisson" else None
    if kind == "poisson":
        text += OFFSET
        right = smf.glm("falls ~ age + C(sex)", rows, family=family, offset=offset).fit()
    else:
        text = text.replace('"poisson"', '"logistic"').replace('"falls ~', '"C(fell) ~')
        seen = rows.assign(falls=(rows.falls > 0).astype(int))
        right = smf.glm("falls ~ age + C(sex)", seen, family=family).fit()
    results = members_of(tmp_path, text, *split(rows.to_dict("records"))).together("semi-honest")
    estimates = [float(r.value) for r in results if "estimate" in r.name]
    assert_allclose(sorted(estimates), sorted(right.params), rtol=1e-4)
