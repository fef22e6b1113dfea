"""The page's part on a third party: all rows of all members, sent to one of them and computed."""

import asyncio
import secrets
import statistics
import time
from dataclasses import dataclass

import numpy as np

from bench.cells import FIVE, bench_group
from bench.inputs import REPEATS
from bench.markdown import table
from bench.members import forget, now
from bench.trio import NAMES, run_three
from quorate.algebra.ring import Words
from quorate.mpc.replicated import Committee
from quorate.studies.cost import SIGNATURE_BYTES, run_cost
from quorate.studies.plain import results_of_words
from quorate.studies.plan import Plan
from quorate.studies.planning import compile_plan
from quorate.studies.rows import columns_sent
from quorate.studies.runners.third_party import tell_third
from quorate.studies.running import Aside, Running
from quorate.studies.study import read_study
from quorate.transport.session import Session

TEXT = """\
## A third party

Three processes over TLS; each member sends a third of the rows, age and ward, 16 bytes each, to the
first, which computes count, sum, mean, variance and standard deviation by ward. All of a run from
the keys to the result, without reading the files (see rows) and the signatures.
"""

STUDY = """
title = "Ages"
purpose = "Benchmark"
max_rows = 1_000_000
trust = "third-party"
third_party = "{third}"
[tables.patients]
age = "integer 0..120 years"
ward = "category {wards}"
[releases]
r = "select ward, {asked} from patients group by ward"
"""
WARDS = 50
ROWS = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of each repetition at one party, and what one repetition cost: rounds, bytes."""

    seconds: tuple[float, ...]
    cost: tuple[int, int]


def section() -> str:
    """Measure all numbers of rows; return Markdown."""
    runs = run_three(_all_timed, encrypted=True)
    body = []
    for i, rows in enumerate(ROWS):
        timed = [party[i] for party in runs]
        seconds = statistics.median(map(max, zip(*(one.seconds for one in timed), strict=True)))
        sent = sum(one.cost[1] for one in timed)
        body.append((f"{rows:,}", str(timed[0].cost[0]), f"{sent:,}", f"{seconds:.3f} s"))
    return "\n".join([TEXT, table(["rows", "rounds", "bytes, of all", "seconds"], body)])


def plan() -> Plan:
    """Return the study of the table, with the first member as third party."""
    wards = " ".join(f"w{i}" for i in range(WARDS))
    text = STUDY.format(third=NAMES[0], wards=wards, asked=FIVE)
    return compile_plan(read_study(text), bench_group(), proposer=NAMES[0], now=now())


async def time_one(
    session: Session, of: Plan, rows: int, repeats: int, aside: Aside = asyncio.to_thread
) -> Timed:
    """Repeat one run; its results and its cost have to be right."""
    own = rows_of(of, rows // len(NAMES))
    seconds, spent = [], set()
    for i in range(repeats + 1):
        one = session.at(f"run {i}")
        await session.exchange(b"ready")
        sent, rounds, started = one.meter.bytes_sent, one.rounds, time.perf_counter()
        words, _, _ = await tell_third(
            Running(one, of, own, b"bench", forget, secrets.token_bytes, aside=aside)
        )
        seconds.append(time.perf_counter() - started)
        spent.add((one.rounds - rounds, one.meter.bytes_sent - sent))
        counts = results_of_words(of, words)[:WARDS]
        assert sum(int(count.value) for count in counts) == rows // len(NAMES) * len(NAMES)
    ((counted, sent),) = spent
    said = run_cost(of)
    more = 0 if session.me == 0 else said.bytes_a_row * int(own[0])
    signed = SIGNATURE_BYTES * (len(NAMES) - 1)
    declared = said.rounds - 1, said.bytes_sent[session.me] - signed + more
    assert (counted, sent) == declared, "a third party is not as declared"
    return Timed(tuple(seconds[1:]), (counted, sent))


async def _all_timed(committee: Committee) -> list[Timed]:
    of = plan()
    return [await time_one(committee.session.at(f"{n}"), of, n, REPEATS) for n in ROWS]


def rows_of(of: Plan, rows: int) -> Words:
    """Return the number of a member's rows, and rows made by arithmetic."""
    at = np.arange(rows)
    columns = {"age": at * 48271 % 121, "ward": at % WARDS}
    sent = [columns[column.name] for column in columns_sent(of)]
    return np.concatenate([np.array([rows]), *sent]).astype(np.uint64)
