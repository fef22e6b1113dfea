"""What a chart shows, as data: it says nothing of how it is drawn."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """One place of a curve: its height from `start` on, an interval, and who was still there."""

    start: float
    height: float
    low: float
    high: float
    at_risk: int | None


@dataclass(frozen=True, slots=True)
class Curve:
    name: str  # empty where there is only one
    points: tuple[Point, ...]  # by start, from (0, 1) on; only what was released


@dataclass(frozen=True, slots=True)
class Curves:
    """Shares of groups that are left after a time."""

    name: str
    unit: str  # of time
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """A number for each of some cells; None where it is withheld, or there is none."""

    name: str
    unit: str
    cells: tuple[str, ...]
    heights: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    name: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """Estimates and their intervals of 95 %: a forest plot, or coefficients."""

    name: str
    unit: str
    lines: tuple[Interval, ...]
    neutral: float | None  # what would say that there is no effect; 1 of ratios, else 0


Chart = Curves | Bars | Intervals
