"""A study's table: typed, bounded columns with units, and the categories that are declared.

The declarations come from another person: every name, length and number has a
limit. Bounds are decimals kept as canonical text, so that no digest ever
depends on a floating-point number. A category's values are text; where all of
them are whole numbers, the data are read as whole numbers (1, 1.0 and "1" are
the same category), otherwise character by character.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NoReturn, cast

from quorate.errors import MalformedStudy

Kind = Literal["integer", "number", "category"]

MAX_NAMES = 256  # columns, or releases
MAX_CATEGORIES = 1000  # of one column
WHOLE_DIGITS = {"integer": 15, "number": 9}
DECIMALS = {"integer": 0, "number": 9}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_DECIMAL = r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?"
_NUMERIC = re.compile(rf"(integer|number) +({_DECIMAL})\.\.({_DECIMAL})(?: +(.*))?")
_CANONICAL = re.compile(r"0|-?(?:[1-9][0-9]*|0(?=\.))(?:\.[0-9]*[1-9])?")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,14}")
_CATEGORY = re.compile(r'"([^"]+)"|([^" ]+)')
_CATEGORIES = re.compile(rf"(?:{_CATEGORY.pattern})(?: +(?:{_CATEGORY.pattern}))*")
_COLUMN_HINT = 'write for instance "integer 0..120 years", "number 10..80 kg/m2" or "category F M"'


@dataclass(frozen=True, slots=True)
class Column:
    """One column every row must fill: within public bounds (both included), or of `values`."""

    name: str
    kind: Kind
    low: str  # of numbers; a category has ""
    high: str
    unit: str
    values: tuple[str, ...]  # of a category; numbers have none

    @property
    def declared(self) -> str:
        if self.kind == "category":
            return f"category {' '.join(map(_spelled, self.values))}"
        return f"{self.kind} {self.low}..{self.high} {self.unit}"

    @property
    def largest(self) -> Fraction:
        """Return the largest magnitude one row may have."""
        return max(abs(Fraction(self.low)), abs(Fraction(self.high)))

    @property
    def are_whole(self) -> bool:
        """Return whether the categories are whole numbers, and are read as such."""
        return all(_WHOLE.fullmatch(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def read_column(place: str, name: str, value: object) -> Column:
    """Return the column that `value` declares, spelled canonically, not yet checked."""
    place = f"{place}.{shown(name)}"
    if not isinstance(value, str):
        refuse(place, "not a column", _COLUMN_HINT)
    if value.startswith("category "):
        return Column(name, "category", "", "", "", _categories(place, value[9:].strip(" ")))
    match = _NUMERIC.fullmatch(value)
    if match is None:
        refuse(place, "not a column", _COLUMN_HINT)
    kind, low, high, unit = match.groups(default="")
    if not unit.strip():
        refuse(place, "has no unit", f"{_COLUMN_HINT}; a number without a unit has unit 1")
    bounds = canonical(low), canonical(high)
    return Column(name, cast("Kind", kind), *bounds, unit.strip(), ())


def check_table(table: Table) -> None:
    """Refuse a table that breaks a rule, wherever it came from. Raises `MalformedStudy`."""
    check_name("tables", table.name)
    check_names(f"tables.{table.name}", table.names)
    for column in table.columns:
        place = f"tables.{table.name}.{column.name}"
        if column.kind == "category":
            _check_categories(place, column)
        else:
            _check_bounds(place, column)


def check_text(place: str, text: str, most: int) -> None:
    """Refuse text a terminal or a reader could be deceived by, or that is empty or long."""
    if not text.strip():
        refuse(place, "must not be empty")
    if len(text) > most:
        refuse(place, f"longer than {most} characters")
    if not text.isprintable():
        refuse(place, "holds characters that do not print", "use one line of plain text")


def check_names(place: str, names: tuple[str, ...]) -> None:
    if len(names) > MAX_NAMES:
        refuse(place, f"more than {MAX_NAMES} names")
    for name in names:
        check_name(place, name)
    if len({name.lower() for name in names}) < len(names):
        refuse(place, "two names differ in case only, or not at all")


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def check_name(place: str, name: str) -> None:
    if not is_name(name):
        refuse(
            f"{place}.{shown(name)}",
            "not a name",
            "a letter, then letters, digits and _, at most 63 in all",
        )


def check_number(place: str, text: str, kind: Kind) -> None:
    """Refuse any spelling of a number but the canonical one, and digits no column can have."""
    whole, decimals = WHOLE_DIGITS[kind], DECIMALS[kind]
    if not _CANONICAL.fullmatch(text):
        refuse(place, f"{shown(text)} is not a plain decimal")
    digits, _, fraction = text.lstrip("-").partition(".")
    if len(digits) > whole or len(fraction) > decimals:
        refuse(place, f"{shown(text)} has more than {whole} digits or {decimals} decimals")


def canonical(decimal: str) -> str:
    """Return the one spelling of a plain decimal."""
    whole, _, fraction = decimal.lstrip("-").partition(".")
    number = (whole.lstrip("0") or "0") + ("." + fraction).rstrip("0").rstrip(".")
    return "-" + number if decimal.startswith("-") and number != "0" else number


def shown(text: str) -> str:
    """Return foreign text in a form safe and short enough for an error message."""
    plain = text if text.isprintable() else ascii(text)
    return plain if len(plain) <= 80 else plain[:77] + "..."


def refuse(place: str, what: str, hint: str = "") -> NoReturn:
    raise MalformedStudy(f"{place}: {what}", hint=hint)


def _categories(place: str, text: str) -> tuple[str, ...]:
    if not _CATEGORIES.fullmatch(text):
        refuse(place, "not a list of categories", 'write for instance category F M "not known"')
    return tuple(quoted or bare for quoted, bare in _CATEGORY.findall(text))


def _spelled(value: str) -> str:
    return f'"{value}"' if " " in value else value


def _check_categories(place: str, column: Column) -> None:
    if (column.low, column.high, column.unit) != ("", "", ""):
        refuse(place, "a category has neither bounds nor unit")
    if not 1 <= len(column.values) <= MAX_CATEGORIES:
        refuse(place, f"a category has 1 to {MAX_CATEGORIES} values", _COLUMN_HINT)
    if len(set(column.values)) < len(column.values):
        refuse(place, "two values are the same")
    for value in column.values:
        check_text(place, value, 100)
        if value != value.strip() or '"' in value:
            refuse(place, f"{value!r} begins or ends with a space, or holds a quote")


def _check_bounds(place: str, column: Column) -> None:
    if column.values:
        refuse(place, "only a category has values")
    for bound in (column.low, column.high):
        check_number(place, bound, column.kind)
    if Fraction(column.low) > Fraction(column.high):
        refuse(place, f"the low bound {column.low} is above the high bound {column.high}")
    check_text(place, column.unit, 40)
