"""Run every party of a protocol in one process, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from typing_extensions import override

from quorate.errors import Error, Party
from quorate.transport.memory import Envelope, Fault, MemoryNetwork, perfect
from quorate.transport.session import Session

T = TypeVar("T")
TIMEOUT_S = 30.0
NAMES = ("north", "south", "west", "east", "mid", "isle", "coast", "hill", "lake", "plain")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer instead of waiting; a deadlock is an error, not a hang."""

    _now = 0.0

    @override
    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        loop: Any = self
        if not loop._ready:
            if not loop._scheduled:
                raise RuntimeError("deadlock: every party waits and no timer is set")
            self._now = max(self._now, loop._scheduled[0].when())
        super()._run_once()  # type: ignore[misc]


def names_of(n: int) -> tuple[str, ...]:
    return tuple(NAMES[p] if p < len(NAMES) else f"member{p}" for p in range(n))


def run_parties(
    protocol: Callable[[Session], Awaitable[T]],
    n: int,
    fault: Fault = perfect,
    *,
    watch: Callable[[MemoryNetwork], None] = lambda _: None,
) -> dict[Party, T | Error]:
    """Return what each party output, or the error it raised. Anything else propagates.

    `watch` is given the network before anything is sent.
    """
    return run_many(protocol, n, [fault], watch=watch)[0]


def run_many(
    protocol: Callable[[Session], Awaitable[T]],
    n: int,
    faults: Sequence[Fault],
    *,
    watch: Callable[[MemoryNetwork], None] = lambda _: None,
) -> list[dict[Party, T | Error]]:
    """Return the outcomes of runs side by side, one with each fault, each on its own network."""

    async def one(session: Session) -> T | Error:
        try:
            async with session:
                return await protocol(session)
        except Error as e:
            return e

    async def everyone(fault: Fault) -> dict[Party, T | Error]:
        network = MemoryNetwork(names_of(n), fault)
        watch(network)
        sessions = [Session(p, network.names, network.channel(p), TIMEOUT_S) for p in range(n)]
        return dict(enumerate(await asyncio.gather(*map(one, sessions))))

    async def all_runs() -> list[dict[Party, T | Error]]:
        return await asyncio.gather(*map(everyone, faults))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(all_runs())


def measure(
    protocol: Callable[[Session], Awaitable[T]], n: int
) -> tuple[dict[Party, T | Error], int, dict[Party, int]]:
    """Return outcomes, rounds and bytes sent by party: every message takes one second,
    so the time that passes is the number of rounds."""
    clock: list[float] = []
    networks: list[MemoryNetwork] = []

    def delayed(e: Envelope) -> list[Envelope]:
        return [Envelope(e.sender, e.to, e.label, e.payload, delay_s=1.0)]

    async def timed(session: Session) -> T:
        result = await protocol(session)
        clock.append(asyncio.get_running_loop().time())
        return result

    outcomes = run_parties(timed, n, delayed, watch=networks.append)
    return outcomes, round(max(clock)), dict(networks[0].bytes_sent)
