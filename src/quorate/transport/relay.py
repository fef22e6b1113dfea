"""The relay: joins two members that can both only dial out, and forwards what they say.

What it is told, and what it learns, `relayed` says. It holds no key and no secret. Whom it
serves is given by rosters: a member of one may wait, and be called by the members of the
same. A stranger costs it one socket for at most `HANDSHAKE_S`.

Adversary: strangers, and members, who may do anything but overload the machine: nobody waits or
calls in another's name; a member's calls at a time are bounded. A relay that itself does
anything cannot read or change what passes: that is TLS between the two members.
"""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import cast

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorate import wire
from quorate.errors import MalformedMessage, Refused
from quorate.transport.relayed import (
    DEAD_AFTER_S,
    HANDSHAKE_S,
    TOKEN,
    Challenge,
    Hello,
    Proof,
    Ring,
    Said,
    Spoken,
    receive,
    send,
)

MAX_STRANGERS = 256
MAX_CALLS = 16
"""Calls of one member that wait to be answered at the same time."""

PIECE = 256 << 10
BUSY_S = 0.5

log = structlog.get_logger()


@dataclass(slots=True)
class Waiter:
    """The line of a member that waits; one record leaves on it at a time."""

    line: socket.socket
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ring(self, token: bytes) -> None:
        async with asyncio.timeout(HANDSHAKE_S), self.lock:
            await send(self.line, Ring(token))


@dataclass(slots=True)
class Call:
    """A caller that waits for the one it called."""

    to: bytes
    answered: asyncio.Future[socket.socket]


@dataclass(slots=True)
class RelayServer:
    """Joins the members of `rosters`, sets of public identity keys. Use inside `running()`."""

    rosters: tuple[frozenset[bytes], ...]
    waiting: dict[bytes, Waiter] = field(default_factory=dict)
    calls: dict[bytes, Call] = field(default_factory=dict)
    forwarded: int = 0
    _strangers: int = 0
    _tasks: asyncio.TaskGroup = field(init=False)

    @contextlib.asynccontextmanager
    async def running(self, host: str, port: int) -> AsyncGenerator["RelayServer"]:
        """Listen, and serve for the length of the block."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family, backlog=128) as listener:
            listener.setblocking(False)
            async with asyncio.TaskGroup() as self._tasks:
                serving = self._tasks.create_task(self._serve(listener))
                try:
                    yield self
                finally:
                    serving.cancel()

    async def _serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as connections:
            while True:
                try:
                    line, _ = await loop.sock_accept(listener)
                except OSError as e:  # no descriptor is left: some will be
                    log.warning("cannot accept", why=e.strerror)
                    await asyncio.sleep(BUSY_S)
                    continue
                if self._strangers >= MAX_STRANGERS:
                    line.close()
                    continue
                line.setblocking(False)
                connections.create_task(self._meet(line))

    async def _meet(self, line: socket.socket) -> None:
        """Find out who it is and what it wants, and see it through."""
        with line:
            try:
                hello = await self._identified(line)
                if hello is None:
                    return
                if hello.role == "wait":
                    await self._let_wait(line, hello.me)
                elif hello.role == "call":
                    await self._join(line, hello)
                else:
                    await self._hand_over(line, hello)
            except Refused as e:
                with contextlib.suppress(OSError):
                    await send(line, Said(ok=False, why=str(e)))
            except (OSError, EOFError, TimeoutError, MalformedMessage) as e:
                log.info("connection ended", why=type(e).__name__)

    async def _identified(self, line: socket.socket) -> Hello | None:
        """Return what a member wants, once it has proven who it is; a stranger is refused."""
        self._strangers += 1
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                hello = await receive(line, Hello)
                nonce = secrets.token_bytes(32)
                await send(line, Challenge(nonce))
                proof = await receive(line, Proof)
        finally:
            self._strangers -= 1
        if not any(hello.me in roster for roster in self.rosters):
            raise Refused("no roster here has that key")
        try:
            Ed25519PublicKey.from_public_bytes(hello.me).verify(
                proof.signature, wire.signing_input("relay", Spoken(hello, nonce))
            )
        except InvalidSignature:
            raise Refused("that key did not sign") from None
        return hello

    async def _let_wait(self, line: socket.socket, me: bytes) -> None:
        """Keep a waiter's line until it is silent; a new line of the same member replaces it."""
        if (before := self.waiting.get(me)) is not None:
            with contextlib.suppress(OSError):
                before.line.shutdown(socket.SHUT_RDWR)  # wakes the task that reads it
        self.waiting[me] = waiter = Waiter(line)
        await send(line, Said(ok=True, why=""))
        log.info("waits", key=me.hex()[:16])
        try:
            while True:
                async with asyncio.timeout(DEAD_AFTER_S):
                    await receive(line, Ring)
                await waiter.ring(b"")
        finally:
            if self.waiting.get(me) is waiter:
                del self.waiting[me]
                log.info("left", key=me.hex()[:16])

    async def _join(self, line: socket.socket, hello: Hello) -> None:
        """Ring who is called, wait for its answer, and forward until either ends."""
        if not any({hello.me, hello.to} <= roster for roster in self.rosters):
            raise Refused("no roster here has both keys")
        callee = self.waiting.get(hello.to)
        if callee is None:
            raise Refused("the member called has no line to this relay")
        if sum(call.to == hello.to for call in self.calls.values()) >= MAX_CALLS:
            raise Refused("too many calls wait for that member")
        token = secrets.token_bytes(TOKEN)
        call = Call(hello.to, asyncio.get_running_loop().create_future())
        self.calls[token] = call
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await callee.ring(token)
                other = await call.answered
        except TimeoutError:
            raise Refused("the member called did not answer") from None
        finally:
            del self.calls[token]
        with other:
            await send(line, Said(ok=True, why=""))
            await send(other, Said(ok=True, why=""))
            log.info("joined", caller=hello.me.hex()[:16], callee=hello.to.hex()[:16])
            await forward(line, other, self._count)

    def _count(self, n_bytes: int) -> None:
        self.forwarded += n_bytes

    async def _hand_over(self, line: socket.socket, hello: Hello) -> None:
        """Give the line of one who answers to the call it answers."""
        call = self.calls.get(hello.token)
        if call is None or call.to != hello.me or call.answered.done():
            raise Refused("no such call waits")
        call.answered.set_result(line.dup())


async def forward(one: socket.socket, other: socket.socket, count: Callable[[int], None]) -> None:
    """Carry bytes both ways until either side ends; tell `count` of each piece's size."""
    loop = asyncio.get_running_loop()
    ends = (Half(count), Half(count))
    ends[0].other, ends[1].other = ends[1], ends[0]
    await loop.connect_accepted_socket(lambda: ends[0], one.dup())
    await loop.connect_accepted_socket(lambda: ends[1], other.dup())
    try:
        for end in ends:
            end.transport.resume_reading()
        await asyncio.wait([end.ended for end in ends], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.transport.close()


class Half(asyncio.BufferedProtocol):
    """One of two connections that are one: what comes here leaves at the other."""

    def __init__(self, count: Callable[[int], None]) -> None:
        self.other: Half
        self.transport: asyncio.Transport
        self._count = count
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._piece = bytearray(PIECE)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=4 * PIECE)
        self.transport.pause_reading()  # until the other half is there

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - asyncio's signature
        return self._piece

    def buffer_updated(self, nbytes: int) -> None:
        self._count(nbytes)
        self.other.transport.write(bytes(memoryview(self._piece)[:nbytes]))

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - either way it ended
        if not self.ended.done():
            self.ended.set_result(None)
