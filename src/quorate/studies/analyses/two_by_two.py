"""Odds ratio or relative risk of an event among the exposed and the others.

Each member counts its rows by both categories. Revealed are the logarithm and its variance,
from which anyone has the ratio, its confidence interval, z and p. A table with an empty cell
has neither.
"""

from math import exp, log, sqrt

import numpy as np

from quorate.models import contingency
from quorate.models.products import read
from quorate.models.ratios import at_least_one
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate
from quorate.studies.analyses import tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.guards import all_of, is_large_or_none
from quorate.studies.inputs import Axis, Input
from quorate.studies.schema import refuse

KIND = "two-by-two"
ODDS, RISK = "odds ratio", "relative risk"


def parameters() -> tuple[str, ...]:
    return "exposure", "exposed", "outcome", "event", "measure"


def check(asked: Asked) -> None:
    asked.check_rows()
    exposure, outcome = (asked.column(name, "category") for name in ("exposure", "outcome"))
    asked.value_of("exposed", exposure)
    asked.value_of("event", outcome)
    if exposure == outcome:
        refuse(asked.place, "a column always depends on itself")
    if min(len(exposure.values), len(outcome.values)) < 2:
        refuse(asked.place, "there is nothing to compare a category of one value with")
    if _measure(asked) not in {ODDS, RISK}:
        refuse(f"{asked.place}.measure", f"neither {ODDS} nor {RISK}")


def needs(asked: Asked) -> tuple[Input, ...]:
    return (_table(asked),)


def values(asked: Asked) -> tuple[Value, ...]:
    most = log(asked.rows + 1) * 2 + 1
    name = f"log {_measure(asked)}"
    return (
        Value(name, "", 1 << contingency.LOG_BITS, -most, most),
        Value(f"variance of the {name}", "", 1 << contingency.VARIANCE_BITS, 0, 4.1),
    )


def together(asked: Asked, sums: Sums) -> Told:
    table = _folded(asked, sums(_table(asked)))
    cells = table.reshape(4)
    some = all_of(cells > 0)
    compute = contingency.log_odds if _measure(asked) == ODDS else contingency.log_risks
    parts = [read(part, 0).reshape(1) for part in compute(at_least_one(table))]
    allowed = all_of(is_large_or_none(cells, asked.study.min_cell))
    return Told(concatenate(parts), concatenate([some.reshape(1)] * 2), allowed)


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    table = totals(_table(asked))
    exposed, event = _place(asked)
    a = table[exposed, event]
    b, c = table[exposed].sum() - a, table[:, event].sum() - a
    d = table.sum() - a - b - c
    if min(a, b, c, d) == 0:
        return None, None
    if _measure(asked) == ODDS:
        return log(a * d / b / c), 1 / a + 1 / b + 1 / c + 1 / d
    return log(a / (a + b) / c * (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    if None in found:
        return ()
    estimate, variance = (float(number or 0) for number in found)
    error = sqrt(variance)
    if error == 0:
        return ()
    wide = tails.normal_quantile() * error
    p = tails.two_sided_normal(estimate / error)
    name = _measure(asked)
    return (
        Derived(name, (), "", exp(estimate)),
        Derived(f"{name}, 95 % from", (), "", exp(estimate - wide)),
        Derived(f"{name}, 95 % to", (), "", exp(estimate + wide)),
        Derived("standard error of the logarithm", (), "", error),
        Derived("z", (), "", estimate / error),
        Derived("p", (), "", p),
    )


def sentences(asked: Asked) -> tuple[str, ...]:
    exposure, outcome = asked.one("exposure"), asked.one("outcome")
    return (
        f"the {_measure(asked)} of {outcome} = {asked.one('event')} by {exposure}, and no count",
        "logarithm and variance are two equations for four counts: who knows two has them all",
    )


def _measure(asked: Asked) -> str:
    return asked.one("measure", ODDS)


def _table(asked: Asked) -> Input:
    axes = (Axis(asked.one(name), ()) for name in ("exposure", "outcome"))
    return Input(asked.cells(*axes), "count", "")


def _place(asked: Asked) -> tuple[int, int]:
    exposure, outcome = (asked.column(name, "category") for name in ("exposure", "outcome"))
    return asked.value_of("exposed", exposure), asked.value_of("event", outcome)


def _folded(asked: Asked, table: SecretArray) -> SecretArray:
    """Return [[a, b], [c, d]]: the exposed with and without event, then all others."""
    row, column = _place(asked)
    others = [
        np.array([k for k in range(table.shape[axis]) if k != place])
        for axis, place in enumerate((row, column))
    ]
    a, b = table[row, column], table[row][others[1]].sum()
    c, d = table[:, column][others[0]].sum(), table[others[0]][:, others[1]].sum()
    return concatenate([one.reshape(1) for one in (a, b, c, d)]).reshape(2, 2)
