"""Rows on their way to a member that may see them: whole numbers, and SQL for both ends.

Only columns the plan looks at leave, and only rows that one of its conditions lets in. A row is
checked, or brought within its bounds, by its owner; who receives it checks the bounds again.

    integer   itself           number   in steps of 10^-9
    category  its place among the declared values; -1 is none of them (under privacy only)
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from quorate.errors import MalformedMessage
from quorate.studies.inputs import Cells, Input, inputs_of, used_columns
from quorate.studies.plan import Plan
from quorate.studies.regressions import columns_read
from quorate.studies.scan import (
    NUMBER,
    Reading,
    Scan,
    condition_sql,
    constant,
    quoted_name,
    values_sql,
)
from quorate.studies.schema import DECIMALS, Column
from quorate.studies.trust import MOST_VALUES

Rows = NDArray[np.int64]
"""Of one member, (columns, rows), columns as `columns_sent` has them."""

UNIT = 10 ** DECIMALS["number"]
PLACE = "place of the row"


def inputs_on_rows(plan: Plan) -> tuple[Input, ...]:
    """Return what is computed of the rows."""
    if plan.study.privacy is None:
        return plan.inputs
    return (*inputs_of(plan.study), *columns_read(plan.study))


def columns_sent(plan: Plan) -> tuple[Column, ...]:
    """Return the columns that a member sends of its rows."""
    return used_columns(plan.study, inputs_on_rows(plan))


def most_rows_sent(plan: Plan) -> int:
    """Return how many rows one member may send.

    Under privacy that depends on no row: more than `max_rows` is no reason to refuse.
    """
    most = MOST_VALUES // max(len(columns_sent(plan)), 1)
    return most if plan.study.privacy is not None else min(most, plan.study.max_rows)


def rows_query(plan: Plan, scan: Scan, read: Sequence[Reading]) -> str:
    """Return SQL for the rows one of the plan's inputs counts: a place, then coded columns."""
    by_name = {reading.column.name: reading for reading in read}
    shown = [f"{_coded(reading)} AS {quoted_name(reading.column.name)}" for reading in read]
    cells: dict[Cells, None] = dict.fromkeys(item.cells for item in inputs_on_rows(plan))
    any_of = [
        " AND ".join(condition_sql(p, by_name) for p in one.where) for one in cells if one.where
    ]
    everything = any(not one.where for one in cells)
    where = "" if everything else f" WHERE ({') OR ('.join(any_of)})"
    columns = ", ".join([f"0 AS {quoted_name(PLACE)}", *shown])
    return f"SELECT {columns} FROM {values_sql(scan, read)}{where}"  # noqa: S608


def readings_of_rows(plan: Plan) -> tuple[Reading, ...]:
    """Return how coded columns are read again."""
    return tuple(
        Reading(column, quoted_name(column.name), _decoded(column), "BIGINT")
        for column in columns_sent(plan)
    )


def check_coded(plan: Plan, rows: Rows) -> None:
    """Refuse rows that are not as declared. Raises `MalformedMessage`, which names no value."""
    for column, values in zip(columns_sent(plan), rows, strict=True):
        low, high = _ends(plan, column)
        if values.size and not low <= int(values.min()) <= int(values.max()) <= high:
            raise MalformedMessage(f"a row's {column.name} is not as declared")


def _ends(plan: Plan, column: Column) -> tuple[int, int]:
    match column.kind:
        case "category":
            return (0 if plan.study.privacy is None else -1), len(column.values) - 1
        case "integer":
            return int(column.low), int(column.high)
        case "number":
            return int(Fraction(column.low) * UNIT), int(Fraction(column.high) * UNIT)


def _coded(reading: Reading) -> str:
    match reading.column.kind:
        case "category":
            place = f"list_position({_list(reading.column)}, {reading.name})"
            return f"CAST(coalesce({place}, 0) - 1 AS BIGINT)"
        case "integer":
            return f"CAST({reading.name} AS BIGINT)"
        case "number":
            exact = f"CAST({reading.name} AS DECIMAL(38,{DECIMALS['number']}))"
            return f"CAST({exact} * {UNIT} AS BIGINT)"


def _decoded(column: Column) -> str:
    name = quoted_name(column.name)
    match column.kind:
        case "category":
            return f"(CASE WHEN {name} >= 0 THEN {_list(column)}[{name} + 1] END)"
        case "integer":
            return name
        case "number":
            step = f"CAST('{1 / UNIT:.9f}' AS DECIMAL(10,9))"
            return f"CAST(CAST({name} AS DECIMAL(18,0)) * {step} AS {NUMBER})"


def _list(column: Column) -> str:
    return f"[{', '.join(constant(column, value) for value in column.values)}]"
