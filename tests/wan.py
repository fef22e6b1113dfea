"""A wide-area network on loopback: TCP proxies with a delay, a bandwidth, and faults on request."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from quorate.transport.link import FRAME

IN_FLIGHT = 32
"""Pieces of at most 256 KiB on the way in one direction; then the sender has to wait."""


@dataclass(slots=True)
class Direction:
    """One way of one connection: what enters leaves in order, `delay_s` later."""

    delay_s: float
    bytes_per_s: float | None
    flowing: asyncio.Event
    carried: int = 0

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Carry bytes until either end is closed."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_in(source, on_the_way))
            tasks.create_task(self._let_out(on_the_way, sink))

    async def _take_in(
        self, source: asyncio.StreamReader, on_the_way: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        clock = asyncio.get_running_loop().time
        free = clock()
        while piece := await source.read(FRAME):
            free = max(free, clock())
            if self.bytes_per_s is not None:
                free += len(piece) / self.bytes_per_s
            await on_the_way.put((free + self.delay_s, piece))
        await on_the_way.put((free + self.delay_s, b""))

    async def _let_out(
        self, on_the_way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter
    ) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due, piece = await on_the_way.get()
            await asyncio.sleep(max(0, due - clock()))
            await self.flowing.wait()
            if not piece:
                sink.close()
                return
            sink.write(piece)
            await sink.drain()
            self.carried += len(piece)


@dataclass(slots=True)
class Line:
    """The line to one address. Who connects to `port` reaches `target_port`, later."""

    target_port: int
    delay_s: float
    bytes_per_s: float | None = None
    port: int = 0
    forth: Direction = field(init=False)
    back: Direction = field(init=False)
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._flowing.set()
        self.forth, self.back = (
            Direction(self.delay_s, self.bytes_per_s, self._flowing) for _ in range(2)
        )

    def freeze(self) -> None:
        """Let nothing through from now on; connections stay open."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """Break every connection. New ones may be made."""
        for writer in self._open:
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator["Line"]:
        """Listen on a free `port` for the length of the block."""
        async with asyncio.TaskGroup() as tasks:
            connected: list[asyncio.Task[None]] = []
            server = await asyncio.start_server(
                lambda near, dialler: connected.append(
                    tasks.create_task(self._connected(near, dialler))
                ),
                sock=_socket_that_holds_little("127.0.0.1"),
            )
            self.port = server.sockets[0].getsockname()[1]
            try:
                yield self
            finally:
                server.close()
                for connection in connected:
                    connection.cancel()

    async def _connected(self, near: asyncio.StreamReader, dialler: asyncio.StreamWriter) -> None:
        try:
            self._open.add(dialler)
            far, dialled = await asyncio.open_connection(
                sock=await _connected_to("127.0.0.1", self.target_port)
            )
            self._open.add(dialled)
            try:
                await self._carry_both(near, dialled, far, dialler)
            finally:
                dialled.transport.abort()
                self._open.discard(dialled)
        except* OSError:  # cut, or nobody there: the ends see it
            pass
        finally:
            dialler.transport.abort()
            self._open.discard(dialler)

    async def _carry_both(
        self,
        near: asyncio.StreamReader,
        dialled: asyncio.StreamWriter,
        far: asyncio.StreamReader,
        dialler: asyncio.StreamWriter,
    ) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.forth.carry(near, dialled))
            tasks.create_task(self.back.carry(far, dialler))


def _socket_that_holds_little(host: str) -> socket.socket:
    """Return a bound socket whose kernel buffer is no hidden part of the line."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FRAME)
    bound.setblocking(False)
    bound.bind((host, 0))
    return bound


async def _connected_to(host: str, port: int) -> socket.socket:
    dialling = _socket_that_holds_little(host)
    try:
        await asyncio.get_running_loop().sock_connect(dialling, (host, port))
    except BaseException:
        dialling.close()
        raise
    return dialling
