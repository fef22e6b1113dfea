"""A mean that no minority of members can move far, and whose rows move the mean of all too far.

Each member deals the mean of its own rows, and their number and sum. Shown is the median of the
members' means, or their mean without the lowest and the highest `liars` [YCRB18]: each member
counts once, be its rows many or few. With a `limit`, one bit of each member more: would the mean
of everybody's rows move by more than that without it? That is a question to people, and excludes
nobody: a member whose patients are different moves a mean too.

What a member deals is checked on shares: one whose mean is out of range, or whose sum is none that
so many rows can have, counts as one of the liars, with the middle of the range.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from quorate.models.products import brought, read
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.poisoning import secure
from quorate.poisoning.robust import influence_flags, median, trimmed_mean
from quorate.studies.analyses.alone import by_member, joined, refuse_few_members
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.robust import MOST_LIARS, WAYS
from quorate.studies.inputs import Input, so_many
from quorate.studies.schema import DECIMALS, Column, check_number, refuse

KIND = "robust-mean"
MEAN_BITS, SUM_BITS = 30, 16
WIDTH = 3  # numbers that a member deals: rows, their sum, their mean
Numbers = NDArray[np.int64]


def parameters() -> tuple[str, ...]:
    return "column", "by", "liars", "limit"


def check(asked: Asked) -> None:
    asked.check_rows()
    column = _column(asked)
    if asked.one("by", "median") not in WAYS:
        refuse(f"{asked.place}.by", "is neither median nor trimmed mean")
    refuse_few_members(asked, _liars(asked))
    if asked.values("limit"):
        check_number(f"{asked.place}.limit", asked.one("limit"), "number")
        if not 0 < Fraction(asked.one("limit")) <= _half(column):
            most = float(_half(column))
            refuse(f"{asked.place}.limit", f"must be above 0, and at most {most:g}")


def needs(asked: Asked) -> tuple[Input, ...]:
    cells, name = asked.cells(so_many(WIDTH)), asked.analysis.name
    return (Input(cells, "alone", "", name, columns=(_column(asked).name,)),)


def own(asked: Asked, numbers: Numbers) -> Numbers:
    """Return a member's rows, their sum and mean, about the middle of the range and over its half.

    Without rows all are 0.
    """
    column = _column(asked)
    scaled = (numbers[:, 0] / 10.0 ** DECIMALS[column.kind] - float(_middle(column))) / float(
        _half(column)
    )
    if not len(scaled):
        return np.zeros(WIDTH, np.int64)
    whole = np.rint(np.array([scaled.sum() * 2.0**SUM_BITS, scaled.mean() * 2.0**MEAN_BITS]))
    return np.array([len(scaled), *whole], np.int64)


def values(asked: Asked) -> tuple[Value, ...]:
    column, over = _column(asked), (1 << (MEAN_BITS + 1))
    half, way = float(_half(column)), WAYS[asked.one("by", "median")]
    about = f"{way} of the members' means, less {float(_middle(column)):g}"
    found = [Value(about, column.unit, over / _half(column), -half, half)]
    if asked.values("limit"):
        members = (f"member {i + 1}" for i in range(asked.members))
        found += [Value("moves the mean too far", "", 1, 0, 1, (name,)) for name in members]
    return tuple(found)


def together(asked: Asked, sums: Sums) -> Told:
    (item,) = needs(asked)
    words = by_member(asked, sums(item))
    rows, there = _in_range(asked, words)
    vectors = read(rows[:, 2:], MEAN_BITS)
    if asked.one("by", "median") == "median":
        found = secure.median(vectors)
    else:
        found = secure.trimmed_mean(vectors, _liars(asked))
    parts = [read(brought(found, MEAN_BITS + 1), 0)]
    if asked.values("limit"):
        limit = float(Fraction(asked.one("limit")) / _half(_column(asked)))
        totals = read(promised(rows[:, 1], asked.rows << SUM_BITS), SUM_BITS)
        counts = promised(rows[:, 0], asked.study.max_rows)
        parts.append(secure.influence_flags(totals, counts, limit))
    told = joined(parts)
    enough = (there >= asked.members - _liars(asked)) + 0
    return Told(told, concatenate([there - there + 1] * told.size), enough)


def _in_range(asked: Asked, words: SecretArray) -> tuple[SecretArray, SecretArray]:
    """Return rows, sums and means of the members, zeros of one out of range, and how many are not.

    A sum is at most as many halves of the range as there are rows, and one unit from rounding.
    """
    most = asked.study.max_rows
    high = np.array([most, (most << SUM_BITS) + 1, 1 << MEAN_BITS], np.int64)
    low = np.array([1, -high[1], -high[2]])
    kept = secure.kept_rows(words, secure.rows_in_range(words, low, high))
    inside = promised(kept, int(high.max()))
    room = inside[:, :1] * (1 << SUM_BITS) + 1
    fits = (inside[:, 1:2] <= room) & (inside[:, 1:2] >= -room)
    there = fits & (inside[:, :1] > 0)
    return promised(inside * (there + 0), int(high.max())), (there + 0).sum().reshape(1)


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    (item,) = needs(asked)
    rows = totals(item).reshape(asked.members, WIDTH)
    half = float(_half(_column(asked)))
    means = rows[:, 2:] / 2.0**MEAN_BITS * half
    if asked.one("by", "median") == "median":
        found = [float(median(means)[0])]
    else:
        found = [float(trimmed_mean(means, _liars(asked))[0])]
    if asked.values("limit"):
        limit = float(asked.one("limit"))
        flags = influence_flags(rows[:, 1] / 2.0**SUM_BITS * half, rows[:, 0], limit)
        found += [float(flag) for flag in flags]
    return tuple(found)


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:
    column, about = _column(asked), found[0]
    if about is None:
        return ()
    mean = float(about + _middle(column))
    return (Derived(WAYS[asked.one("by", "median")], (), column.unit, mean),)


def sentences(asked: Asked) -> tuple[str, ...]:
    name, liars = _column(asked).name, _liars(asked)
    told = (
        f"of the members' own means of {name} the {WAYS[asked.one('by', 'median')]}: each member "
        "counts once, be its rows many or few",
        f"defended: up to {liars} of {asked.members} members may deal any mean",
    )
    if not asked.values("limit"):
        return told
    return (
        *told,
        f"of each member a bit, to all: would the mean of all rows move by more than "
        f"{asked.one('limit')} without it? It is no proof of a lie, and excludes nobody",
    )


def _column(asked: Asked) -> Column:
    column = asked.column("column", "integer", "number")
    if column.low == column.high:
        refuse(f"{asked.place}.column", f"{column.name} has one value only")
    return column


def _middle(column: Column) -> Fraction:
    return (Fraction(column.low) + Fraction(column.high)) / 2


def _half(column: Column) -> Fraction:
    """Return half of the range: what 1 stands for."""
    return (Fraction(column.high) - Fraction(column.low)) / 2


def _liars(asked: Asked) -> int:
    return asked.whole("liars", max((asked.members - 1) // 2, 1), MOST_LIARS)
