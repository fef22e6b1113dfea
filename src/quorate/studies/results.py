"""From the pooled totals to what a study's releases are, and the one form each value has.

A result is exact: a fraction in lowest terms, or the root of one. Two have no
number: `WITHHELD`, because too few rows are in the cell or its line, and
`NONE`, because there are no rows to take a mean of, or no two for a variance.
A sum or a count of no rows is 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from quorate.errors import Abort
from quorate.studies.inputs import (
    AMOUNTS,
    Cells,
    Input,
    cells_of,
    decimals,
    inputs_of,
    labels,
    places,
    size,
)
from quorate.studies.query import Output
from quorate.studies.statistics import decimal_text, exact_text, from_exact, root_text, variance
from quorate.studies.study import Study
from quorate.studies.suppression import withheld

WITHHELD = "withheld"
NONE = "none"


@dataclass(frozen=True, slots=True)
class Result:
    """One value of a release: exactly, and as people read it."""

    release: str
    name: str
    cell: tuple[str, ...]  # such as "sex = F", "0 <= age < 20"; empty where all rows are meant
    unit: str
    exact: str  # such as 21445/442 or sqrt(2); empty where there is no number
    value: str  # rounded to PLACES decimals, WITHHELD or NONE

    @property
    def label(self) -> str:
        """Return the name and the cell, for people."""
        return ", ".join((self.name, *self.cell))


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one result, known before anything runs."""

    release: str
    output: Output
    cells: Cells
    index: int
    cell: tuple[str, ...]
    unit: str


def slots(study: Study) -> Iterator[Slot]:
    """Yield the place of every result of `study`, in order: release, output, cell."""
    for query in study.releases:
        for output in query.outputs:
            cells = cells_of(query, output)
            names = [labels(study, axis) for axis in cells.axes]
            for i, place in enumerate(places(study, cells)):
                cell = tuple(names[axis][k] for axis, k in enumerate(place))
                yield Slot(query.name, output, cells, i, cell, _unit(study, output))


def results_of(study: Study, members: int, totals: tuple[int, ...]) -> tuple[Result, ...]:
    """Return the results when `totals` are the pooled inputs of `members`, one after the other.

    Raises `Abort` for totals no honest members could have produced.
    """
    pooled = _pooled(study, members, totals)
    hidden = {}
    if study.min_cell > 1:
        counts = {
            item.cells: [int(value) for value in values]
            for item, values in pooled.items()
            if item.amount == "count"
        }
        hidden = withheld(study, counts)
    found: list[Result] = []
    for slot in slots(study):
        if slot.index in hidden.get(slot.cells, ()):
            found.append(_result(slot, "", WITHHELD))
        else:
            found.append(result_of(slot, _exact(slot, pooled)))
    return tuple(found)


def result_of(slot: Slot, exact: str) -> Result:
    """Return `exact` as the result at `slot`: "" stands for no rows."""
    parsed = from_exact(exact)
    if parsed is None:
        return _result(slot, "", NONE)
    value, is_root = parsed
    return _result(slot, exact, root_text(value) if is_root else decimal_text(value))


def is_possible(study: Study, slot: Slot, result: Result) -> bool:
    """Return whether `result` is in the one form a result at `slot` can have."""
    statistic = slot.output.statistic
    if result == _result(slot, "", WITHHELD):
        return study.min_cell > 1
    if result.exact == "":
        return statistic in {"avg", "var", "stddev"} and result == result_of(slot, "")
    parsed = from_exact(result.exact)
    if parsed is None or result != result_of(slot, result.exact):
        return False
    value, is_root = parsed
    if statistic in {"count", "histogram"}:
        return value.denominator == 1 and (value == 0 or value >= study.min_cell) and not is_root
    return is_root == (statistic == "stddev") and (value >= 0 or statistic in {"sum", "avg"})


def _result(slot: Slot, exact: str, value: str) -> Result:
    return Result(slot.release, slot.output.name, slot.cell, slot.unit, exact, value)


def _unit(study: Study, output: Output) -> str:
    if output.statistic in {"count", "histogram"}:
        return "rows"
    unit = study.table.column(output.column).unit
    return f"({unit})^2" if output.statistic == "var" else unit


def _exact(slot: Slot, pooled: dict[Input, list[Fraction]]) -> str:
    output = slot.output
    count, total, squares = (
        _at(pooled, slot, amount, output.column) for amount in ("count", "sum", "squares")
    )
    match output.statistic:
        case "count" | "histogram":
            return exact_text(count)
        case "sum":
            return exact_text(total)
        case "avg":
            return exact_text(total / count) if count else ""
        case "var" | "stddev":
            if count < 2:
                return ""
            spread = variance(int(count), total, squares)
            return exact_text(spread, root=output.statistic == "stddev")


def _at(pooled: dict[Input, list[Fraction]], slot: Slot, amount: str, column: str) -> Fraction:
    """Return one pooled amount; 0 where the statistic does not use it."""
    for item_amount in AMOUNTS[slot.output.statistic]:
        if item_amount == amount:
            item = Input(slot.cells, item_amount, "" if amount == "count" else column)
            return pooled[item][slot.index]
    return Fraction(0)


def _pooled(study: Study, members: int, totals: tuple[int, ...]) -> dict[Input, list[Fraction]]:
    """Return the totals as the values they stand for, cut into inputs, all of them possible."""
    pooled: dict[Input, list[Fraction]] = {}
    at = 0
    for item in inputs_of(study):
        unit = 10 ** (decimals(study, members, item) or 0)
        end = at + size(study, item.cells)
        pooled[item] = [Fraction(total, unit) for total in totals[at:end]]
        at = end
    if at != len(totals):
        raise ValueError(f"{len(totals)} totals where {at} were due")
    for item, values in pooled.items():
        if not _are_possible(study, members, item, values, pooled):
            raise Abort(
                "the pooled totals are impossible under this plan",
                hint="a member did not follow the plan; nothing here shows which one",
            )
    return pooled


def _are_possible(
    study: Study,
    members: int,
    item: Input,
    values: list[Fraction],
    pooled: dict[Input, list[Fraction]],
) -> bool:
    everything = not item.cells.where and not item.cells.axes
    least, most = members if everything else 0, members * study.max_rows
    if item.amount == "count":
        return least <= sum(values) <= most and min(values) >= 0
    low, high = _bounds(study, item)
    slack = _slack(study, members, item)
    counts = pooled.get(Input(item.cells, "count", ""))
    for i, value in enumerate(values):
        rows = (least, most) if counts is None else (counts[i], counts[i])
        wide = slack if rows[1] else Fraction(0)
        ends = [r * end for r in rows for end in (low, high)]
        if not min(ends) - wide <= value <= max(ends) + wide:
            return False
    return item.amount == "sum" or _are_squares(study, members, item, pooled)


def _are_squares(
    study: Study, members: int, item: Input, pooled: dict[Input, list[Fraction]]
) -> bool:
    """Return whether n Q >= S^2 in every cell, as for all real rows, but for the rounding."""
    total = Input(item.cells, "sum", item.column)
    return all(
        n * (q + _slack(study, members, item))
        >= max(abs(s) - _slack(study, members, total), Fraction(0)) ** 2
        for n, s, q in zip(
            pooled[Input(item.cells, "count", "")], pooled[total], pooled[item], strict=True
        )
    )


def _bounds(study: Study, item: Input) -> tuple[Fraction, Fraction]:
    """Return between what one row's amount lies."""
    column = study.table.column(item.column)
    low, high = Fraction(column.low), Fraction(column.high)
    if item.amount == "sum":
        return low, high
    ends = low**2, high**2
    return Fraction(0) if low <= 0 <= high else min(ends), max(ends)


def _slack(study: Study, members: int, item: Input) -> Fraction:
    """Return by how much a pooled sum may be off, as each member with rows rounds once."""
    if study.table.column(item.column).kind == "integer":
        return Fraction(0)
    return Fraction(members, 10 ** (decimals(study, members, item) or 0))
