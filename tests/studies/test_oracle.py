"""Generated studies over generated rows: the members' sums give DuckDB's answer on all rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.studies.plan import Plan
from quorate.studies.results import NONE, Result
from quorate.studies.sources import aggregate, open_source
from quorate.studies.study import Study, read_study
from tests.studies.trio import plan_of

Row = tuple[str, ...]
SCHEMA = """
title = "t"
purpose = "p"
max_rows = 1000
min_cell = 1
[tables.people]
age = "integer -20..120 years"
bmi = "number -5..80.5 kg/m2"
sex = 'category F "not known" M'
ward = "category 1 2 30"
[releases]
"""
SEXES, WARDS = ("F", "not known", "M"), ("1", "2", "30")
TYPES = "age BIGINT, bmi DECIMAL(18, 9), sex VARCHAR, ward BIGINT"


@dataclass(frozen=True, slots=True)
class Case:
    sql: str
    members: tuple[tuple[Row, ...], ...]


def texts(values: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


AGES = st.integers(-20, 120).map(str)
BMIS = st.decimals(-5, "80.5", places=3).map(lambda d: f"{d:f}")
ROWS = st.tuples(AGES, BMIS, texts(SEXES), texts(WARDS))
QUOTED = texts([f"'{sex}'" for sex in SEXES])


def comparisons() -> st.SearchStrategy[str]:
    numbers = st.one_of(
        st.tuples(st.just("age"), AGES, AGES), st.tuples(st.just("bmi"), BMIS, BMIS)
    )
    signs = texts(("=", "<>", "<", "<=", ">", ">=", "!="))
    categories = st.one_of(
        st.tuples(st.just("sex"), st.lists(QUOTED, min_size=1, max_size=3, unique=True)),
        st.tuples(st.just("ward"), st.lists(texts(WARDS), min_size=1, max_size=3, unique=True)),
    )
    return st.one_of(
        st.tuples(numbers, signs).map(lambda x: f"{x[0][0]} {x[1]} {x[0][1]}"),
        numbers.map(lambda x: f"{x[0]} between {x[1]} and {x[2]}"),
        categories.map(lambda x: f"{x[0]} in ({', '.join(x[1])})"),
        categories.map(lambda x: f"{x[0]} not in ({', '.join(x[1])})"),
        categories.map(lambda x: f"{x[0]} <> {x[1][0]}"),
    )


def conditions() -> st.SearchStrategy[str]:
    return st.recursive(
        comparisons(),
        lambda inner: st.one_of(
            st.tuples(inner, texts(("and", "or")), inner).map(lambda x: f"({' '.join(x)})"),
            inner.map(lambda x: f"not ({x})"),
        ),
        max_leaves=4,
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    groups = draw(st.lists(texts(("sex", "ward")), max_size=2, unique=True))
    calls = draw(
        st.lists(
            texts(
                (
                    "count(*)",
                    "count(sex)",
                    *(
                        f"{f}({c})"
                        for f in ("sum", "avg", "var", "stddev", "variance", "var_samp")
                        for c in ("age", "bmi")
                    ),
                )
            ),
            min_size=1,
            max_size=4,
        )
    )
    outputs = [f"{call} as v{i}" for i, call in enumerate(calls)]
    sql = f"select {', '.join(groups + outputs)} from people"
    if draw(st.booleans()):
        sql += f" where {draw(conditions())}"
    if groups:
        sql += f" group by {', '.join(groups)}"
    members = draw(st.tuples(*[st.lists(ROWS, min_size=1, max_size=12).map(tuple)] * 3))
    return Case(sql, members)


def study_of_sql(**releases: str) -> Study:
    return read_study(SCHEMA + "".join(f'{name} = """{sql}"""\n' for name, sql in releases.items()))


def secure(plan: Plan, members: Sequence[Sequence[Row]]) -> tuple[Result, ...]:
    """Return the results of what each member computes of its own file, plainly added up."""
    parts: list[tuple[int, ...]] = []
    with TemporaryDirectory() as folder:
        for i, rows in enumerate(members):
            path = Path(folder) / f"{i}.csv"
            lines = ["age,bmi,sex,ward", *(",".join(row) for row in rows)]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            parts.append(aggregate(open_source(path), plan))
    return plan.results(tuple(sum(part) for part in zip(*parts, strict=True)))


def truth(sql: str, rows: Sequence[Row]) -> list[tuple[object, ...]]:
    with duckdb.connect(":memory:") as database:
        database.execute(f"CREATE TABLE people ({TYPES})")
        database.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", [list(r) for r in rows])
        return database.execute(sql.replace("var(", "var_samp(")).fetchall()


def number(result: Result) -> float:
    if result.exact.startswith("sqrt("):
        return math.sqrt(Fraction(result.exact[5:-1]))
    return float(Fraction(result.exact))


@settings(max_examples=50, deadline=None)
@given(cases())
def test_a_generated_study_gives_what_the_database_says_of_all_rows(case: Case) -> None:
    plan = plan_of(study_of_sql(r=case.sql))
    (query,) = plan.study.releases
    results = secure(plan, case.members)
    rows = [row for member in case.members for row in member]
    order = [f"{name} = " for name in query.group_by]
    expected = {
        tuple(f"{axis}{value}" for axis, value in zip(order, row, strict=False)): row[len(order) :]
        for row in truth(query.sql, rows)
    }
    n = len(query.outputs)
    for k, output in enumerate(query.outputs):
        for result in results[k * len(results) // n : (k + 1) * len(results) // n]:
            assert result.name == output.name
            there = expected.get(result.cell)
            compare(result, output.statistic, None if there is None else there[k])


def compare(result: Result, statistic: str, value: object) -> None:
    if value is None:
        none = statistic in {"avg", "var", "stddev"}
        assert (result.value, result.exact) == ((NONE, "") if none else ("0", "0"))
        return
    if statistic in {"count", "sum"}:
        assert isinstance(value, int | Decimal)
        assert Fraction(result.exact) == Fraction(value)
        return
    assert isinstance(value, float)
    # DuckDB's own mean and variance of decimals are floating point.
    assert math.isclose(number(result), value, rel_tol=1e-9, abs_tol=1e-6)
    assert math.isclose(float(result.value), value, rel_tol=1e-9, abs_tol=2e-6)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(ROWS, min_size=3, max_size=40),
    st.lists(st.integers(-20, 120), min_size=2, max_size=6, unique=True).map(sorted),
)
def test_a_histogram_counts_half_open_bins_and_closes_the_last(
    rows: list[Row], edges: list[int]
) -> None:
    sql = f"select sex, histogram(age, {', '.join(map(str, edges))}) as h from people group by sex"
    results = secure(plan_of(study_of_sql(r=sql)), (rows[:1], rows[1:2], rows[2:]))
    at = 0
    for sex in SEXES:
        ages = [int(row[0]) for row in rows if row[2] == sex]
        for i, (low, high) in enumerate(pairwise(edges)):
            last = i == len(edges) - 2
            there = sum(low <= age < high or (last and age == high) for age in ages)
            sign = "<=" if last else "<"
            assert results[at].cell == (f"sex = {sex}", f"{low} <= age {sign} {high}")
            assert results[at].value == str(there)
            at += 1
    assert at == len(results)


def test_the_example_gives_the_true_means_by_sex() -> None:
    examples = Path(__file__).parents[2] / "examples"
    plan = plan_of(read_study((examples / "by-sex.toml").read_text(encoding="utf-8")))
    files = [examples / "data" / f"{name}.csv" for name in ("north", "south", "west")]
    parts = [aggregate(open_source(path), plan) for path in files]
    results = plan.results(tuple(sum(part) for part in zip(*parts, strict=True)))
    with duckdb.connect(":memory:") as database:
        rows = database.execute(
            "SELECT count(*), avg(age), avg(target), stddev(target) "
            f"FROM read_csv({list(map(str, files))}) WHERE age >= 18 GROUP BY sex ORDER BY sex"
        ).fetchall()
    by_sex = [result for result in results if result.release == "by_sex"]
    for k in range(4):
        for i in range(2):
            assert float(by_sex[2 * k + i].value) == pytest.approx(rows[i][k], abs=1e-6)
    ages = [result for result in results if result.release == "ages"]
    assert sum(int(result.value) for result in ages if result.exact) <= 442
