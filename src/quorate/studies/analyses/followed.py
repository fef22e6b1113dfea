"""Patients who are followed for a time: the table that survival analyses count.

`time` is a column of numbers, `event` a category one of whose values, `happened`, says that
the event came then, `width` the width of the bins that time is cut into from its lowest bound on.
Each member counts its rows by group, event and bin; who is at risk at the start of a bin are
the rows of this bin and of all after it.
"""

from decimal import Decimal
from math import ceil

import numpy as np
from numpy.typing import NDArray

from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.studies.analyses.asked import Asked, Sums
from quorate.studies.inputs import Axis, Input
from quorate.studies.schema import DECIMALS, canonical, check_number, refuse

Floats = NDArray[np.float64]

MOST_BINS = 400
PARAMETERS = ("time", "event", "happened", "width")


def check_followed(asked: Asked) -> None:
    """Refuse what is not followed in time. Raises `MalformedStudy`."""
    asked.check_rows()
    time = asked.column("time", "integer", "number")
    happened = asked.one("happened")
    if happened not in asked.column("event", "category").values:
        refuse(f"{asked.place}.happened", f"is no value of {asked.one('event')}")
    width = asked.one("width")
    check_number(f"{asked.place}.width", width, time.kind)
    if Decimal(width) <= 0:
        refuse(f"{asked.place}.width", "must be above 0")
    if bins_of(asked) > MOST_BINS:
        refuse(f"{asked.place}.width", f"makes more than {MOST_BINS} bins", "choose wider bins")


def bins_of(asked: Asked) -> int:
    """Return how many bins there are between the bounds of time."""
    time = asked.column("time", "integer", "number")
    return max(ceil((Decimal(time.high) - Decimal(time.low)) / Decimal(asked.one("width"))), 1)


def bin_of(asked: Asked, times: Floats) -> NDArray[np.int64]:
    """Return the bin of each time; the last is closed."""
    time = asked.column("time", "integer", "number")
    unit = 10.0 ** DECIMALS[time.kind]
    low, width = (round(float(text) * unit) for text in (time.low, asked.one("width")))
    place = (np.rint(times * unit).astype(np.int64) - low) // width
    return np.minimum(place, bins_of(asked) - 1)


def edge(asked: Asked, at: int) -> str:
    """Return where bin `at` begins."""
    low = Decimal(asked.column("time", "integer", "number").low)
    return canonical(f"{low + at * Decimal(asked.one('width')):f}")


def table(asked: Asked, group: str) -> Input:
    """Return the counts of rows by group, if there are any, then event, then bin."""
    edges = tuple(edge(asked, at) for at in range(bins_of(asked) + 1))
    axes = [Axis(asked.one("event"), ()), Axis(asked.one("time"), edges)]
    return Input(asked.cells(*([Axis(group, ())] if group else []), *axes), "count", "")


def counts(asked: Asked, group: str, sums: Sums) -> SecretArray:
    """Return (groups, 2, bins): events, and those at risk at the start of each bin."""
    found = sums(table(asked, group))
    bins = bins_of(asked)
    rows = found.reshape(found.size // bins // len(_events(asked)), len(_events(asked)), bins)
    leaving = rows.sum(axis=1)
    at_risk = leaving[:, ::-1].cumsum(axis=1)[:, ::-1]
    events = rows[:, _events(asked).index(asked.one("happened"))]
    parts = [promised(one, asked.rows).reshape(-1, 1, bins) for one in (events, at_risk)]
    return concatenate(parts, axis=1)


def counted(asked: Asked, found: Floats) -> Floats:
    """Return the same of counts in the clear."""
    bins = bins_of(asked)
    rows = found.reshape(-1, len(_events(asked)), bins)
    at_risk = rows.sum(axis=1)[:, ::-1].cumsum(axis=1)[:, ::-1]
    return np.stack([rows[:, _events(asked).index(asked.one("happened"))], at_risk], axis=1)


def _events(asked: Asked) -> tuple[str, ...]:
    return asked.column("event", "category").values
