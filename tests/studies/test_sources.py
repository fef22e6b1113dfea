import math
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorate.errors import DataError, Unavailable
from quorate.studies.plan import Plan
from quorate.studies.sources import Source, _connect, aggregate, open_source, snapshot
from quorate.studies.study import read_study
from tests.studies.trio import group_of, plan_of, study_of, write_csv

AGES = plan_of(study_of("integer 0..120 years", "count(*)", "avg(x)", max_rows=100_000))
NUMBERS = plan_of(study_of("number -10..80.5 kg", "sum(x)", max_rows=100_000))
COUNT = plan_of(study_of("integer 0..120 years", "count(*)"))
ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
DATA = Path(__file__).parents[2] / "examples"


def parquet(path: Path, query: str) -> Path:
    with duckdb.connect(":memory:") as database:
        database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def of(path: Path, plan: Plan) -> tuple[int, ...]:
    return aggregate(open_source(path), plan)


def refusal(path: Path, plan: Plan) -> str:
    with pytest.raises(DataError) as refused:
        of(path, plan)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return str(refused.value)


@pytest.mark.parametrize(
    ("lists", "mean"),
    [
        ([["23", "25", "30"], ["40", "35"]], Fraction("30.6")),
        ([["65", "67", "70"], ["60", "64"], ["72", "74"]], Fraction(472, 7)),
    ],
)
def test_the_pooled_mean_is_the_mean_of_all_rows(
    tmp_path: Path, lists: list[list[str]], mean: Fraction
) -> None:
    group = group_of(*(f"m{i}" for i in range(len(lists))))
    study = study_of("integer 0..120 years", "count(*)", "avg(x)")
    plan = plan_of(study, group, *(["two-members"] if len(lists) == 2 else []))
    parts = [of(write_csv(tmp_path / f"{i}.csv", "x", xs), plan) for i, xs in enumerate(lists)]
    count, average = plan.results(tuple(sum(part) for part in zip(*parts, strict=True)))
    assert count.exact == str(sum(map(len, lists)))
    assert Fraction(average.exact) == mean


def test_the_example_gives_the_patients_true_mean_age() -> None:
    plan = plan_of(read_study((DATA / "average-age.toml").read_text(encoding="utf-8")))
    parts = [of(DATA / "data" / f"{name}.csv", plan) for name in ("north", "south", "west")]
    patients, mean = plan.results(tuple(sum(part) for part in zip(*parts, strict=True)))
    assert (patients.value, mean.exact) == ("442", "21445/442")


@ONE_FOLDER
@given(st.lists(st.integers(0, 120), min_size=1, max_size=50))
def test_csv_and_parquet_of_any_type_give_the_same_integers(
    tmp_path: Path, ages: list[int]
) -> None:
    texts = [str(age) for age in ages]
    expected = (len(ages), sum(ages))
    assert of(write_csv(tmp_path / "a.csv", "x", texts), AGES) == expected
    assert of(write_csv(tmp_path / "b.csv", "x", [f"{t}.0" for t in texts]), AGES) == expected
    for kind in ("UTINYINT", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL(9,3)", "VARCHAR"):
        query = f"SELECT unnest({ages})::{kind} AS x"
        assert of(parquet(tmp_path / "c.parquet", query), AGES) == expected


@ONE_FOLDER
@given(st.lists(st.decimals(-10, "80.5", places=9), min_size=1, max_size=50))
def test_numbers_are_summed_exactly_and_rounded_once(tmp_path: Path, xs: list[Decimal]) -> None:
    total = sum(map(Fraction, xs), Fraction(0))
    (csv,) = of(write_csv(tmp_path / "a.csv", "x", [f"{x:f}" for x in xs]), NUMBERS)
    assert csv == total * 10**9
    query = f"SELECT unnest([{', '.join(f'{x:f}' for x in xs)}]::DECIMAL(18,9)[]) AS x"
    assert of(parquet(tmp_path / "b.parquet", query), NUMBERS) == (csv,)
    query = f"SELECT unnest([{', '.join(f'{x:f}' for x in xs)}]::DOUBLE[]) AS x"
    assert of(parquet(tmp_path / "c.parquet", query), NUMBERS) == (csv,)


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    query = "SELECT ((i * 7919) % 90000) / 1000.0::DOUBLE - 9.5 AS x FROM range(90000) t(i)"
    forward = parquet(tmp_path / "a.parquet", query + " ORDER BY i")
    backward = parquet(tmp_path / "b.parquet", query + " ORDER BY i DESC")
    assert of(forward, NUMBERS) == of(backward, NUMBERS)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("", "no value"),
        ('""', "no value"),
        ('" "', "no value"),
        ("59.5", "not of the declared kind"),
        ("5931x", "not of the declared kind"),
        ("5931 1", "not of the declared kind"),
        ("0x3B", "not of the declared kind"),
        ("nan", "not of the declared kind"),
        ("inf", "not of the declared kind"),
        ("1e400", "not of the declared kind"),
        ("'5931'", "not of the declared kind"),
        ("121", "out of bounds"),
        ("-1", "out of bounds"),
        ("99999999999999999999999", "not of the declared kind"),
    ],
)
def test_a_bad_row_is_named_and_its_value_is_not(tmp_path: Path, value: str, what: str) -> None:
    path = tmp_path / "north.csv"
    path.write_text(f'note,x\nfine,1\n"two\nlines",2\n\nbad,{value}\nbad too,x\n', encoding="utf-8")
    declared = "where integer 0..120 years is declared"
    assert refusal(path, AGES) == f"north.csv: row 3 (line 6), column x: {what}, {declared}"


@pytest.mark.parametrize("value", ["80.500000001", "-10.1", "1e9", "", "kg", "nan", "1,5"])
def test_a_number_out_of_its_bounds_is_refused(tmp_path: Path, value: str) -> None:
    path = write_csv(tmp_path / "a.csv", "x", ["80.5", "-10", f'"{value}"'])
    assert refusal(path, NUMBERS).startswith("a.csv: row 3 (line 4), column x: ")


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("SELECT unnest([1, 2, NULL, 500]) AS x", "row 3, column x: no value"),
        ("SELECT unnest([1, 2, 500, NULL]) AS x", "row 3, column x: out of bounds"),
        ("SELECT unnest([1, 2, 2.5]::DOUBLE[]) AS x", "row 3, column x: not of the declared"),
        ("SELECT unnest([1, 2, 'nan'::DOUBLE]) AS x", "row 3, column x: not of the declared"),
        ("SELECT unnest([1, 2, 1e30]::DOUBLE[]) AS x", "row 3, column x: not of the declared"),
        ("SELECT unnest([true]) AS x", "column x holds BOOLEAN, where integer is declared"),
        ("SELECT DATE '2020-01-01' AS x", "column x holds DATE"),
        ("SELECT [1] AS x", "column x holds INTEGER[]"),
        ("SELECT 1 AS y", "has no column x"),
        ("SELECT 1 AS X", "has no column x"),
        ("SELECT 1 AS x WHERE false", "has no rows"),
    ],
)
def test_parquet_rows_are_held_to_the_same_declaration(
    tmp_path: Path, query: str, what: str
) -> None:
    assert what in refusal(parquet(tmp_path / "a.parquet", query), AGES)


def test_a_bad_row_deep_in_a_large_file_is_found(tmp_path: Path) -> None:
    rows = [str(i % 100) for i in range(90_000)]
    rows[77_776] = "7777x"
    csv = write_csv(tmp_path / "a.csv", "x", rows)
    assert "row 77777 (line 77778), column x" in refusal(csv, AGES)
    query = "SELECT CASE WHEN i = 77776 THEN 500 ELSE i % 100 END AS x FROM range(90000) t(i)"
    assert "row 77777, column x" in refusal(parquet(tmp_path / "a.parquet", query), AGES)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the first line names no columns"),
        (b"\n1\n", "the first line names no columns"),
        (b"x\n", "a.csv has no rows"),
        (b"age,bmi\n1,2\n", "a.csv has no column x"),
        (b"x,x\n1,2\n", "a.csv has two columns x"),
        (b"x,y\n1,2\n5931\n", "line 3 is not like the first line"),
        (b"x,y\n1,2\n5931,2,3\n", "line 3 is not like the first line"),
        (b'x,y\n1,2\n"5931,2\n', "line 3 is not like the first line"),
        (b"x,y\n1,2\n5931\xff,2\n", "line 3 is not like the first line"),
        (b"x\xff,y\n1,2\n", "the first line is not CSV in UTF-8"),
        (b'"x\n1\n', "the first line is not CSV in UTF-8"),
        (b"x\n" + b"1\n" * 100_001, "more rows than the 100000"),
        (bytes(1000), "a.csv"),
        (os.urandom(1000), "a.csv"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    message = refusal(path, AGES)
    assert what in message
    assert "5931" not in message


def test_rows_are_counted_only_where_all_lines_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n\n3,4\n5931\n", encoding="utf-8")
    assert "line 5 is not like the first line" in refusal(path, COUNT)


def test_a_missing_column_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        of(write_csv(tmp_path / "a.csv", "age,bmi", ["1,2"]), AGES)
    assert refused.value.hint == "its columns are age, bmi"


@pytest.mark.parametrize(
    "text",
    ["\ufeffy,x\n1,2\n3,4\n", "y;x\r\n1;2\r\n3;4\r\n", "y\tx\n1\t2\n3\t4", '"y"," x "\n1,2\n3,"4"'],
)
def test_csv_of_the_usual_programs_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "it's here.csv"
    path.write_bytes(text.encode())
    assert of(path, AGES) == (2, 6)
    assert of(path, COUNT) == (2,)


def test_a_file_that_is_not_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1" + os.urandom(200) + b"PAR1")
    assert "a.parquet" in refusal(path, AGES)


@pytest.mark.parametrize("name", ["missing.csv", "folder.csv", "a.txt", "a*.csv", "a[1].csv"])
def test_what_cannot_be_a_source(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    if name not in {"missing.csv", "folder.csv"}:
        write_csv(tmp_path / name, "x", ["1"])
    with pytest.raises(Unavailable):
        open_source(tmp_path / name)


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    for path in (
        write_csv(tmp_path / "a.csv", "x", ["1"]),
        parquet(tmp_path / "a.parquet", "SELECT 1 AS x"),
    ):
        source = open_source(path)
        path.unlink()
        with pytest.raises(Unavailable):
            aggregate(source, AGES)


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "x=3"
    folder.mkdir()
    assert "no column x" in refusal(parquet(folder / "a.parquet", "SELECT 1 AS y"), AGES)
    assert "no column x" in refusal(write_csv(folder / "a.csv", "y", ["1"]), AGES)


def test_sums_beyond_64_bits_do_not_wrap_in_the_engine(tmp_path: Path) -> None:
    top = 10**15 - 1
    plan = plan_of(study_of(f"integer -{top}..{top} kg", "sum(x)", max_rows=3000))
    query = "SELECT 999999999999999 AS x FROM range(3000)"
    assert of(parquet(tmp_path / "a.parquet", query), plan) == (3000 * top,)
    assert of(write_csv(tmp_path / "a.csv", "x", [f"-{top}"] * 3000), plan) == (-3000 * top,)
    query = "SELECT unnest([9223372036854775807, 9223372036854775807, 1])::BIGINT AS x"
    assert "out of bounds" in refusal(parquet(tmp_path / "b.parquet", query), plan)


def test_a_thin_float_counts_as_what_it_stores(tmp_path: Path) -> None:
    (total,) = of(parquet(tmp_path / "a.parquet", "SELECT 27.3::FLOAT AS x"), NUMBERS)
    assert math.isclose(total / 10**9, 27.3, abs_tol=1e-6)


def test_the_engine_can_read_that_file_and_nothing_else(tmp_path: Path) -> None:
    allowed, other = (
        write_csv(tmp_path / "a.csv", "x", ["1"]),
        write_csv(tmp_path / "b.csv", "x", ["1"]),
    )
    forbidden = [
        f"FROM read_csv('{other}')",
        f"COPY (SELECT 1) TO '{tmp_path / 'c.csv'}'",
        f"ATTACH '{tmp_path / 'd.db'}'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "INSTALL httpfs",
        "LOAD httpfs",
    ]
    source = Source(allowed, "csv")
    with _connect(source) as database:
        assert database.execute(f"FROM read_csv('{allowed}')").fetchall() == [(1,)]
        for statement in forbidden:
            with pytest.raises(duckdb.Error, match=r"by configuration|through conf|been locked"):
                database.execute(statement)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def test_squares_of_rows_far_out_of_bounds_do_not_overflow_before_they_are_named(
    tmp_path: Path,
) -> None:
    plan = plan_of(study_of("integer 0..9 kg", "var(x)"))
    query = "SELECT unnest([1, 9223372036854775807])::BIGINT AS x"
    assert "row 2, column x: out of bounds" in refusal(parquet(tmp_path / "a.parquet", query), plan)


def test_a_snapshot_changes_with_every_byte_and_with_nothing_else(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "x", ["1", "2"])
    first = snapshot(open_source(path))
    assert len(first) == 32
    os.utime(path, (1, 1))
    assert snapshot(open_source(path)) == first
    write_csv(path, "x", ["2", "1"])
    assert snapshot(open_source(path)) != first
    source = open_source(path)
    path.unlink()
    with pytest.raises(Unavailable):
        snapshot(source)
