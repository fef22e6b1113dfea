"""Median and other quantiles of a column, and not its histogram.

Each member counts its rows in bins of one width, from the declared low bound to the high one.
The committee finds the bins by comparison. Of whole numbers in steps of 1 the quantile is
exact, as R's type 7 has it; of wider bins it is that of their middles. None is
shown that fewer than `min_cell` rows lie below, or above: the least and the largest row are
nobody's business.
"""

from fractions import Fraction
from math import lcm

import numpy as np

from quorate.models.quantiles import quantile
from quorate.mpc.selection import concatenate
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.guards import all_of
from quorate.studies.inputs import Axis, Input, size
from quorate.studies.schema import canonical, check_number, refuse, shown

KIND = "quantile"
MOST_BINS = 4096
MOST_QUANTILES = 9
MOST_PARTS = 1000


def parameters() -> tuple[str, ...]:
    return "column", "step", "at"


def check(asked: Asked) -> None:
    column = asked.column("column", "integer", "number")
    step = asked.one("step", "1")
    check_number(f"{asked.place}.step", step, column.kind)
    if Fraction(step) <= 0:
        refuse(f"{asked.place}.step", "not above 0")
    width = (Fraction(column.high) - Fraction(column.low)) / Fraction(step)
    if width >= MOST_BINS:
        refuse(f"{asked.place}.step", f"gives more than {MOST_BINS} bins", "set a wider step")
    if len(asked.values("at")) > MOST_QUANTILES:
        refuse(f"{asked.place}.at", f"more than {MOST_QUANTILES} quantiles")
    if len(set(_at(asked))) < len(_at(asked)):
        refuse(f"{asked.place}.at", "one twice")
    for text in asked.values("at"):
        check_number(f"{asked.place}.at", text, "number")
        part = Fraction(text)
        if not 0 < part < 1 or part.denominator > MOST_PARTS:
            refuse(
                f"{asked.place}.at",
                f"{shown(text)} is not between 0 and 1, or not in thousandths",
                "the least and the largest are not shown",
            )


def needs(asked: Asked) -> tuple[Input, ...]:
    return (_histogram(asked),)


def values(asked: Asked) -> tuple[Value, ...]:
    column = asked.column("column", "integer", "number")
    low, high = float(Fraction(column.low)), float(Fraction(column.high))
    wide = float(Fraction(asked.one("step", "1")))
    return tuple(
        Value(_name(text), column.unit, _scale(asked, text)[0], low, high + wide)
        for text in _at(asked)
    )


def together(asked: Asked, sums: Sums) -> Told:
    counts = sums(_histogram(asked))
    n, least = counts.sum().reshape(1), asked.study.min_cell
    words, inside = [], []
    for text in _at(asked):
        part = Fraction(text)
        num, den = part.numerator, part.denominator
        _, first, per_bin = _scale(asked, text)
        words.append((quantile(counts, num, den) * per_bin + first).reshape(1))
        sought = (n - 1) * num
        inside += [sought >= den * least, (n - 1) * den - sought >= den * least]
    some = concatenate([(n > 0) + 0] * len(words))
    return Told(concatenate(words), some, all_of(concatenate(inside)))


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    counts = totals(_histogram(asked)).astype(np.int64)
    first, step = _middle(asked)
    rows = np.repeat(float(first) + float(step) * np.arange(counts.size), counts)
    return tuple(float(np.quantile(rows, float(q))) if rows.size else None for q in _at(asked))


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:  # noqa: ARG001 - as all kinds
    return ()


def sentences(asked: Asked) -> tuple[str, ...]:
    column, step = asked.column("column", "integer", "number"), asked.one("step", "1")
    bins = size(asked.study, _histogram(asked).cells)
    exact = column.kind == "integer" and step == "1"
    how = "exactly" if exact else f"as if each row had the middle of its bin of {step}"
    return (
        f"quantiles of {column.name} {how}; nothing else of a histogram of {bins} bins",
        "a quantile is the value of one row or lies between those of two, whoever they are of",
    )


def _at(asked: Asked) -> tuple[str, ...]:
    return asked.values("at") or ("0.5",)


def _name(text: str) -> str:
    return "median" if text == "0.5" else f"quantile {canonical(text)}"


def _histogram(asked: Asked) -> Input:
    column = asked.column("column", "integer", "number")
    axis = Axis(column.name, (column.low, column.high), asked.one("step", "1"))
    return Input(asked.cells(axis), "count", "")


def _middle(asked: Asked) -> tuple[Fraction, Fraction]:
    """Return the middle of the first bin, and the width of each."""
    column, step = asked.column("column", "integer", "number"), Fraction(asked.one("step", "1"))
    within = step - 1 if column.kind == "integer" else step
    return Fraction(column.low) + within / 2, step


def _scale(asked: Asked, text: str) -> tuple[int, int, int]:
    """Return m, and m times the first middle and times a bin over the quantile's denominator."""
    first, step = _middle(asked)
    part = step / Fraction(text).denominator
    m = lcm(first.denominator, part.denominator)
    return m, int(first * m), int(part * m)
