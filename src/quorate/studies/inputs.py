"""What each member computes of its own rows: vectors of integers, an entry for each cell.

    releases --needs--> inputs, each once --every member--> own part --secure sum--> totals

Cells are the product of declared categories and of histogram bins: how many
there are is known from the study, not from the data. Counts and integer
columns are whole numbers. Sums over a number column are decimals: rows have at
most 9 decimals and squares 18, both summed exactly, and each member rounds its
sum once, to as many decimals as surely fit 63 bits (`decimals`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import prod
from typing import Literal

from quorate.algebra import fixed
from quorate.studies.query import Output, Predicate, Query
from quorate.studies.schema import DECIMALS, Column
from quorate.studies.study import Study

Amount = Literal["count", "sum", "squares", "products", "members", "alone"]
AMOUNTS: dict[str, tuple[Amount, ...]] = {
    "count": ("count",),
    "histogram": ("count",),
    "sum": ("sum",),
    "avg": ("count", "sum"),
    "var": ("count", "sum", "squares"),
    "stddev": ("count", "sum", "squares"),
    "percentile": ("count",),  # under privacy only, and so is
    "mode": ("count",),
}
"""The amounts from which each statistic is computed."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One way to tell rows apart: by a category's declared values, by `edges`, or in steps."""

    column: str
    edges: tuple[str, ...]  # a category has none
    step: str = ""  # bins of one width, of the two ends that are `edges`; the last is closed


EACH_ROW = Axis("", ())
"""Each row by itself, as many as a member may have. Of such cells members' parts are not added up:
they stand one after the other, the members' in turn."""


def so_many(numbers: int) -> Axis:
    """Return the axis of so many numbers that a member makes of its rows as it sees fit."""
    return Axis("", (), str(numbers))


@dataclass(frozen=True, slots=True)
class Cells:
    """Rows that satisfy all of `where`, told apart by every one of `axes`, the last one fastest."""

    where: tuple[Predicate, ...]
    axes: tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """One amount for each of `cells`: of rows, or of one column over them."""

    cells: Cells
    amount: Amount  # "members" is 1 of a member that has such rows, else 0; "alone": see columns
    column: str  # empty for a count
    other: str = ""  # of products
    to: int | None = None  # decimals to which a member rounds its part; None: as many as fit
    columns: tuple[str, ...] = ()  # of "alone": what is read of each row, for the analysis `other`

    @property
    def is_apart(self) -> bool:
        """Return whether members' parts are not added up: they stand one after the other."""
        return self.amount == "alone" or EACH_ROW in self.cells.axes


def inputs_of(study: Study) -> tuple[Input, ...]:
    """Return what the study's releases need, each once.

    A study that withholds small cells needs the number of rows of every cell.
    """
    wanted: dict[Input, None] = {}
    for query in study.releases:
        for output in query.outputs:
            cells = cells_of(query, output)
            amounts = AMOUNTS[output.statistic]
            if study.min_cell > 1 and "count" not in amounts:
                amounts = ("count", *amounts)
            for amount in amounts:
                wanted[Input(cells, amount, "" if amount == "count" else output.column)] = None
    return tuple(wanted)


def asked_of(study: Study) -> tuple[Input, ...]:
    """Return the inputs from which results are computed: the rest decide what is withheld."""
    asked = {
        Input(cells_of(query, output), amount, "" if amount == "count" else output.column)
        for query in study.releases
        for output in query.outputs
        for amount in AMOUNTS[output.statistic]
    }
    return tuple(item for item in inputs_of(study) if item in asked)


def cells_of(query: Query, output: Output) -> Cells:
    """Return the cells of `output`: the release's groups, and a histogram's bins."""
    groups = tuple(Axis(name, ()) for name in query.group_by)
    bins = (Axis(output.column, output.edges),) if output.has_bins else ()
    return Cells(query.where, (*groups, *bins))


def size(study: Study, cells: Cells) -> int:
    return prod(len(labels(study, axis)) for axis in cells.axes)


def places(study: Study, cells: Cells) -> list[tuple[int, ...]]:
    """Return where each cell stands on each axis, in the order of the cells."""
    return list(product(*(range(len(labels(study, axis))) for axis in cells.axes)))


def labels(study: Study, axis: Axis) -> tuple[str, ...]:
    """Return what tells the cells of one axis apart, for people."""
    if axis == EACH_ROW:
        return tuple(f"row {i + 1}" for i in range(study.max_rows))
    if not axis.column:
        return tuple(f"number {i + 1}" for i in range(int(axis.step)))
    if not axis.edges:
        values = study.table.column(axis.column).values
        return tuple(f"{axis.column} = {value}" for value in values)
    if axis.step:
        low, high, step = map(Fraction, (*axis.edges, axis.step))
        whole = study.table.column(axis.column).kind == "integer"
        bins = (high - low) // step + 1 if whole else -((low - high) // step)
        return tuple(f"bin {i} of {axis.column}" for i in range(max(bins, 1)))
    closed = len(axis.edges) - 2
    return tuple(
        f"{low} <= {axis.column} {'<=' if i == closed else '<'} {high}"
        for i, (low, high) in enumerate(pairwise(axis.edges))
    )


def decimals(study: Study, members: int, item: Input) -> int | None:
    """Return to how many decimals each member rounds `item`, or None where it could overflow."""
    if not item.column:
        return 0  # below 2^63 by the limits on members and rows
    columns = [study.table.column(name) for name in columns_of(item)]
    largest = study.max_rows * prod(column.largest for column in columns)
    if item.to is not None:
        return item.to if fixed.sum_fits(members, largest * 10**item.to, 0) else None
    most = sum(DECIMALS[column.kind] for column in columns)
    fitting = (d for d in range(most, -1, -1) if fixed.sum_fits(members, largest * 10**d, 0))
    return next(fitting, None)


def most_rows(column: Column, members: int, amount: Amount) -> int:
    """Return the largest max_rows with which a sum surely fits, 0 if there is none."""
    largest = column.largest ** (2 if amount == "squares" else 1)
    return int((fixed.LIMIT - 1 - members) // (members * largest))


def columns_of(item: Input) -> tuple[str, ...]:
    """Return the columns whose values are multiplied and summed."""
    match item.amount:
        case "squares":
            return item.column, item.column
        case "products":
            return item.column, item.other
        case _:
            return (item.column,) if item.column else ()


def used_columns(study: Study, inputs: Iterable[Input]) -> tuple[Column, ...]:
    """Return every column the study looks at, in the order of the table."""
    used: set[str] = set()
    for item in inputs:
        used |= {axis.column for axis in item.cells.axes} | {*columns_of(item), *item.columns}
        used |= columns_in(item.cells.where)
    for query in study.releases:
        used |= {output.column for output in query.outputs}
    return tuple(column for column in study.table.columns if column.name in used)


def columns_in(where: tuple[Predicate, ...]) -> set[str]:
    return {p.column for p in where}.union(*(columns_in(p.args) for p in where))
