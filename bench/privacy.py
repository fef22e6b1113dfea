"""Noise for 10,000 numbers, jointly among three processes and in shares among ten, over TLS."""

import statistics
import time
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from secrets import token_bytes

from bench import members
from bench.markdown import table
from bench.trio import run_three
from quorate.dp import joint, tables
from quorate.dp.shares import SharedLaplace, default_colluders
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee

CELLS, MEMBERS, REPEATS = 10_000, 10, 5
SCALES = (Fraction(82), Fraction(1024))
ALLOWED_S = 1.0


TEXT = """\
## Noise for 10,000 numbers

Discrete Laplace noise over TLS on loopback. *Jointly*: three processes draw what none of them
knows; bytes are those of parties 0, 1 and 2. *In shares*: ten members draw, one after the other, as
they share the cores, and add up; bytes are each member's. *First* is with what is made once:
links warm up, tables. Each is to be done in a second.
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
    return "\n".join([TEXT, table(head, body)])


def measure() -> list[Measured]:
    """Run all of it; each has to be done in a second."""
    found = [of for scale in SCALES for of in (_joint(scale), _shares(scale))]
    for one in found:
        assert one.seconds <= ALLOWED_S, f"{one.name} took {one.seconds:.2f} s"
    return found


def _joint(scale: Fraction) -> Measured:
    spent = run_three(partial(_timed, scale), encrypted=True)
    cost = joint.cost(scale, CELLS)
    each = [(one.rounds, one.bytes_sent[p]) for p, one in enumerate(s[0] for s in spent)]
    assert each == [(cost.rounds, sent) for sent in cost.bytes_sent], "not as declared"
    slowest = [max(times) for times in zip(*(seconds for _, seconds in spent), strict=True)]
    warm = statistics.median(slowest[1:])
    return Measured(f"joint, scale {scale}", cost.rounds, cost.bytes_sent, slowest[0], warm)


async def _timed(scale: Fraction, committee: Committee) -> tuple[Cost, list[float]]:
    seconds, session = [], committee.session
    cost = Cost()
    for _ in range(REPEATS + 1):
        await session.exchange(b"ready")
        sent, rounds = session.meter.bytes_sent, session.rounds
        started = time.perf_counter()
        await joint.discrete_laplace(committee, scale, CELLS)
        seconds.append(time.perf_counter() - started)
        spent = [0, 0, 0]
        spent[committee.me] = session.meter.bytes_sent - sent
        cost = Cost(session.rounds - rounds, (spent[0], spent[1], spent[2]))
    return cost, seconds


def _shares(scale: Fraction) -> Measured:
    """One member's draws, ten times over as the ten share this machine's cores, and the sum."""
    noise = SharedLaplace(scale, MEMBERS, default_colluders(MEMBERS))
    tables.negative_binomial.cache_clear()
    started = time.perf_counter()
    noise.draw(CELLS, token_bytes)
    cold = time.perf_counter() - started
    summed = members.measure(MEMBERS, CELLS, REPEATS)
    drawn = statistics.median(_seconds(noise) for _ in range(REPEATS)) * MEMBERS
    return Measured(
        f"in shares among {MEMBERS}, scale {scale}",
        summed.cost.rounds,
        (summed.cost.bytes_sent,),
        cold * MEMBERS + summed.secure_s,
        drawn + summed.secure_s,
    )


def _seconds(noise: SharedLaplace) -> float:
    started = time.perf_counter()
    noise.draw(CELLS, token_bytes)
    return time.perf_counter() - started
