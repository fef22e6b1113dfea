"""Three processes linked on loopback, by TLS 1.3 as nodes are, or by plain sockets."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.members import READY_S, TIMEOUT_S, forget, now, refuse
from bench.processes import InStep, Pipe, all_say, be_quiet, in_step_over, processes, seated
from quorate.cli.ports import free_ports
from quorate.errors import Party
from quorate.mpc.replicated import SEATS, Committee, Security, convene
from quorate.node.malloc import keep_freed_memory
from quorate.transport.channel import LinkChannel
from quorate.transport.dial import Seat
from quorate.transport.link import Link
from quorate.transport.peers import Peers
from quorate.transport.session import Session
from tests.wan import Line

T = TypeVar("T")
Work = Callable[[Committee], Awaitable[T]]

NAMES = ("north", "south", "west")
SESSION = 1
EARLY = 1 << 30
"""Bytes that a party may be ahead: the longest arrays are sent in one message."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one party's process finds the others."""

    me: Party
    seats: tuple[Seat, ...]
    key: bytes
    plain_ports: tuple[int, ...]
    """The port between parties 0 and 1, 1 and 2, 2 and 0: whose first party listens."""

    encrypted: bool
    security: Security
    bytes_per_s: float | None
    """What each line carries each way, if it is not loopback itself."""


def run_three(
    work: Work[T],
    *,
    encrypted: bool,
    security: Security = "semi-honest",
    bytes_per_s: float | None = None,
) -> list[T]:
    """Run `work` at three parties in processes of their own; return what each gives.

    Where `bytes_per_s` is given, each line carries so much each way, with TLS.
    """
    # The three share the cores: threads that wait by spinning would take them from the others.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    places = _places(encrypted=encrypted, security=security, bytes_per_s=bytes_per_s)
    with processes([(place, work) for place in places], _process) as pipes:
        for _ in ("links up", "sessions open"):
            all_say(pipes)
        return all_say(pipes)


def _places(*, encrypted: bool, security: Security, bytes_per_s: float | None) -> list[Place]:
    ports = free_ports(2 * SEATS)
    seats, keys = seated(NAMES, ports[:SEATS])
    between = tuple(ports[SEATS:])
    return [
        Place(p, seats, key, between, encrypted, security, bytes_per_s)
        for p, key in enumerate(keys)
    ]


def _process(task: tuple[Place, Work[T]], pipe: Pipe) -> None:
    keep_freed_memory()
    be_quiet()
    asyncio.run(_party(*task, pipe))


async def _party(place: Place, work: Work[T], pipe: Pipe) -> None:
    in_step, linked = in_step_over(pipe), _encrypted if place.encrypted else _plain
    async with linked(place, in_step) as channel:
        session = Session(place.me, NAMES, channel, TIMEOUT_S)
        await in_step(None)
        committee = await convene(session, b"bench", forget, secrets.token_bytes, place.security)
        await in_step(await work(committee))


@contextlib.asynccontextmanager
async def _encrypted(place: Place, in_step: InStep) -> AsyncGenerator[LinkChannel]:
    key = Ed25519PrivateKey.from_private_bytes(place.key)
    seat, seats = place.seats[place.me], list(place.seats)
    async with contextlib.AsyncExitStack() as lines:
        for to in range(place.me if place.bytes_per_s else 0):  # whom this party dials
            line = Line(seats[to].port, 0, place.bytes_per_s)
            await lines.enter_async_context(line.running())
            seats[to] = replace(seats[to], port=line.port)
        peers = Peers(place.me, tuple(seats), key, bytes(32), "bench", refuse, now)
        await lines.enter_async_context(peers.running((seat.host, seat.port)))
        await peers.wait_ready(READY_S)
        await in_step(None)
        yield peers.channel(SESSION, EARLY)


@contextlib.asynccontextmanager
async def _plain(place: Place, in_step: InStep) -> AsyncGenerator[LinkChannel]:
    """Link without TLS or names: what encryption costs is the difference."""
    loop, me = asyncio.get_running_loop(), place.me
    before, after = (me - 1) % SEATS, (me + 1) % SEATS
    accepted: asyncio.Future[Link] = loop.create_future()
    server = await loop.create_server(
        lambda: Link(accepted.set_result, _no_record), "127.0.0.1", place.plain_ports[me]
    )
    await in_step(None)
    _, dialled = await loop.create_connection(
        lambda: Link(lambda _: None, _no_record), "127.0.0.1", place.plain_ports[before]
    )
    links = {before: dialled, after: await accepted}
    for party, link in links.items():
        link.peer, link.name = party, NAMES[party]
    yield LinkChannel(SESSION, links, EARLY)
    for link in links.values():
        link.close("the benchmark is over")
    server.close()


def _no_record(_: Link, record: bytes) -> None:
    raise AssertionError(f"a control record of {len(record)} bytes on a plain link")
