"""Do two groups differ in their mean? Welch's t-test, and not the groups' means.

Each member sums a column and its squares, by group. Revealed are the difference of the means,
its variance and Welch's degrees of freedom: from these anyone has t, p and an interval.
"""

from math import sqrt

import numpy as np

from quorate.models import moments
from quorate.models.products import brought, read
from quorate.mpc.selection import concatenate
from quorate.studies.analyses import tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.columns import check_sizes, sizes_of, units_of
from quorate.studies.analyses.guards import all_of, is_large_or_none
from quorate.studies.inputs import Axis, Input
from quorate.studies.schema import Column, refuse

KIND = "t-test"


def parameters() -> tuple[str, ...]:
    return "column", "by", "groups"


def check(asked: Asked) -> None:
    check_sizes(asked, _column(asked))
    by = asked.column("by", "category")
    groups = _groups(asked)
    if len(groups) != 2 or groups[0] == groups[1] or not set(groups) <= set(by.values):
        refuse(
            f"{asked.place}.groups",
            f"a t-test compares two values of {by.name}",
            f'add for instance groups = ["{by.values[0]}", "{by.values[-1]}"]',
        )


def needs(asked: Asked) -> tuple[Input, ...]:
    cells, name, to = asked.cells(Axis(asked.one("by"), ())), asked.one("column"), _to(asked)
    return (
        Input(cells, "count", ""),
        Input(cells, "sum", name, to=to),
        Input(cells, "squares", name, to=2 * to),
    )


def values(asked: Asked) -> tuple[Value, ...]:
    column, sizes = _column(asked), sizes_of(asked, _column(asked))
    most, unit = 2.1 * float(column.largest), 10 ** _to(asked)
    return (
        Value(_difference(asked), column.unit, unit << 32, -most, most),
        Value("its variance", f"({column.unit})^2", unit**2 << sizes.variance_bits, 0, most**2),
        Value("degrees of freedom", "", 1 << moments.FREEDOM_BITS, 0, 1.01 * asked.rows + 1),
    )


def together(asked: Asked, sums: Sums) -> Told:
    by = asked.column("by", "category")
    at = np.array([by.values.index(group) for group in _groups(asked)])
    n, total, squares = (sums(item)[at] for item in needs(asked))
    found = moments.welch(n, total, squares, sizes_of(asked, _column(asked)))
    freedom = brought(found.freedom, moments.FREEDOM_BITS)
    words = [read(one, 0).reshape(1) for one in (found.difference, found.variance, freedom)]
    return Told(
        concatenate(words),
        concatenate([found.sound.reshape(1)] * 3),
        all_of(is_large_or_none(n, asked.study.min_cell)),
    )


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    by = asked.column("by", "category")
    at = np.array([by.values.index(group) for group in _groups(asked)])
    n, total, squares = (totals(item)[at] for item in needs(asked))
    if n.min() < 2:
        return None, None, None
    each = (squares - total**2 / n) / (n - 1) / n
    if each.sum() <= 0:
        return None, None, None
    freedom = each.sum() ** 2 / (each**2 / (n - 1)).sum()
    return float(np.subtract(*(total / n))), float(each.sum()), float(freedom)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    if None in found:
        return ()
    difference, variance, freedom = (float(number or 0) for number in found)
    error, unit = sqrt(variance), _column(asked).unit
    if not error or not freedom:
        return ()
    wide, name = tails.t_quantile(freedom) * error, _difference(asked)
    return (
        Derived("standard error", (), unit, error),
        Derived("t", (), "", difference / error),
        Derived("p", (), "", tails.two_sided_t(difference / error, freedom)),
        Derived(f"{name}, 95 % from", (), unit, difference - wide),
        Derived(f"{name}, 95 % to", (), unit, difference + wide),
    )


def sentences(asked: Asked) -> tuple[str, ...]:
    first, second = _groups(asked)
    by = asked.one("by")
    return (
        f"how the mean of {asked.one('column')} differs between {by} = {first} and {second}, "
        "and neither mean",
        "the degrees of freedom bound how many rows there are",
    )


def _column(asked: Asked) -> Column:
    return asked.column("column", "integer", "number")


def _to(asked: Asked) -> int:
    return units_of(asked, _column(asked))


def _difference(asked: Asked) -> str:
    first, second = _groups(asked)
    return f"mean of {first} less mean of {second}"


def _groups(asked: Asked) -> tuple[str, ...]:
    return asked.values("groups") or asked.column("by", "category").values
