"""From noisy totals to a study's releases: arithmetic on what is public, which costs nothing.

A noisy count is what it is, also below 0. Means lie within their bounds and variances between
0 and what the bounds allow. A value is withheld where the noisy number of its rows, if its
release has one, is below `min_cell`: noise hides patients, and this hides what is mostly noise.
"""

from collections.abc import Mapping
from fractions import Fraction
from itertools import accumulate

from quorate.dp.estimates import mean_from, variance_from
from quorate.errors import Abort
from quorate.studies.inputs import Axis, Cells
from quorate.studies.noised import Kind, bounds_of, square_step, vectors_of
from quorate.studies.regression_results import Sums, regression_results
from quorate.studies.results import Result, Slot, result_of, slots, withheld_at
from quorate.studies.statistics import exact_text, from_exact
from quorate.studies.study import Study

Totals = Mapping[tuple[str, Cells, Kind, str], tuple[int, ...]]


def noisy_results(study: Study, numbers: tuple[int, ...]) -> tuple[Result, ...]:
    """Return the results when `numbers` are the noisy totals of all vectors, one after the other.

    Raises `Abort` for another number of totals.
    """
    totals: dict[tuple[str, Cells, Kind, str], tuple[int, ...]] = {}
    sums: Sums = {}
    at = 0
    for vector in vectors_of(study):
        key = (vector.release, vector.cells, vector.kind, vector.column)
        here = numbers[at : at + vector.revealed]
        totals[key] = tuple(round(Fraction(number, vector.factor)) for number in here)
        if vector.kind == "products":
            sums[vector.release] = vector, totals[key]
        at += vector.revealed
    if at != len(numbers):
        raise Abort(f"{len(numbers)} noisy totals where {at} were due")
    found = (_result(study, slot, totals) for slot in slots(study))
    return (*found, *regression_results(study, sums))


def is_possible_noisy(study: Study, slot: Slot, result: Result) -> bool:
    """Return whether `result` is in the one form a noisy result at `slot` can have."""
    if result == withheld_at(slot):
        return study.min_cell > 1
    parsed = from_exact(result.exact)
    if parsed is None or result != result_of(slot, result.exact):
        return False
    value, is_root = parsed
    match slot.output.statistic:
        case "count" | "histogram":
            return not is_root and value.denominator == 1
        case "mode":
            return not is_root and value in range(len(slot.choices))
        case "sum":
            return not is_root
        case "avg":
            bounds = bounds_of(study, slot.output.column)
            return not is_root and bounds.low <= value <= bounds.high
        case "percentile":
            return not is_root and value in map(Fraction, slot.output.edges)
        case "var" | "stddev":
            bounds = bounds_of(study, slot.output.column)
            most = (bounds.high - bounds.low) ** 2 / 4
            return is_root == (slot.output.statistic == "stddev") and 0 <= value <= most


def _result(study: Study, slot: Slot, totals: Totals) -> Result:
    rows = totals.get((slot.release, slot.cells, "rows", ""))
    if rows is not None and rows[slot.index] < study.min_cell and study.min_cell > 1:
        return withheld_at(slot)
    return result_of(slot, _exact(study, slot, totals))


def _exact(study: Study, slot: Slot, totals: Totals) -> str:
    def at(kind: Kind) -> int:
        column = "" if kind == "rows" else slot.output.column
        return totals[slot.release, slot.cells, kind, column][slot.index]

    statistic = slot.output.statistic
    if statistic == "percentile":
        return exact_text(_percentile(slot, totals))
    if statistic in {"count", "histogram"}:
        return exact_text(Fraction(at("rows")))
    if statistic == "mode":
        return exact_text(_place(slot, totals))
    bounds = bounds_of(study, slot.output.column)
    if statistic == "sum":
        return exact_text(at("sum") * bounds.step)
    if statistic == "avg":
        return exact_text(mean_from(bounds, at("rows"), at("centred")))
    squares = at("squares") * square_step(bounds)
    spread = variance_from(bounds, at("rows"), at("centred"), squares)
    return exact_text(spread, root=statistic == "stddev")


def _place(slot: Slot, totals: Totals) -> Fraction:
    """Return the place of a mode. Raises `Abort` for a place that is none."""
    column = slot.output.column
    cells = Cells(slot.cells.where, (*slot.cells.axes, Axis(column, ())))
    place = totals[slot.release, cells, "largest", column][slot.index]
    if place not in range(len(slot.choices)):
        raise Abort(
            f"the most frequent {column} is none of its values",
            hint="a member did not follow the plan; nothing here shows which one",
        )
    return Fraction(place)


def _percentile(slot: Slot, totals: Totals) -> Fraction:
    """Return the upper edge of the first bin up to which there are enough of the noisy rows."""
    output = slot.output
    axes = (*slot.cells.axes, Axis(output.column, output.edges))
    rows = totals[slot.release, Cells(slot.cells.where, axes), "rows", ""]
    bins = len(output.edges) - 1
    own = rows[slot.index * bins : (slot.index + 1) * bins]
    wanted = Fraction(int(output.percent), 100) * sum(own)
    reached = accumulate(own)
    found = next((i for i, below in enumerate(reached) if below >= wanted), bins - 1)
    return Fraction(output.edges[found + 1])
