"""SQL for DuckDB over one member's file: every row's exact values, and the cell it is in.

A row's value is null where it is not of the declared kind. A category's value
is its place among the declared ones, a `number` a decimal with 9 places. The
rows of each query are told apart by one small integer: the cell, or BAD or
OUTSIDE, so that bounds, condition, groups and sums take a single pass.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from quorate.errors import DataError
from quorate.studies.inputs import Axis, Cells, Input, labels, used_columns
from quorate.studies.query import Predicate
from quorate.studies.schema import DECIMALS, WHOLE_DIGITS, Column, shown
from quorate.studies.study import Study

BAD, OUTSIDE = -1, -2
_NATIVE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_WIDE = {"UBIGINT", "HUGEINT", "UHUGEINT"}
_NUMERIC = {*_NATIVE, *_WIDE, "FLOAT", "DOUBLE", "VARCHAR"}
_DECIMAL_TYPE = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_NUMBER = f"DECIMAL({WHOLE_DIGITS['number'] + DECIMALS['number']},{DECIMALS['number']})"
_FEW = 16  # categories that are faster told apart one by one


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

    @property
    def name(self) -> str:
        """Return the value's name in SQL, which no column of a file and no word of ours has."""
        return quoted_name(f"value of {self.column.name}")

    @property
    def is_good(self) -> str:
        """Return SQL for whether the value, by its name, is as declared; null counts as no."""
        if self.column.kind == "category":
            return f"{self.name} IS NOT NULL"
        low, high = (number(self.column, bound) for bound in (self.column.low, self.column.high))
        return f"{self.name} BETWEEN {low} AND {high}"


def readings(scan: Scan, study: Study) -> tuple[Reading, ...]:
    """Return how each column the study looks at is read. Raises `DataError`."""
    return tuple(_reading(scan, column) for column in used_columns(study))


def totals_query(
    scan: Scan, study: Study, read: Sequence[Reading], cells: Cells, items: Sequence[Input]
) -> str:
    """Return SQL for rows of (cell, number of rows, *items): in one pass, all columns checked."""
    by_name = {reading.column.name: reading for reading in read}
    amounts = [_amount(by_name[item.column], item) for item in items if item.amount != "count"]
    select = ", ".join(["cell", "count(*)", *(f"sum({amount})" for amount in amounts)])
    values = ", ".join(f"{r.value} AS {r.name}" for r in read) or "1"
    rows = (
        f"SELECT *, {_cell(study, by_name, cells)} AS cell FROM (SELECT {values} FROM {scan.sql})"  # noqa: S608
    )
    return f"SELECT {select} FROM ({rows}) GROUP BY cell"  # noqa: S608


def bad_row_query(scan: Scan, reading: Reading) -> str:
    """Return SQL for the first row that is not as declared: its number, is it empty, unlike."""
    return (
        f"SELECT row, empty, {reading.name} IS NULL "  # noqa: S608
        f"FROM (SELECT {scan.row} AS row, {reading.value} AS {reading.name}, "
        f"coalesce(trim(CAST({reading.raw} AS VARCHAR)) = '', true) AS empty "
        f"FROM {scan.sql}) WHERE NOT coalesce({reading.is_good}, false) ORDER BY row LIMIT 1"
    )


def number(column: Column, text: str) -> str:
    """Return the decimal `text` as a literal of the type the column's values have."""
    return str(int(text)) if column.kind == "integer" else f"CAST('{Decimal(text):f}' AS {_NUMBER})"


def quoted_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _cell(study: Study, by_name: dict[str, Reading], cells: Cells) -> str:
    good = " AND ".join(reading.is_good for reading in by_name.values()) or "true"
    inside = [_condition(p, by_name) for p in cells.where]
    index = "0"
    for axis in cells.axes:
        place = _bin(by_name[axis.column], axis) if axis.edges else by_name[axis.column].name
        index = f"({index}) * {len(labels(study, axis))} + {place}"
        if axis.edges:
            first, last = (number(by_name[axis.column].column, axis.edges[k]) for k in (0, -1))
            inside.append(f"{by_name[axis.column].name} BETWEEN {first} AND {last}")
    outside = f"WHEN NOT ({' AND '.join(inside)}) THEN {OUTSIDE} " if inside else ""
    return (
        f"CASE WHEN NOT coalesce({good}, false) THEN {BAD} {outside}"
        f"ELSE CAST({index} AS INTEGER) END"
    )


def _bin(reading: Reading, axis: Axis) -> str:
    """Return SQL for the bin of a value between the first edge and the last."""
    inner = axis.edges[1:-1]
    cases = " ".join(
        f"WHEN {reading.name} < {number(reading.column, edge)} THEN {i}"
        for i, edge in enumerate(inner)
    )
    return f"CASE {cases} ELSE {len(inner)} END" if inner else "0"


def _condition(p: Predicate, by_name: dict[str, Reading]) -> str:
    if p.op in {"and", "or"}:
        return "(" + f" {p.op} ".join(_condition(part, by_name) for part in p.args) + ")"
    if p.op == "not":
        return f"(NOT {_condition(p.args[0], by_name)})"
    reading = by_name[p.column]
    values = [_constant(reading.column, value) for value in p.values]
    match p.op:
        case "between":
            return f"({reading.name} BETWEEN {values[0]} AND {values[1]})"
        case "in":
            return f"({reading.name} IN ({', '.join(values)}))"
        case _:
            return f"({reading.name} {p.op} {values[0]})"


def _constant(column: Column, value: str) -> str:
    if column.kind == "category":
        return str(column.values.index(value))
    return number(column, value)


def _amount(reading: Reading, item: Input) -> str:
    if item.amount == "sum":
        return reading.name
    # Bad rows, which may be too large to square, are left out.
    whole = f"CAST({reading.name} AS BIGINT)" if reading.column.kind == "integer" else reading.name
    return f"CASE WHEN cell >= 0 THEN {whole} * {whole} END"


def _reading(scan: Scan, column: Column) -> Reading:
    field = _field(scan, column)
    return Reading(column, field.sql, _value(column, field))


def _field(scan: Scan, column: Column) -> Field:
    matching = [field for field in scan.fields if field.name == column.name]
    if len(matching) == 1:
        return matching[0]
    there = ", ".join(shown(field.name) for field in scan.fields[:50])
    raise DataError(
        f"{shown(scan.name)} has {'two columns' if matching else 'no column'} {column.name}",
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
        return _place(column, f"CAST({field.sql} AS VARCHAR)")
    if column.kind == "number":
        exact = f"CAST({field.sql} AS DOUBLE)" if field.type == "FLOAT" else field.sql
        return f"TRY_CAST({exact} AS {_NUMBER})"
    whole = _whole(field)
    if column.kind == "integer":
        return whole
    if len(column.values) <= _FEW:
        cases = " ".join(f"WHEN {int(value)} THEN {i}" for i, value in enumerate(column.values))
        return f"CASE {whole} {cases} END"
    return _place(column, f"CAST({whole} AS VARCHAR)")


def _whole(field: Field) -> str:
    if field.type in _NATIVE:
        return field.sql
    if field.type in _WIDE:
        return f"TRY_CAST({field.sql} AS BIGINT)"
    double = f"TRY_CAST({field.sql} AS DOUBLE)"
    return f"CASE WHEN {double} = trunc({double}) THEN TRY_CAST({double} AS BIGINT) END"


def _place(column: Column, text: str) -> str:
    values = ", ".join(map(quoted_text, column.values))
    return f"CAST(enum_code(TRY_CAST({text} AS ENUM({values}))) AS INTEGER)"
