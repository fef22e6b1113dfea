"""Survival curves as text, and as SVG where matplotlib is there: the extra `plots`."""

import io
from collections.abc import Mapping, Sequence
from importlib import import_module

Curves = Mapping[str, Sequence[tuple[float, float]]]
"""Of each group where it steps: when, and to what share, from (0, 1) on."""

WIDTH, HEIGHT = 60, 15
MARKS = "●○▲△"


def drawn(curves: Curves, unit: str) -> list[str]:
    """Return lines of text; where two curves meet the later is on top."""
    last = max((steps[-1][0] for steps in curves.values()), default=0.0) or 1.0
    grid = [[" "] * (WIDTH + 1) for _ in range(HEIGHT + 1)]
    for mark, steps in zip(MARKS, curves.values(), strict=False):
        for x in range(WIDTH + 1):
            height = [share for at, share in steps if at <= x / WIDTH * last][-1]
            grid[round((1 - height) * HEIGHT)][x] = mark
    axis = [f"{100 * (HEIGHT - y) // HEIGHT:3} % │{''.join(row)}" for y, row in enumerate(grid)]
    names = [f"{mark} {name}" for mark, name in zip(MARKS, curves, strict=False)]
    return [*axis, f"      └{'─' * (WIDTH + 1)} {last:g} {unit}", f"       {'   '.join(names)}"]


def picture(curves: Curves, unit: str) -> str | None:
    """Return the curves as SVG; None where matplotlib is not installed."""
    try:
        figures = import_module("matplotlib.figure")
    except ImportError:
        return None
    figure = figures.Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, steps in curves.items():
        axes.step(*zip(*steps, strict=True), where="post", label=name)
    axes.set(xlabel=unit, ylabel="survival", ylim=(0, 1.02))
    axes.legend()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
