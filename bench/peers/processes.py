"""Three processes of a peer on loopback, and what they print of their times.

Runs in a peer's environment, so it needs the standard library only.
"""

import contextlib
import json
import multiprocessing
import socket
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection

PARTIES = 3
Party = Callable[[int, list[int], Connection], None]


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds at each party of each repetition, the first of which is cold: passed, and worked."""

    work: str
    size: int
    seconds: list[list[float]]
    cpu_s: list[list[float]]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """All that a peer's process prints: one line of JSON."""

    version: str
    times: list[Times]


def tell(told: Told) -> None:
    """Print for whoever started this, marked: a peer may print lines of its own."""
    print(MARK + json.dumps(asdict(told)), flush=True)


def understood(printed: str) -> Told:
    """Return what `tell` has printed somewhere in the output of a peer."""
    (line,) = [line for line in printed.splitlines() if line.startswith(MARK)]
    read = json.loads(line.removeprefix(MARK))
    return Told(read["version"], [Times(**one) for one in read["times"]])


MARK = "told: "


@contextlib.contextmanager
def three(party: Party, ports: int) -> Generator[list[Connection]]:
    """Run `party` with its rank, free ports and one end of a pipe in three processes."""
    context = multiprocessing.get_context("spawn")
    free = _free_ports(ports)
    with contextlib.ExitStack() as stack:
        pipes = []
        for rank in range(PARTIES):
            here, there = context.Pipe()
            process = context.Process(target=party, args=(rank, free, there), daemon=True)
            process.start()
            there.close()
            stack.callback(process.join)
            pipes.append(stack.enter_context(here))
        yield pipes


def _free_ports(count: int) -> list[int]:
    """Return ports in a row that nobody uses: some peers count on from the first."""
    for first in range(21_000, 30_000, 10):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return list(range(first, first + count))
    raise OSError("no free ports in a row")
