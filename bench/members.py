"""The secure sum among real processes over real TLS on loopback, and a plain sum beside it.

Each member is a process of its own with a link to every other. The plain sum
sends the same words the same ways over the same links, unmasked and
unconfirmed: the difference is what secrecy costs.
"""

import asyncio
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.testing import assert_array_equal

from bench.processes import Pipe, all_say, be_quiet, in_step_over, processes, seated
from quorate.algebra.ring import Words
from quorate.cli.ports import free_ports
from quorate.errors import Party, Refused
from quorate.mpc import additive
from quorate.mpc.additive import Cost, secure_sum
from quorate.node.malloc import keep_freed_memory
from quorate.transport.dial import Seat
from quorate.transport.peers import Peers
from quorate.transport.session import Session, together

READY_S, TIMEOUT_S = 300.0, 60.0
READY, OPEN = "links up", "sessions open"


@dataclass(frozen=True, slots=True)
class Task:
    """What one member's process is to do."""

    me: Party
    seats: tuple[Seat, ...]
    key: bytes
    words: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What one member measured: seconds of each repetition, and the cost of one secure sum."""

    secure_s: tuple[float, ...]
    plain_s: tuple[float, ...]
    cost: Cost


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the repetitions; in each the slowest member counts."""

    members: int
    words: int
    secure_s: float
    plain_s: float
    numpy_s: float
    cost: Cost


def measure(members: int, words: int, repeats: int) -> Measured:
    """Start `members` processes, let them add up `words` numbers each, return what it took."""
    with processes(tasks(members, words, repeats), run_member) as pipes:
        for expected in (READY, OPEN):
            assert all_say(pipes) == [expected] * members
        spent = all_say(pipes)
    return _summary(members, words, spent)


def tasks(members: int, words: int, repeats: int) -> list[Task]:
    """Return what each process is to do, with ports that are free now."""
    seats, keys = seated([f"member{p}" for p in range(members)], free_ports(members))
    return [Task(p, seats, key, words, repeats) for p, key in enumerate(keys)]


def _summary(members: int, words: int, spent: list[Spent]) -> Measured:
    cost = additive.cost(members, words)
    assert {one.cost for one in spent} == {cost}, "the cost is not the declared one"
    return Measured(
        members,
        words,
        statistics.median(map(max, zip(*(one.secure_s for one in spent), strict=True))),
        statistics.median(map(max, zip(*(one.plain_s for one in spent), strict=True))),
        statistics.median(_numpy_sum_s(members, words) for _ in range(5)),
        cost,
    )


def _numpy_sum_s(members: int, words: int) -> float:
    """Return the seconds NumPy needs for the sum alone, with all vectors in one place."""
    xs = np.ones((members, words), np.uint64)
    started = time.perf_counter()
    np.sum(xs, axis=0, dtype=np.uint64)
    return time.perf_counter() - started


def run_member(task: Task, pipe: Pipe) -> None:
    """Be one member, from start to end; the other end of `pipe` keeps all in step."""
    keep_freed_memory()
    be_quiet()
    asyncio.run(_member(task, pipe))


async def _member(task: Task, pipe: Pipe) -> None:
    async def work(meeting: Session, runs: list[Session]) -> Spent:
        return await _measured(task, meeting, runs)

    await in_sessions(task, pipe, 2 * task.repeats + 2, work)


async def in_sessions(
    task: Task,
    pipe: Pipe,
    count: int,
    work: Callable[[Session, list[Session]], Awaitable[object]],
) -> None:
    """Link up, and tell the other end of `pipe` what `work` gives for `count` fresh sessions."""
    key = Ed25519PrivateKey.from_private_bytes(task.key)
    peers = Peers(task.me, task.seats, key, bytes(32), "bench", refuse, now)
    seat, in_step = task.seats[task.me], in_step_over(pipe)

    async with peers.running((seat.host, seat.port)):
        await peers.wait_ready(READY_S)
        await in_step(READY)
        meeting = Session(peers.me, peers.names, peers.channel(1), TIMEOUT_S)
        runs = [
            Session(peers.me, peers.names, peers.channel(number), TIMEOUT_S)
            for number in range(2, count + 2)
        ]
        await in_step(OPEN)
        await in_step(await work(meeting, runs))


async def _measured(task: Task, meeting: Session, runs: list[Session]) -> Spent:
    mine = np.arange(task.words, dtype=np.uint64) * np.uint64(task.me + 1)
    secure, plain = [], []
    for here, there in zip(runs[::2], runs[1::2], strict=True):
        await meeting.exchange(b"ready")
        secure.append(await _seconds(here, mine, secure_total))
        await meeting.exchange(b"ready")
        plain.append(await _seconds(there, mine, plain_total))
    (cost,) = {Cost(run.rounds, run.meter.bytes_sent) for run in runs[::2]}
    return Spent(tuple(secure[1:]), tuple(plain[1:]), cost)  # the first of each was to warm up


async def _seconds(
    session: Session, mine: Words, total_of: Callable[[Session, Words], Awaitable[Words]]
) -> float:
    """Return how long one sum took here; what it gives has to be right."""
    async with session:
        started = time.perf_counter()
        total = await total_of(session, mine)
        took = time.perf_counter() - started
    n = session.n
    assert_array_equal(total, np.arange(mine.size, dtype=np.uint64) * np.uint64(n * (n + 1) // 2))
    return took


async def secure_total(session: Session, mine: Words) -> Words:
    total = await secure_sum(
        session, mine, context=b"bench", claim=forget, randomness=secrets.token_bytes
    )
    return total.words


async def plain_total(session: Session, mine: Words) -> Words:
    """Send what the secure sum sends, the same ways, but in the clear."""
    n, m = session.n, mine.size
    if not additive.in_chunks(n, m):
        return _sum(await session.exchange(mine))
    size = additive.chunk_words(n, m)
    padded = np.zeros(n * size, np.uint64)
    padded[:m] = mine

    async def swap(by: int, step: Session) -> Words:
        to = (session.me + by) % n
        part = padded[to * size :][:size]
        return await step.shift(part, by=by, like=np.empty_like(part))

    parts = await together(*(swap(by, session.at(f"by {by}")) for by in range(1, n)))
    own = _sum((padded[session.me * size :][:size], *parts))
    return np.concatenate(await session.exchange(own))[:m]


def _sum(vectors: tuple[Words, ...]) -> Words:
    total = vectors[0].copy()
    for vector in vectors[1:]:
        total += vector
    return total


async def refuse(_: Party, topic: str, __: bytes) -> bytes:
    raise Refused(f"nothing is known of {topic}")


def forget(session_id: bytes) -> None:
    """Claim nothing: no session's randomness is ever stored here, so none can come again."""


def now() -> datetime:
    return datetime(2030, 1, 1, tzinfo=UTC)
