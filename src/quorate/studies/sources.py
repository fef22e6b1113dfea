"""A member's own rows: what DuckDB computes of them, and nothing it could leak.

First all rows are compared with what is declared; only if one is not, another
pass finds the first. Then one pass for each kind of cells a plan has gives its
counts and sums. Conditions excuse no row: every row of every column the study
looks at must be as declared. Errors name a row, a column and the declaration,
never a value.

All arithmetic is on integers and decimals, so the result depends neither on
the order of rows nor on the number of threads:

    integer   text and floating point as DOUBLE, which must be whole; summed as HUGEINT
    number    rounded once per row to 9 decimals (or to the precision of a DOUBLE,
              where the file holds such), squared and summed exactly, and rounded
              once per member to as many decimals as the plan says
    category  one of the declared values, as text or as a whole number

DuckDB runs in memory and may read that file, and nothing else: no network, no
other file, no extension, no change of these settings.
"""

import csv
import hashlib
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
from numpy.typing import NDArray

from quorate import wire
from quorate.algebra import fixed
from quorate.errors import DataError, Error, Unavailable
from quorate.studies.analyses.kinds import alone_of
from quorate.studies.inputs import Cells, Input, places, size
from quorate.studies.plan import Plan
from quorate.studies.query import Predicate
from quorate.studies.scan import (
    Field,
    Reading,
    Scan,
    amount_of,
    bad_query,
    bad_row_query,
    count_query,
    place_of,
    quoted_name,
    quoted_text,
    readings,
    rows_query,
    totals_query,
)
from quorate.studies.schema import Column, shown

_BAD_LINE = re.compile(r"CSV Error on Line: (\d+)")
_DELIMITERS = ",;\t"
MAX_HEADER = 1 << 20
_HELD = "held"

Database = duckdb.DuckDBPyConnection

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


def snapshot(source: Source) -> bytes:
    """Return 32 bytes that change whenever the file does: a hash of its length and content.

    Reads the whole file, at the speed of SHA-256. Raises `Unavailable`.
    """
    try:
        with source.path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
            return wire.digest("snapshot", (source.format, file.tell(), content))
    except OSError:
        raise _unreadable(source) from None


def aggregate(source: Source, plan: Plan) -> tuple[int, ...]:
    """Return this member's own part of `plan.inputs`, one after the other, every row checked.

    Raises `DataError` for rows that are not as declared, `Unavailable` for a
    file that cannot be read.
    """
    with scanned(source) as (database, scan):
        read = readings(scan, plan.study, plan.inputs)
        check_rows(source, plan.study.max_rows, database, scan, read)
        return added_up(plan, database, scan, read)


def added_up(
    plan: Plan, database: Database, scan: Scan, read: Sequence[Reading]
) -> tuple[int, ...]:
    """Return `plan.inputs`, one after the other, of rows that were checked."""
    inputs = plan.inputs
    parts: dict[Input, list[int]] = {}
    counted = [item for item in inputs if item.amount != "alone"]
    for item in inputs:
        if item.amount == "alone":
            columns = [c for c in plan.study.table.columns if c.name in item.columns]
            numbers = rows_of(database, scan, read, item.cells.where, columns)
            parts[item] = alone_of(plan.study, len(plan.members), item, numbers)
    for cells in dict.fromkeys(item.cells for item in counted):
        items = [item for item in counted if item.cells == cells]
        amounts = [amount_of(read, item) for item in items if item.column]
        found = database.execute(totals_query(scan, read, cells, amounts)).fetchall()
        parts.update(_parts(plan, cells, items, found))
    return tuple(value for item in inputs for value in parts[item])


def rows_of(
    database: Database,
    scan: Scan,
    read: Sequence[Reading],
    where: tuple[Predicate, ...],
    columns: Sequence[Column],
) -> NDArray[np.int64]:
    """Return the rows (rows, columns) that satisfy `where`, as whole numbers, checked before."""
    found = database.execute(rows_query(scan, read, where, columns)).fetchnumpy()
    return np.column_stack([np.asarray(found[f"c{i}"], np.int64) for i in range(len(columns))])


@contextmanager
def scanned(source: Source) -> Generator[tuple[Database, Scan]]:
    """Yield a database that may read the file only, and the file as SQL.

    Raises `DataError` where the file is none, or changes meanwhile; `Unavailable`.
    """
    before = _state(source)
    with _connect(source) as database:
        yield database, _csv(source) if source.format == "csv" else _parquet(source, database)
    if _state(source) != before:
        raise _changed(source)


@contextmanager
def holding(columns: Mapping[str, NDArray[np.int64]]) -> Generator[tuple[Database, Scan]]:
    """Yield a database that holds these columns, in memory, and may read nothing; and their SQL."""
    try:
        with duckdb.connect(":memory:", config=dict(_LOCKED)) as database:
            database.register(_HELD, dict(columns))
            _lock(database)
            fields = tuple(Field(name, quoted_name(name), "BIGINT") for name in columns)
            yield database, Scan(_HELD, _HELD, fields, "row_number() OVER ()")
    except duckdb.Error:  # whose message may quote a row
        raise Unavailable("rows that members sent could not be added up") from None


def count_rows(source: Source) -> int:
    """Return how many rows the file has. Raises `DataError`, `Unavailable`."""
    with scanned(source) as (database, scan):
        count: int = database.execute(count_query(scan, ())).fetchall()[0][0]
        return count


def check_rows(
    source: Source,
    max_rows: int,
    database: Database,
    scan: Scan,
    read: Sequence[Reading],
) -> None:
    """Refuse a file with too many rows, or none, or one that is not as declared.

    CSV is parsed once for all columns; Parquet is asked column by column.
    """
    together = read if source.format == "csv" else ()
    count, bad = database.execute(count_query(scan, together)).fetchall()[0]
    check_count(source, count, max_rows)
    apart = read if source.format == "parquet" else ()
    if bad or any(database.execute(bad_query(scan, r)).fetchall()[0][0] for r in apart):
        raise _bad_row(source, database, scan, read)


def _parts(
    plan: Plan, cells: Cells, items: Sequence[Input], found: list[tuple[Any, ...]]
) -> dict[Input, list[int]]:
    """Return the entries of each item, rounded to its decimals; cells without rows have 0."""
    parts = {item: [0] * size(plan.study, cells) for item in items}
    at = {place: i for i, place in enumerate(places(plan.study, cells))}
    summed = [item for item in items if item.column]
    n = len(cells.axes)
    for row in found:
        place = zip(cells.axes, row[:n], strict=True)
        cell = at[tuple(place_of(plan.study, axis, value) for axis, value in place)]
        for item in items:
            if item.amount == "count":
                parts[item][cell] = row[n]
            elif item.amount == "members":
                parts[item][cell] = int(row[n] > 0)
        for item, total in zip(summed, row[n + 1 :], strict=True):
            # The one row of a query without groups has null sums where no row is meant.
            parts[item][cell] = _rounded(total or 0, plan.decimals(item))
    return parts


def _rounded(total: int | Decimal, decimals: int) -> int:
    return fixed.encode(Fraction(total) * 10**decimals, 0)


def _state(source: Source) -> tuple[int, ...]:
    """Return what changes whenever the file is written or replaced."""
    try:
        found = source.path.stat()
    except OSError:
        raise _unreadable(source) from None
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def _connect(source: Source) -> Generator[Database]:
    """Yield a database that may read `source` only, and whose errors quote no row."""
    try:
        with duckdb.connect(":memory:", config=dict(_LOCKED)) as database:
            database.execute(f"SET allowed_paths = [{quoted_text(str(source.path))}]")
            _lock(database)
            yield database
    except duckdb.Error as e:
        raise _without_rows(source, e) from None


def _lock(database: Database) -> None:
    """Take away all access but what is allowed by now, for good."""
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def _without_rows(source: Source, e: duckdb.Error) -> Error:
    """Return what went wrong; DuckDB's own message may hold the line it stumbled over."""
    name = shown(source.path.name)
    if isinstance(e, duckdb.IOException | duckdb.PermissionException):
        return _unreadable(source)
    if line := _BAD_LINE.search(str(e)):
        return DataError(
            f"{name}: line {line[1]} is not like the first line",
            hint="each line needs the same number of columns, closed quotes and UTF-8 text",
        )
    return DataError(f"{name} is not a readable {source.format} file")


def _csv(source: Source) -> Scan:
    """Return the CSV file with columns by position, all text: nothing is guessed but the comma."""
    name = shown(source.path.name)
    try:
        with source.path.open("rb") as file:
            line = file.readline(MAX_HEADER).decode("utf-8-sig")
        delimiter = max(_DELIMITERS, key=line.count)
        header = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except OSError:
        raise _unreadable(source) from None
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{name}: the first line is not CSV in UTF-8") from None
    if not header:
        raise DataError(f"{name}: the first line names no columns")
    fields = tuple(Field(title.strip(), f"c{i}", "VARCHAR") for i, title in enumerate(header))
    columns = ", ".join(f"'{field.sql}': 'VARCHAR'" for field in fields)
    sql = (
        f"read_csv({quoted_text(str(source.path))}, auto_detect=false, header=true, "
        f"delim='{delimiter}', quote='\"', escape='\"', columns={{{columns}}}, strict_mode=true, "
        "null_padding=false, compression='none', hive_partitioning=false)"
    )
    return Scan(source.path.name, sql, fields, "row_number() OVER ()", delimiter)


def _parquet(source: Source, database: Database) -> Scan:
    sql = f"read_parquet({quoted_text(str(source.path))}, hive_partitioning=false)"
    rows = database.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall()  # noqa: S608
    fields = tuple(Field(row[0], quoted_name(row[0]), row[1]) for row in rows)
    return Scan(source.path.name, sql, fields, "file_row_number + 1")


def check_count(source: Source, count: int, max_rows: int) -> None:
    """Raise `DataError` for no rows, or for more than the study allows a member."""
    name = shown(source.path.name)
    if count == 0:
        raise DataError(f"{name} has no rows", hint="a member without rows cannot take part")
    if count > max_rows:
        raise DataError(
            f"{name} has more rows than the {max_rows} the study allows a member",
            hint="agree on a study with a larger max_rows",
        )


def _bad_row(
    source: Source,
    database: Database,
    scan: Scan,
    read: Sequence[Reading],
) -> DataError:
    """Return the error for the first row not as declared: its place and what was declared."""
    for reading in read:
        found = database.execute(bad_row_query(scan, reading)).fetchone()
        if found is None:
            continue
        row, empty, unlike = found
        line = _line(source, scan, row) if scan.delimiter else None
        place = f"row {row} (line {line})" if line else f"row {row}"
        is_category = reading.column.kind == "category"
        beyond = "not a declared value" if is_category else "out of bounds"
        what = "no value" if empty else "not of the declared kind" if unlike else beyond
        declared = shown(reading.column.declared)
        return DataError(
            f"{shown(scan.name)}: {place}, column {reading.column.name}: {what}, "
            f"where {declared} is declared",
            hint="correct the row, or agree on a study with another declaration",
        )
    return _changed(source)


def _changed(source: Source) -> DataError:
    return DataError(f"{shown(source.path.name)} changed while it was read", hint="run again")


def _unreadable(source: Source) -> Unavailable:
    name = shown(source.path.name)
    return Unavailable(f"{name} cannot be read", hint="check that the node may read it")


def _line(source: Source, scan: Scan, row: int) -> int | None:
    """Return the line on which data row `row` of a CSV file begins: fields may hold line breaks."""
    begin, records = 1, -1  # the first record is the header
    try:
        with source.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=scan.delimiter)
            for record in reader:
                records += bool(record) or len(scan.fields) == 1
                if records == row:
                    return begin
                begin = reader.line_num + 1
    except (OSError, csv.Error):
        return None  # the row number is enough
    return None
