"""How time, bytes and rounds grow with what is computed on, for each operation."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.engine import workloads
from bench.engine.timing import time_workloads
from bench.engine.workloads import Workload
from bench.inputs import SIZES

MATRIX_SIZES = SIZES[:-1]
"""Entries of the result. 10,000,000 of them, each a sum of 3,162 products, take half a minute."""


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    of: Callable[[int], Workload]
    sizes: tuple[int, ...] = SIZES


@dataclass(frozen=True, slots=True)
class Point:
    """One operation at one size: seconds over TLS, bytes of the party that sends most."""

    size: int
    seconds: float
    bytes_sent: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Curve:
    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    curves: tuple[Curve, ...]
    peak_bytes: int
    """The most memory that one party's process held."""


OPERATIONS = (
    Operation("product", workloads.products),
    Operation("comparison", workloads.comparisons),
    Operation("equality", workloads.equalities),
    Operation("fixed-point product", workloads.fixed_products),
    Operation("truncation", workloads.truncations),
    Operation("dot product", workloads.dot),
    Operation("sum", workloads.total),
    Operation("matrix product", workloads.matrices, MATRIX_SIZES),
)


def measure() -> Growth:
    """Run every operation at every size, all of one size in the same three processes."""
    points: dict[str, list[Point]] = {one.name: [] for one in OPERATIONS}
    peak_bytes = 0
    for size in SIZES:
        here = [one for one in OPERATIONS if size in one.sizes]
        loads = [one.of(size) for one in here]
        for one, load, spent in zip(
            here, loads, time_workloads(loads, encrypted=True), strict=True
        ):
            most = max(load.cost.bytes_sent)
            points[one.name].append(Point(size, spent.warm_s, most, load.cost.rounds))
            peak_bytes = max(peak_bytes, spent.peak_bytes)
    return Growth(tuple(Curve(name, tuple(found)) for name, found in points.items()), peak_bytes)
