"""Incidence or mortality: events per time at risk, of all rows or standardised by strata.

A crude rate reveals the events and the time, as its interval needs both. A rate that is
standardised directly, to the weights of a population given in the study, reveals itself and its
variance, and nothing of the strata.
"""

from fractions import Fraction
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from quorate.models import moments, rates
from quorate.models.products import read
from quorate.mpc.selection import concatenate
from quorate.studies.analyses import tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.columns import check_sizes, units_of
from quorate.studies.analyses.guards import all_of, is_large_or_none
from quorate.studies.inputs import Axis, Input
from quorate.studies.schema import Column, refuse

KIND = "rate"
MOST_PER = 1_000_000


def parameters() -> tuple[str, ...]:
    return "outcome", "event", "time", "per", "by", "standard"


def check(asked: Asked) -> None:
    outcome = asked.column("outcome", "category")
    asked.value_of("event", outcome)
    time = _time(asked)
    check_sizes(asked, time, bits=moments.TOTAL_BITS)
    asked.whole("per", 1, MOST_PER)
    if Fraction(time.low) < 0:
        refuse(f"{asked.place}.time", "may be below 0")
    if asked.values("by") or asked.values("standard"):
        by = asked.column("by", "category")
        if by == outcome:
            refuse(f"{asked.place}.by", "is the outcome itself")
        _check_standard(asked, len(by.values))


def needs(asked: Asked) -> tuple[Input, ...]:
    strata = (Axis(asked.one("by"), ()),) if _is_standardised(asked) else ()
    cells = asked.cells(*strata)
    return (
        Input(asked.cells(*strata, Axis(asked.one("outcome"), ())), "count", ""),
        Input(cells, "sum", _time(asked).name, to=_to(asked)),
    )


def values(asked: Asked) -> tuple[Value, ...]:
    time, unit = _time(asked), 10 ** _to(asked)
    if not _is_standardised(asked):
        most = float(asked.rows * time.largest) + asked.members
        return (
            Value("events", "rows", 1, 0, asked.rows),
            Value("time at risk", time.unit, unit, 0, most),
        )
    over = int(_weights(asked).sum()) << moments.MEAN_BITS
    return (
        Value("standardised rate", f"per {time.unit}", over, 0, 1.01 * unit),
        Value("variance of its logarithm", "", 1 << rates.SHARE_BITS, 0, 1.01),
    )


def together(asked: Asked, sums: Sums) -> Told:
    table, time = (sums(item) for item in needs(asked))
    event = asked.value_of("event", asked.column("outcome", "category"))
    events = table.reshape(-1, table.shape[-1])[:, event]
    allowed = all_of(is_large_or_none(events.sum(), asked.study.min_cell))
    if not _is_standardised(asked):
        words = concatenate([events, time.reshape(1)])
        some = (time.reshape(1) > 0) + 0
        return Told(words, concatenate([some, some]), allowed)
    unit = 10 ** _to(asked)
    rate, variance, sound = rates.standardised(events, time, _weights(asked))
    both = [(read(rate, 0) * unit).reshape(1), read(variance, 0).reshape(1)]
    return Told(concatenate(both), concatenate([sound.reshape(1)] * 2), allowed)


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    table, time = (totals(item) for item in needs(asked))
    event = asked.value_of("event", asked.column("outcome", "category"))
    events = table[..., event]
    if not _is_standardised(asked):
        return (float(events), float(time)) if time > 0 else (None, None)
    if events.sum() == 0 or (time <= 0).any():
        return None, None
    parts = _weights(asked) / _weights(asked).sum() * events / time
    variance = (parts[events > 0] ** 2 / events[events > 0]).sum()
    return float(parts.sum()), float(variance / parts.sum() ** 2)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    if None in found:
        return ()
    first, second = (float(number or 0) for number in found)
    per = asked.whole("per", 1, MOST_PER)
    unit = f"per {per} {_time(asked).unit}"
    if _is_standardised(asked):
        error = first * sqrt(second)
        wide = tails.normal_quantile() * error
        ends = (first, error, first - wide, first + wide)
    else:
        low, high = tails.poisson_interval(first)
        ends = (first / second, sqrt(first) / second, low / second, high / second)
    names = ("rate", "standard error", "rate, 95 % from", "rate, 95 % to")
    return tuple(Derived(name, (), unit, per * end) for name, end in zip(names, ends, strict=True))


def sentences(asked: Asked) -> tuple[str, ...]:
    events = f"events are the rows with {asked.one('outcome')} = {asked.one('event')}"
    if _is_standardised(asked):
        return (f"{events}; nothing of any single value of {asked.one('by')}",)
    return (f"{events}; their number and all time at risk are revealed",)


def _time(asked: Asked) -> Column:
    return asked.column("time", "integer", "number")


def _to(asked: Asked) -> int:
    return units_of(asked, _time(asked), moments.TOTAL_BITS)


def _is_standardised(asked: Asked) -> bool:
    return bool(asked.values("standard"))


def _weights(asked: Asked) -> NDArray[np.int64]:
    return np.array([int(text) for text in asked.values("standard")], np.int64)


def _check_standard(asked: Asked, strata: int) -> None:
    """Refuse weights that are not one whole number for each stratum. Raises `MalformedStudy`."""
    place, given = f"{asked.place}.standard", asked.values("standard")
    if len(given) != strata:
        refuse(place, f"has {len(given)} weights for {strata} values of {asked.one('by')}")
    if not all(text.isascii() and text.isdecimal() and len(text) < 8 for text in given):
        refuse(place, "weights are whole numbers, such as the people of each age in 100000")
    if not 1 <= sum(map(int, given)) < rates.MOST_WEIGHT:
        refuse(place, f"weights are from 1 to {rates.MOST_WEIGHT - 1} together")
