"""SPU's ABY3 in the ring of 64 bits: three processes over plain sockets, as in its own examples.

Inputs are shared here and handed to the parties before the clock starts; what is
timed is the run of the compiled program, from a barrier on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import jax
import numpy as np
import spu
from numpy.typing import NDArray
from spu import api, libspu
from spu.utils import frontend

from bench.inputs import IN_TURN, MANY, RATE, REPEATS, SIDE, batches, operands, patients, right
from bench.peers.processes import PARTIES, Times, Told, tell, three

SCALE = 2.0**19
"""Makes numbers below 2 of operands of 20 bits: they fit the 18 bits of fraction."""

Array = NDArray[Any]
SHARED = libspu.Visibility.VIS_SECRET


@dataclass(frozen=True, slots=True)
class Work:
    name: str
    size: int
    function: Callable[..., Any]
    inputs: tuple[Array, ...]
    tolerance: float = 0.0
    expected: Array | None = None
    """The right answer where it is not what the function gives in the clear."""


def works() -> list[Work]:
    x, y = operands((MANY,))
    a, b = (part / SCALE for part in operands((MANY,)))
    square = tuple((part / SCALE).astype(np.float32) for part in operands((SIDE, SIDE)))
    given = patients()
    one = tuple(part[:1] for part in (x, y))
    chained = _chained(*one)
    return [
        Work("products", MANY, lambda x, y: x * y, (x, y)),
        Work("comparisons", MANY, lambda x, y: x < y, (x, y)),
        Work("equalities", MANY, lambda x, y: x == y, (x, y)),
        Work("fixed-point products", MANY, lambda x, y: x * y, (a, b), 1e-4),
        Work("matrix product", SIDE * SIDE, lambda x, y: x @ y, square, 0.1),
        Work("logistic regression", len(given.benign), _train, (given.x, given.benign), 0.05),
        Work("products in turn", IN_TURN, _in_turn, one, expected=chained),
    ]


def _train(x: Any, benign: Any) -> Any:
    steps = list(batches(len(benign)))
    epoch = steps[: steps.index(steps[0], 1)]

    def run_epoch(_: Any, weights: Any) -> Any:
        for rows in epoch:
            error = jax.nn.sigmoid(x[rows] @ weights) - benign[rows]
            weights = weights - x[rows].T @ error * (RATE / (rows.stop - rows.start))
        return weights

    start = jax.numpy.zeros(x.shape[1])
    return jax.lax.fori_loop(0, len(steps) // len(epoch), run_epoch, start)


def _in_turn(x: Any, y: Any) -> Any:
    return jax.lax.fori_loop(0, IN_TURN, lambda _, product: product * y, x)


def _chained(x: Array, y: Array) -> Array:
    for _ in range(IN_TURN):
        x = x * y
    return x


def settings() -> Any:
    return libspu.RuntimeConfig(protocol=libspu.ProtocolKind.ABY3, field=libspu.FieldType.FM64)


def party(rank: int, ports: list[int], pipe: Connection) -> None:
    """Be one party: run what comes out of the pipe until None comes."""
    places = libspu.link.Desc()
    places.recv_timeout_ms = 600_000
    for other, port in enumerate(ports):
        places.add_party(f"party{other}", f"127.0.0.1:{port}")
    link = libspu.link.create_brpc(places, rank)
    while (task := pipe.recv()) is not None:
        code, names, out, shares = task
        runtime = api.Runtime(link, settings())
        program = libspu.Executable(name="work", input_names=names, output_names=[out], code=code)
        for name, share in zip(names, shares, strict=True):
            runtime.set_var(name, _share(*share))
        seconds, busy = [], []
        for _ in range(REPEATS + 1):
            link.barrier()
            started, working = time.perf_counter(), time.process_time()
            runtime.run(program)
            seconds.append(time.perf_counter() - started)
            busy.append(time.process_time() - working)
        pipe.send((seconds, busy, _parts(runtime.get_var(out))))
    link.stop_link()


def measured(work: Work, pipes: Sequence[Connection]) -> Times:
    """Compile, share, run at the three parties, and check what comes out."""
    names = [f"in{i}" for i in range(len(work.inputs))]
    program, _ = frontend.compile(
        frontend.Kind.JAX, work.function, work.inputs, {}, names, [SHARED] * len(names),
        lambda flat: [f"out{i}" for i in range(len(flat))],
    )  # fmt: skip
    io = api.Io(PARTIES, settings())
    shares = [io.make_shares(np.asarray(given), SHARED) for given in work.inputs]
    (out,) = program.output_names
    for rank, pipe in enumerate(pipes):
        parts = [_parts(share[rank]) for share in shares]
        pipe.send((program.code, list(program.input_names), out, parts))
    answers = [pipe.recv() for pipe in pipes]
    found = io.reconstruct([_share(*parts) for *_, parts in answers])
    expected = work.function(*work.inputs) if work.expected is None else work.expected
    error = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64)).max()
    assert error <= work.tolerance, f"{work.name} is wrong by {error}"
    seconds, busy, _ = map(list, zip(*answers, strict=True))
    return Times(work.name, work.size, seconds, busy, _remark(work, found))


def _remark(work: Work, found: Array) -> str:
    if work.function is not _train:
        return ""
    given = patients()
    return f"{right(given, found)} of {len(given.benign)} right"


def _parts(share: Any) -> tuple[bytes, list[bytes]]:
    return share.meta, list(share.share_chunks)


def _share(meta: bytes, chunks: list[bytes]) -> Any:
    share = libspu.Share()
    share.meta, share.share_chunks = meta, chunks
    return share


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    with three(party, PARTIES) as pipes:
        times = [measured(work, pipes) for work in works()]
        for pipe in pipes:
            pipe.send(None)
    tell(Told(spu.__version__, times))


if __name__ == "__main__":
    main()
