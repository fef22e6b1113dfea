"""What a member's own rows cost: the checked aggregate, beside DuckDB's own time for bare sums."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import duckdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.studies.group import Group, Member
from quorate.studies.plan import Plan, compile_plan
from quorate.studies.sources import aggregate, open_source
from quorate.studies.study import read_study

T = TypeVar("T")
REPEATS = 5

STUDY = """
title = "Age and length of stay"
purpose = "Benchmark"
max_rows = 100_000_000

[tables.patients]
age = "integer 0..120 years"
stay = "number 0..365 days"

[releases]
stay = "select count(*) as patients, avg(age) as mean_age, avg(stay) as mean_stay from patients"
"""

# Made by arithmetic, the same at every run: ages spread evenly, stays in quarters of a day.
PATIENTS = """
COPY (
    SELECT (i * 48271 % 121)::INTEGER AS age, (i * 16807 % 1461 / 4)::DOUBLE AS stay
    FROM range({rows}) AS made(i)
) TO '{path}' (FORMAT parquet)
"""
OWN_SUMS = "SELECT count(*), sum(age), sum(stay) FROM read_parquet('{path}')"


@dataclass(frozen=True, slots=True)
class Read:
    """Seconds for one member's rows, medians of five."""

    rows: int
    aggregate_s: float
    duckdb_s: float


def plan() -> Plan:
    """Return the plan of the benchmark's study among three members."""
    members = tuple(
        Member(
            name,
            f"{name}.example:7400",
            Ed25519PrivateKey.generate().public_key().public_bytes_raw(),
        )
        for name in ("north", "south", "west")
    )
    group = Group("bench", members)
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return compile_plan(read_study(STUDY), group, proposer="north", now=now)


def measure(rows: int, folder: Path) -> Read:
    """Make a Parquet file of `rows` patients; return how long its sums take."""
    path = folder / f"patients-{rows}.parquet"
    with duckdb.connect(":memory:") as database:
        database.execute(PATIENTS.format(rows=rows, path=path))
    source, studied = open_source(path), plan()
    own_s, (count, ages, stays) = _median_s(lambda: _own_sums(path))
    aggregate_s, totals = _median_s(lambda: aggregate(source, studied))
    units = [10 ** studied.decimals(item) for item in studied.inputs]
    plain = (count, ages, stays)
    assert totals == tuple(round(v * unit) for v, unit in zip(plain, units, strict=True))
    path.unlink()
    return Read(rows, aggregate_s, own_s)


def _own_sums(path: Path) -> tuple[int, int, float]:
    with duckdb.connect(":memory:") as database:
        found = database.execute(OWN_SUMS.format(path=path)).fetchall()
    count, ages, stays = found[0]
    return count, ages, stays


def _median_s(work: Callable[[], T]) -> tuple[float, T]:
    """Return the median seconds of a few runs of `work`, and what it gives each time."""
    work()  # the file is in the cache from now on
    seconds, given = [], []
    for _ in range(REPEATS):
        started = time.perf_counter()
        given.append(work())
        seconds.append(time.perf_counter() - started)
    assert all(one == given[0] for one in given)
    return statistics.median(seconds), given[0]
