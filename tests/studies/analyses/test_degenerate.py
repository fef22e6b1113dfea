"""Tables with empty lines, columns that do not vary, events at one member: said, not garbage."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.studies.analyses.following import follows
from quorate.studies.results import NONE, WITHHELD
from tests.studies.analyses.oracles import stats
from tests.studies.analyses.together import Members, members_of

TEXT = """
title = "t"
purpose = "p"
max_rows = 200
min_cell = {least}
[tables.patients]
arm = "category a b c"
out = "category 0 1"
x = "integer 0..100 points"
y = "integer 0..100 points"
[analyses.a]
"""
CHI = 'kind = "crosstab"\nrows = "arm"\ncolumns = "out"\n'
ODDS = (
    'kind = "two-by-two"\nexposure = "arm"\nexposed = "a"\noutcome = "out"\nevent = "1"\n'
    "where = \"arm in ('a', 'b')\"\n"
)
T = 'kind = "t-test"\ncolumn = "x"\nby = "arm"\ngroups = ["a", "b"]\n'
R = 'kind = "correlation"\nx = "x"\ny = "y"\n'
MEDIAN = 'kind = "quantile"\ncolumn = "x"\n'
RATE = 'kind = "rate"\noutcome = "out"\nevent = "1"\ntime = "x"\nby = "arm"\nstandard = [1, 2, 3]\n'
Row = tuple[str, int, int, int]
COLUMNS: tuple[str, ...] = ("arm", "out", "x", "y")


def among(folder: Path, analysis: str, *parts: Sequence[Row], least: int = 1) -> Members:
    rows = [[dict(zip(COLUMNS, row, strict=True)) for row in p] for p in parts]
    return members_of(folder, TEXT.format(least=least) + analysis, *rows)


def shown(members: Members) -> list[str]:
    """Return the results of the committee, which are those of one who sees all."""
    values = [result.value for result in members.together()]
    clear = [result.value for result in members.in_the_clear()]
    assert [v in {NONE, WITHHELD} for v in values] == [v in {NONE, WITHHELD} for v in clear]
    return values


def test_an_empty_line_of_a_table_counts_for_nothing(tmp_path: Path) -> None:
    rows: list[Row] = [("a", 0, 1, 1), ("a", 1, 1, 1), ("b", 0, 1, 1), ("b", 0, 1, 1)]
    members = among(tmp_path, CHI, rows, rows[:3], rows[1:])
    every = rows + rows[:3] + rows[1:]
    table = [[every.count((arm, out, 1, 1)) for out in (0, 1)] for arm in "ab"]
    chi = stats.chi2_contingency(table, correction=False)
    values = shown(members)
    assert float(values[0]) == pytest.approx(chi.statistic, rel=1e-4)
    assert values[1] == "1"


@pytest.mark.parametrize("out", [0, 1])
def test_a_category_of_one_value_has_no_chi_squared(tmp_path: Path, out: int) -> None:
    rows: list[Row] = [(arm, out, 1, 1) for arm in "abc"]
    assert shown(among(tmp_path, CHI, rows, rows, rows)) == [NONE, "0"]


def test_a_table_with_an_empty_cell_has_no_odds(tmp_path: Path) -> None:
    rows: list[Row] = [("a", 0, 1, 1), ("a", 1, 1, 1), ("b", 0, 1, 1)]
    members = among(tmp_path, ODDS, rows, rows, rows)
    assert shown(members) == [NONE, NONE]
    assert members.plain() == [None, None]
    assert follows(members.plan, members.in_the_clear()) == ()


def test_all_events_at_one_member_are_as_good_as_anywhere(tmp_path: Path) -> None:
    events: list[Row] = [("a", 1, 5, 1)] * 6 + [("b", 1, 5, 1)] * 8
    none: list[Row] = [("a", 0, 5, 1)] * 9 + [("b", 0, 5, 1)] * 5
    members = among(tmp_path, ODDS, events, none, none, least=5)
    odds = 6 * 10 / 8 / 18
    assert float(shown(members)[0]) == pytest.approx(np.log(odds), rel=1e-4)


def test_constants_have_neither_t_nor_correlation(tmp_path: Path) -> None:
    rows: list[Row] = [("a", 0, 7, y) for y in range(5)] + [("b", 0, 7, y) for y in range(5)]
    assert shown(among(tmp_path, T, rows, rows, rows)) == [NONE] * 3
    assert shown(among(tmp_path, R, rows, rows, rows)) == [NONE, "30"]


def test_one_row_has_no_variance(tmp_path: Path) -> None:
    many: list[Row] = [("b", 0, x, x) for x in (3, 4, 9)]
    assert shown(among(tmp_path, T, [("a", 0, 3, 3), *many], many, many)) == [NONE] * 3


def test_a_group_that_does_not_vary_still_has_t(tmp_path: Path) -> None:
    same, other = [7] * 6, [3, 9, 12, 30, 31, 35]
    rows: list[Row] = [("a", 0, x, 0) for x in same] + [("b", 0, x, 0) for x in other]
    members = among(tmp_path, T, rows, rows, rows)
    t = (7 - np.mean(other)) / np.sqrt(np.var(other * 3, ddof=1) / 18)
    found = {one.name: float(one.value) for one in follows(members.plan, members.together())}
    assert found["a t"] == pytest.approx(t, rel=1e-4)
    assert found["a p"] == pytest.approx(2 * stats.t.sf(abs(t), 17), rel=1e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_correlation_is_one(tmp_path: Path, sign: int) -> None:
    rows: list[Row] = [("a", 0, 50 + x, 50 + sign * x) for x in range(10)]
    assert float(shown(among(tmp_path, R, rows, rows, rows))[0]) == pytest.approx(sign, abs=1e-5)


def test_no_rows_at_all_have_nothing(tmp_path: Path) -> None:
    rows: list[Row] = [("c", 0, 1, 1)] * 3
    for analysis in (CHI, T, MEDIAN):
        where = f"{analysis}where = \"arm = 'a'\"\n"
        members = among(tmp_path, where, rows, rows, rows)
        assert set(shown(members)) <= {NONE, "0"}


def test_a_stratum_without_time_has_no_standardised_rate(tmp_path: Path) -> None:
    rows: list[Row] = [("a", 1, 30, 0), ("b", 0, 20, 0), ("b", 1, 90, 0)]
    assert shown(among(tmp_path, RATE, rows, rows, rows)) == [NONE, NONE]


def test_a_stratum_without_events_has_a_rate_of_none(tmp_path: Path) -> None:
    rows: list[Row] = [("a", 1, 30, 0), ("b", 0, 20, 0), ("c", 1, 90, 0)]
    members = among(tmp_path, RATE, rows, rows, rows)
    rate = (1 * 1 / 30 + 0 + 3 * 1 / 90) / 6
    assert float(Fraction(members.together()[0].exact)) == pytest.approx(rate, rel=1e-4)


@settings(deadline=None, max_examples=12)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 1), st.integers(0, 100), st.just(3)),
        min_size=3,
        max_size=60,
    )
)
def test_whatever_the_rows_the_shares_say_what_the_rows_say(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row]
) -> None:
    for analysis in (CHI, ODDS, T, MEDIAN, RATE):
        folder = tmp_path_factory.mktemp("rows")
        members = among(folder, analysis, rows, rows[:2], rows[-1:])
        for result, plain in zip(members.in_the_clear(), members.plain(), strict=True):
            if plain is None or result.value == NONE:
                assert plain is None, (result, plain)
                assert result.value == NONE, (result, plain)
            else:
                assert float(Fraction(result.exact)) == pytest.approx(plain, rel=1e-4, abs=1e-6)
