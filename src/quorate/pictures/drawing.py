"""Charts drawn with matplotlib, which the extra `plots` brings: SVG or PNG."""

import io
from importlib import import_module
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

from quorate.errors import Unavailable
from quorate.pictures.charts import Bars, Chart, Curve, Curves, Intervals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Form = Literal["svg", "png"]


def fields(count: int, *, height: float = 3.0, width: float = 5.0) -> "tuple[Figure, list[Any]]":
    """Return a figure and as many fields in it, one below the other. Raises `Unavailable`.

    It belongs to no window and to no backend of the process: safe in a node's threads.
    """
    try:
        figures = import_module("matplotlib.figure")
    except ImportError:
        raise Unavailable("pictures take matplotlib", hint="pip install 'quorate[plots]'") from None
    figure = figures.Figure(figsize=(width, height * count), layout="constrained")
    return figure, list(figure.subplots(count, squeeze=False)[:, 0])


def drawn(chart: Chart) -> "Figure":
    """Return a chart as a figure. Raises `Unavailable` without matplotlib."""
    match chart:
        case Curves():
            return _curves(chart)
        case Bars():
            return _bars(chart)
        case Intervals():
            return _intervals(chart)


def written(figure: "Figure", form: Form) -> bytes:
    """Return a figure as a file; the same figure gives the same SVG, whenever it is drawn."""
    out = io.BytesIO()
    rc: Any = import_module("matplotlib").rc_context
    with rc({"svg.hashsalt": "quorate"}):
        figure.savefig(out, format=form, metadata={"Date": None} if form == "svg" else None)
    return out.getvalue()


def _curves(chart: Curves) -> "Figure":
    """Draw curves and their intervals, and under them how many are at risk, in their colours."""
    figure, (axes,) = fields(1, height=4.5 + 0.25 * len(chart.curves), width=7)
    colours: list[str] = []
    for curve in chart.curves:
        starts = [point.start for point in curve.points]
        (line,) = axes.step(starts, [p.height for p in curve.points], where="post")
        colours.append(line.get_color())
        ends = [p.low for p in curve.points], [p.high for p in curve.points]
        axes.fill_between(starts, *ends, step="post", alpha=0.15, color=colours[-1])
    last = max((curve.points[-1].start for curve in chart.curves), default=0.0) or 1.0
    axes.set(xlim=(0, last), ylim=(0, 1.02), ylabel="share without event", title=chart.name)
    axes.set_xlabel(f"time, {chart.unit}; below, how many are at risk")
    shown = _places(chart.curves)
    for row, (curve, colour) in enumerate(zip(chart.curves, colours, strict=True)):
        at_risk = {point.start: point.at_risk for point in curve.points}
        told = [(at, str(at_risk[at])) for at in shown]
        for at, text in [(-0.02 * last, curve.name or "all"), *told]:
            axes.annotate(
                text,
                (at, 0),
                xytext=(0, -46 - 14 * row),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                color=colour,
                ha="center" if at >= 0 else "right",
            )
    return figure


def _places(curves: tuple[Curve, ...]) -> list[float]:
    """Return a few times at which it is known of every curve how many are at risk."""
    known = [{p.start for p in curve.points if p.at_risk is not None} for curve in curves]
    common = sorted(set[float].intersection(*known)) if known else []
    return common[:: max(ceil(len(common) / 7), 1)]


def _bars(chart: Bars) -> "Figure":
    figure, (axes,) = fields(1, height=max(2.0, 0.35 * len(chart.cells) + 1), width=7)
    at = range(len(chart.cells))
    axes.barh(at, [height or 0.0 for height in chart.heights])
    for y, height in enumerate(chart.heights):
        if height is None:
            axes.text(0, y, " no number", va="center", fontstyle="italic")
    axes.set_yticks(at, chart.cells)
    axes.invert_yaxis()
    axes.set(xlabel=chart.unit, title=chart.name)
    return figure


def _intervals(chart: Intervals) -> "Figure":
    figure, (axes,) = fields(1, height=max(2.0, 0.35 * len(chart.lines) + 1.2), width=7)
    at = range(len(chart.lines))
    middle = [one.estimate for one in chart.lines]
    reach = [[one.estimate - one.low for one in chart.lines]]
    reach.append([one.high - one.estimate for one in chart.lines])
    axes.errorbar(middle, at, xerr=reach, fmt="o", capsize=3)
    if chart.neutral is not None:
        axes.axvline(chart.neutral, linestyle=":", color="grey")
    if chart.neutral == 1:
        axes.set_xscale("log")
        for ticks in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
            ticks(import_module("matplotlib.ticker").FormatStrFormatter("%g"))
    axes.set_yticks(at, [one.name for one in chart.lines])
    axes.invert_yaxis()
    axes.set(xlabel=f"{chart.unit or 'estimate'}, with its interval of 95 %", title=chart.name)
    return figure
