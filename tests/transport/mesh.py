"""Real nodes' links among n members on loopback, in one process: sockets, TLS, frames."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.cli.ports import free_ports
from quorate.errors import Party, Refused
from quorate.transport.dial import Seat
from quorate.transport.peers import Handler, Peers
from quorate.transport.session import Session
from tests.parties import names_of

GROUP = bytes(32)


def now() -> datetime:
    return datetime(2030, 1, 1, tzinfo=UTC)


async def refuse(_: Party, topic: str, __: bytes) -> bytes:
    raise Refused(f"nothing is known of {topic}")


def seats_of(keys: Sequence[Ed25519PrivateKey]) -> tuple[Seat, ...]:
    ports, names = free_ports(len(keys)), names_of(len(keys))
    return tuple(
        Seat(name, "127.0.0.1", port, key.public_key().public_bytes_raw())
        for name, port, key in zip(names, ports, keys, strict=True)
    )


@contextlib.asynccontextmanager
async def mesh(n: int, handler: Handler = refuse) -> AsyncGenerator[list[Peers]]:
    """All n members up and connected."""
    keys = [Ed25519PrivateKey.generate() for _ in range(n)]
    seats = seats_of(keys)
    async with contextlib.AsyncExitStack() as stack:
        peers = [Peers(p, seats, keys[p], GROUP, "test", handler, now) for p in range(n)]
        for one in peers:
            seat = seats[one.me]
            await stack.enter_async_context(one.running((seat.host, seat.port)))
        for one in peers:
            await one.wait_ready(10)
        yield peers


def sessions(peers: Sequence[Peers], number: int, timeout_s: float) -> list[Session]:
    return [Session(one.me, one.names, one.channel(number), timeout_s) for one in peers]
