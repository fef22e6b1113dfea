"""Noise for 10,000 numbers, jointly among three processes and in shares among ten, over TLS.

And what a ledger takes: reservations a second on SQLite.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from secrets import token_bytes

import numpy as np

from bench import members
from bench.markdown import table
from bench.members import Task, forget, tasks
from bench.processes import Pipe, all_say, be_quiet, processes
from bench.trio import run_three
from quorate.dp import accounting, joint, tables
from quorate.dp.caps import Cap
from quorate.dp.chain import Release
from quorate.dp.ledger import Ledger
from quorate.dp.mechanisms import Laplace, laplace
from quorate.dp.shares import SharedLaplace, default_colluders, noisy_sum
from quorate.mpc import additive
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee, Security
from quorate.mpc.verification import verify
from quorate.node.budgets.rows import LedgerRows
from quorate.node.malloc import keep_freed_memory, make_room
from quorate.node.store import Store
from quorate.studies.cost import ROOM_FOR_CLAIMS
from quorate.transport.session import Session

CELLS, MEMBERS, REPEATS = 10_000, 10, 5
SCALES = (Fraction(82), Fraction(1024))
ALLOWED_S = 1.0
RESERVATIONS, ALLOWED_A_SECOND = 2000, 1000
CAP = Cap(nano_epsilon=RESERVATIONS * accounting.NANO)


TEXT = """\
## Noise for 10,000 numbers

Discrete Laplace noise over TLS on loopback. *Jointly*: three processes draw what none of them
knows, and where it says verified, all that they did is; bytes are those of parties 0, 1 and 2.
*In shares*: ten processes draw and add up; bytes are each member's. *First* is with what is made
once: links warm up, tables. Memory for what is verified was touched before, as a node does when it
prepares a run. Each is to be done in a second.
"""

LEDGER = """
*The ledger* reserves, each time in a transaction that is on disk when it returns: {rate:,.0f}
reservations a second on SQLite. The bar is 1,000.
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of the slowest party; the cost of three, or of one member among ten."""

    name: str
    rounds: int
    bytes_sent: tuple[int, ...]
    cold_s: float
    seconds: float


def section() -> str:
    """Return the page's part."""
    head = ["noise", "rounds", "bytes", "first", "seconds"]
    body = [
        (
            one.name,
            str(one.rounds),
            " · ".join(f"{sent:,}" for sent in one.bytes_sent),
            f"{one.cold_s:.3f} s",
            f"{one.seconds:.3f} s",
        )
        for one in measure()
    ]
    return "\n".join([TEXT, table(head, body), LEDGER.format(rate=reservations_a_second())])


def measure() -> list[Measured]:
    """Run all of it; each has to be done in a second."""
    found = [
        of
        for scale in SCALES
        for of in (_joint(scale, "semi-honest"), _joint(scale, "malicious"), _shares(scale))
    ]
    for one in found:
        assert one.seconds <= ALLOWED_S, f"{one.name} took {one.seconds:.2f} s"
    return found


def reservations_a_second() -> float:
    """Reserve one release after the other in a node's database; a second has to do for 1,000."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    cost = accounting.charge(laplace(1, Fraction(1)), Fraction(0))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "node.db"))
        ledger = Ledger(LedgerRows(store, "patients"))
        started = time.perf_counter()
        for i in range(RESERVATIONS):
            ledger.reserve(Release(f"{i}", bytes(32), "Laplace noise of scale 1", cost), CAP, now)
        rate = RESERVATIONS / (time.perf_counter() - started)
        store.close()
    assert rate >= ALLOWED_A_SECOND, f"{rate:.0f} reservations a second"
    return rate


def _joint(scale: Fraction, security: Security) -> Measured:
    spent = run_three(partial(_timed, scale), encrypted=True, security=security)
    cost = joint.drawing_cost([(Laplace(1, scale), CELLS)], security)
    each = [(one.rounds, one.bytes_sent[p]) for p, one in enumerate(s[0] for s in spent)]
    assert each == [(cost.rounds, sent) for sent in cost.bytes_sent], "not as declared"
    name = f"joint{', verified' if security == 'malicious' else ''}, scale {scale}"
    return _measured(name, cost.rounds, cost.bytes_sent, [seconds for _, seconds in spent])


async def _timed(scale: Fraction, committee: Committee) -> tuple[Cost, list[float]]:
    seconds, session = [], committee.session
    cost = Cost()
    security: Security = "malicious" if committee.checks else "semi-honest"
    claims = joint.drawing([(Laplace(1, scale), CELLS)], security).claims
    await make_room(ROOM_FOR_CLAIMS * 8 * claims.words)  # as a node does when it prepares a run
    for _ in range(REPEATS + 1):
        await session.exchange(b"ready")
        sent, rounds = session.meter.bytes_sent, session.rounds
        started = time.perf_counter()
        await joint.discrete_laplace(committee, scale, CELLS)
        await verify(committee)
        seconds.append(time.perf_counter() - started)
        spent = [0, 0, 0]
        spent[committee.me] = session.meter.bytes_sent - sent
        cost = Cost(session.rounds - rounds, (spent[0], spent[1], spent[2]))
    return cost, seconds


def _shares(scale: Fraction) -> Measured:
    """Let ten processes draw their shares and add up."""
    noise = SharedLaplace(scale, MEMBERS, default_colluders(MEMBERS))
    work = [(task, noise) for task in tasks(MEMBERS, CELLS, REPEATS)]
    with processes(work, _sharing) as pipes:
        for expected in (members.READY, members.OPEN):
            assert all_say(pipes) == [expected] * MEMBERS
        seconds = all_say(pipes)
    cost = additive.cost(MEMBERS, CELLS)
    name = f"in shares among {MEMBERS}, scale {scale}"
    return _measured(name, cost.rounds, (cost.bytes_sent,), seconds)


def _sharing(work: tuple[Task, SharedLaplace], pipe: Pipe) -> None:
    keep_freed_memory()
    be_quiet()
    task, noise = work
    tables.negative_binomial.cache_clear()
    timed = partial(_timed_shares, noise)
    asyncio.run(members.in_sessions(task, pipe, task.repeats + 1, timed))


async def _timed_shares(noise: SharedLaplace, meeting: Session, runs: list[Session]) -> list[float]:
    mine, seconds = np.zeros(CELLS, np.int64), []
    for run in runs:
        await meeting.exchange(b"ready")
        async with run:
            started = time.perf_counter()
            await noisy_sum(
                run, [mine], [noise], context=b"bench", claim=forget, randomness=token_bytes
            )
            seconds.append(time.perf_counter() - started)
    return seconds


def _measured(
    name: str, rounds: int, bytes_sent: tuple[int, ...], seconds: Sequence[Sequence[float]]
) -> Measured:
    slowest = [max(times) for times in zip(*seconds, strict=True)]
    return Measured(name, rounds, bytes_sent, slowest[0], statistics.median(slowest[1:]))
