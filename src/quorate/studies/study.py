"""A study: what one member asks all to compute, read from a short TOML text.

The text comes from another person, so nothing in it is trusted: every name,
length and number has a limit, and `check_study` holds the same rules for a
study that arrived inside a plan. Bounds are decimals kept as canonical text,
so that no digest ever depends on a floating-point number.
"""

import re
import tomllib
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NoReturn, cast

from quorate.errors import MalformedStudy

Kind = Literal["integer", "number"]
Function = Literal["count", "sum", "avg"]

MAX_TEXT = 64 * 1024
MAX_NAMES = 256  # columns, or releases
MAX_ROWS = 10**10
WHOLE_DIGITS = {"integer": 15, "number": 9}
DECIMALS = {"integer": 0, "number": 9}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_DECIMAL = r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?"
_COLUMN = re.compile(rf"(integer|number) +({_DECIMAL})\.\.({_DECIMAL})(?: +(.*))?")
_CANONICAL = re.compile(r"0|-?(?:[1-9][0-9]*|0(?=\.))(?:\.[0-9]*[1-9])?")
_RELEASE = re.compile(r"(count)|(sum|avg)\( *([^() ]+) *\)")
_COLUMN_HINT = 'write for instance "integer 0..120 years" or "number 10..80 kg/m2"'
_RELEASE_HINT = 'write "count", "sum(column)" or "avg(column)"'


@dataclass(frozen=True, slots=True)
class Column:
    """One column every row must fill, within public bounds (both included)."""

    name: str
    kind: Kind
    low: str
    high: str
    unit: str

    @property
    def declared(self) -> str:
        return f"{self.kind} {self.low}..{self.high} {self.unit}"

    @property
    def largest(self) -> Fraction:
        """Return the largest magnitude one row may have."""
        return max(abs(Fraction(self.low)), abs(Fraction(self.high)))


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True)
class Output:
    """One release the study names: `column` is None for a count of rows."""

    name: str
    statistic: Function
    column: str | None

    @property
    def formula(self) -> str:
        return self.statistic if self.column is None else f"{self.statistic}({self.column})"


@dataclass(frozen=True, slots=True)
class Study:
    title: str
    purpose: str
    max_rows: int  # of one member
    table: Table
    releases: tuple[Output, ...]


def read_study(text: str) -> Study:
    """Return the study that `text` states. Raises `MalformedStudy` naming the place."""
    if len(text) > MAX_TEXT:
        _refuse("the study", f"longer than {MAX_TEXT} characters")
    try:
        top: dict[str, object] = tomllib.loads(text)
    except (ValueError, RecursionError) as e:
        reason = str(e) if isinstance(e, tomllib.TOMLDecodeError) else "a value too large or deep"
        raise MalformedStudy(f"the study: not TOML: {shown(reason)}", hint=_COLUMN_HINT) from None
    _only(top, {"title", "purpose", "max_rows", "tables", "releases"}, "the study")
    study = Study(
        title=_text(top, "title"),
        purpose=_text(top, "purpose"),
        max_rows=_whole(top, "max_rows"),
        table=_read_table(_section(top, "tables")),
        releases=tuple(
            _read_output(name, value) for name, value in _section(top, "releases").items()
        ),
    )
    check_study(study)
    return study


def check_study(study: Study) -> None:
    """Refuse a study that breaks a rule, wherever it came from. Raises `MalformedStudy`."""
    check_text("title", study.title, 200)
    check_text("purpose", study.purpose, 1000)
    if not 1 <= study.max_rows <= MAX_ROWS:
        _refuse("max_rows", f"must be between 1 and {MAX_ROWS}", "it is the most one member has")
    table = study.table
    _check_name("tables", table.name)
    _check_names(f"tables.{table.name}", [column.name for column in table.columns])
    for column in table.columns:
        _check_column(f"tables.{table.name}.{column.name}", column)
    if not study.releases:
        _refuse("releases", "nothing to release", 'add for instance patients = "count"')
    _check_names("releases", [output.name for output in study.releases])
    for output in study.releases:
        _check_output(f"releases.{output.name}", output, table)


def check_text(place: str, text: str, most: int) -> None:
    """Refuse text a terminal or a reader could be deceived by, or that is empty or long."""
    if not text.strip():
        _refuse(place, "must not be empty")
    if len(text) > most:
        _refuse(place, f"longer than {most} characters")
    if not text.isprintable():
        _refuse(place, "holds characters that do not print", "use one line of plain text")


def shown(text: str) -> str:
    """Return foreign text in a form safe and short enough for an error message."""
    plain = text if text.isprintable() else ascii(text)
    return plain if len(plain) <= 80 else plain[:77] + "..."


def _read_table(tables: dict[str, object]) -> Table:
    if len(tables) != 1:
        _refuse("tables", f"{len(tables)} tables, and a study has one", "keep one [tables.name]")
    name = next(iter(tables))
    _check_name("tables", name)
    columns = _section(tables, name, "tables")
    return Table(name, tuple(_read_column(f"tables.{name}", c, v) for c, v in columns.items()))


def _read_column(place: str, name: str, value: object) -> Column:
    place = f"{place}.{shown(name)}"
    match = _COLUMN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        _refuse(place, "not a column", _COLUMN_HINT)
    kind, low, high, unit = match.groups(default="")
    if not unit.strip():
        _refuse(place, "has no unit", f"{_COLUMN_HINT}; a number without a unit has unit 1")
    return Column(name, cast("Kind", kind), _canonical(low), _canonical(high), unit.strip())


def _read_output(name: str, value: object) -> Output:
    match = _RELEASE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        _refuse(f"releases.{shown(name)}", "not a release", _RELEASE_HINT)
    count, function, column = match.groups()
    return Output(name, cast("Function", count or function), column)


def _check_column(place: str, column: Column) -> None:
    whole, decimals = WHOLE_DIGITS[column.kind], DECIMALS[column.kind]
    for bound in (column.low, column.high):
        if not _CANONICAL.fullmatch(bound):
            _refuse(place, f"{shown(bound)} is not a plain decimal")
        digits, _, fraction = bound.lstrip("-").partition(".")
        if len(digits) > whole or len(fraction) > decimals:
            _refuse(place, f"{shown(bound)} has more than {whole} digits or {decimals} decimals")
    if Fraction(column.low) > Fraction(column.high):
        _refuse(place, f"the low bound {column.low} is above the high bound {column.high}")
    check_text(place, column.unit, 40)


def _check_output(place: str, output: Output, table: Table) -> None:
    if output.statistic == "count":
        if output.column is not None:
            _refuse(place, "a count takes no column", _RELEASE_HINT)
        return
    if output.column is None or output.column not in {column.name for column in table.columns}:
        _refuse(
            place,
            f"column {shown(str(output.column))} is not declared",
            f"declare it under [tables.{table.name}]",
        )


def _check_names(place: str, names: list[str]) -> None:
    if len(names) > MAX_NAMES:
        _refuse(place, f"more than {MAX_NAMES} names")
    for name in names:
        _check_name(place, name)
    if len({name.lower() for name in names}) < len(names):
        _refuse(place, "two names differ in case only, or not at all")


def _check_name(place: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        _refuse(
            f"{place}.{shown(name)}",
            "not a name",
            "a letter, then letters, digits and _, at most 63 in all",
        )


def _canonical(decimal: str) -> str:
    whole, _, fraction = decimal.lstrip("-").partition(".")
    number = (whole.lstrip("0") or "0") + ("." + fraction).rstrip("0").rstrip(".")
    return "-" + number if decimal.startswith("-") and number != "0" else number


def _section(top: dict[str, object], key: str, above: str = "") -> dict[str, object]:
    section = top.get(key)
    if not isinstance(section, dict):
        _refuse(f"{above}.{key}".lstrip("."), "missing, or not a table of names")
    return cast("dict[str, object]", section)


def _text(top: dict[str, object], key: str) -> str:
    value = top.get(key)
    if not isinstance(value, str):
        _refuse(key, "missing, or not text", f'add {key} = "..."')
    return value


def _whole(top: dict[str, object], key: str) -> int:
    value = top.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        _refuse(key, "missing, or not a whole number", f"add {key} = 1_000_000")
    return value


def _only(section: dict[str, object], known: set[str], place: str) -> None:
    if unknown := sorted(section.keys() - known):
        _refuse(place, f"unknown key {shown(unknown[0])}", f"known are {', '.join(sorted(known))}")


def _refuse(place: str, what: str, hint: str = "") -> NoReturn:
    raise MalformedStudy(f"{place}: {what}", hint=hint)
