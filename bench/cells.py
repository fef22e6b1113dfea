"""The page's part on studies by groups: a committee's run beside the secure sum of the same."""

import secrets
import statistics
import time
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.inputs import REPEATS
from bench.markdown import table
from bench.members import forget, now
from bench.trio import NAMES, run_three
from quorate.algebra.ring import Words, from_signed, to_signed
from quorate.mpc.additive import secure_sum
from quorate.mpc.replicated import Committee
from quorate.studies.committee import Revealed, reveal_shown
from quorate.studies.cost import SIGNATURE_BYTES, RunCost, run_cost
from quorate.studies.group import Group, Member
from quorate.studies.plan import Plan
from quorate.studies.planning import compile_plan
from quorate.studies.study import read_study
from quorate.transport.session import Session

TEXT = """\
## Studies by groups

Three processes over TLS, as above; all of a run but the signatures, from the keys on. *Bytes* are
those that the three members of the committee send. *Sum* is the secure sum of the same numbers in
the same run, after which every member's node holds the small cells.
"""

FIVE = "count(*) as n, sum(age) as s, avg(age) as a, var(age) as v, stddev(age) as d"
COUNT = "count(*) as n"
STUDY = """
title = "Ages"
purpose = "Benchmark"
max_rows = 1_000_000
[tables.patients]
age = "integer 0..120 years"
ward = "category {wards}"
unit = "category {units}"
[releases]
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """A study by name: its wards and units, and what each release asks, by which groups."""

    name: str
    wards: int
    units: int
    releases: tuple[tuple[str, str], ...]

    def plan(self) -> Plan:
        names = {
            "wards": " ".join(f"w{i}" for i in range(self.wards)),
            "units": " ".join(f"u{i}" for i in range(self.units)),
        }
        text = STUDY.format(**names)
        for i, (groups, asked) in enumerate(self.releases):
            selected = f"{groups}, {asked}" if groups else asked
            grouped = f" group by {groups}" if groups else ""
            text += f'r{i} = "select {selected} from patients{grouped}"\n'  # noqa: S608
        return compile_plan(read_study(text), bench_group(), proposer=NAMES[0], now=now())


WORKLOADS = (
    Workload("50 groups, 5 statistics", 50, 1, (("ward", FIVE),)),
    Workload("50 groups, 5 statistics, and of all", 50, 1, (("ward", FIVE), ("", FIVE))),
    Workload(
        "10 × 5 groups, and all their totals",
        10,
        5,
        (("ward, unit", COUNT), ("ward", COUNT), ("unit", COUNT), ("", COUNT)),
    ),
    Workload("1,000 groups, and of all", 1000, 1, (("ward", COUNT), ("", COUNT))),
)


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of each repetition at one party, and what one repetition sent."""

    committee_s: tuple[float, ...]
    sum_s: tuple[float, ...]
    cost: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Measured:
    """The slowest party counts; medians over the repetitions."""

    name: str
    cost: RunCost
    committee_s: float
    sum_s: float


def section() -> str:
    """Measure all workloads; return Markdown."""
    head = ["study", "rounds", "bytes", "seconds", "sum", "ratio"]
    body = [
        (
            one.name,
            str(one.cost.rounds),
            " · ".join(f"{sent:,}" for sent in one.cost.bytes_sent),
            f"{one.committee_s:.3f} s",
            f"{one.sum_s:.4f} s",
            f"{one.committee_s / one.sum_s:.0f}",
        )
        for one in measure()
    ]
    return "\n".join([TEXT, table(head, body)])


def measure() -> list[Measured]:
    """Run all workloads over TLS."""
    runs = run_three(_all_timed, encrypted=True)
    return [summary(load, [party[i] for party in runs]) for i, load in enumerate(WORKLOADS)]


def summary(load: Workload, timed: list[Timed]) -> Measured:
    """Return the medians; what was sent has to be what is declared."""
    said = run_cost(load.plan())
    signed = SIGNATURE_BYTES * (len(NAMES) - 1)
    for party, one in enumerate(timed):
        counted = one.cost[0] + 1, one.cost[1] + signed
        assert counted == (said.rounds, said.bytes_sent[party]), f"{load.name} is not as declared"
    return Measured(
        load.name,
        said,
        statistics.median(map(max, zip(*(t.committee_s for t in timed), strict=True))),
        statistics.median(map(max, zip(*(t.sum_s for t in timed), strict=True))),
    )


def bench_group() -> Group:
    """Return a group of three with fresh keys."""
    return Group("bench", tuple(map(_member, NAMES)))


def _member(name: str) -> Member:
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return Member(name, f"{name}.example:7400", key)


async def _all_timed(committee: Committee) -> list[Timed]:
    return [
        await time_one(committee.session.at(f"load {i}"), load, REPEATS)
        for i, load in enumerate(WORKLOADS)
    ]


async def time_one(session: Session, load: Workload, repeats: int) -> Timed:
    """Repeat one workload; all that is shown has to be right."""
    plan = load.plan()
    own = from_signed(_numbers(plan))
    decided, summed, spent = [], [], set()
    for i in range(repeats + 1):
        one, other = session.at(f"committee {i}"), session.at(f"sum {i}")
        await session.exchange(b"ready")
        sent, rounds, started = one.meter.bytes_sent, one.rounds, time.perf_counter()
        revealed = await _decided(one, plan, own)
        decided.append(time.perf_counter() - started)
        spent.add((one.rounds - rounds, one.meter.bytes_sent - sent))
        await session.exchange(b"ready")
        started = time.perf_counter()
        total = await secure_sum(
            other, own, context=b"bench", claim=forget, randomness=secrets.token_bytes
        )
        summed.append(time.perf_counter() - started)
        assert plan.results_revealed(revealed.numbers, revealed.hidden) == plan.results(
            tuple(to_signed(total.words).tolist())
        )
    ((rounds, sent),) = spent
    return Timed(tuple(decided[1:]), tuple(summed[1:]), (rounds, sent))


async def _decided(session: Session, plan: Plan, own: Words) -> Revealed:
    return await reveal_shown(
        session,
        plan.study,
        own,
        security=plan.security,
        context=b"bench",
        claim=forget,
        randomness=secrets.token_bytes,
    )


def _numbers(plan: Plan) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return a member's aggregates of rows made by arithmetic: all of age 40, some cells small."""
    wards = len(plan.study.table.column("ward").values)
    units = len(plan.study.table.column("unit").values)
    rows = (np.arange(wards * units) * 48271 % 7).reshape(wards, units)
    by = {("ward", "unit"): rows, ("ward",): rows.sum(1), ("unit",): rows.sum(0), (): rows.sum()}
    powers = {"count": 0, "sum": 1, "squares": 2}
    return np.concatenate(
        [
            40 ** powers[item.amount] * by[tuple(a.column for a in item.cells.axes)].reshape(-1)
            for item in plan.inputs
        ]
    ).astype(np.int64)
