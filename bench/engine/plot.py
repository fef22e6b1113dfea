"""The growth of each operation as one picture, the same bytes for the same figures."""

from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.engine.growth import Growth, Point

Quantity = Callable[[Point], float]
PANELS: tuple[tuple[str, Quantity], ...] = (
    ("seconds", lambda point: point.seconds),
    ("bytes of the busiest party", lambda point: point.bytes_sent),
    ("rounds", lambda point: point.rounds),
)
MARKERS = "osD^vPX*"


def draw(growth: Growth, path: Path, along: str = "words") -> None:
    """Write three panels over the number of words, both axes logarithmic but for the rounds.

    Or over the number of what else is `along`.
    """
    with mpl.rc_context(
        {
            "svg.fonttype": "none",  # text stays text: small, and readable in a difference
            "svg.hashsalt": "quorate",
            "font.family": "sans-serif",
            "font.size": 9,
        }
    ):
        figure = Figure(figsize=(11, 3.6), layout="constrained")
        panels: list[Axes] = list(figure.subplots(1, len(PANELS)))
        for axes, (title, quantity) in zip(panels, PANELS, strict=True):
            _panel(axes, title, along, growth, quantity)
        panels[-1].set_yscale("linear")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _panel(axes: Axes, title: str, along: str, growth: Growth, quantity: Quantity) -> None:
    for curve, marker in zip(growth.curves, cycle(MARKERS), strict=False):
        sizes = [point.size for point in curve.points]
        values = [quantity(point) or float("nan") for point in curve.points]  # no logarithm of 0
        axes.plot(sizes, values, marker=marker, markersize=3.5, linewidth=1, label=curve.name)
    axes.set(title=title, xlabel=along, xscale="log", yscale="log")
    axes.minorticks_off()
    axes.grid(alpha=0.3)
