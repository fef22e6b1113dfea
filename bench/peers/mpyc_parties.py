"""MPyC among three processes over plain sockets; arrays of its secure integers and fixed points.

Inputs are shared before the clock starts; what is timed is the operation, until each
party has its share of the result.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import mpyc
import numpy as np
import uvloop
from numpy.typing import NDArray

from bench.inputs import IN_TURN, MANY, RATE, REPEATS, batches, operands, patients, right, trained
from bench.peers.processes import PARTIES, Times, Told, tell, three

SCALE = 2.0**19
SOME, FIXED, SIDE = 1_000, 10_000, 100
"""Smaller than elsewhere: these take MPyC a second or two as they are."""

Array = NDArray[Any]


class Loopback(uvloop.Loop):
    """Listens on loopback only; left alone, MPyC listens on every address."""

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **how: Any
    ) -> Any:
        return await super().create_server(protocol_factory, host or "127.0.0.1", port, **how)


@dataclass(frozen=True, slots=True)
class Work:
    name: str
    size: int
    function: Callable[[Any, Any, Any], Any]
    """Called with the runtime and two secret arrays."""

    inputs: tuple[Array, Array]
    expected: Array
    tolerance: float = 0.0
    remark: str = ""


def works() -> list[Work]:
    x, y = operands((MANY,))
    few = x[:SOME], y[:SOME]
    a, b = (part / SCALE for part in operands((FIXED,)))
    left, below = (part / SCALE for part in operands((SIDE, SIDE)))
    given = patients()
    model = trained(given, lambda z: np.clip(z / 4 + 0.5, 0, 1))
    said = f"{right(given, model)} of {len(given.benign)} right, three lines for the curve"
    ones = np.array([3]), np.array([1])
    return [
        Work("products", MANY, lambda _, x, y: x * y, (x, y), x * y),
        Work("comparisons", SOME, lambda _, x, y: x < y, few, few[0] < few[1]),
        Work("equalities", SOME, lambda _, x, y: x == y, few, few[0] == few[1]),
        Work("fixed-point products", FIXED, lambda _, x, y: x * y, (a, b), a * b, 1e-3),
        Work("matrix product", SIDE**2, _matrices, (left, below), left @ below, 0.1),
        Work(
            "logistic regression",
            len(given.benign),
            _train,
            (given.x, given.benign),
            model,
            0.05,
            said,
        ),
        Work("products in turn", IN_TURN, _in_turn, ones, ones[0]),
    ]


def _matrices(_: Any, x: Any, y: Any) -> Any:
    return x @ y


def _train(runtime: Any, x: Any, benign: Any) -> Any:
    weights = x[0] * 0
    for rows in batches(len(benign)):
        z = x[rows] @ weights * 0.25 + 0.5
        error = runtime.np_minimum(runtime.np_maximum(z, 0), 1) - benign[rows]
        weights = weights - x[rows].T @ error * (RATE / (rows.stop - rows.start))
    return weights


def _in_turn(_: Any, x: Any, y: Any) -> Any:
    for _ in range(IN_TURN):
        x = x * y
    return x


def party(rank: int, ports: list[int], pipe: Connection) -> None:
    """Be one party, and send the times of all works down the pipe."""
    asyncio.set_event_loop(Loopback())  # the runtime takes the loop that is there
    sys.argv = ["party", f"-M{PARTIES}", f"-I{rank}", f"-B{ports[0]}", "--no-log"]
    from mpyc.runtime import mpc  # it reads its arguments when it is imported

    pipe.send(mpc.run(_measured(mpc)))


async def _measured(mpc: Any) -> list[tuple[list[float], list[float]]]:
    await mpc.start()
    times = [await _one(mpc, work) for work in works()]
    await mpc.shutdown()
    return times


async def _one(mpc: Any, work: Work) -> tuple[list[float], list[float]]:
    kind = mpc.SecInt(64) if work.inputs[0].dtype.kind == "i" else mpc.SecFxp(32, 16)
    x, y = (mpc.input(kind.array(given), senders=0) for given in work.inputs)
    await mpc.gather(x, y)
    seconds, busy, result = [], [], x
    for _ in range(REPEATS + 1):
        await mpc.transfer(b"ready")
        started, working = time.perf_counter(), time.process_time()
        result = work.function(mpc, x, y)
        await _done(mpc.gather(result))
        seconds.append(time.perf_counter() - started)
        busy.append(time.process_time() - working)
    found = np.asarray(await mpc.output(result), np.float64)
    error = np.abs(found - work.expected.astype(np.float64)).max()
    assert error <= work.tolerance, f"{work.name} is wrong by {error}"
    return seconds, busy


async def _done(share: Awaitable[Any]) -> None:
    await share


def main() -> None:
    with three(party, PARTIES) as pipes:
        by_party = [pipe.recv() for pipe in pipes]
    times = []
    for work, parties in zip(works(), zip(*by_party, strict=True), strict=True):
        seconds, busy = map(list, zip(*parties, strict=True))
        times.append(Times(work.name, work.size, seconds, busy, work.remark))
    tell(Told(mpyc.__version__, times))


if __name__ == "__main__":
    main()
