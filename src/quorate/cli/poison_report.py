"""The laboratory's report as one HTML file: tables, and pictures drawn into it; no script."""

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.cli.poison import UNSEEN, lines_of
from quorate.pictures.drawing import fields, written
from quorate.poisoning.attacks import attacks_on_classes
from quorate.poisoning.experiment import Findings, Plan
from quorate.poisoning.lab import DEFENCES, Classes, Learner, Setting, dealt, spoilt
from quorate.poisoning.learners import cubic
from quorate.poisoning.rows import Floats, Rows, joined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN = ("none", "range", "vote", "median")
SHOWN = ("out-of-range inserts", "one-class flips")
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
pre { overflow-x: auto; background: #f4f4f4; padding: 1rem } svg { max-width: 100%; height: auto }
@media (prefers-color-scheme: dark) {
  body { background: #111; color: #ddd } pre { background: #222 } svg { background: #fff } }
"""


def report(found: Findings, learn: Rows, test: Rows, learner: Learner, plan: Plan) -> str:
    """Return the report. Raises `Unavailable` without matplotlib."""
    parts = ["<h2>Accuracy against the share of rows spoilt</h2>", _curves(found)]
    if learn.features.shape[1] == 2:
        parts += [
            "<h2>Where the border lies: before, attacked, defended</h2>",
            *(_borders(learn, test, learner, plan, name) for name in SHOWN),
        ]
    parts += ["<h2>All numbers</h2>", f"<pre>{html.escape(chr(10).join(lines_of(found)))}</pre>"]
    return page("What one lying hospital does to what is learnt", UNSEEN, parts)


def page(title: str, said: str, parts: Sequence[str]) -> str:
    """Return a page in HTML, of parts that are HTML."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1><p>{html.escape(said)}.</p>{''.join(parts)}</html>\n"
    )


def _curves(found: Findings) -> str:
    """Draw accuracy, and how often the attack succeeds, against the share, with standard errors."""
    names = list(dict.fromkeys(one.attack for one in found.measured))
    figure, axes = fields(len(names), height=2.2, width=8)
    for field, name in zip(axes, names, strict=True):
        for defence in DRAWN:
            own = [m for m in found.measured if (m.attack, m.defence) == (name, defence)]
            x = [m.share for m in own]
            y, error = (
                [100 * getattr(m, key) for m in own] for key in ("accuracy", "accuracy_error")
            )
            field.errorbar(x, y, yerr=error, label=defence, capsize=2)
        undefended = [m for m in found.measured if (m.attack, m.defence) == (name, "none")]
        field.plot(
            [m.share for m in undefended],
            [100 * m.success for m in undefended],
            linestyle=":",
            color="grey",
            label="attack succeeds, undefended",
        )
        field.set(title=name, ylabel="percent", ylim=(-3, 103))
    axes[0].legend(fontsize="small", loc="lower left")
    axes[-1].set_xlabel("share of rows spoilt")
    return svg(figure)


def _borders(learn: Rows, test: Rows, learner: Learner, plan: Plan, name: str) -> str:
    """Draw what is said of every place: learnt from true rows, spoilt ones, and with a defence."""
    setting = Setting(*learn.ranges(), learner, cubic, plan.liars)
    attack, share = attacks_on_classes(cubic)[name], max(plan.shares)
    parts = spoilt(dealt(learn, plan.hospitals), attack, share, plan.seeds[0])
    defence = "range" if "range" in name else "vote"
    steps: list[tuple[str, Classes]] = [
        ("true rows", learner(learn)),
        (f"{name}, {share:g} of rows", learner(joined(*parts))),
        (f"the same, defended: {defence}", DEFENCES[defence](parts, setting)),
    ]
    figure, axes = fields(len(steps), height=3, width=6)
    for field, (title, classes) in zip(axes, steps, strict=True):
        border(field, classes, test, (setting.low, setting.high))
        right = float((classes(test.features) == test.outcome).mean())
        field.set_title(f"{title}: {100 * right:.1f} %")
    return svg(figure)


def border(field: Any, classes: Classes, test: Rows, ends: tuple[Floats, Floats]) -> None:
    """Draw what is said of every place between two corners, and rows on it."""
    x, y = (np.linspace(ends[0][i], ends[1][i], 150) for i in (0, 1))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    told = classes(grid).reshape(len(y), len(x))
    field.contourf(x, y, told, levels=[-0.5, 0.5, 1.5], colors=["#cfe3f7", "#f9dcc4"])
    for value, colour in ((0, "tab:blue"), (1, "tab:orange")):
        own = test.features[test.outcome == value]
        field.scatter(own[:, 0], own[:, 1], s=6, color=colour)


def svg(figure: "Figure") -> str:
    """Return a figure as a part of a page."""
    text = written(figure, "svg").decode()
    return text[text.index("<svg") :]
