"""Reach a member, or be reached, through a relay: all that a node says to one.

    waiter                      relay                       caller
      │── Hello wait ────────────▶│                            │
      │◀─ Challenge, Proof, Said ─│                            │
      │                           │◀── Hello call, Proof ──────│
      │◀─ Ring(token) ────────────│                            │
      │── Hello answer(token) ───▶│   (a connection of its own)│
      │◀──────────────── Said ────│──── Said ─────────────────▶│
      │◀═══════════ the TLS of the two, byte for byte ════════▶│

Both dial out. A node proves its identity key to the relay, over a fresh challenge, so that
nobody else waits or calls in its name; the relay proves nothing, because it is trusted with
nothing: the TLS inside is pinned to the roster at both ends (`tls`). A relay, or whoever is on
the way to it, learns who talks to whom, when and how much, and can refuse, delay or cut.

A record here is two bytes of length, little-endian, and a canonical encoding of at most `MOST`.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import MalformedMessage, Unavailable
from quorate.transport.link import printable
from quorate.transport.tls import why

T = TypeVar("T")

MOST = 512
HANDSHAKE_S = 10.0
BEAT_S, DEAD_AFTER_S, AGAIN_S = 5.0, 20.0, 1.0
TOKEN = 16

log = structlog.get_logger()

Role = Literal["wait", "call", "answer"]


@dataclass(frozen=True, slots=True)
class Hello:
    """The first record of every connection to a relay."""

    role: Role
    me: bytes  # public identity key, 32 bytes
    to: bytes  # of a call: the key of who is called
    token: bytes  # of an answer: that of the ring it answers


@dataclass(frozen=True, slots=True)
class Challenge:
    nonce: bytes  # 32 bytes, fresh


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a node signs, so that a relay knows whose connection it is."""

    hello: Hello
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    signature: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """The relay's answer: all is well, or why it is not."""

    ok: bool
    why: str


@dataclass(frozen=True, slots=True)
class Ring:
    """On a waiter's connection: somebody calls; with no token, a sign of life."""

    token: bytes


@dataclass(frozen=True, slots=True)
class Relay:
    """Where a relay is."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"relay {self.host}:{self.port}"


async def call(relay: Relay, identity: Ed25519PrivateKey, to: bytes) -> socket.socket:
    """Return a connection to the member with key `to`. Raises `Unavailable`, naming the hop."""
    return await _connected(relay, identity, Hello("call", _public(identity), to, b""))


async def answer(relay: Relay, identity: Ed25519PrivateKey, token: bytes) -> socket.socket:
    """Return the connection of one who called this node. Raises `Unavailable`."""
    return await _connected(relay, identity, Hello("answer", _public(identity), b"", token))


async def wait(
    relay: Relay,
    identity: Ed25519PrivateKey,
    on_line: Callable[[], None],
    on_ring: Callable[[bytes], object],
) -> None:
    """Wait at `relay` for calls until the line to it is lost. Raises `Unavailable`, saying why.

    `on_line` is called when the relay knows that this node waits; `on_ring` with each token.
    """
    line = await _connected(relay, identity, Hello("wait", _public(identity), b"", b""))
    beating = asyncio.get_running_loop().call_soon(lambda: None)

    def beat() -> None:  # no task of its own, so that nothing outlives this call
        nonlocal beating
        beating = asyncio.get_running_loop().call_later(BEAT_S, beat)
        with contextlib.suppress(OSError):  # whoever listens finds out
            line.send(_record(Ring(b"")))

    with line:
        on_line()
        beat()
        try:
            while True:
                async with asyncio.timeout(DEAD_AFTER_S):
                    ring = await receive(line, Ring)
                if len(ring.token) == TOKEN:
                    on_ring(ring.token)
        except (OSError, EOFError, TimeoutError) as e:
            raise Unavailable(f"the line to the {relay} is lost: {why(e)}") from None
        except MalformedMessage:
            raise Unavailable(f"the {relay} says what it should not") from None
        finally:
            beating.cancel()


async def stay(
    relay: Relay,
    identity: Ed25519PrivateKey,
    tell: Callable[[str], None],
    accept: Callable[[socket.socket], Awaitable[None]],
) -> None:
    """Wait at `relay` for ever, and give `accept` the connection of each call.

    `tell` hears why nobody can call now, and nothing as soon as they can.
    """

    async def take(token: bytes) -> None:
        try:
            await accept(await answer(relay, identity, token))
        except (Unavailable, OSError) as e:
            log.info("a call through the relay failed", why=str(e))

    tell(f"no line to the {relay} yet")
    async with asyncio.TaskGroup() as calls:
        while True:
            try:
                await wait(
                    relay, identity, lambda: tell(""), lambda token: calls.create_task(take(token))
                )
            except Unavailable as e:
                tell(str(e))
            await asyncio.sleep(AGAIN_S)


async def send(line: socket.socket, message: object) -> None:
    await asyncio.get_running_loop().sock_sendall(line, _record(message))


async def receive(line: socket.socket, kind: type[T]) -> T:
    """Return the next record, reading no byte beyond it. Raises `MalformedMessage`, `EOFError`."""
    length = int.from_bytes(await _exactly(line, 2), "little")
    if length > MOST:
        raise MalformedMessage(f"a record of {length} bytes, and at most {MOST} were due")
    return wire.decode(await _exactly(line, length), kind)


async def _connected(relay: Relay, identity: Ed25519PrivateKey, hello: Hello) -> socket.socket:
    """Connect and say `hello`; return the socket as soon as the relay says that all is well."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(HANDSHAKE_S), contextlib.AsyncExitStack() as undo:
            found = await loop.getaddrinfo(relay.host, relay.port, type=socket.SOCK_STREAM)
            line = socket.socket(found[0][0], socket.SOCK_STREAM)
            undo.callback(line.close)
            line.setblocking(False)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(line, found[0][4])
            await send(line, hello)
            challenge = await receive(line, Challenge)
            spoken = wire.signing_input("relay", Spoken(hello, challenge.nonce))
            await send(line, Proof(identity.sign(spoken)))
            said = await receive(line, Said)
            if not said.ok:
                raise Unavailable(f"the {relay} says: {printable(said.why)}")
            undo.pop_all()
            return line
    except (OSError, EOFError, TimeoutError) as e:
        raise Unavailable(f"cannot reach the {relay}: {why(e)}") from None
    except MalformedMessage:
        raise Unavailable(f"what answers at {relay.host}:{relay.port} is no relay") from None


def _record(message: object) -> bytes:
    encoded = wire.encode(message)
    return len(encoded).to_bytes(2, "little") + encoded


async def _exactly(line: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = await asyncio.get_running_loop().sock_recv(line, count - len(got))
        if not piece:
            raise EOFError
        got += piece
    return got


def _public(identity: Ed25519PrivateKey) -> bytes:
    return identity.public_key().public_bytes_raw()
