"""What a study under privacy adds up, how far one patient moves it, and the noise that follows.

    releases --needs--> vectors, of each release its own --noise--> totals that may be shown

A release's budget is shared equally among the vectors that it needs, so `count(*), avg(age)` are
two: rows, and centred ages. Values are whole steps of a public grid: of an integer column 1,
of a number column 1, a half or a fifth of a power of ten, with 256 steps or more between bounds.

  rows      1                                    sum       x
  centred   c = 2 x - (L + H)                    squares   c^2, in coarser steps for wide columns
  products  of a regression's columns, see `regressions`
  largest   rows by value of a category, of which only the place of the noisily largest is shown

All follows from the study alone; the mathematics stands in `dp.queries`.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import ceil, isqrt, sqrt
from typing import Literal

from quorate.dp import accounting, central, joint, queries
from quorate.dp.accounting import Charge
from quorate.dp.mechanisms import (
    Bounds,
    Gaussian,
    Laplace,
    Mechanism,
    epsilon_within,
    gaussian,
)
from quorate.dp.queries import Noised
from quorate.dp.shares import SharedGaussian, SharedLaplace, SharedNoise, default_colluders
from quorate.studies.analyses.asked import Asked
from quorate.studies.inputs import Axis, Cells, cells_of, size
from quorate.studies.privacy import IN_SHARES, Budget, Privacy
from quorate.studies.query import Output, Query
from quorate.studies.regressions import LARGEST, asked_regressions, products_of
from quorate.studies.schema import DECIMALS, Column
from quorate.studies.study import Study

Kind = Literal["rows", "sum", "centred", "squares", "products", "largest"]
KINDS: dict[str, tuple[Kind, ...]] = {
    "count": ("rows",),
    "histogram": ("rows",),
    "percentile": ("rows",),  # in bins
    "mode": ("largest",),
    "sum": ("sum",),
    "avg": ("rows", "centred"),
    "var": ("rows", "centred", "squares"),
    "stddev": ("rows", "centred", "squares"),
}
"""The vectors from which each statistic is computed."""

STEPS = 256
"""From bound to bound of a number column, at least."""

SQUARE_BITS = 9
"""Squares of wide columns are rounded to some 2^9 steps: finer ones need wider noise."""

NARROWEST = 1 << 12
"""The variance of Gaussian noise, at least: enough that shares of 256 members are wide too."""


@dataclass(frozen=True, slots=True)
class Vector:
    """Whole numbers, an entry for each of `cells`, each with noise of one kind."""

    release: str
    cells: Cells
    kind: Kind
    column: str  # empty for rows
    size: int
    step: Fraction  # what 1 stands for; of centred values and squares, see `bounds_of`
    mechanism: Mechanism | None  # None: no patient can change it, and it has no noise
    largest: int  # that one row adds, in absolute value
    factor: int = 1  # by which totals are multiplied before noise that would be too narrow
    choices: int = 1  # of so many entries in turn only the place of the largest is revealed

    @property
    def revealed(self) -> int:
        """Return how many numbers are revealed of it."""
        return self.size // self.choices


def privacy_of(study: Study) -> Privacy:
    """Return what a study under privacy says of it."""
    if study.privacy is None:
        raise ValueError("the study is not under privacy")
    return study.privacy


def is_in_shares(study: Study, members: int) -> bool:
    """Return whether every member adds noise of its own; otherwise three draw it together."""
    privacy = privacy_of(study)
    return not privacy.is_in_one_place and (members < 3 or privacy.noise == IN_SHARES)


def colluders(members: int) -> int:
    """Return how many members may tell each other their noise: one, who knows its own, or more."""
    return max(1, default_colluders(members))


def bounds_of(study: Study, name: str) -> Bounds:
    """Return a column's bounds on its grid. Raises `OutOfRange` where they cannot be."""
    return _bounds(study.table.column(name), privacy_of(study).source)


@lru_cache(maxsize=64)
def _bounds(column: Column, source: str) -> Bounds:
    return Bounds(Fraction(column.low), Fraction(column.high), _step(column), source)


def square_step(bounds: Bounds) -> int:
    """Return in steps of how much squares of centred values are counted."""
    return max(1, bounds.width**2 >> SQUARE_BITS)


def vectors_of(study: Study) -> tuple[Vector, ...]:
    """Return what is added up for each release, in order. Raises `OutOfRange`."""
    found: list[Vector] = []
    budgets = privacy_of(study).budgets
    for query, budget in zip(study.releases, budgets, strict=False):
        bare = [_bare(study, query, *key) for key in _keys(query)]
        parts = sum(not _is_public(study, vector) for vector in bare)
        found += [_with_noise(study, vector, budget, max(parts, 1)) for vector in bare]
    for asked, budget in zip(asked_regressions(study), budgets[len(study.releases) :], strict=True):
        found.append(_with_noise(study, _sums(asked), budget, 1))
    return tuple(found)


def charge_of(study: Study, members: int) -> Charge:
    """Return what all releases cost together. Raises `OutOfRange`."""
    in_shares = is_in_shares(study, members)
    in_one_place = privacy_of(study).is_in_one_place
    costs: list[Charge] = []
    for vector in vectors_of(study):
        if vector.mechanism is not None:
            distance = (
                central.distance(vector.mechanism)
                if in_one_place
                else _distance(vector.mechanism, members, in_shares)
            )
            costs.append(accounting.charge(vector.mechanism, vector.size * distance))
    return accounting.total(costs)


def shared(mechanism: Mechanism, members: int) -> SharedNoise:
    """Return the share of noise that each member adds."""
    t = colluders(members)
    if isinstance(mechanism, Laplace):
        return SharedLaplace(mechanism.scale, members, t)
    return SharedGaussian(mechanism.variance, members, t)


def describe(vector: Vector) -> str:
    """Return the noise of one vector in words."""
    match vector.mechanism:
        case Laplace(sensitivity, scale):
            return f"Laplace noise of scale {scale}; a patient moves it by {sensitivity}"
        case Gaussian(squared, variance):
            return (
                f"discrete Gaussian noise of sigma {sqrt(variance):.6g}, variance {variance}, on "
                f"{vector.factor} times it; a patient moves that by {sqrt(squared):.6g}, in "
                "Euclidean length"
            )
        case None:
            return "none, as no patient can change it"


def counted_cells(query: Query, output: Output) -> Cells:
    """Return the cells in which rows are counted for `output`, its bins or values among them."""
    cells = cells_of(query, output)
    if output.statistic not in {"percentile", "mode"}:
        return cells
    return Cells(cells.where, (*cells.axes, Axis(output.column, output.edges)))


def _keys(query: Query) -> dict[tuple[Cells, Kind, str], None]:
    """Return the vectors that a release needs, each once."""
    return {
        (counted_cells(query, output), kind, "" if kind == "rows" else output.column): None
        for output in query.outputs
        for kind in KINDS[output.statistic]
    }


def _bare(study: Study, query: Query, cells: Cells, kind: Kind, column: str) -> Vector:
    """Return a vector that has no noise yet."""
    cell_count = size(study, cells)
    if kind == "rows":
        return Vector(query.name, cells, kind, "", cell_count, Fraction(1), None, 1)
    if kind == "largest":
        values = len(study.table.column(column).values)
        one = Vector(query.name, cells, kind, column, cell_count, Fraction(1), None, 1)
        return replace(one, choices=values)
    bounds = bounds_of(study, column)
    match kind:
        case "sum":
            step, most = bounds.step, max(abs(bounds.first), abs(bounds.last))
        case "centred":
            step, most = bounds.step / 2, bounds.width
        case "squares":
            coarse = square_step(bounds)
            step, most = bounds.step**2 / 4 * coarse, (bounds.width**2 + coarse // 2) // coarse
        case "products":
            raise TypeError("products are of regressions, which make their own vectors")
    return Vector(query.name, cells, kind, column, cell_count, step, None, most)


def _sums(asked: Asked) -> Vector:
    """Return the sums of a regression's products, which have no noise yet."""
    count, step = len(products_of(asked)), Fraction(1, LARGEST)
    return Vector(asked.analysis.name, asked.cells(), "products", "", count, step, None, LARGEST)


def _is_public(study: Study, vector: Vector) -> bool:
    """Return whether this is the number of all rows where each patient is replaced by another."""
    unit = privacy_of(study).protects
    everything = not vector.cells.where and not vector.cells.axes
    return (
        vector.kind == "rows" and everything and unit == replace(unit, rows=1, neighbours="replace")
    )


def _with_noise(study: Study, vector: Vector, budget: Budget, parts: int) -> Vector:
    if _is_public(study, vector):
        return vector
    if budget.is_pure:
        return replace(vector, mechanism=_laplace(study, vector, budget.epsilon / parts))
    rho = budget.rho / parts
    if vector.kind == "largest":  # only Laplace noise is known to hide which is the largest
        return replace(vector, mechanism=_laplace(study, vector, epsilon_within(rho)))
    squared = _squared(study, vector)
    factor = isqrt(ceil(NARROWEST / gaussian(squared, rho).variance)) + 1
    wide = gaussian(factor**2 * squared, rho)
    return replace(vector, mechanism=wide, factor=factor)


def _squared(study: Study, vector: Vector) -> int:
    """Return by how much a patient moves a vector at most: the square, in Euclidean length."""
    if vector.kind == "products":
        unit = privacy_of(study).protects
        noised = queries.products(vector.size, vector.largest, unit, Fraction(1), pure=False)
        if not isinstance(noised.mechanism, Gaussian):
            raise TypeError("a rho is paid in Gaussian noise")
        return noised.mechanism.squared_sensitivity
    # A vector's Euclidean length is at most the sum of its parts.
    moved = _laplace(study, vector, Fraction(1)).sensitivity
    return moved**2 // 2 if _is_halved(study, vector) else moved**2


def _is_halved(study: Study, vector: Vector) -> bool:
    """Return whether a replaced patient moves a vector furthest from one cell to another.

    Each of both then moves by half of the sum; values about a middle move one cell as far.
    """
    neighbours = privacy_of(study).protects.neighbours
    return neighbours == "replace" and vector.size > 1 and vector.kind != "centred"


def _laplace(study: Study, vector: Vector, epsilon: Fraction) -> Laplace:
    unit = privacy_of(study).protects
    if vector.kind == "products":
        noised = queries.products(vector.size, vector.largest, unit, epsilon, pure=True)
    elif vector.kind == "largest":
        noised = queries.by_group(
            queries.noisy_max(vector.choices, unit, epsilon), vector.revealed, unit
        )
    elif vector.kind == "rows":
        one = vector.size == 1
        noised = (
            queries.count(unit, epsilon) if one else queries.histogram(vector.size, unit, epsilon)
        )
    else:
        bounds = bounds_of(study, vector.column)
        match vector.kind:
            case "sum":
                noised = queries.by_group(queries.total(bounds, unit, epsilon), vector.size, unit)
            case "centred":
                noised = queries.mean(bounds, unit, 2 * epsilon)[1]
            case "squares":
                noised = queries.squares(vector.largest, vector.size, unit, epsilon)
    return _of(noised)


def _of(noised: Noised) -> Laplace:
    if not isinstance(noised.mechanism, Laplace):
        raise TypeError("these queries have Laplace noise")
    return noised.mechanism


def _distance(mechanism: Mechanism, members: int, in_shares: bool) -> Fraction:
    if in_shares:
        return shared(mechanism, members).distance
    return joint.distance(mechanism)


def _step(column: Column) -> Fraction:
    """Return the coarsest grid that is fine enough and that both bounds are on."""
    if column.kind == "integer":
        return Fraction(1)
    low, high = Fraction(column.low), Fraction(column.high)
    for places, digit in product(range(DECIMALS["number"]), (1, 2, 5)):
        step = Fraction(1, digit * 10**places)
        whole = (low / step).denominator == (high / step).denominator == 1
        if whole and (high - low) / step >= STEPS:
            return step
    return Fraction(1, 10 ** DECIMALS["number"])
