"""A member that holds a true roster key and sends whatever it likes."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Party
from quorate.transport import tls
from quorate.transport.dial import Seat
from quorate.transport.link import HEAD
from quorate.transport.peers import (
    DEAD_AFTER_S,
    HEARTBEAT_S,
    Handler,
    Peers,
)
from quorate.transport.records import WIRE_VERSION, Greeting
from tests.transport.mesh import GROUP, now, refuse, seats_of

CHEAT = 2
GREETING = Greeting(WIRE_VERSION, GROUP, "test", int(now().timestamp()))


def frame(session: int, label: int, total: int, body: bytes, *, length: int | None = None) -> bytes:
    """Return one frame, whose header may lie about the length of its body."""
    return HEAD.pack(session, label, total, len(body) if length is None else length) + body


def record(message: object, *, number: int = 1) -> bytes:
    body = message if isinstance(message, bytes) else wire.encode(message)
    return frame(0, number, len(body), body)


@dataclass(slots=True)
class Wire:
    """One raw TLS connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # the other side may have had enough already
            self.writer.write(data)
            await self.writer.drain()

    async def hear_out(self) -> bytes:
        """Read until the other side ends the connection."""
        heard = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while piece := await self.reader.read(1 << 16):
                heard += piece
        return heard

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


@dataclass(slots=True)
class Cheat:
    """The member in the last seat, and everything it may use."""

    seats: tuple[Seat, ...]
    keys: list[Ed25519PrivateKey]
    wires: list[Wire] = field(default_factory=list)

    def context(self, key: Ed25519PrivateKey | None = None) -> ssl.SSLContext:
        keys = [seat.public_key for seat in self.seats]
        return tls.contexts(key or self.keys[CHEAT], keys)[1]

    async def connect(self, to: Party, context: ssl.SSLContext | None = None) -> Wire:
        """Dial `to` and shake hands, and say nothing yet."""
        reader, writer = await asyncio.open_connection(
            self.seats[to].host, self.seats[to].port, ssl=context or self.context()
        )
        self.wires.append(Wire(reader, writer))
        return self.wires[-1]

    async def join(self, to: Party, greeting: Greeting = GREETING) -> Wire:
        """Dial `to` as an honest member does."""
        wire_to = await self.connect(to)
        await wire_to.say(record(greeting))
        return wire_to


@contextlib.asynccontextmanager
async def two_and_a_cheat(
    handler: Handler = refuse,
    *,
    heartbeat_s: float = HEARTBEAT_S,
    dead_after_s: float = DEAD_AFTER_S,
) -> AsyncGenerator[tuple[list[Peers], Cheat]]:
    """Two honest nodes, connected to one another, and a third seat that is yours."""
    keys = [Ed25519PrivateKey.generate() for _ in range(3)]
    seats = seats_of(keys)
    cheat = Cheat(seats, keys)
    async with contextlib.AsyncExitStack() as stack:
        honest = []
        for p in range(2):
            one = Peers(
                p,
                seats,
                keys[p],
                GROUP,
                "test",
                handler,
                now,
                heartbeat_s=heartbeat_s,
                dead_after_s=dead_after_s,
            )
            await stack.enter_async_context(one.running((seats[p].host, seats[p].port)))
            honest.append(one)
        async with asyncio.timeout(60):
            await asyncio.gather(*(honest[p].peers[1 - p].ready.wait() for p in range(2)))
            yield honest, cheat
            await asyncio.gather(*(w.close() for w in cheat.wires))


def greeting(**changes: object) -> Greeting:
    return replace(GREETING, **changes)  # type: ignore[arg-type]


async def until(holds: Callable[[], bool]) -> None:
    """Let the nodes work until it holds; the test's time-out ends what never does."""
    while not holds():  # noqa: ASYNC110 - nothing in a node tells that it has taken note
        await asyncio.sleep(0)
