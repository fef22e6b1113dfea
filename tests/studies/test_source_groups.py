"""Groups of a member's own rows by declared values only, and floating point near its bounds."""

from pathlib import Path

import pytest

from quorate.studies.study import read_study
from tests.studies.test_sources import NUMBERS, of, parquet, refusal
from tests.studies.trio import plan_of

BY_GROUP = """
title = "t"
purpose = "p"
max_rows = 100_000
min_cell = 1
[tables.people]
x = "integer 0..9 kg"
sex = "category F \\"not known\\" it's"
ward = "category 1 2 -30"
[releases]
r = "select sex, ward, count(*) as n, sum(x) as s from people where x < 9 group by sex, ward"
"""
GROUPS = plan_of(read_study(BY_GROUP))


def test_rows_are_told_apart_by_declared_values_only(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ward,sex,x\n1,F,1\n1.0,F,2\n-30,it's,3\n2,not known,9\n+2,not known,4\n")
    counts, sums = of(path, GROUPS)[:9], of(path, GROUPS)[9:]
    assert counts == (2, 0, 0, 0, 1, 0, 0, 0, 1)
    assert sums == (3, 0, 0, 0, 4, 0, 0, 0, 3)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("1,M,1", "row 2 (line 3), column sex: not a declared value"),
        ("1,f,1", "row 2 (line 3), column sex: not a declared value"),
        ("1, F,1", "row 2 (line 3), column sex: not a declared value"),
        ("1,,1", "row 2 (line 3), column sex: no value"),
        ("3,F,1", "row 2 (line 3), column ward: not a declared value"),
        ("1.5,F,1", "row 2 (line 3), column ward: not of the declared kind"),
        ("one,F,1", "row 2 (line 3), column ward: not of the declared kind"),
        ("1,F,10", "row 2 (line 3), column x: out of bounds"),
    ],
)
def test_a_condition_excuses_no_row(tmp_path: Path, row: str, what: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"ward,sex,x\n1,F,9\n{row}\n")
    assert f"a.csv: {what}" in refusal(path, GROUPS)


@pytest.mark.parametrize(
    "kind", ["TINYINT", "BIGINT", "HUGEINT", "DOUBLE", "DECIMAL(9,2)", "VARCHAR"]
)
def test_categories_of_parquet_are_the_same(tmp_path: Path, kind: str) -> None:
    query = f"SELECT unnest(['F', 'it''s']) AS sex, unnest([1, -30])::{kind} AS ward, 3 AS x"
    assert of(parquet(tmp_path / "a.parquet", query), GROUPS)[:9] == (1, 0, 0, 0, 0, 0, 0, 0, 1)
    bad = query.replace("-30", "7")
    assert "row 2, column ward" in refusal(parquet(tmp_path / "b.parquet", bad), GROUPS)


@pytest.mark.parametrize(
    "value", ["80.6", "-10.000000001", "1e300", "'nan'", "'inf'", "'-inf'", "NULL", "1e9"]
)
@pytest.mark.parametrize("kind", ["DOUBLE", "FLOAT"])
def test_floating_point_out_of_bounds_is_refused(tmp_path: Path, value: str, kind: str) -> None:
    if kind == "FLOAT" and value in {"1e300", "-10.000000001"}:
        return  # no FLOAT has that value
    query = f"SELECT unnest([80.5::{kind}, -10, {value}::{kind}]) AS x"
    assert "row 3, column x" in refusal(parquet(tmp_path / "a.parquet", query), NUMBERS)
