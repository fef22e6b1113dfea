"""Survival of groups over time, by Kaplan and Meier, with the number at risk.

Each member counts its rows by group, event and bin of time. A bin is shown only where enough are
at risk and enough events have come since the last one shown (`models.survival`).
"""

from math import exp, log, sqrt

import numpy as np

from quorate.models import survival
from quorate.models.products import within
from quorate.models.ratios import RATIO_BITS
from quorate.mpc.selection import concatenate
from quorate.studies.analyses import followed, tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.inputs import Input

KIND = "kaplan_meier"
LARGEST_VARIANCE = 1.0


def parameters() -> tuple[str, ...]:
    return (*followed.PARAMETERS, "group")


def check(asked: Asked) -> None:
    followed.check_followed(asked)
    if asked.values("group"):
        asked.column("group", "category")


def needs(asked: Asked) -> tuple[Input, ...]:
    return (followed.table(asked, _group(asked)),)


def values(asked: Asked) -> tuple[Value, ...]:
    most, cells = float(asked.rows), _cells(asked)
    shown = (
        ("survival", 1 << survival.CURVE_BITS, 1 + 1e-6),
        ("variance", 1 << RATIO_BITS, LARGEST_VARIANCE),
        ("at risk", 1, most),
    )
    return tuple(
        Value(name, "", over, -1e-6, high, cell) for name, over, high in shown for cell in cells
    )


def together(asked: Asked, sums: Sums) -> Told:
    words = survival.kaplan_meier(
        followed.counts(asked, _group(asked), sums), asked.study.min_cell
    ).reshape(4, len(_cells(asked)))
    shown = within(words[3], 1)
    return Told(
        words[:3].reshape(3 * len(shown)), concatenate([shown] * 3), shown[0] - shown[0] + 1
    )


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    events, risk = followed.counted(asked, totals(needs(asked)[0])).swapaxes(0, 1)
    found = survival.plain(events, risk, asked.study.min_cell)
    return tuple(
        None if np.isnan(x) else float(x) for x in np.concatenate([one.ravel() for one in found])
    )


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    """Return the standard error, and the interval of the log of minus the log."""
    cells = _cells(asked)
    told: list[Derived] = []
    for cell, height, variance in zip(cells, found, found[len(cells) :], strict=False):
        if height is None or variance is None or not 0 < height < 1 or variance <= 0:
            continue
        error, place = sqrt(variance), float(height)
        reach = tails.normal_quantile() * error / log(place)
        told += [
            Derived("standard error", cell, "", place * error),
            Derived("low", cell, "", exp(log(place) * exp(-reach))),
            Derived("high", cell, "", exp(log(place) * exp(reach))),
        ]
    return tuple(told)


def sentences(asked: Asked) -> tuple[str, ...]:
    least = asked.study.min_cell
    return (
        f"survival over {asked.one('time')} in bins of {asked.one('width')}, and how many are at "
        f"risk, where at least {least} are and {least} events came since the last bin shown",
        "how many left without an event between two such bins follows from that",
    )


def _group(asked: Asked) -> str:
    return asked.one("group") if asked.values("group") else ""


def _cells(asked: Asked) -> list[tuple[str, ...]]:
    """Return what tells the bins apart, for people: the group, and when a bin begins."""
    group, time = _group(asked), asked.one("time")
    groups = asked.column("group", "category").values if group else ("",)
    starts = [followed.edge(asked, at) for at in range(followed.bins_of(asked))]
    return [
        (*([f"{group} = {value}"] if group else []), f"{time} from {start}")
        for value in groups
        for start in starts
    ]
