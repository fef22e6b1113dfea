"""Charts as lines of text, for a terminal."""

from collections.abc import Sequence
from math import log

from quorate.pictures.charts import Bars, Chart, Curve, Curves, Intervals, Point

WIDTH, HEIGHT = 60, 15
MARKS = "●○▲△"


def lines_of(chart: Chart) -> list[str]:
    match chart:
        case Curves():
            return _curves(chart)
        case Bars():
            return _bars(chart)
        case Intervals():
            return _intervals(chart)


def height_at(points: Sequence[Point], at: float) -> float:
    """Return how high a curve is at a time."""
    return [point.height for point in points if point.start <= at][-1]


def _curves(chart: Curves) -> list[str]:
    """Return curves in a grid; where two meet the later is on top."""
    last = max((curve.points[-1].start for curve in chart.curves), default=0.0) or 1.0
    grid = [[" "] * (WIDTH + 1) for _ in range(HEIGHT + 1)]
    for mark, curve in zip(MARKS, chart.curves, strict=False):
        for x in range(WIDTH + 1):
            height = height_at(curve.points, x / WIDTH * last)
            grid[round((1 - height) * HEIGHT)][x] = mark
    axis = [f"{100 * (HEIGHT - y) // HEIGHT:3} % │{''.join(row)}" for y, row in enumerate(grid)]
    names = [f"{mark} {c.name}" for mark, c in zip(MARKS, chart.curves, strict=False)]
    ruler = f"      └{'─' * (WIDTH + 1)} {last:g} {chart.unit}"
    return [*axis, ruler, f"       {'   '.join(names)}", *map(_at_risk, chart.curves)]


def _at_risk(curve: Curve) -> str:
    """Return how many are at risk at the beginning, in the middle and at the end."""
    counted = [point for point in curve.points if point.at_risk is not None]
    some = dict.fromkeys(counted[i] for i in (0, len(counted) // 2, -1) if counted)
    told = ", ".join(f"{point.at_risk} from {point.start:g}" for point in some)
    return f"       at risk {curve.name}: {told or 'withheld'}".replace(" :", ":")


def _bars(chart: Bars) -> list[str]:
    most = max((abs(height) for height in chart.heights if height is not None), default=0.0) or 1.0
    wide = max(map(len, chart.cells))
    lines: list[str] = []
    for cell, height in zip(chart.cells, chart.heights, strict=True):
        if height is None:
            lines.append(f"{cell:<{wide}} │ no number")
        else:
            bar = "█" * round(abs(height) / most * (WIDTH - 20))
            lines.append(f"{cell:<{wide}} │{bar} {height:g} {chart.unit}".rstrip())
    return lines


def _intervals(chart: Intervals) -> list[str]:
    """Return a line for each estimate: its ends, the estimate, and the place of no effect."""
    is_ratio = chart.neutral == 1
    shown = [(one.low, one.estimate, one.high) for one in chart.lines]
    places = [tuple(_scaled(x, is_ratio=is_ratio) for x in one) for one in shown]
    neutral = [] if chart.neutral is None else [_scaled(chart.neutral, is_ratio=is_ratio)]
    ends = [*(x for one in places for x in one), *neutral]
    low, high = min(ends), max(ends)
    wide = max(len(one.name) for one in chart.lines)

    def at(place: float) -> int:
        return round((place - low) / ((high - low) or 1.0) * WIDTH)

    lines: list[str] = []
    for one, place in zip(chart.lines, places, strict=True):
        row = [" "] * (WIDTH + 1)
        for x in range(at(place[0]), at(place[2]) + 1):
            row[x] = "─"
        for still in neutral:
            row[at(still)] = "┊"
        row[at(place[1])] = "●"
        told = f"{one.estimate:.3g} ({one.low:.3g} to {one.high:.3g})"
        lines.append(f"{one.name:<{wide}} {''.join(row)} {told}")
    about = "" if chart.neutral is None else f"; ┊ is {chart.neutral:g}: no effect"
    return [*lines, f"{chart.unit or 'estimate'} and its interval of 95 %{about}"]


def _scaled(x: float, *, is_ratio: bool) -> float:
    """Return where a number stands: ratios by their logarithm."""
    return log(max(x, 1e-12)) if is_ratio else x
