"""Linear regression by a formula in a study: what statsmodels says of all rows in one place."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose

from quorate.errors import MalformedStudy
from quorate.studies.analyses.following import follows
from quorate.studies.results import NONE, WITHHELD
from quorate.studies.statistics import from_exact
from quorate.studies.study import read_study
from tests.studies.analyses.gbsg2 import TABLE, patients
from tests.studies.analyses.together import Members, members_of, split

STUDY = """\
{table}
[analyses.model]
kind = "linear"
formula = "{formula}"
"""


def members(folder: Path, formula: str, rows: pd.DataFrame, min_cell: int = 5) -> Members:
    text = STUDY.format(formula=formula, table=TABLE.format(min_cell=min_cell))
    return members_of(folder, text, *split(rows.to_dict("records")))


def numbers(found: Members) -> dict[str, list[float]]:
    """Return the results by what they are called."""
    named: dict[str, list[float]] = {}
    for result in found.in_the_clear():
        exact = from_exact(result.exact)
        assert exact is not None, result
        named.setdefault(result.name.removeprefix("model "), []).append(float(exact[0]))
    return named


FORMULAS = [
    "time ~ age",
    "time ~ age + tsize + pnodes + C(tgrade) + C(menostat)",
    "time ~ age + tgrade * menostat",
    "time ~ pnodes + age + C(menostat) + age:C(menostat)",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_says_what_statsmodels_says(tmp_path: Path, formula: str) -> None:
    rows = patients()
    for column, values in (("tgrade", ["I", "II", "III"]), ("menostat", ["Pre", "Post"])):
        rows[column] = pd.Categorical(rows[column], values)
    found = members(tmp_path, formula, rows)
    named, right = numbers(found), smf.ols(formula, rows).fit()
    assert_allclose(sorted(named["estimate"]), sorted(right.params), rtol=1e-4)
    told = {one.name: float(one.value) for one in follows(found.plan, found.in_the_clear())}
    assert_allclose(told["model R squared"], right.rsquared, rtol=1e-4)
    assert_allclose(told["model sigma"], right.mse_resid**0.5, rtol=1e-4)
    errors = [value for name, value in told.items() if "standard error" in name]
    assert_allclose(sorted(errors), sorted(right.bse), rtol=1e-4)
    chances = [value for name, value in told.items() if name.startswith("model p, ")]
    assert_allclose(sorted(chances), sorted(right.pvalues), rtol=1e-3, atol=1e-3)


def test_the_plain_way_says_the_same(tmp_path: Path) -> None:
    found = members(tmp_path, FORMULAS[1], patients())
    exact = [from_exact(result.exact) for result in found.in_the_clear()]
    secret = [float(one[0]) for one in exact if one is not None]
    assert_allclose(secret, np.array(found.plain(), float), rtol=1e-4)


def test_a_committee_says_what_one_who_sees_all_says(tmp_path: Path) -> None:
    found = members(tmp_path, FORMULAS[0], patients())
    for mine, right in zip(found.together(), found.in_the_clear(), strict=True):
        assert (mine.release, mine.name, mine.cell) == (right.release, right.name, right.cell)
        assert_allclose(float(Fraction(mine.exact)), float(Fraction(right.exact)), rtol=1e-5)


def test_collinear_columns_have_no_numbers(tmp_path: Path) -> None:
    rows = patients().assign(tsize=lambda r: r.pnodes)
    found = members(tmp_path, "time ~ tsize + pnodes", rows)
    assert {result.value for result in found.in_the_clear()} == {NONE}
    assert set(found.plain()) == {None}


def test_few_rows_for_a_coefficient_are_withheld(tmp_path: Path) -> None:
    found = members(tmp_path, FORMULAS[1], patients()[:60])
    assert {result.value for result in found.in_the_clear()} == {WITHHELD}


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("time", "has no ~"),
        ("time ~ weight", "there is no column weight"),
        ("time ~ log(age)", "there is no column log"),
        ("time ~ age + 0", "without a constant"),
        ("time ~ age:C(menostat)", "stands without its parts"),
        ("time ~ age*tsize", "multiplies age and tsize"),
        ("time ~ age ** 40", "no formula this reads"),
        ("tgrade ~ age", "the outcome must be a number, or a category of two"),
        ("menostat ~ age", "the outcome must be a number"),
        ("time ~ __import__('os')", "no formula this reads"),
        ("time ~ age +", "no formula"),
    ],
)
def test_refuses_what_is_no_formula_of_columns(tmp_path: Path, formula: str, message: str) -> None:
    with pytest.raises(MalformedStudy, match=message):
        members(tmp_path, formula, patients())


def test_a_formula_is_read_when_a_plan_is_made_not_before() -> None:
    read_study(STUDY.format(formula="time ~ nothing", table=TABLE.format(min_cell=5)))
