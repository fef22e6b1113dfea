"""Statistics that the committee computes of real patients: those of SciPy and statsmodels."""

from collections.abc import Mapping
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from quorate.studies.analyses.following import follows
from quorate.studies.results import Result
from quorate.studies.study import read_study
from tests.studies.analyses.oracles import pandas, stats, tables, weights
from tests.studies.analyses.patients import DIABETES, GBSG2, LUNG, WISCONSIN, institutions, rows_of
from tests.studies.analyses.together import Members, Rows, members_of, split
from tests.studies.trio import group_of, plan_of

NAMES = ("gbsg2", "lung", "wisconsin", "diabetes")
TEXTS = {"gbsg2": GBSG2, "lung": LUNG, "wisconsin": WISCONSIN, "diabetes": DIABETES}


def parts_of(name: str) -> list[Rows]:
    match name:
        case "lung":
            return list(institutions())
        case "diabetes":
            return [rows_of(member) for member in ("north", "south", "west")]
        case _:
            return split(rows_of(name))


def frame_of(name: str) -> Any:
    rows = [dict(row) for part in parts_of(name) for row in part]
    return pandas.read_csv(StringIO(pandas.DataFrame(rows).to_csv(index=False)))


def analysed(folder: Path, name: str, analysis: str) -> Members:
    return members_of(folder, f"{TEXTS[name]}[analyses.a]\n{analysis}\n", *parts_of(name))


def numbers(results: tuple[Result, ...]) -> list[float]:
    return [float(Fraction(result.exact)) for result in results]


def following(members: Members, results: tuple[Result, ...]) -> Mapping[str, float]:
    found = follows(members.plan, results)
    return {one.name.removeprefix("a "): float(one.value) for one in found}


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [("gbsg2", "horTh", "tgrade"), ("gbsg2", "tgrade", "cens"), ("lung", "sex", "status")],
)
def test_chi_squared(tmp_path: Path, name: str, rows: str, columns: str) -> None:
    members = analysed(tmp_path, name, f'kind = "crosstab"\nrows = "{rows}"\ncolumns = "{columns}"')
    frame = frame_of(name)
    table = pandas.crosstab(frame[rows], frame[columns])
    chi, p, freedom, _ = stats.chi2_contingency(table, correction=False)
    for results in (members.in_the_clear(), members.together()):
        assert_allclose(numbers(results), [chi, freedom], rtol=1e-4)
        assert following(members, results)["p"] == pytest.approx(p, rel=1e-3)
    assert_allclose(np.array(members.plain(), float), [chi, freedom], rtol=1e-12)


@pytest.mark.parametrize("measure", ["odds ratio", "relative risk"])
def test_two_by_two(tmp_path: Path, measure: str) -> None:
    members = analysed(
        tmp_path,
        "gbsg2",
        f'kind = "two-by-two"\nexposure = "tgrade"\nexposed = "III"\noutcome = "cens"\n'
        f'event = "1"\nmeasure = "{measure}"',
    )
    frame = frame_of("gbsg2")
    exposed, event = frame["tgrade"] == "III", frame["cens"] == 1
    table = tables.Table2x2([[sum(e & v) for v in (event, ~event)] for e in (exposed, ~exposed)])
    is_odds = measure == "odds ratio"
    log, error = (
        (table.log_oddsratio, table.log_oddsratio_se)
        if is_odds
        else (table.log_riskratio, table.log_riskratio_se)
    )
    interval = table.oddsratio_confint() if is_odds else table.riskratio_confint()
    p = table.oddsratio_pvalue() if is_odds else table.riskratio_pvalue()
    for results in (members.in_the_clear(), members.together()):
        assert_allclose(numbers(results), [log, error**2], rtol=1e-4)
        found = following(members, results)
        ends = [found[f"{measure}, 95 % {end}"] for end in ("from", "to")]
        assert_allclose(ends, interval, rtol=1e-4)
        assert found["p"] == pytest.approx(p, rel=1e-3)
    assert_allclose(np.array(members.plain(), float), [log, error**2], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "column", "step"),
    [
        ("gbsg2", "age", "1"),
        ("gbsg2", "time", "1"),
        ("lung", "time", "1"),
        ("diabetes", "age", "1"),
    ],
)
def test_quantiles_of_whole_numbers_are_exact(
    tmp_path: Path, name: str, column: str, step: str
) -> None:
    at = [0.1, 0.25, 0.333, 0.5, 0.75]
    members = analysed(
        tmp_path, name, f'kind = "quantile"\ncolumn = "{column}"\nstep = {step}\nat = {at}'
    )
    expected = np.quantile(frame_of(name)[column].to_numpy(float), at)
    for results in (members.in_the_clear(), members.together()):
        assert_allclose(numbers(results), expected, rtol=1e-12)


def test_the_median_of_ten_million_ages_is_that_of_a_histogram_of_each_member() -> None:
    text = GBSG2.replace("max_rows = 1000", "max_rows = 10_000_000")
    study = read_study(f'{text}[analyses.a]\nkind = "quantile"\ncolumn = "age"\nat = [0.25, 0.5]\n')
    plan = plan_of(study, group_of("north", "south", "west"))
    bins = np.arange(3 * 73).reshape(3, 73) ** 2 * 7919 % 100_003
    vectors = [(*(10_000_000 // 3 * own // own.sum()).tolist(),) for own in bins]
    rows = [sum(own) for own in vectors]
    members = Members(plan, tuple((n, 1, *own) for own, n in zip(vectors, rows, strict=True)))
    ages = np.repeat(np.arange(18, 91), np.sum(vectors, axis=0))
    assert len(ages) > 9_999_000
    assert numbers(members.together()) == np.quantile(ages, [0.25, 0.5]).tolist()


def test_a_quantile_of_bins_is_within_half_a_bin(tmp_path: Path) -> None:
    members = analysed(
        tmp_path, "wisconsin", 'kind = "quantile"\ncolumn = "mean_radius"\nstep = 0.05'
    )
    median = frame_of("wisconsin")["mean_radius"].median()
    (found,) = numbers(members.together())
    assert abs(found - median) <= 0.025


@pytest.mark.parametrize(
    ("name", "column", "by"),
    [
        ("gbsg2", "age", "horTh"),
        ("gbsg2", "progrec", "menostat"),
        ("lung", "age", "sex"),
        ("wisconsin", "mean_radius", "target"),
        ("wisconsin", "worst_area", "target"),
        ("diabetes", "bp", "sex"),
    ],
)
def test_t(tmp_path: Path, name: str, column: str, by: str) -> None:
    members = analysed(tmp_path, name, f'kind = "t-test"\ncolumn = "{column}"\nby = "{by}"')
    frame = frame_of(name)
    order = members.plan.study.table.column(by).values
    groups = [frame[column][frame[by] == _as(frame[by], value)].to_numpy(float) for value in order]
    compared = weights.CompareMeans(*map(weights.DescrStatsW, groups))
    t, p, freedom = compared.ttest_ind(usevar="unequal")
    interval = compared.tconfint_diff(usevar="unequal")
    for results in (members.in_the_clear(), members.together()):
        found = following(members, results)
        assert found["t"] == pytest.approx(t, rel=1e-4)
        assert numbers(results)[2] == pytest.approx(freedom, rel=1e-4)
        assert found["p"] == pytest.approx(p, rel=1e-3)
        first, second = order[:2]
        what = f"mean of {first} less mean of {second}, 95 %"
        ends = [found[f"{what} {end}"] for end in ("from", "to")]
        assert_allclose(ends, interval, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("gbsg2", "age", "progrec"),
        ("lung", "age", "time"),
        ("wisconsin", "mean_radius", "mean_texture"),
        ("diabetes", "bmi", "target"),
    ],
)
def test_correlation(tmp_path: Path, name: str, x: str, y: str) -> None:
    members = analysed(tmp_path, name, f'kind = "correlation"\nx = "{x}"\ny = "{y}"')
    frame = frame_of(name)
    expected = stats.pearsonr(frame[x], frame[y])
    for results in (members.in_the_clear(), members.together()):
        assert_allclose(numbers(results), [expected.statistic, len(frame)], rtol=1e-4)
        assert following(members, results)["p"] == pytest.approx(expected.pvalue, rel=1e-3)


def test_a_crude_rate_and_its_exact_interval(tmp_path: Path) -> None:
    members = analysed(
        tmp_path,
        "gbsg2",
        'kind = "rate"\noutcome = "cens"\nevent = "1"\ntime = "time"\nper = 1000',
    )
    frame = frame_of("gbsg2")
    events, time = frame["cens"].sum(), frame["time"].sum()
    for results in (members.in_the_clear(), members.together()):
        assert numbers(results) == [events, time]
        found = following(members, results)
        assert found["rate"] == pytest.approx(1000 * events / time, rel=1e-5)
        # The chance of so many events, or as few, at either end of the interval is 2.5 %.
        low, high = (found[f"rate, 95 % {end}"] * time / 1000 for end in ("from", "to"))
        assert stats.poisson.sf(events - 1, low) == pytest.approx(0.025, rel=1e-3)
        assert stats.poisson.cdf(events, high) == pytest.approx(0.025, rel=1e-3)


def test_a_rate_standardised_to_another_population(tmp_path: Path) -> None:
    members = analysed(
        tmp_path,
        "gbsg2",
        'kind = "rate"\noutcome = "cens"\nevent = "1"\ntime = "time"\nper = 1000\n'
        'by = "tgrade"\nstandard = [20_000, 50_000, 30_000]',
    )
    strata = frame_of("gbsg2").groupby("tgrade")
    events, time = strata["cens"].sum(), strata["time"].sum()
    parts = np.array([0.2, 0.5, 0.3])
    rate = (parts * events / time).sum()
    error = np.sqrt((parts**2 * events / time**2).sum())
    for results in (members.in_the_clear(), members.together()):
        found = following(members, results)
        assert numbers(results)[0] == pytest.approx(rate, rel=1e-5)
        assert found["rate"] == pytest.approx(1000 * rate, rel=1e-4)
        assert found["standard error"] == pytest.approx(1000 * error, rel=1e-4)


def test_a_condition_leaves_rows_out(tmp_path: Path) -> None:
    members = analysed(
        tmp_path,
        "gbsg2",
        'kind = "t-test"\ncolumn = "tsize"\nby = "tgrade"\ngroups = ["I", "III"]\n'
        "where = \"age >= 50 and menostat = 'Post'\"",
    )
    frame = frame_of("gbsg2")
    kept = frame[(frame["age"] >= 50) & (frame["menostat"] == "Post")]
    expected = stats.ttest_ind(
        *(kept["tsize"][kept["tgrade"] == grade] for grade in ("I", "III")), equal_var=False
    )
    found = following(members, members.together())
    assert found["t"] == pytest.approx(expected.statistic, rel=1e-4)


def _as(column: Any, value: str) -> str | float:
    """Return a declared category as the frame holds it."""
    return float(value) if pandas.api.types.is_numeric_dtype(column) else value
