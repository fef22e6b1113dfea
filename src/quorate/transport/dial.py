"""Where a member is reached, and the connection to it: direct, or through its relay."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.transport import relayed
from quorate.transport.link import Link


@dataclass(frozen=True, slots=True)
class Seat:
    """How one member is reached and recognised."""

    name: str
    host: str
    port: int
    public_key: bytes
    relayed: bool = False  # host and port are a relay's, at which the member waits

    def __str__(self) -> str:
        return f"{'relay:' if self.relayed else ''}{self.host}:{self.port}"


async def connect(
    seat: Seat, identity: Ed25519PrivateKey, to_it: Callable[[], Link], context: ssl.SSLContext
) -> Link:
    """Dial a member. Raises `OSError`, or `Unavailable` naming the hop of a relay."""
    loop = asyncio.get_running_loop()
    if not seat.relayed:
        _, link = await loop.create_connection(to_it, seat.host, seat.port, ssl=context)
        return link
    line = await relayed.call(relayed.Relay(seat.host, seat.port), identity, seat.public_key)
    _, link = await loop.create_connection(to_it, sock=line, ssl=context, server_hostname="")
    return link


def notice_death(sock: socket.socket, after_s: float) -> None:
    """Let the kernel give up on unacknowledged bytes, where it can be told when."""
    if option := getattr(socket, "TCP_USER_TIMEOUT", None):
        sock.setsockopt(socket.IPPROTO_TCP, option, int(after_s * 1000))
