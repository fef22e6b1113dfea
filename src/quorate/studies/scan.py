"""SQL for DuckDB over one member's file: what is wrong with its rows, and what they add up to.

A row's value is null where it is not of the declared kind. First every row of
every column is compared with its declaration; only then are they grouped, so
that no group, sum or square can be of a value nobody declared.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from quorate.errors import DataError
from quorate.studies.inputs import EACH_ROW, Axis, Cells, Input, columns_of, used_columns
from quorate.studies.query import Predicate
from quorate.studies.schema import DECIMALS, WHOLE_DIGITS, Column, shown
from quorate.studies.study import Study

_DOUBLE_DIGITS = 15  # decimal digits that a DOUBLE keeps
_NATIVE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_WIDE = {"UBIGINT", "HUGEINT", "UHUGEINT"}
_NUMERIC = {*_NATIVE, *_WIDE, "FLOAT", "DOUBLE", "VARCHAR"}
_DECIMAL_TYPE = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_ROW = '"number of the row"'
_WIDTH = WHOLE_DIGITS["number"] + DECIMALS["number"]
NUMBER = f"DECIMAL({_WIDTH},{DECIMALS['number']})"


@dataclass(frozen=True, slots=True)
class Field:
    """One column as the file has it: its SQL name and DuckDB type."""

    name: str
    sql: str
    type: str


@dataclass(frozen=True, slots=True)
class Scan:
    """The file as SQL: `row` is an expression that counts its rows from 1."""

    name: str  # of the file, for messages
    sql: str
    fields: tuple[Field, ...]
    row: str
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A declared column in one file: `raw` as it stands there, `value` exact or null."""

    column: Column
    raw: str
    value: str
    type: str  # DuckDB's, of `raw`

    @property
    def name(self) -> str:
        """Return the value's name in SQL, which no column of a file and no word of ours has."""
        return quoted_name(f"value of {self.column.name}")

    @property
    def may_be_bad(self) -> str:
        """Return SQL over `raw` that no bad row escapes, and that Parquet can mostly answer."""
        low, high = self.column.low, self.column.high
        digits = max(len(bound.strip("-").replace(".", "")) for bound in (low, high))
        if self.column.kind != "number" or self.type != "DOUBLE" or digits > _DOUBLE_DIGITS:
            return "true"
        # Rounding to 9 decimals keeps what is between the bounds between them.
        return f"(NOT {self.raw} BETWEEN {float(low)!r} AND {float(high)!r} OR {self.raw} IS NULL)"

    @property
    def is_bad(self) -> str:
        """Return SQL for whether the value, by its name, is not as declared."""
        if self.column.kind == "category":
            declared = f"IN ({', '.join(constant(self.column, v) for v in self.column.values)})"
        else:
            low, high = self.column.low, self.column.high
            declared = f"BETWEEN {constant(self.column, low)} AND {constant(self.column, high)}"
        return f"(NOT {self.name} {declared} OR {self.name} IS NULL)"


def readings(scan: Scan, study: Study, inputs: Sequence[Input]) -> tuple[Reading, ...]:
    """Return how each column the study looks at is read. Raises `DataError`."""
    return readings_of(scan, used_columns(study, inputs))


def readings_of(scan: Scan, columns: Iterable[Column]) -> tuple[Reading, ...]:
    """Return how these columns are read. Raises `DataError`."""
    return tuple(reading(scan, column) for column in columns)


def rows_query(
    scan: Scan,
    read: Sequence[Reading],
    where: tuple[Predicate, ...],
    columns: Sequence[Column],
    texts: Sequence[str] = (),
) -> str:
    """Return SQL for whole numbers c0, c1, ... of each row: of a category a value's place.

    `texts` are columns t0, t1, ... as text, whatever they hold. Raises `DataError`.
    """
    by_name = {one.column.name: one for one in read}
    inside = " AND ".join(condition_sql(p, by_name) for p in where) or "true"
    numbers = (f"{_whole(by_name[c.name])} AS c{i}" for i, c in enumerate(columns))
    named = [f"t{i}" for i in range(len(texts))]
    more = [
        f"coalesce(CAST({sql_of(scan, text)} AS VARCHAR), '') AS {name}"
        for text, name in zip(texts, named, strict=True)
    ]
    shown = ", ".join((*numbers, *named))
    return f"SELECT {shown} FROM {values_sql(scan, read, more=more)} WHERE {inside}"  # noqa: S608


def marks_query(
    scan: Scan, read: Sequence[Reading], where: tuple[Predicate, ...], secret: str
) -> str:
    """Return SQL for a mark of each row: 64 bits of a hash of all its columns, and a secret."""
    inside = " AND ".join(condition_sql(p, {one.column.name: one for one in read}) for p in where)
    texts = (f"coalesce(CAST({field.sql} AS VARCHAR), chr(30))" for field in scan.fields)
    row = f"concat_ws(chr(31), {quoted_text(secret)}, {', '.join(texts)})"
    shown = ", ".join([f"md5_number_lower({row}) AS mark", *_shown(read)])
    return f"SELECT mark FROM (SELECT {shown} FROM {scan.sql}) WHERE {inside or 'true'}"  # noqa: S608


def _whole(one: Reading) -> str:
    if one.column.kind == "category":
        places = (
            f"WHEN {constant(one.column, v)} THEN {i}" for i, v in enumerate(one.column.values)
        )
        return f"CASE {one.name} {' '.join(places)} END"
    if one.column.kind == "integer":
        return f"CAST({one.name} AS BIGINT)"
    return _in_units(one)


def _in_units(one: Reading) -> str:
    """Return SQL for a number in units of its last decimal."""
    places = DECIMALS["number"]
    return f"CAST(CAST({one.name} AS DECIMAL(38,{places})) * {10**places} AS BIGINT)"


def count_query(scan: Scan, read: Sequence[Reading]) -> str:
    """Return SQL for the number of rows, and of those that `read` finds not as declared."""
    bad = " OR ".join(reading.is_bad for reading in read) or "false"
    return f"SELECT count(*), count(*) FILTER (WHERE {bad}) FROM {values_sql(scan, read)}"  # noqa: S608


def bad_query(scan: Scan, reading: Reading) -> str:
    """Return SQL for the number of rows that are not as declared.

    As a condition, so that Parquet's own bounds of a column can answer it.
    """
    values = f"SELECT {reading.value} AS {reading.name} FROM {scan.sql}"  # noqa: S608
    if reading.may_be_bad != "true":
        values += f" WHERE {reading.may_be_bad}"
    return f"SELECT count(*) FROM ({values}) WHERE {reading.is_bad}"  # noqa: S608


def bad_row_query(scan: Scan, reading: Reading) -> str:
    """Return SQL for the first row that is not as declared: its number, is it empty, unlike."""
    return (
        f"SELECT row, empty, {reading.name} IS NULL "  # noqa: S608
        f"FROM (SELECT {scan.row} AS row, {reading.value} AS {reading.name}, "
        f"coalesce(trim(CAST({reading.raw} AS VARCHAR)) = '', true) AS empty "
        f"FROM {scan.sql}) WHERE {reading.is_bad} ORDER BY row LIMIT 1"
    )


def totals_query(scan: Scan, read: Sequence[Reading], cells: Cells, amounts: Sequence[str]) -> str:
    """Return SQL for rows of (place on each axis, number of rows, *amounts), for good rows."""
    by_name = {reading.column.name: reading for reading in read}
    places = [_place(by_name.get(axis.column), axis) for axis in cells.axes]
    inside = [condition_sql(p, by_name) for p in cells.where]
    for axis in cells.axes:
        if axis.edges:
            first, last = (constant(by_name[axis.column].column, axis.edges[k]) for k in (0, -1))
            inside.append(f"{by_name[axis.column].name} BETWEEN {first} AND {last}")
        elif axis.column in by_name:
            inside.append(f"{by_name[axis.column].name} IS NOT NULL")
    where = f" WHERE {' AND '.join(inside)}" if inside else ""
    groups = ", ".join(str(i + 1) for i in range(len(places)))
    return (
        f"SELECT {', '.join([*places, 'count(*)', *amounts])} "  # noqa: S608
        f"FROM {values_sql(scan, read, each_row=EACH_ROW in cells.axes)}"
        f"{where}{f' GROUP BY {groups}' if groups else ''}"
    )


def count_by_query(scan: Scan, read: Sequence[Reading], value: str) -> str:
    """Return SQL for rows of (value, how many rows have it); `value` is SQL over the values."""
    return f"SELECT {value}, count(*) FROM {values_sql(scan, read)} GROUP BY 1"  # noqa: S608


def place_of(study: Study, axis: Axis, found: object) -> int:
    """Return the place on `axis` that a row of `totals_query` stands for. Raises `ValueError`."""
    if axis.edges or axis == EACH_ROW:
        return int(str(found))
    return study.table.column(axis.column).values.index(str(found))


def constant(column: Column, text: str) -> str:
    """Return a declared value or bound as a literal of the type the column's values have."""
    match column.kind:
        case "integer":
            return str(int(text))
        case "number":
            return f"CAST('{Decimal(text):f}' AS {NUMBER})"
        case "category":
            return str(int(text)) if column.are_whole else quoted_text(text)


def quoted_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shown(read: Sequence[Reading]) -> list[str]:
    return [f"{reading.value} AS {reading.name}" for reading in read]


def values_sql(
    scan: Scan, read: Sequence[Reading], *, each_row: bool = False, more: Sequence[str] = ()
) -> str:
    shown = [*_shown(read), *more]
    values = (
        ", ".join([*shown, f"row_number() OVER () - 1 AS {_ROW}"] if each_row else shown) or "1"
    )
    return f"(SELECT {values} FROM {scan.sql})"  # noqa: S608


def _place(reading: Reading | None, axis: Axis) -> str:
    """Return SQL for the bin of a value between the first edge and the last, or its category.

    Where each row is a place, nothing is read: it is the row's own number.
    """
    if reading is None:
        return _ROW
    if not axis.edges:
        return reading.name
    if axis.step:
        return _in_steps(reading, axis)
    inner = axis.edges[1:-1]
    cases = " ".join(
        f"WHEN {reading.name} < {constant(reading.column, edge)} THEN {i}"
        for i, edge in enumerate(inner)
    )
    # As text, or GROUP BY 1 would take a lone number for a column's.
    return f"CASE {cases} ELSE {len(inner)} END" if inner else "'0'"


def _in_steps(reading: Reading, axis: Axis) -> str:
    """Return SQL for the bin of a value, in whole numbers, so that none is off by rounding."""
    low, high = axis.edges
    if reading.column.kind == "integer":
        return f"(CAST({reading.name} AS BIGINT) - {int(low)}) // {int(axis.step)}"
    unit = 10 ** DECIMALS["number"]
    first, last, step = (int(Fraction(text) * unit) for text in (low, high, axis.step))
    return f"least(({_in_units(reading)} - {first}) // {step}, {max(last - first - 1, 0) // step})"


def condition_sql(p: Predicate, by_name: dict[str, Reading]) -> str:
    if p.op in {"and", "or"}:
        return "(" + f" {p.op} ".join(condition_sql(part, by_name) for part in p.args) + ")"
    if p.op == "not":
        return f"(NOT {condition_sql(p.args[0], by_name)})"
    reading = by_name[p.column]
    values = [constant(reading.column, value) for value in p.values]
    match p.op:
        case "between":
            return f"({reading.name} BETWEEN {values[0]} AND {values[1]})"
        case "in":
            return f"({reading.name} IN ({', '.join(values)}))"
        case _:
            return f"({reading.name} {p.op} {values[0]})"


def amount_of(read: Sequence[Reading], item: Input) -> str:
    """Return SQL for the sum of a column, of its squares, or of its products with another."""
    by_name = {reading.column.name: reading for reading in read}
    if item.amount == "sum":
        return f"sum({by_name[item.column].name})"
    first, second = (_factor(by_name[name]) for name in columns_of(item))
    return f"sum({first} * {second})"


def _factor(reading: Reading) -> str:
    whole = reading.column.kind == "integer"
    return f"CAST({reading.name} AS BIGINT)" if whole else reading.name


def reading(scan: Scan, column: Column) -> Reading:
    """Return how one column is read. Raises `DataError`."""
    field = _field(scan, column.name)
    return Reading(column, field.sql, _value(column, field), field.type)


def sql_of(scan: Scan, name: str) -> str:
    """Return the SQL name of a column that the file has. Raises `DataError`."""
    return _field(scan, name).sql


def _field(scan: Scan, name: str) -> Field:
    matching = [field for field in scan.fields if field.name == name]
    if len(matching) == 1:
        return matching[0]
    there = ", ".join(shown(field.name) for field in scan.fields[:50])
    raise DataError(
        f"{shown(scan.name)} has {'two columns' if matching else 'no column'} {shown(name)}",
        hint=f"its columns are {there}",
    )


def _value(column: Column, field: Field) -> str:
    """Return SQL for the exact value of one row: null where it is not of the declared kind."""
    decimal = _DECIMAL_TYPE.fullmatch(field.type)
    is_text = column.kind == "category" and not column.are_whole
    if field.type not in _NUMERIC and not decimal and not (is_text and field.type == "BOOLEAN"):
        raise DataError(
            f"column {column.name} holds {shown(field.type)}, where {column.kind} is declared"
        )
    if is_text:
        return field.sql if field.type == "VARCHAR" else f"CAST({field.sql} AS VARCHAR)"
    if column.kind == "number":
        if decimal and int(decimal[1]) <= _WIDTH and int(decimal[2]) <= DECIMALS["number"]:
            return field.sql  # narrower decimals are faster to square
        exact = f"CAST({field.sql} AS DOUBLE)" if field.type == "FLOAT" else field.sql
        return f"TRY_CAST({exact} AS {NUMBER})"
    if field.type in _NATIVE:
        return field.sql
    if field.type in _WIDE:
        return f"TRY_CAST({field.sql} AS BIGINT)"
    double = f"TRY_CAST({field.sql} AS DOUBLE)"
    return f"CASE WHEN {double} = trunc({double}) THEN TRY_CAST({double} AS BIGINT) END"
