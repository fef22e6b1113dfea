"""Which integers a query adds up, how far one patient moves them, and the noise that follows.

Each function takes what is public and a budget, and returns vectors of integers to be noised. A
query that needs several shares its budget among them equally, so what they cost is to be added
up. Nothing here sees data. D1 below is in steps of the grid, for a patient of at most r rows.

  query               integers                          D1: add or remove   replace
  count               rows                              r                   r
  histogram           rows in each cell                 r                   2 r
  sum of L..H         values                            r max(|L|, |H|)     r max(|L|, |H|, H - L)
  mean, rows known    values - L                                            r (H - L)
  mean                rows; 2 x - (L + H)               r; r (H - L)        r; 2 r (H - L)
  variance            rows; c; c^2, c = 2 x - (L + H)   r (H - L)^2 last    r (H - L)^2 last
  by group, sums      each of the above                 the same            twice as much
  quantile            rows in each node of a tree       r levels            2 r levels
  regression          m products of at most B           r m B               2 r m B

Doubled and centred values are integers that no row moves by more than H - L. With the number of
rows known each patient has exactly r of them.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from quorate.dp.mechanisms import (
    Bounds,
    Laplace,
    Mechanism,
    Unit,
    gaussian,
    laplace,
)
from quorate.errors import OutOfRange, Refused


@dataclass(frozen=True, slots=True)
class Noised:
    """A vector of integers, each of which gets noise of one kind."""

    name: str
    cells: int
    step: Fraction
    """What 1 stands for."""

    mechanism: Mechanism


def count(unit: Unit, epsilon: Fraction) -> Noised:
    """Return how a number of rows is noised."""
    return Noised("rows", 1, Fraction(1), laplace(unit.rows, epsilon))


def histogram(cells: int, unit: Unit, epsilon: Fraction) -> Noised:
    """Return how numbers of rows in cells that do not overlap are noised."""
    if cells < 1:
        raise OutOfRange("a histogram has at least one cell")
    return Noised("rows by cell", cells, Fraction(1), laplace(_moved_rows(unit), epsilon))


def total(bounds: Bounds, unit: Unit, epsilon: Fraction) -> Noised:
    """Return how a sum of values is noised."""
    largest = max(abs(bounds.first), abs(bounds.last))
    if unit.neighbours == "replace":
        largest = max(largest, bounds.width)
    return Noised("sum", 1, bounds.step, laplace(unit.rows * largest, epsilon))


def mean(bounds: Bounds, unit: Unit, epsilon: Fraction) -> tuple[Noised, Noised]:
    """Return how a number of rows and a centred sum are noised, for half the budget each."""
    half = epsilon / 2
    centred = laplace(_moved_rows(unit) * bounds.width, half)
    return count(unit, half), Noised("centred sum", 1, bounds.step / 2, centred)


def mean_of_known_rows(bounds: Bounds, unit: Unit, epsilon: Fraction) -> Noised:
    """Return how a sum above the low bound is noised, the number of rows being public.

    Raises `Refused` for data that differ by a patient more: then the number is not public.
    """
    if unit.neighbours != "replace":
        raise Refused(
            "the number of rows is public only where patients are replaced, not added or removed",
            hint="noise the number of rows too, or protect patients against being replaced",
        )
    return Noised("sum above", 1, bounds.step, laplace(unit.rows * bounds.width, epsilon))


def squares(largest: int, cells: int, unit: Unit, epsilon: Fraction) -> Noised:
    """Return how sums of numbers from 0 to `largest`, by group, are noised; 1 stands for 1."""
    noised = Noised("squares", 1, Fraction(1), laplace(unit.rows * largest, epsilon))
    return by_group(noised, cells, unit)


def by_group(noised: Noised, cells: int, unit: Unit) -> Noised:
    """Return how the same is noised in groups that do not overlap.

    A row is in one group. A replaced one may leave one and enter another: twice as far in all.
    """
    twice = cells > 1 and unit.neighbours == "replace"
    if not twice or not isinstance(noised.mechanism, Laplace):
        return replace(noised, cells=cells)
    scale, moved = 2 * noised.mechanism.scale, 2 * noised.mechanism.sensitivity
    return replace(noised, cells=cells, mechanism=Laplace(moved, scale))


def variance(bounds: Bounds, unit: Unit, epsilon: Fraction) -> tuple[Noised, Noised, Noised]:
    """Return how rows, centred sum and centred squares are noised, for a third each."""
    third = epsilon / 3
    rows, centred = mean(bounds, unit, 2 * third)
    squared = squares(bounds.width**2, 1, unit, third)
    return rows, centred, replace(squared, name="centred squares", step=bounds.step**2 / 4)


def levels(candidates: int) -> int:
    """Return how many nodes of the tree over `candidates` cells one row is counted in."""
    if candidates < 2:
        raise OutOfRange("a quantile needs two candidates to choose from")
    return (candidates - 1).bit_length()


def quantile(candidates: int, unit: Unit, epsilon: Fraction) -> Noised:
    """Return how rows in the nodes of a binary tree are noised: all but the root.

    The cells are those between public candidates; of each level every row is in one node.
    """
    height = levels(candidates)
    mechanism = laplace(_moved_rows(unit) * height, epsilon)
    return Noised("rows by node", (2 << height) - 2, Fraction(1), mechanism)


def noisy_max(cells: int, unit: Unit, epsilon: Fraction) -> Noised:
    """Return the noise of counts of which only the place of the largest is revealed.

    The guarantee is for that place alone [DR14], whatever the number of cells: each count moves by
    at most r, so noise of scale 2 r / epsilon is enough. The noisy counts are never shown.
    """
    if cells < 2:
        raise OutOfRange("the largest is one of at least two")
    return Noised("noisy max", cells, Fraction(1), laplace(2 * unit.rows, epsilon))


def products(entries: int, largest: int, unit: Unit, budget: Fraction, *, pure: bool) -> Noised:
    """Return how sums over rows of so many products, each at most `largest`, are noised.

    For a pure epsilon, or for a rho: a row moves the sums by at most entries * largest, added up,
    and sqrt(entries) * largest, Euclidean; a replaced row twice as far.

    Source: noise on sufficient statistics, [VS09].
    """
    if entries < 1:
        raise OutOfRange("a regression has at least one product")
    moved = _moved_rows(unit) * largest
    if pure:
        return Noised("products", entries, Fraction(1), laplace(moved * entries, budget))
    return Noised("products", entries, Fraction(1), gaussian(moved**2 * entries, budget))


def _moved_rows(unit: Unit) -> int:
    """Return by how many rows one patient changes counts of disjoint cells, added up."""
    return unit.rows if unit.neighbours == "add or remove" else 2 * unit.rows
