"""Table 1 of a paper, written out: per arm the rows, means and spreads, categories, and tests.

It is no statistic of its own. `[table_one.NAME]` of a study file becomes releases, in which
small cells are withheld as in all others, and analyses that tell of each column whether the arms
differ: chi squared of categories, Welch's t of numbers where there are two arms. Members
approve what it becomes.
"""

from dataclasses import dataclass
from typing import cast

from quorate.studies.analysis import Analysis, Parameter
from quorate.studies.query import Query, quoted
from quorate.studies.schema import Column, Table, check_name, is_name, refuse, shown
from quorate.studies.sql import read_query

_HINT = 'write for instance arm = "treated", columns = ["age", "stage"]'


@dataclass(frozen=True, slots=True)
class Written:
    releases: tuple[Query, ...]
    analyses: tuple[Analysis, ...]


def write_out(section: dict[str, object], table: Table) -> Written:
    """Return what the tables of a study file become. Raises `MalformedStudy`."""
    releases: list[Query] = []
    analyses: list[Analysis] = []
    for name, value in section.items():
        check_name("table_one", name)
        arm, columns = _read(f"table_one.{name}", value, table)
        releases += _releases(name, arm, columns, table)
        analyses += [test for column in columns for test in _tests(name, arm, column)]
    return Written(tuple(releases), tuple(analyses))


def _read(place: str, value: object, table: Table) -> tuple[Column, tuple[Column, ...]]:
    given = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    arm, columns = given.get("arm"), given.get("columns")
    if set(given) != {"arm", "columns"} or not isinstance(columns, list) or not columns:
        refuse(place, "has an arm and a list of columns", _HINT)
    names = [arm, *cast("list[object]", columns)]
    for name in names:
        if not isinstance(name, str) or name not in table.names:
            refuse(place, f"there is no column {shown(str(name))}", _HINT)
    if len(set(names)) < len(names):
        refuse(place, "one column twice")
    found = [table.column(str(name)) for name in names]
    if found[0].kind != "category":
        refuse(place, f"{found[0].name} is no category, so rows have no arm")
    return found[0], tuple(found[1:])


def _releases(
    name: str, arm: Column, columns: tuple[Column, ...], table: Table
) -> tuple[Query, ...]:
    by, of = quoted(arm.name), quoted(table.name)
    numbers = [quoted(column.name) for column in columns if column.kind != "category"]
    moments = [
        f", avg({column}) as {_joined('mean', column)}, stddev({column}) as {_joined('sd', column)}"
        for column in numbers
    ]
    texts = {name: f"select {by}, count(*) as n{''.join(moments)} from {of} group by {by}"}  # noqa: S608
    for column in columns:
        if column.kind == "category":
            both = f"{by}, {quoted(column.name)}"
            texts[_joined(name, column.name)] = (
                f"select {both}, count(*) as n from {of} group by {both}"  # noqa: S608
            )
    return tuple(read_query(key, text, table) for key, text in texts.items())


def _tests(name: str, arm: Column, column: Column) -> tuple[Analysis, ...]:
    title = _joined(name, column.name, "test")
    if column.kind == "category":
        given = (Parameter("columns", (column.name,)), Parameter("rows", (arm.name,)))
        enough = min(len(arm.values), len(column.values)) > 1
        return (Analysis(title, "crosstab", "", (), given),) if enough else ()
    given = (Parameter("by", (arm.name,)), Parameter("column", (column.name,)))
    return (Analysis(title, "t-test", "", (), given),) if len(arm.values) == 2 else ()


def _joined(*names: str) -> str:
    text = "_".join(name.strip('"') for name in names)
    if not is_name(text):
        refuse("table_one", f"{shown(text)} is too long for a name", "shorten its parts")
    return text
