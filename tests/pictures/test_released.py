"""Which charts a release gives: the numbers in them are lifelines' and statsmodels'."""

from math import exp
from pathlib import Path

import pytest
from lifelines import KaplanMeierFitter
from numpy.testing import assert_allclose

from quorate.errors import NotFound
from quorate.pictures.charts import Bars, Chart, Curves, Intervals
from quorate.pictures.released import chart_named, charts_of
from quorate.studies.results import WITHHELD, Result
from quorate.studies.study import read_study
from tests.studies.analyses.gbsg2 import TABLE, patients
from tests.studies.analyses.test_exactness import analysed, frame_of
from tests.studies.analyses.test_exactness import numbers as numbers_of
from tests.studies.analyses.together import members_of, split
from tests.studies.trio import PLAN, TOTALS, plan_of

CURVES = """\
[analyses.curve]
kind = "kaplan_meier"
time = "time"
event = "cens"
happened = 1
width = 90
{group}
"""
BY_AGE = """
title = "t"
purpose = "p"
max_rows = 100
min_cell = 1
[tables.people]
age = "integer 0..120 years"
sex = "category f m"
[releases]
ages = "select histogram(age, 0, 40, 80, 120) as age from people"
spread = "select sex, stddev(age) as spread from people group by sex"
"""


def curves(folder: Path, group: str) -> Curves:
    text = TABLE.format(min_cell=5) + CURVES.format(group=group)
    members = members_of(folder, text, *split(patients().to_dict("records")))
    (chart,) = charts_of(members.plan, members.in_the_clear())
    assert isinstance(chart, Curves)
    return chart


def forest(folder: Path, name: str, analysis: str) -> tuple[Intervals, list[float]]:
    members = analysed(folder, name, analysis)
    results = members.in_the_clear()
    (chart,) = charts_of(members.plan, results)
    assert isinstance(chart, Intervals)
    return chart, numbers_of(results)


def test_curves_are_those_of_lifelines_and_tell_who_is_at_risk(tmp_path: Path) -> None:
    chart = curves(tmp_path, 'group = "horTh"')
    assert (chart.name, chart.unit) == ("curve", "days")
    assert [curve.name for curve in chart.curves] == ["horTh = no", "horTh = yes"]
    rows = patients()
    for curve, therapy in zip(chart.curves, ("no", "yes"), strict=True):
        mine = rows[rows.horTh == therapy]
        bins = mine.time // 90
        fitted = KaplanMeierFitter().fit(bins, mine.cens)
        assert len(curve.points) > 5
        for point in curve.points[1:]:
            at = point.start / 90
            assert_allclose(point.height, fitted.predict(at), atol=1e-4)
            assert point.at_risk == (bins >= at).sum()
            assert point.low < point.height < point.high


def test_one_curve_has_no_name(tmp_path: Path) -> None:
    (curve,) = curves(tmp_path, "").curves
    assert curve.name == ""
    assert curve.points[0].height == 1


def test_a_model_of_odds_is_drawn_as_ratios_about_1(tmp_path: Path) -> None:
    chart, told = forest(tmp_path, "gbsg2", 'kind = "logistic"\nformula = "cens ~ age + C(horTh)"')
    assert (chart.unit, chart.neutral) == ("odds ratio", 1)
    assert [one.name for one in chart.lines] == ["age", "horTh[yes]"]  # and no constant
    assert_allclose([one.estimate for one in chart.lines], [exp(b) for b in told[1:3]], rtol=1e-9)
    assert all(one.low < one.estimate < one.high for one in chart.lines)


def test_a_linear_model_is_drawn_about_0(tmp_path: Path) -> None:
    chart, told = forest(tmp_path, "gbsg2", 'kind = "linear"\nformula = "tsize ~ age + pnodes"')
    assert chart.neutral == 0
    assert_allclose([one.estimate for one in chart.lines], told[1:3], rtol=1e-9)


@pytest.mark.parametrize(
    ("analysis", "neutral"),
    [
        (
            'kind = "two-by-two"\nexposure = "horTh"\nexposed = "yes"\n'
            'outcome = "cens"\nevent = "1"',
            1,
        ),
        ('kind = "t-test"\ncolumn = "age"\nby = "horTh"', 0),
        ('kind = "rate"\noutcome = "cens"\nevent = "1"\ntime = "time"', None),
    ],
)
def test_whatever_has_an_interval_is_drawn(
    tmp_path: Path, analysis: str, neutral: float | None
) -> None:
    chart, _ = forest(tmp_path, "gbsg2", analysis)
    (line,) = chart.lines
    assert chart.neutral == neutral
    assert line.low < line.estimate < line.high


def test_the_difference_drawn_is_the_one_of_the_means(tmp_path: Path) -> None:
    chart, _ = forest(tmp_path, "gbsg2", 'kind = "t-test"\ncolumn = "age"\nby = "horTh"')
    means = frame_of("gbsg2").groupby("horTh").age.mean()
    assert_allclose(chart.lines[0].estimate, means["no"] - means["yes"], rtol=1e-6)


def bars() -> tuple[Chart, ...]:
    plan = plan_of(read_study(BY_AGE))
    totals = (3, 40, 7, 20, 30, 900, 1500, 45000, 80000)
    first, *rest = plan.results(totals)
    hidden = Result(first.release, first.name, first.cell, first.unit, "", WITHHELD)
    return charts_of(plan, (hidden, *rest))


def test_a_bar_for_each_cell_and_none_for_what_is_withheld() -> None:
    ages, spread = bars()
    assert isinstance(ages, Bars)
    assert ages.cells == ("0 <= age < 40", "40 <= age < 80", "80 <= age <= 120")
    assert ages.heights == (None, 40, 7)
    assert isinstance(spread, Bars)
    assert spread.unit == "years"
    variance = (45000 - 900**2 / 20) / 19
    assert_allclose(spread.heights[0], variance**0.5)  # type: ignore[arg-type]


def test_a_single_number_is_no_chart() -> None:
    assert charts_of(PLAN, PLAN.results(TOTALS)) == ()


def test_a_chart_that_is_not_there_is_refused_with_those_that_are() -> None:
    charts = bars()
    assert chart_named(charts, "ages age") is charts[0]
    with pytest.raises(NotFound) as caught:
        chart_named(charts, "weights")
    assert "ages age" in (caught.value.hint or "")
