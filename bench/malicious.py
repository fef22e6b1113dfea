"""The secure engine's work where all of it is verified: seconds and bytes beside semi-honest."""

import time
from dataclasses import dataclass

from bench import engine
from bench.engine import MANY, REPEATS, SIDE, Workload
from bench.trio import run_three
from quorate.algebra.ring import from_signed
from quorate.mpc import price, replicated
from quorate.mpc.boolean import BitShare
from quorate.mpc.cost import Cost
from quorate.mpc.price import Checked
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.verification import verify


@dataclass(frozen=True, slots=True)
class Measured:
    """The slowest party counts: medians over the repetitions, with TLS."""

    name: str
    cost: Cost
    verified_s: float
    semi_honest_s: float


def prices() -> dict[str, Checked]:
    """Return what the engine's workloads cost a committee that checks, before verifying."""
    products = price.mul(MANY).then(price.truncate(MANY))
    square = price.matmul(SIDE, SIDE, SIDE).then(price.truncate(SIDE * SIDE))
    return {
        "1,000,000 products": price.mul(MANY),
        "1,000,000 comparisons": price.is_negative(MANY),
        "1,000,000 equalities": price.is_zero(MANY),
        "1,000,000 fixed-point products": products,
        "matrix product, 1,000 each way": square,
    }


def measure() -> list[Measured]:
    """Run the workloads both ways over TLS; what is counted has to be what was said."""
    verified = run_three(_all_timed, encrypted=True, security="malicious")
    trusting = run_three(_all_timed, encrypted=True)
    measured = []
    for i, (name, step) in enumerate(prices().items()):
        whole = step.cost.then(price.verification(step.claims))
        for party, timed in enumerate(run[i] for run in verified):
            counted = timed.rounds, timed.bytes_sent
            assert counted == (whole.rounds, whole.bytes_sent[party]), f"{name} is not as declared"
        times = (engine.slowest([run[i] for run in runs]) for runs in (verified, trusting))
        measured.append(Measured(name, whole, *times))
    return measured


async def _all_timed(committee: Committee) -> list[engine.Timed]:
    loads = [load for load in engine.workloads() if load.name in prices()]
    return [await _timed(committee.at(f"load {i}"), load) for i, load in enumerate(loads)]


async def _timed(committee: Committee, load: Workload) -> engine.Timed:
    """Repeat one workload, each time verified; what it gives has to be right."""
    operands = map(from_signed, engine.operands(load.shape))
    shares = [await replicated.deal(committee, i, words) for i, words in enumerate(operands)]
    session, seconds, spent = committee.session, [], set[tuple[int, int]]()
    result: Share | BitShare | None = None
    for _ in range(REPEATS + 1):
        await session.exchange(b"ready")
        sent, rounds = session.meter.bytes_sent, session.rounds
        started = time.perf_counter()
        result = await load.run(committee, *shares)
        await verify(committee)
        seconds.append(time.perf_counter() - started)
        spent.add((session.meter.bytes_sent - sent, session.rounds - rounds))
    assert result is not None
    await engine.check(committee, load, result)
    ((bytes_sent, rounds),) = spent
    return engine.Timed(seconds[0], tuple(seconds[1:]), bytes_sent, rounds)
