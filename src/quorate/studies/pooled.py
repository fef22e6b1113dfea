"""Pooled numbers: cut into inputs, and held to what rows within the bounds could give.

A cell whose numbers were withheld before anybody saw them has none here, and nothing is
said of it. What a liar may do within the bounds passes, as that member's rows would.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from quorate.errors import Abort
from quorate.studies.inputs import Cells, Input, decimals, size
from quorate.studies.study import Study

Pooled = dict[Input, list[Fraction | None]]
Hidden = Mapping[Cells, Sequence[bool]]


def pooled_of(
    study: Study,
    members: int,
    inputs: Sequence[Input],
    numbers: tuple[int, ...],
    hidden: Hidden | None = None,
) -> Pooled:
    """Return the numbers as the values they stand for, cut into `inputs`, all of them possible.

    Those of cells that are `hidden` are left out. Raises `Abort`.
    """
    pooled: Pooled = {}
    at = 0
    for item in inputs:
        unit = 10 ** (decimals(study, members, item) or 0)
        end = at + size(study, item.cells)
        gone = (hidden or {}).get(item.cells) or [False] * (end - at)
        pooled[item] = [
            None if away else Fraction(number, unit)
            for away, number in zip(gone, numbers[at:end], strict=True)
        ]
        at = end
    if at != len(numbers):
        raise ValueError(f"{len(numbers)} numbers where {at} were due")
    small = range(1, study.min_cell) if hidden is not None else range(0)
    if not all(_are_possible(study, members, item, pooled, small) for item in inputs):
        raise Abort(
            "the pooled totals are impossible under this plan",
            hint="a member did not follow the plan; nothing here shows which one",
        )
    return pooled


def _are_possible(study: Study, members: int, item: Input, pooled: Pooled, small: range) -> bool:
    everything = not item.cells.where and not item.cells.axes
    least, most = members if everything else 0, members * study.max_rows
    if item.amount == "count":
        counts = [value for value in pooled[item] if value is not None]
        return sum(counts) <= most and all(n >= least and n not in small for n in counts)
    low, high = _bounds(study, item)
    slack = _slack(study, members, item)
    rows_of = pooled.get(Input(item.cells, "count", ""))
    for i, value in enumerate(pooled[item]):
        if value is None:
            continue
        n = None if rows_of is None else rows_of[i]
        rows = (least, most) if n is None else (n, n)
        wide = slack if rows[1] else Fraction(0)
        ends = [r * end for r in rows for end in (low, high)]
        if not min(ends) - wide <= value <= max(ends) + wide:
            return False
    return item.amount == "sum" or _are_squares(study, members, item, pooled)


def _are_squares(study: Study, members: int, item: Input, pooled: Pooled) -> bool:
    """Return whether n Q >= S^2 in every cell, as for all real rows, but for the rounding."""
    total = Input(item.cells, "sum", item.column)
    return all(
        n * (q + _slack(study, members, item))
        >= max(abs(s) - _slack(study, members, total), Fraction(0)) ** 2
        for n, s, q in zip(
            pooled[Input(item.cells, "count", "")], pooled[total], pooled[item], strict=True
        )
        if n is not None and s is not None and q is not None
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
