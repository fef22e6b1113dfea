"""Do two categories depend on one another? Pearson's chi-squared, and not the table.

Each member counts its rows by both. Revealed are chi squared and its degrees of freedom;
from these anyone has p. There is no correction for continuity.
"""

import numpy as np

from quorate.models import contingency
from quorate.models.products import read
from quorate.mpc.selection import concatenate
from quorate.studies.analyses import tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.guards import all_of, is_large_or_none
from quorate.studies.inputs import Axis, Input
from quorate.studies.schema import refuse

KIND = "crosstab"


def parameters() -> tuple[str, ...]:
    return "rows", "columns"


def check(asked: Asked) -> None:
    asked.check_rows()
    rows, columns = (asked.column(name, "category") for name in parameters())
    if rows == columns:
        refuse(asked.place, "a column always depends on itself")
    if min(len(rows.values), len(columns.values)) < 2:
        refuse(asked.place, "a category of one value depends on nothing")


def needs(asked: Asked) -> tuple[Input, ...]:
    return (_table(asked),)


def values(asked: Asked) -> tuple[Value, ...]:
    rows, columns = _shape(asked)
    most = float(2 * asked.rows * min(rows, columns))
    return (
        Value("chi-squared", "", 1 << contingency.CHI_BITS, 0, most),
        Value("degrees of freedom", "", 1, 0, (rows - 1) * (columns - 1)),
    )


def together(asked: Asked, sums: Sums) -> Told:
    table = sums(_table(asked))
    chi, freedom = contingency.chi_squared(table, asked.rows)
    lines = concatenate([table.sum(axis=1), table.sum(axis=0)])
    some = (freedom > 0) + 0
    return Told(
        concatenate([read(chi, 0).reshape(1), freedom.reshape(1)]),
        concatenate([some.reshape(1), (some - some + 1).reshape(1)]),
        all_of(is_large_or_none(lines, asked.study.min_cell)),
    )


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    table = totals(_table(asked))
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1) if table.size else 0
    if not freedom:
        return None, 0.0
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum()), float(freedom)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:  # noqa: ARG001 - as all kinds
    chi, freedom = found
    if chi is None or freedom is None:
        return ()
    return (Derived("p", (), "", tails.chi_squared(float(chi), float(freedom))),)


def sentences(asked: Asked) -> tuple[str, ...]:
    rows, columns = (asked.one(name) for name in parameters())
    return (
        f"whether {rows} and {columns} depend on one another, and no cell of their table",
        "how many of their values no row has follows from the degrees of freedom",
        "if cells of the same table are released too, chi squared can tell one that is withheld",
    )


def _table(asked: Asked) -> Input:
    axes = (Axis(asked.one(name), ()) for name in parameters())
    return Input(asked.cells(*axes), "count", "")


def _shape(asked: Asked) -> tuple[int, int]:
    rows, columns = (len(asked.column(name, "category").values) for name in parameters())
    return rows, columns
