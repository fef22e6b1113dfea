"""Timing of workloads at three processes, over TLS or over plain sockets."""

import resource
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bench.engine.workloads import Workload, check
from bench.inputs import REPEATS
from bench.trio import run_three
from quorate.algebra.ring import from_signed
from quorate.mpc import boolean, replicated
from quorate.mpc.replicated import Committee, Security, Share


@dataclass(frozen=True, slots=True)
class Timed:
    """What one party measured: seconds of each repetition, the first apart, and what one sent."""

    cold_s: float
    warm_s: tuple[float, ...]
    cpu_s: tuple[float, ...]
    bytes_sent: int
    rounds: int
    peak_bytes: int
    """The most memory that the process has held until then."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Medians over the repetitions, in each of which the slowest party counts."""

    cold_s: float
    warm_s: float
    cpu_s: float
    """Of all three processes together: what others do on the machine counts little."""

    peak_bytes: int


def time_workloads(
    loads: Sequence[Workload],
    *,
    encrypted: bool,
    security: Security = "semi-honest",
    repeats: int = REPEATS,
    bytes_per_s: float | None = None,
) -> list[Spent]:
    """Run each of the workloads once cold and then `repeats` times, in the same processes."""
    work = partial(_time_all, list(loads), repeats)
    parties = run_three(work, encrypted=encrypted, security=security, bytes_per_s=bytes_per_s)
    return [
        summary(load, party) for load, party in zip(loads, zip(*parties, strict=True), strict=True)
    ]


def summary(load: Workload, parties: Sequence[Timed]) -> Spent:
    """Return the medians. Raises `AssertionError` if rounds or bytes are not as declared."""
    for party, timed in enumerate(parties):
        said = load.cost.rounds, load.cost.bytes_sent[party]
        assert (timed.rounds, timed.bytes_sent) == said, f"{load.name} is not as declared"
    return Spent(
        max(timed.cold_s for timed in parties),
        statistics.median(map(max, zip(*(timed.warm_s for timed in parties), strict=True))),
        statistics.median(map(sum, zip(*(timed.cpu_s for timed in parties), strict=True))),
        max(timed.peak_bytes for timed in parties),
    )


def numpy_s(load: Workload) -> float:
    """Return the seconds NumPy needs for the same in the clear."""
    given, seconds = load.inputs(), []
    for _ in range(REPEATS):
        started = time.perf_counter()
        load.plain(*given)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


async def _time_all(loads: list[Workload], repeats: int, committee: Committee) -> list[Timed]:
    return [
        await time_one(committee.at(f"load {i}"), load, repeats) for i, load in enumerate(loads)
    ]


async def time_one(committee: Committee, load: Workload, repeats: int) -> Timed:
    """Deal the inputs, repeat the work, check its result: one party's view."""
    session, seconds, busy, spent = committee.session, [], [], set()
    shares = [
        await replicated.deal(committee, owner, from_signed(values))
        for owner, values in enumerate(load.inputs())
    ]
    result: Share | boolean.BitShare | None = None
    for i in range(repeats + 1):
        await session.exchange(b"ready")
        run = committee.at(f"run {i}")
        sent, rounds = session.meter.bytes_sent, run.session.rounds
        started, working = time.perf_counter(), time.process_time()
        result = await load.run(run, *shares)
        seconds.append(time.perf_counter() - started)
        busy.append(time.process_time() - working)
        spent.add((session.meter.bytes_sent - sent, run.session.rounds - rounds))
    assert result is not None
    await check(committee, load, result)
    ((bytes_sent, rounds),) = spent
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    warm_s, cpu_s = tuple(seconds[1:]), tuple(busy[1:])
    return Timed(seconds[0], warm_s, cpu_s, bytes_sent, rounds, peak_bytes)
