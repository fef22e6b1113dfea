"""Which charts a release gives, from its plan and its results alone.

release by groups, histogram     bars, a bar for each cell
Kaplan-Meier                     curves with intervals, and how many are at risk
anything else with an interval   estimates and their intervals; ratios about 1
"""

from collections.abc import Iterator
from itertools import groupby
from math import exp, sqrt

from quorate.errors import NotFound
from quorate.pictures.charts import Bars, Chart, Curve, Curves, Interval, Intervals, Point
from quorate.studies.analyses import followed, kaplan_meier
from quorate.studies.analyses.asked import Asked, Derived
from quorate.studies.analyses.following import derived_of
from quorate.studies.plan import Plan
from quorate.studies.results import Result
from quorate.studies.statistics import from_exact

ENDS = (("low", "high"), (", 95 % from", ", 95 % to"))
CONSTANT = "(Intercept)"
RATIOS = ("odds ratio", "rate ratio", "hazard ratio")
"""What the exponential of a coefficient is called, where it is one."""


def charts_of(plan: Plan, results: tuple[Result, ...]) -> tuple[Chart, ...]:
    """Return the charts of a release, in its order. Raises `Unavailable` without SciPy."""
    return (*_bars(plan, results), *_analyses(plan, results))


def chart_named(charts: tuple[Chart, ...], name: str) -> Chart:
    """Return one of them. Raises `NotFound`."""
    for chart in charts:
        if chart.name == name:
            return chart
    known = ", ".join(chart.name for chart in charts) or "none"
    raise NotFound(f"this release has no chart {name}", hint=f"it has: {known}")


def _bars(plan: Plan, results: tuple[Result, ...]) -> Iterator[Bars]:
    """Yield the bars of each output that has more than one cell."""
    releases = {query.name for query in plan.study.releases}
    told = (one for one in results if one.release in releases)
    for (release, name), cells in groupby(told, lambda one: (one.release, one.name)):
        mine = tuple(cells)
        if len(mine) > 1:
            labels = tuple(", ".join(one.cell) for one in mine)
            heights = tuple(number_of(one) for one in mine)
            yield Bars(f"{release} {name}", mine[0].unit, labels, heights)


def _analyses(plan: Plan, results: tuple[Result, ...]) -> Iterator[Chart]:
    for asked, derived in derived_of(plan, results):
        mine = tuple(one for one in results if one.release == asked.analysis.name)
        if asked.analysis.kind == kaplan_meier.KIND:
            yield _curves(asked, mine, derived)
        elif lines := tuple(_intervals(mine, derived)):
            yield _forest(asked, lines, derived)


def _curves(asked: Asked, results: tuple[Result, ...], derived: tuple[Derived, ...]) -> Curves:
    told = {(one.number, one.cell): number_of(one) for one in results}
    ends = {(one.name, one.cell): one.value for one in derived}
    starts = [float(followed.edge(asked, at)) for at in range(followed.bins_of(asked))]
    cells = [one.cell for one in results if one.number == "survival"]
    curves: list[Curve] = []
    for first in range(0, len(cells), len(starts)):
        mine = cells[first : first + len(starts)]
        points = [Point(0.0, 1.0, 1.0, 1.0, None)]
        for start, cell in zip(starts, mine, strict=True):
            height, at_risk = told["survival", cell], told["at risk", cell]
            if height is not None and at_risk is not None:
                low, high = (ends.get((end, cell), height) for end in ENDS[0])
                points.append(Point(start, height, low, high, round(at_risk)))
        curves.append(Curve(", ".join(mine[0][:-1]), tuple(points)))
    return Curves(
        asked.analysis.name, asked.column("time", "integer", "number").unit, tuple(curves)
    )


def _intervals(results: tuple[Result, ...], derived: tuple[Derived, ...]) -> Iterator[Interval]:
    """Yield what has two ends and something between them; of a model no constant."""
    found = {(one.name, one.cell): one.value for one in derived}
    for one in results:
        if (number := number_of(one)) is not None:
            found[one.number, one.cell] = number
    for name, cell in found:
        for low, high in ENDS:
            middle = name.removesuffix(low) or "estimate"
            ends = (name, cell), (name.removesuffix(low) + high, cell), (middle, cell)
            if name.endswith(low) and cell != (CONSTANT,) and all(end in found for end in ends):
                label = ", ".join(cell) or middle
                yield Interval(label, found[ends[2]], found[ends[0]], found[ends[1]])


def _forest(asked: Asked, lines: tuple[Interval, ...], derived: tuple[Derived, ...]) -> Intervals:
    """Return estimates as a chart: of a model of ratios, its coefficients' exponentials."""
    name, names = asked.analysis.name, {one.name for one in derived}
    for ratio in RATIOS:
        if ratio in names and f"{ratio}{ENDS[1][0]}" not in names:
            return Intervals(name, ratio, tuple(_exponential(one) for one in lines), 1.0)
    unit = next((one.unit for one in derived if one.name.endswith(tuple(e[0] for e in ENDS))), "")
    if {"odds ratio", "relative risk"} & names:
        return Intervals(name, unit, lines, 1.0)
    return Intervals(name, unit, lines, None if asked.analysis.kind == "rate" else 0.0)


def _exponential(one: Interval) -> Interval:
    most = 700.0  # the exponential of more is no number any more
    low, middle, high = (exp(min(x, most)) for x in (one.low, one.estimate, one.high))
    return Interval(one.name, middle, low, high)


def number_of(one: Result) -> float | None:
    """Return a result as a float; None where it is withheld or there is none."""
    parsed = from_exact(one.exact)
    if parsed is None:
        return None
    value, is_root = parsed
    return sqrt(value) if is_root else float(value)
