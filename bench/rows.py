"""What a member's own rows cost: the checked aggregate, beside DuckDB's own time for bare sums."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import duckdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import members
from bench.inputs import REPEATS
from bench.markdown import table
from bench.members import Measured
from quorate.studies.group import Group, Member
from quorate.studies.plan import Plan
from quorate.studies.planning import compile_plan
from quorate.studies.sources import aggregate, open_source
from quorate.studies.study import read_study

T = TypeVar("T")
ALLOWED_S, ALLOWED_RATIO = 1.0, 1.5
"""What a study over a member's rows may take beside DuckDB's own sums: 1.5 times, and a second."""

TEXT = """\
## Cost against rows

The sums are computed where the rows are: three numbers leave each member, whatever the rows.
*Checked aggregate* is what a node computes of its Parquet file: the count and the exact sums of an
integer and a number, each row checked against its declared bounds. *DuckDB alone* sums the same two
columns without looking at any bound. *Study* adds the secure sum of three numbers among three
members, {three_s:.3f} s here. It is to stay within {ratio} times DuckDB's own time and a second.
"""

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


def section(counts: Sequence[int]) -> str:
    """Measure over each number of rows; return Markdown."""
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as folder:
        read = [measure(count, Path(folder)) for count in counts]
    three = members.measure(3, len(plan().inputs), REPEATS)
    return "\n".join(
        [TEXT.format(three_s=three.secure_s, ratio=ALLOWED_RATIO), _reads(read, three)]
    )


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


def _reads(measured: Iterable[Read], three: Measured) -> str:
    head = ["rows", "bytes a member", "checked aggregate", "DuckDB alone", "study", "allowed"]
    body = []
    for one in measured:
        study_s = one.aggregate_s + three.secure_s
        allowed_s = ALLOWED_RATIO * one.duckdb_s + ALLOWED_S
        assert study_s <= allowed_s, f"{one.rows} rows took {study_s:.2f} s of {allowed_s:.2f} s"
        seconds = (one.aggregate_s, one.duckdb_s, study_s, allowed_s)
        body.append(
            (f"{one.rows:,}", f"{three.cost.bytes_sent:,}", *(f"{s:.3f} s" for s in seconds))
        )
    return table(head, body)
