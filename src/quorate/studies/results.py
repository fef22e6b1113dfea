"""From the pooled totals to what a study's releases are, and the one form each value has.

A result is exact: a fraction in lowest terms, or the root of one. Two have no
number: `WITHHELD`, because too few rows are in the cell or its line, and
`NONE`, because there are no rows to take a mean of, or no two for a variance.
A sum or a count of no rows is 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from quorate.studies.inputs import (
    AMOUNTS,
    Cells,
    Input,
    asked_of,
    cells_of,
    inputs_of,
    labels,
    places,
    size,
)
from quorate.studies.pooled import Hidden, Pooled, pooled_of
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

    @property
    def number(self) -> str:
        """Return which number of its analysis it is: the name without the analysis's own."""
        return self.name.removeprefix(f"{self.release} ")


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one result, known before anything runs."""

    release: str
    output: Output
    cells: Cells
    index: int
    cell: tuple[str, ...]
    unit: str
    choices: tuple[str, ...] = ()  # what a mode is one of


def slots(study: Study) -> Iterator[Slot]:
    """Yield the place of every result of `study`, in order: release, output, cell."""
    for query in study.releases:
        for output in query.outputs:
            cells = cells_of(query, output)
            names = [labels(study, axis) for axis in cells.axes]
            unit, is_mode = _unit(study, output), output.statistic == "mode"
            choices = study.table.column(output.column).values if is_mode else ()
            for i, place in enumerate(places(study, cells)):
                cell = tuple(names[axis][k] for axis, k in enumerate(place))
                yield Slot(query.name, output, cells, i, cell, unit, choices)


def results_of(study: Study, members: int, totals: tuple[int, ...]) -> tuple[Result, ...]:
    """Return the results when `totals` are the pooled inputs of `members`, one after the other.

    Raises `Abort` for totals no honest members could have produced.
    """
    pooled = pooled_of(study, members, inputs_of(study), totals)
    if study.min_cell == 1:
        return _results(study, pooled, {})
    counts = [pooled[item] for item in pooled if item.amount == "count"]
    hidden = withheld(study, [int(value or 0) for table in counts for value in table])
    return _results(study, pooled, _by_table(study, hidden))


def results_revealed(
    study: Study, members: int, numbers: tuple[int, ...], hidden: tuple[bool, ...]
) -> tuple[Result, ...]:
    """Return the results when `numbers` are what was revealed of the inputs that are asked for.

    `hidden` says which of the counted cells are withheld: their numbers are 0.
    Raises `Abort` for what no honest members could have produced.
    """
    gone = _by_table(study, hidden)
    return _results(study, pooled_of(study, members, asked_of(study), numbers, gone), gone)


def _by_table(study: Study, hidden: tuple[bool, ...]) -> Hidden:
    bits = iter(hidden)
    tables = (item.cells for item in inputs_of(study) if item.amount == "count")
    return {table: tuple(islice(bits, size(study, table))) for table in tables}


def _results(study: Study, pooled: Pooled, hidden: Hidden) -> tuple[Result, ...]:
    return tuple(
        withheld_at(slot)
        if slot.cells in hidden and hidden[slot.cells][slot.index]
        else result_of(slot, _exact(slot, pooled))
        for slot in slots(study)
    )


def result_of(slot: Slot, exact: str) -> Result:
    """Return `exact` as the result at `slot`: "" stands for no rows."""
    parsed = from_exact(exact)
    if parsed is None:
        return _result(slot, "", NONE)
    value, is_root = parsed
    if slot.choices and not is_root and value in range(len(slot.choices)):
        return _result(slot, exact, slot.choices[int(value)])
    return _result(slot, exact, root_text(value) if is_root else decimal_text(value))


def withheld_at(slot: Slot) -> Result:
    """Return that the value at `slot` is not shown."""
    return _result(slot, "", WITHHELD)


def is_possible(study: Study, slot: Slot, result: Result) -> bool:
    """Return whether `result` is in the one form a result at `slot` can have."""
    statistic = slot.output.statistic
    if result == withheld_at(slot):
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
    if output.statistic == "mode":
        return f"value of {output.column}"
    unit = study.table.column(output.column).unit
    return f"({unit})^2" if output.statistic == "var" else unit


def _exact(slot: Slot, pooled: Pooled) -> str:
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
        case "percentile" | "mode":
            raise ValueError("these are of noisy counts: `noisy_results` has them")


def _at(pooled: Pooled, slot: Slot, amount: str, column: str) -> Fraction:
    """Return one pooled amount; 0 where the statistic does not use it."""
    for item_amount in AMOUNTS[slot.output.statistic]:
        if item_amount == amount:
            item = Input(slot.cells, item_amount, "" if amount == "count" else column)
            return pooled[item][slot.index] or Fraction(0)
    return Fraction(0)
