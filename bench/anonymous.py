"""Anonymous runs among real processes over real TLS on loopback: with a text, and spoilt.

Each member is a process of its own with a link to every other; all share the
machine's cores. A run is measured whole, from the first message to the texts read; a
spoilt one to the evidence that names who did it.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.engine import plot
from bench.engine.growth import Curve, Growth, Point
from bench.members import READY_S, TIMEOUT_S, now, refuse
from bench.processes import Pipe, all_say, be_quiet, in_step_over, processes, seated
from quorate import wire
from quorate.anonymous import decision, rounds
from quorate.anonymous.cost import Cost, cost
from quorate.anonymous.dcnet import take_part
from quorate.anonymous.messages import Identity, Run, Vector, sign
from quorate.cli.ports import free_ports
from quorate.errors import Disrupted, Party
from quorate.transport.dial import Seat
from quorate.transport.peers import Peers
from quorate.transport.session import Session

TEXT = b"This course is boring"
REPEATS = 3

SIZES = ((3, 1024), (5, 1024), (5, 4096), (10, 1024), (20, 1024), (20, 4096))
BAR_S = 0.1
PICTURE = "benchmarks-anonymous.svg"

PAGE = """\
## Anonymous messages

Each member is a process of its own, linked with all by TLS 1.3 on loopback. All share the
machine's cores: a run's seconds are near one member's CPU, times the members, divided by the
cores. *Run* is whole, from the first message to the text read, 6 rounds. *Spoilt* is a run in
which one member flips every bit of its vector, to the evidence against it. The slowest member
counts. *Said* is one member's messages, *sent* those to all others: exact, and compared with what
`cost` declares. Goals: 0.5 s for 5 members, 3 s for 20, and 5 s for 20 if spoilt. A square of
*growth* is {bar:g} s of a run.
"""


@dataclass(frozen=True, slots=True)
class Task:
    """What one member's process is to do."""

    me: Party
    seats: tuple[Seat, ...]
    key: bytes
    cell_bytes: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the repetitions; in each the slowest member counts. CPU is a member's own."""

    members: int
    cell_bytes: int
    run_s: float
    run_cpu_s: float
    blame_s: float
    blame_cpu_s: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of one run at one member, its CPU seconds, and the bytes it sent."""

    wall_s: float
    cpu_s: float
    bytes_sent: int


class Forgetful:
    """Claims and decisions of processes that hold each run once and never start again."""

    def claim(self, run: bytes) -> None:
        """Keep nothing."""

    def decide(self, run: bytes, decision: str) -> None:
        """Keep nothing."""


def section(folder: Path | None = None, sizes: Sequence[tuple[int, int]] = SIZES) -> str:
    """Return the part of the page about anonymous messages; draw the picture into `folder`."""
    head = "members | cell | said | sent | run | CPU | spoilt | CPU | growth"
    lines = [f"| {head} |", f"|{'---:|' * 8}:---|"]
    measured = [measure(n, cell_bytes) for n, cell_bytes in sizes]
    if folder is not None:
        plot.draw(growth(measured), folder / PICTURE, along="members")
    for one in measured:
        seconds = (one.run_s, one.run_cpu_s, one.blame_s, one.blame_cpu_s)
        cells = (
            str(one.members),
            f"{one.cell_bytes:,}",
            f"{one.cost.bytes_said:,}",
            f"{one.cost.bytes_sent:,}",
            *(f"{s:.3f} s" for s in seconds),
            "■" * max(1, round(one.run_s / BAR_S)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    picture = f"![Seconds, bytes and rounds against the number of members]({PICTURE})"
    return "\n".join([PAGE.format(bar=BAR_S), *lines, "", picture, ""])


def growth(measured: Sequence[Measured]) -> Growth:
    """Return how a run, and one that is spoilt, grow with the members, for each size of cells."""
    curves = list[Curve]()
    for cell_bytes in sorted({one.cell_bytes for one in measured}):
        here = [one for one in measured if one.cell_bytes == cell_bytes]
        for name, seconds in (
            ("run", [m.run_s for m in here]),
            ("spoilt", [m.blame_s for m in here]),
        ):
            points = (
                Point(one.members, spent, one.cost.bytes_sent, one.cost.rounds)
                for one, spent in zip(here, seconds, strict=True)
            )
            curves.append(Curve(f"{name}, cells of {cell_bytes:,}", tuple(points)))
    return Growth(tuple(curves), 0)


def measure(members: int, cell_bytes: int, repeats: int = REPEATS) -> Measured:
    """Start `members` processes, let them hold runs, good and spoilt; return what it took."""
    with processes(_tasks(members, cell_bytes, repeats), run_member) as pipes:
        for _ in ("links up", "sessions open"):
            all_say(pipes)
        spent: list[list[Spent]] = [all_say(pipes) for _ in range(2 * repeats + 1)]
    good, spoilt = spent[1 : repeats + 1], spent[repeats + 1 :]  # the first was to warm up
    declared = cost(members, cell_bytes)
    assert {one.bytes_sent for run in good for one in run} == {declared.bytes_sent}
    return Measured(
        members,
        cell_bytes,
        statistics.median(max(one.wall_s for one in run) for run in good),
        statistics.median(max(one.cpu_s for one in run) for run in good),
        statistics.median(max(one.wall_s for one in run) for run in spoilt),
        statistics.median(max(one.cpu_s for one in run) for run in spoilt),
        declared,
    )


def _tasks(members: int, cell_bytes: int, repeats: int) -> list[Task]:
    seats, keys = seated([f"member{p}" for p in range(members)], free_ports(members))
    return [Task(p, seats, key, cell_bytes, repeats) for p, key in enumerate(keys)]


def run_member(task: Task, pipe: Pipe) -> None:
    """Be one member, from start to end; the other end of `pipe` keeps all in step."""
    be_quiet()
    asyncio.run(_member(task, pipe))


async def _member(task: Task, pipe: Pipe) -> None:
    key = Ed25519PrivateKey.from_private_bytes(task.key)
    peers = Peers(task.me, task.seats, key, bytes(32), "bench", refuse, now)
    seat, in_step = task.seats[task.me], in_step_over(pipe)

    async with peers.running((seat.host, seat.port)):
        await peers.wait_ready(READY_S)
        await in_step(None)
        runs = 2 * task.repeats + 1
        sessions = [
            Session(peers.me, peers.names, peers.channel(number), TIMEOUT_S)
            for number in range(1, runs + 1)  # session 0 is the links' own
        ]
        await in_step(None)
        for number, session in enumerate(sessions):
            hold = good if number <= task.repeats else spoilt
            await in_step(await _spent(session, hold(session, task, number, key)))


async def _spent(session: Session, held: Awaitable[None]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    await held
    return Spent(time.perf_counter() - wall, time.process_time() - cpu, session.meter.bytes_sent)


def _run(task: Task, number: int) -> Run:
    members = tuple(Identity(seat.name, seat.public_key) for seat in task.seats)
    return Run(bytes(32), number, bytes(32), task.cell_bytes, members)


async def good(session: Session, task: Task, number: int, key: Ed25519PrivateKey) -> None:
    """Hold a run in which member 0 speaks; all must read it."""
    text = TEXT if task.me == 0 else b""
    delivered = await take_part(
        session, _run(task, number), text, identity=key, store=Forgetful(), randomness=os.urandom
    )
    assert delivered.texts == (TEXT,)


async def spoilt(session: Session, task: Task, number: int, key: Ed25519PrivateKey) -> None:
    """Hold a run that the last member spoils; all others must name it."""
    last, named = session.n - 1, frozenset[Party]()
    try:
        if task.me == last:
            await _spoil(session, _run(task, number), key)
        else:
            await good(session, task, number, key)
    except Disrupted as e:
        named = e.culprits
    assert named == {last}


async def _spoil(session: Session, run: Run, key: Ed25519PrivateKey) -> None:
    """Take part, and send a vector in which every bit is flipped."""
    begun, said = rounds.begin(run, session.me, key, Forgetful(), os.urandom)
    sent, said = rounds.encapsulate(begun, await session.exchange(said), key)
    reserved, said = rounds.reserve(sent, await session.exchange(said), key)
    spoken, said = rounds.speak(reserved, await session.exchange(said), b"", key, os.urandom)
    cells = wire.decode(said.body, Vector).cells
    flipped = Vector(bytes(byte ^ 0xFF for byte in cells))
    said = sign(key, begun.seat.sid, "vector", session.me, flipped)
    voted, said = rounds.vote(spoken, await session.exchange(said), key)
    decided = decision.decide(voted, await session.exchange(said), Forgetful())
    decision.conclude(decided, await session.exchange(decision.close(decided, key)))
