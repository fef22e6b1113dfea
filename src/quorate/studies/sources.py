"""A member's own rows: what DuckDB computes of them, and nothing it could leak.

One pass over one local file gives the count, the sums and whether every row
keeps the declared bounds; only if some row does not, a second pass finds the
first one. Errors name a row, a column and the declaration, never a value.

All arithmetic is on integers and decimals, so the result depends neither on
the order of rows nor on the number of threads:

    integer   text and floating point as DOUBLE, which must be whole; summed as HUGEINT
    number    rounded once per row to 9 decimals (or to the precision of a DOUBLE,
              where the file holds such), summed exactly, and rounded once per
              member to 2^-20: at most 5e-10 a row and 2^-21 a member

DuckDB runs in memory and may read that file, and nothing else: no network, no
other file, no extension, no change of these settings.
"""

import csv
import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb

from quorate.algebra import fixed
from quorate.errors import DataError, Error, Unavailable
from quorate.studies.plan import Count, Input, Plan, Sum
from quorate.studies.study import DECIMALS, WHOLE_DIGITS, Column, shown

_NATIVE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_WIDE = {"UBIGINT", "HUGEINT", "UHUGEINT"}
_DECIMAL_TYPE = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_NUMBER = f"DECIMAL({WHOLE_DIGITS['number'] + DECIMALS['number']},{DECIMALS['number']})"
_BAD_LINE = re.compile(r"CSV Error on Line: (\d+)")
_DELIMITERS = ",;\t"
MAX_HEADER = 1 << 20
_LOCKED = {
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "allow_unsigned_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
}


@dataclass(frozen=True, slots=True)
class Source:
    path: Path  # absolute, without links
    format: Literal["csv", "parquet"]


@dataclass(frozen=True, slots=True)
class _Field:
    """One column as the file has it: its SQL name and DuckDB type."""

    name: str
    sql: str
    type: str


@dataclass(frozen=True, slots=True)
class _Table:
    """The file as SQL: `row` is an expression that counts its rows from 1."""

    scan: str
    fields: tuple[_Field, ...]
    row: str
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A declared column, and SQL for one row's value: as the file has it, and exact or null."""

    column: Column
    raw: str
    value: str

    @property
    def bounds(self) -> list[int | Decimal]:
        kind = int if self.column.kind == "integer" else Decimal
        return [kind(self.column.low), kind(self.column.high)]


def open_source(path: Path) -> Source:
    """Return the source at `path`, a .csv or .parquet file. Raises `Unavailable`."""
    suffix = path.suffix.lower()
    if not path.is_file():
        raise Unavailable(f"{shown(path.name)} is not a file", hint="check the path")
    if suffix not in {".csv", ".parquet"}:
        raise Unavailable(f"{shown(path.name)} is neither .csv nor .parquet")
    resolved = path.resolve(strict=True)
    if any(char in str(resolved) for char in "*?[]{}"):
        raise Unavailable(
            f"the path of {shown(path.name)} holds one of * ? [ ] {{ }}",
            hint="these stand for many files; rename the file or its folder",
        )
    return Source(resolved, "csv" if suffix == ".csv" else "parquet")


def aggregate(source: Source, plan: Plan) -> tuple[int, ...]:
    """Return this member's own part of each of `plan.inputs`, every row checked.

    Raises `DataError` for rows that are not as declared, `Unavailable` for a
    file that cannot be read.
    """
    summed = [item.column for item in plan.inputs if isinstance(item, Sum)]
    columns = [plan.study.table.column(name) for name in summed]
    totals: dict[Input, int] = {}
    with _connect(source) as database:
        seen = _csv(source) if source.format == "csv" else _parquet(source, database)
        readings = [_reading(source, seen, column) for column in columns]
        totals[Count()], sums = _one_pass(database, seen, readings)
        _check_count(source, totals[Count()], plan.study.max_rows)
        for reading, (total, within) in zip(readings, sums, strict=True):
            if not within:
                raise _bad_row(source, database, seen, reading)
            totals[Sum(reading.column.name)] = fixed.encode(total, plan.bits(reading.column))
    return tuple(totals[item] for item in plan.inputs)


@contextmanager
def _connect(source: Source) -> Generator[duckdb.DuckDBPyConnection]:
    """Yield a database that may read `source` only, and whose errors quote no row."""
    try:
        with duckdb.connect(":memory:", config=dict(_LOCKED)) as database:
            database.execute(f"SET allowed_paths = [{_quoted(str(source.path))}]")
            database.execute("SET enable_external_access = false")
            database.execute("SET lock_configuration = true")
            yield database
    except duckdb.Error as e:
        raise _without_rows(source, e) from None


def _without_rows(source: Source, e: duckdb.Error) -> Error:
    """Return what went wrong; DuckDB's own message may hold the line it stumbled over."""
    name = shown(source.path.name)
    if isinstance(e, duckdb.IOException | duckdb.PermissionException):
        return Unavailable(f"{name} cannot be read", hint="check that the node may read it")
    if line := _BAD_LINE.search(str(e)):
        return DataError(
            f"{name}: line {line[1]} is not like the first line",
            hint="each line needs the same number of columns, closed quotes and UTF-8 text",
        )
    return DataError(f"{name} is not a readable {source.format} file")


def _csv(source: Source) -> _Table:
    """Return the CSV file with columns by position, all text: nothing is guessed but the comma."""
    name = shown(source.path.name)
    try:
        with source.path.open("rb") as file:
            line = file.readline(MAX_HEADER).decode("utf-8-sig")
        delimiter = max(_DELIMITERS, key=line.count)
        header = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except OSError:
        raise Unavailable(
            f"{name} cannot be read", hint="check that the node may read it"
        ) from None
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{name}: the first line is not CSV in UTF-8") from None
    if not header:
        raise DataError(f"{name}: the first line names no columns")
    fields = tuple(_Field(title.strip(), f"c{i}", "VARCHAR") for i, title in enumerate(header))
    columns = ", ".join(f"'{field.sql}': 'VARCHAR'" for field in fields)
    scan = (
        f"read_csv({_quoted(str(source.path))}, auto_detect=false, header=true, "
        f"delim='{delimiter}', quote='\"', escape='\"', columns={{{columns}}}, strict_mode=true, "
        "null_padding=false, compression='none', hive_partitioning=false)"
    )
    return _Table(scan, fields, "row_number() OVER ()", delimiter)


def _parquet(source: Source, database: duckdb.DuckDBPyConnection) -> _Table:
    scan = f"read_parquet({_quoted(str(source.path))}, hive_partitioning=false)"
    rows = database.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()  # noqa: S608
    fields = tuple(_Field(row[0], _identifier(row[0]), row[1]) for row in rows)
    return _Table(scan, fields, "file_row_number + 1")


def _field(source: Source, seen: _Table, column: Column) -> _Field:
    matching = [field for field in seen.fields if field.name == column.name]
    if len(matching) == 1:
        return matching[0]
    there = ", ".join(shown(field.name) for field in seen.fields[:50])
    raise DataError(
        f"{shown(source.path.name)} has {'two columns' if matching else 'no column'} {column.name}",
        hint=f"its columns are {there}",
    )


def _reading(source: Source, seen: _Table, column: Column) -> _Reading:
    field = _field(source, seen, column)
    return _Reading(column, field.sql, _value(column, field))


def _value(column: Column, field: _Field) -> str:
    """Return SQL for the exact value of one row: null where it is not of the declared kind."""
    decimal = _DECIMAL_TYPE.fullmatch(field.type)
    if field.type not in {*_NATIVE, *_WIDE, "FLOAT", "DOUBLE", "VARCHAR"} and not decimal:
        raise DataError(
            f"column {column.name} holds {shown(field.type)}, where {column.kind} is declared"
        )
    if column.kind == "integer":
        if field.type in _NATIVE:
            return field.sql
        if field.type in _WIDE:
            return f"TRY_CAST({field.sql} AS BIGINT)"
        double = f"TRY_CAST({field.sql} AS DOUBLE)"
        return f"CASE WHEN {double} = trunc({double}) THEN TRY_CAST({double} AS BIGINT) END"
    if decimal and int(decimal[2]) <= DECIMALS["number"]:
        return field.sql
    exact = f"CAST({field.sql} AS DOUBLE)" if field.type == "FLOAT" else field.sql
    return f"TRY_CAST({exact} AS {_NUMBER})"


def _one_pass(
    database: duckdb.DuckDBPyConnection, seen: _Table, readings: list[_Reading]
) -> tuple[int, list[tuple[int | Decimal, bool]]]:
    """Return the count, and for each reading its sum and whether all rows are within bounds."""
    select = ["count(*)"]
    bounds: list[int | Decimal] = []
    for i, reading in enumerate(readings):
        select += [f"sum(v{i})", f"bool_and(coalesce(v{i} BETWEEN ? AND ?, false))"]
        bounds += reading.bounds
    inner = ", ".join(f"{reading.value} AS v{i}" for i, reading in enumerate(readings)) or "1"
    query = f"SELECT {', '.join(select)} FROM (SELECT {inner} FROM {seen.scan})"  # noqa: S608
    count, *found = database.execute(query, bounds).fetchall()[0]
    return count, list(zip(found[::2], found[1::2], strict=True))


def _check_count(source: Source, count: int, max_rows: int) -> None:
    name = shown(source.path.name)
    if count == 0:
        raise DataError(f"{name} has no rows", hint="a member without rows cannot take part")
    if count > max_rows:
        raise DataError(
            f"{name} has more rows than the {max_rows} the study allows a member",
            hint="agree on a study with a larger max_rows",
        )


def _bad_row(
    source: Source, database: duckdb.DuckDBPyConnection, seen: _Table, reading: _Reading
) -> DataError:
    """Return the error for the first row out of bounds: its place and what was declared."""
    name, column = shown(source.path.name), reading.column
    query = (
        f"SELECT row, empty, unlike FROM (SELECT {seen.row} AS row, {reading.value} AS v, "  # noqa: S608
        f"coalesce(trim(CAST({reading.raw} AS VARCHAR)) = '', true) AS empty, v IS NULL AS unlike "
        f"FROM {seen.scan}) WHERE NOT coalesce(v BETWEEN ? AND ?, false) ORDER BY row LIMIT 1"
    )
    found = database.execute(query, reading.bounds).fetchone()
    if found is None:
        return DataError(f"{name} changed while it was read", hint="run again")
    row, empty, unlike = found
    line = _line(source, seen, row) if seen.delimiter else None
    place = f"row {row} (line {line})" if line else f"row {row}"
    what = "no value" if empty else "not of the declared kind" if unlike else "out of bounds"
    return DataError(
        f"{name}: {place}, column {column.name}: {what}, where {column.declared} is declared",
        hint="correct the row, or agree on a study with other bounds",
    )


def _line(source: Source, seen: _Table, row: int) -> int | None:
    """Return the line on which data row `row` of a CSV file begins: fields may hold line breaks."""
    begin, records = 1, -1  # the first record is the header
    try:
        with source.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=seen.delimiter)
            for record in reader:
                records += bool(record) or len(seen.fields) == 1
                if records == row:
                    return begin
                begin = reader.line_num + 1
    except (OSError, csv.Error):
        return None  # the row number is enough
    return None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def snapshot(source: Source) -> bytes:
    """Return SHA-256 of the file: whether the rows are still those that were approved."""
    with source.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def count_rows(source: Source) -> int:
    """Return how many rows the file has. Raises `DataError`, `Unavailable`."""
    with _connect(source) as database:
        seen = _csv(source) if source.format == "csv" else _parquet(source, database)
        return _one_pass(database, seen, [])[0]
