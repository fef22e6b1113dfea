"""Who may connect to a node without being a member: who has the key of one of its doors.

A guest says one thing and gets one answer; no session, no other topic. Its TLS
key is certified by the door's, as a member's is by its identity, and it
accepts one key at the other end: the inviting member's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Abort, Error, MalformedMessage, Refused, Unavailable
from quorate.transport import tls
from quorate.transport.containment import contained
from quorate.transport.dial import Seat, connect
from quorate.transport.link import Link
from quorate.transport.records import Record, answer_in, encoded, refusal

T = TypeVar("T")

MAX_GUESTS = 8
"""Guests at one time; more are turned away."""

GUEST_S = 20.0

Handler = Callable[[bytes, bytes], Awaitable[bytes]]
"""Answers a guest: (the door's public key, body) to the body of the answer."""


@dataclass(slots=True)
class Guests:
    """The doors of one node, and who stands in them."""

    doors: Callable[[], Iterable[bytes]]
    handler: Handler
    links: dict[Link, bytes] = field(default_factory=dict)

    def enter(self, link: Link, door: bytes) -> None:
        """Let in who has the key of a door. It stays no longer than `GUEST_S`."""
        if len(self.links) >= MAX_GUESTS:
            link.close("too many guests")
            return
        self.links[link] = door
        link.name = "a guest"
        asyncio.get_running_loop().call_later(GUEST_S, link.close, "a guest stayed too long")

    async def answer(self, link: Link, data: bytes) -> None:
        """Answer the one question of a guest."""
        with contained("a guest's question failed", lambda _: link.close("internal error")):
            door = self.links.pop(link)
            record = wire.decode(data, Record)
            try:
                body = await self.handler(door, record.body)
                reply = encoded(Record("answer", record.id, record.topic, body))
            except Error as e:
                reply = refusal(record, e)
            if link.lost is None:
                link.send_record(reply)


async def knock(
    seat: Seat, door: Ed25519PrivateKey, question: object, answer: type[T], *, timeout_s: float
) -> T:
    """Ask a member's node as a guest. Raises `Unavailable`, `Refused`, `MalformedMessage`."""
    _, context = tls.contexts(door, [seat.public_key])
    heard: asyncio.Future[Record] = asyncio.get_running_loop().create_future()

    def on_record(_: Link, data: bytes) -> None:
        if not heard.done():
            heard.set_result(wire.decode(data, Record))

    def on_open(link: Link) -> None:
        tls.issuer_of(link.connection("ssl_object").getpeercert(True), [seat.public_key])
        link.send_record(encoded(Record("ask", 1, "apply", wire.encode(question))))

    async def lost(link: Link) -> None:
        await link.lost_event.wait()
        if not heard.done():
            heard.set_exception(Unavailable(f"{seat.name} ended the connection", hint=_HINT))

    try:
        async with asyncio.timeout(timeout_s):
            link = await connect(seat, door, lambda: Link(on_open, on_record), context)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(lost(link))
                try:
                    await asyncio.wait([heard])
                finally:
                    link.close("answered")
        return answer_in(heard.result(), seat.name, answer)
    except (OSError, TimeoutError) as e:
        why = f"cannot reach {seat.name} at {seat}: {tls.why(e)}"
        raise Unavailable(why, hint=_HINT) from e
    except Abort as e:
        raise Refused(str(e), hint=_HINT) from e
    except MalformedMessage as e:
        raise Unavailable(f"{seat.name} answered what was not asked: {e}") from e


_HINT = "does its node run, and is the invitation still open? ask who invited you"
