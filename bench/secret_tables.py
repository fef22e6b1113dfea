"""How queries over secret rows are timed: three processes, results compared with the clear's."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bench.trio import run_three
from quorate.algebra.ring import Words
from quorate.mpc.replicated import Committee, Security, Share, combined, deal
from quorate.mpc.streams import Stream
from quorate.mpc.tables.table import Table, read, settled
from quorate.mpc.verification import verify

ALL = range(3)
Ints = NDArray[np.int64]
Run = Callable[[Committee, Table, Share], Awaitable[Share]]


@dataclass(frozen=True, slots=True)
class Given:
    """Rows, as bits and numbers that are dealt, and codes that are dealt as bits."""

    bits: Words
    numbers: Words
    codes: Words


@dataclass(frozen=True, slots=True)
class Query:
    """What is timed: what it is given, what it does, and what it has to give."""

    name: str
    rows: int
    given: Callable[[], Given]
    run: Run
    plain: Callable[[Given], Words]
    bar_s: float | None = None
    orq_s: float | None = None


@dataclass(frozen=True, slots=True)
class Timed:
    """What one party measured of a query."""

    seconds: float
    cpu_s: float
    bytes_sent: int
    rounds: int


def drawn(rows: int, past: int, name: str) -> Ints:
    """Return random numbers, the same at all parties."""
    words = Stream(bytes(32), name).words(rows)
    return (words % np.uint64(past)).astype(np.int64)


async def _time_all(queries: Sequence[Query], repeats: int, committee: Committee) -> list[Timed]:
    return [
        await time_one(committee.at(f"query {i}"), one, repeats) for i, one in enumerate(queries)
    ]


async def time_one(committee: Committee, query: Query, repeats: int) -> Timed:
    """Deal the rows, repeat the query, compare its result: one party's view."""
    given, session = query.given(), committee.session
    bits = await deal(committee, 0, given.bits, np.bitwise_xor)
    rows = Table(bits, await deal(committee, 1, given.numbers))
    codes = await deal(committee, 2, given.codes, np.bitwise_xor)
    seconds, busy, sent, rounds, result = [], [], 0, 0, codes
    for i in range(repeats + 1):
        await session.exchange(b"ready")
        run = committee.at(f"run {i}")
        sent, rounds = session.meter.bytes_sent, run.session.rounds
        started, working = time.perf_counter(), time.process_time()
        result = await query.run(run, rows, codes)
        seconds.append(time.perf_counter() - started)
        busy.append(time.process_time() - working)
        sent, rounds = session.meter.bytes_sent - sent, run.session.rounds - rounds
    await verify(committee)
    found = await combined(committee, settled(result), ALL, np.add)
    assert found is not None
    assert np.array_equal(read(found), query.plain(given)), f"{query.name} is wrong"
    return Timed(statistics.median(seconds[1:]), statistics.median(busy[1:]), sent, rounds)


def measured(
    queries: Sequence[Query],
    *,
    encrypted: bool,
    security: Security = "semi-honest",
    repeats: int,
) -> dict[str, tuple[Timed, ...]]:
    """Run queries; return by name what the three parties measured of each."""
    work = partial(_time_all, queries, repeats)
    parties = run_three(work, encrypted=encrypted, security=security)
    names = [one.name for one in queries]
    return dict(zip(names, zip(*parties, strict=True), strict=True))
