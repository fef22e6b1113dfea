"""The secure engine's work among three processes: seconds beside NumPy's, bytes as declared."""

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.trio import run_three
from quorate.algebra.ring import Words, from_signed, to_signed
from quorate.mpc import comparison, cost, replicated, truncation
from quorate.mpc.boolean import BitShare, reveal_bits
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee, Share

MANY, SIDE, IN_TURN = 1_000_000, 1_000, 1_000
REPEATS = 5
F = 16

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Workload:
    """What is timed over two secret arrays, what it costs, and NumPy's way to the same."""

    name: str
    shape: tuple[int, ...]
    run: Callable[[Committee, Share, Share], Awaitable[Share | BitShare]]
    cost: Cost
    plain: Callable[[Ints, Ints], Ints | NDArray[np.bool_]]
    rounded: bool = False


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of each repetition at one party, the first apart; and what one repetition sent."""

    cold_s: float
    warm_s: tuple[float, ...]
    bytes_sent: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The slowest party counts; medians over the repetitions."""

    name: str
    cost: Cost
    tls_s: float
    tls_cold_s: float
    sockets_s: float
    numpy_s: float


async def _less(committee: Committee, x: Share, y: Share) -> BitShare:
    return await comparison.is_negative(committee, Share(x.own - y.own, x.next - y.next))


async def _equal(committee: Committee, x: Share, y: Share) -> BitShare:
    return await comparison.is_zero(committee, Share(x.own - y.own, x.next - y.next))


async def _fixed(committee: Committee, x: Share, y: Share) -> Share:
    return await truncation.mul_fixed(committee, x, y, F)


async def _matrices(committee: Committee, x: Share, y: Share) -> Share:
    return await truncation.matmul_fixed(committee, x, y, F)


async def _in_turn(committee: Committee, x: Share, y: Share) -> Share:
    for _ in range(IN_TURN):
        x = await replicated.mul(committee, x, y)
    return x


def _multiplied_in_turn(x: Ints, y: Ints) -> Ints:
    for _ in range(IN_TURN):
        x = x * y
    return x


def workloads() -> list[Workload]:
    chain = cost.FREE
    for _ in range(IN_TURN):
        chain = chain.then(cost.mul(1))
    many, square = (MANY,), (SIDE, SIDE)
    products = cost.mul_fixed(MANY)
    return [
        Workload("1,000,000 products", many, replicated.mul, cost.mul(MANY), np.multiply),
        Workload("1,000,000 comparisons", many, _less, cost.is_negative(MANY), np.less),
        Workload("1,000,000 equalities", many, _equal, cost.is_zero(MANY), np.equal),
        Workload("1,000,000 fixed-point products", many, _fixed, products, _plain_fixed, True),
        Workload(
            "matrix product, 1,000 each way", square, _matrices, products, _plain_matrices, True
        ),
        Workload("1,000 products in turn", (1,), _in_turn, chain, _multiplied_in_turn),
    ]


def _plain_fixed(x: Ints, y: Ints) -> Ints:
    return (x * y) >> F


def _plain_matrices(x: Ints, y: Ints) -> Ints:
    """Multiply as doubles, which is exact here: what NumPy does fastest."""
    return (x.astype(np.float64) @ y.astype(np.float64)).astype(np.int64) >> F


def operands(shape: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Return numbers of 20 bits and a sign, made by arithmetic, with some equals."""
    count = np.arange(int(np.prod(shape)))
    x, y = (count * 48271 % (1 << 21) - (1 << 20), count * 16807 % (1 << 21) - (1 << 20))
    y[::4] = x[::4]
    return x.reshape(shape), y.reshape(shape)


def measure() -> list[Measured]:
    """Run all workloads over TLS and over plain sockets."""
    encrypted, plain = (run_three(_all_timed, encrypted=flag) for flag in (True, False))
    measured = []
    for i, load in enumerate(workloads()):
        over_tls, over_sockets = ([party[i] for party in run] for run in (encrypted, plain))
        for party, timed in [*enumerate(over_tls), *enumerate(over_sockets)]:
            said = load.cost.rounds, load.cost.bytes_sent[party]
            assert (timed.rounds, timed.bytes_sent) == said, f"{load.name} is not as declared"
        x, y = operands(load.shape)
        measured.append(
            Measured(
                load.name,
                load.cost,
                slowest(over_tls),
                max(timed.cold_s for timed in over_tls),
                slowest(over_sockets),
                statistics.median(_seconds(load, x, y) for _ in range(REPEATS)),
            )
        )
    return measured


def slowest(parties: list[Timed]) -> float:
    repetitions = zip(*(timed.warm_s for timed in parties), strict=True)
    return float(statistics.median(max(seconds) for seconds in repetitions))


def _seconds(load: Workload, x: Ints, y: Ints) -> float:
    started = time.perf_counter()
    load.plain(x, y)
    return time.perf_counter() - started


async def _all_timed(committee: Committee) -> list[Timed]:
    return [await _timed(committee.at(f"load {i}"), load) for i, load in enumerate(workloads())]


async def _timed(committee: Committee, load: Workload) -> Timed:
    """Repeat one workload; what it gives has to be right."""
    x, y = operands(load.shape)
    shares = [
        await replicated.deal(committee, owner, from_signed(values))
        for owner, values in enumerate((x, y))
    ]
    session, seconds, spent = committee.session, [], set()
    result: Share | BitShare | None = None
    for _ in range(REPEATS + 1):
        await session.exchange(b"ready")
        sent, rounds = session.meter.bytes_sent, session.rounds
        started = time.perf_counter()
        result = await load.run(committee, *shares)
        seconds.append(time.perf_counter() - started)
        spent.add((session.meter.bytes_sent - sent, session.rounds - rounds))
    assert result is not None
    await check(committee, load, result)
    ((bytes_sent, rounds),) = spent
    return Timed(seconds[0], tuple(seconds[1:]), bytes_sent, rounds)


async def check(committee: Committee, load: Workload, result: Share | BitShare) -> None:
    expected = load.plain(*operands(load.shape))
    if isinstance(result, BitShare):
        found = await reveal_bits(committee, result, range(3))
        assert found is not None
        assert np.array_equal(found, expected), f"{load.name} is wrong"
        return
    words: Words | None = await replicated.reveal(committee, result, range(3))
    assert words is not None
    error = to_signed(words) - expected
    allowed = {0, 1} if load.rounded else {0}
    assert set(np.unique(error).tolist()) <= allowed, f"{load.name} is wrong"
