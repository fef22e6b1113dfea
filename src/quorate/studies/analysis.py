"""What a study asks beyond SQL: a statistic by its name, over the rows that satisfy a condition.

An analysis is data, as a release is: which kinds there are, and what each needs of the rows,
is the matter of `studies.analyses`. Parameters are text, as the study file has them.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from quorate.studies.query import Predicate, condition, quoted
from quorate.studies.schema import (
    MAX_NAMES,
    Table,
    canonical,
    check_name,
    check_names,
    check_text,
    refuse,
    shown,
)
from quorate.studies.sql import read_query

MAX_ANALYSES = 64
MAX_VALUES = 256  # of one parameter
MAX_TEXT = 1000  # characters of one value: a formula may name many columns
_HINT = 'add for instance kind = "crosstab", rows = "sex", columns = "stage"'


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    values: tuple[str, ...]  # one, unless the file has a list


@dataclass(frozen=True, slots=True)
class Analysis:
    """One statistic: `where` is a tree, `condition` its one text."""

    name: str
    kind: str
    condition: str
    where: tuple[Predicate, ...]
    parameters: tuple[Parameter, ...]  # sorted by name

    @property
    def text(self) -> str:
        """Return the analysis on one line, for people."""
        said = [f"{p.name} = {', '.join(p.values)}" for p in self.parameters]
        rows = [f"where {self.condition}"] if self.condition else []
        return "; ".join([self.kind, *said, *rows])


def read_analyses(section: dict[str, object], table: Table) -> tuple[Analysis, ...]:
    """Return the analyses of a study file. Raises `MalformedStudy` naming the place."""
    return tuple(_read(name, value, table) for name, value in section.items())


def check_analyses(analyses: tuple[Analysis, ...], table: Table) -> None:
    """Refuse analyses that break a rule all kinds share. Raises `MalformedStudy`."""
    if len(analyses) > MAX_ANALYSES:
        refuse("analyses", f"more than {MAX_ANALYSES}")
    check_names("analyses", tuple(analysis.name for analysis in analyses))
    for analysis in analyses:
        place = f"analyses.{analysis.name}"
        check_text(f"{place}.kind", analysis.kind, 40)
        names = tuple(parameter.name for parameter in analysis.parameters)
        check_names(place, names)
        if names != tuple(sorted(names)):
            refuse(place, "its parameters are not in order")
        for parameter in analysis.parameters:
            _check_values(f"{place}.{parameter.name}", parameter.values)
        if _where(analysis.name, analysis.condition, table) != analysis.where:
            refuse(place, "its condition and its tree do not say the same")


def _read(name: str, section: object, table: Table) -> Analysis:
    check_name("analyses", name)
    place = f"analyses.{name}"
    if not isinstance(section, dict):
        refuse(place, "not a table of parameters", _HINT)
    given = dict(cast("dict[str, object]", section))
    kind, where = given.pop("kind", None), given.pop("where", "")
    if not isinstance(kind, str):
        refuse(place, "has no kind", _HINT)
    if not isinstance(where, str):
        refuse(f"{place}.where", "not a condition in quotes", 'write for instance "age >= 50"')
    if len(given) > MAX_NAMES:
        refuse(place, f"more than {MAX_NAMES} parameters")
    parameters = (Parameter(key, _values(f"{place}.{shown(key)}", given[key])) for key in given)
    found = _where(name, where, table)
    ordered = tuple(sorted(parameters, key=lambda parameter: parameter.name))
    return Analysis(name, kind, condition(found, table), found, ordered)


def _where(name: str, text: str, table: Table) -> tuple[Predicate, ...]:
    """Return the condition that `text` states, read as that of a release."""
    if not text:
        return ()
    query = read_query(name, f"select count(*) as n from {quoted(table.name)} where {text}", table)  # noqa: S608
    if query.group_by:
        refuse(f"analyses.{name}.where", "holds more than a condition")
    return query.where


def _values(place: str, value: object) -> tuple[str, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return tuple(_value(place, item) for item in items)


def _value(place: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal) and value.is_finite():
        return canonical(f"{value:f}")
    if not isinstance(value, int | str):
        refuse(place, "neither text, a number, true, false, nor a list of these")
    return str(value)


def _check_values(place: str, values: tuple[str, ...]) -> None:
    if not 1 <= len(values) <= MAX_VALUES:
        refuse(place, f"has 1 to {MAX_VALUES} values")
    for value in values:
        check_text(place, value, MAX_TEXT)
