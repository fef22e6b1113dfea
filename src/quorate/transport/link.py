"""One mutually authenticated connection to one peer, shared by many sessions.

A frame is a header of 24 bytes, little-endian,

    session u64 | label u64 | message bytes u32 | frame bytes u32

and at most 256 KiB of one message, so that sessions interleave. `label` is
BLAKE2b-64 of a step's name [RFC7693]: forged collisions hurt only the forger's
own messages. Type and shape never travel; the receiver knows them. TLS
decrypts straight into the array that the protocol will compute on, but for the
start of a frame, which comes in one piece with its header.

Session 0 is the node's own: label 0 with no bytes is a heartbeat, any other
label one control record. Within a session label 0 is ABORT.

Every received byte is hostile: sizes are checked before memory is given, what
comes before it is asked for is bounded, and a frame that breaks a rule ends
the connection, because after it nothing on that stream can be believed.
"""

import asyncio
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from quorate import wire
from quorate.errors import Abort, MalformedMessage, Party
from quorate.transport.session import Buffer, StoppedByPeer

HEAD = struct.Struct("<QQII")
FRAME = 256 << 10
SMALL = 16 << 10
AHEAD = 4 << 10
"""Bytes read at once where a frame begins: a small one whole, of a large one the start."""

EARLY = 64 << 20
"""Bytes of a session that may arrive on one link before they are asked for."""

OVERHEAD = 1024
"""Bytes that keeping one early message costs beside its content."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The body of ABORT: why a party ended a session, and whom it suspects."""

    reason: str
    suspects: tuple[Party, ...]


@dataclass(slots=True, eq=False)
class Inbound:
    """One message on its way in."""

    at_most: int | None
    done: asyncio.Future[Buffer]
    data: NDArray[np.uint8] | None = None
    got: int = 0

    @property
    def total(self) -> int:
        """Bytes in the whole message, once its first frame has said so."""
        return 0 if self.data is None else self.data.size


Frame = tuple[int, int, Inbound | None]
"""Session, label, and the message that a frame belongs to, or None where it is dropped."""


@dataclass(slots=True)
class Box:
    """What one session has received over one link."""

    on_stop: Callable[[StoppedByPeer], None]
    most_early: int = EARLY
    heard: float = 0.0
    early: int = 0
    ended: Abort | None = None
    inbound: dict[int, Inbound] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)

    def finish(self, label: int) -> None:
        """Remember that a message came and was asked for, and nothing more of it."""
        del self.inbound[label]
        self.finished.add(label)

    def fail(self, error: Abort) -> None:
        """Fail all that is awaited here, now and later."""
        self.ended = self.ended or error
        for message in self.inbound.values():
            if not message.done.done():
                message.done.set_exception(error)
                message.done.exception()  # seen by whoever awaits it; nobody may


class Link(asyncio.BufferedProtocol):
    """The frames of one connection. `peer` and `name` are set once its key is known."""

    def __init__(
        self, on_open: Callable[["Link"], None], on_record: Callable[["Link", bytes], None]
    ) -> None:
        self.peer: Party | None = None
        self.name = "an unknown peer"
        self.lost: Abort | None = None
        self.why = ""
        self.lost_event = asyncio.Event()
        self.heard = 0.0
        self._on_open = on_open
        self._on_record = on_record
        self._boxes: dict[int, Box] = {}
        self._records = Box(on_stop=lambda _: None)
        self._room = asyncio.Event()
        self._room.set()
        self._small: list[bytes] = []
        self._next_record = 0
        self._ahead = bytearray(AHEAD)
        self._filled = 0
        self._scratch = bytearray(FRAME)
        self._now: Frame | None = None
        self._left = 0

    # Sending

    async def send(self, session: int, label: str, total: int, piece: Buffer) -> None:
        """Send the next piece of a message; wait while the other side is slow to read."""
        view, key = memoryview(piece).cast("B"), label_key(label)
        for at in range(0, len(view), FRAME):
            self._check(session)
            self._write(session, key, total, view[at : at + FRAME])
            if total > FRAME:
                await asyncio.sleep(0)  # let arriving bytes in between two blocks
                await self._room.wait()
                self._check(session)

    def send_record(self, record: bytes) -> None:
        """Send one control record to the node at the other end."""
        if self.lost:
            raise self.lost
        self._next_record += 1
        for at in range(0, len(record), FRAME):
            self._write(0, self._next_record, len(record), memoryview(record)[at : at + FRAME])

    async def wait_room(self) -> None:
        """Wait until the peer has read most of what was sent, or the link is lost."""
        await self._room.wait()

    def send_heartbeat(self) -> None:
        """Show that this end is alive."""
        if not self.lost:
            self._write(0, 0, 0, memoryview(b""))

    def _write(self, session: int, label: int, total: int, view: memoryview) -> None:
        head = HEAD.pack(session, label, total, len(view))
        if len(view) <= SMALL:  # small frames of one tick leave together
            if not self._small:
                asyncio.get_running_loop().call_soon(self._flush)
            self._small += (head, bytes(view))
            return
        self._flush()  # order is kept
        self._transport.write(head)
        self._transport.write(view)

    def _flush(self) -> None:
        if self._small and not self.lost:
            self._transport.write(b"".join(self._small))
        self._small.clear()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    # Sessions

    def open_session(
        self, session: int, on_stop: Callable[[StoppedByPeer], None], early: int = EARLY
    ) -> None:
        """Accept frames of `session` from now on; `on_stop` hears if the peer ends it.

        At most `early` bytes are kept of what comes before it is asked for.
        """
        self._boxes[session] = Box(on_stop, early, asyncio.get_running_loop().time())

    def fail_session(self, session: int, error: Abort) -> None:
        """Fail all that is awaited in `session` on this link, now and later."""
        if session in self._boxes:
            self._boxes[session].fail(error)

    def close_session(self, session: int, stop: Stop | None) -> None:
        """Forget `session`; with `stop`, tell the peer. Its late frames are dropped in silence."""
        if self._boxes.pop(session, None) is None:
            return
        if stop is not None and not self.lost:
            body = wire.encode(stop)
            self._write(session, 0, len(body), memoryview(body))

    def expect(self, session: int, label: str, at_most: int) -> asyncio.Future[Buffer]:
        """Return the future of one message of at most `at_most` bytes."""
        box, key = self._boxes[session], label_key(label)
        message = box.inbound.get(key)
        if message is None:
            message = Inbound(at_most, asyncio.get_running_loop().create_future())
            box.inbound[key] = message
        elif message.data is not None and message.at_most is None:
            box.early -= message.data.size + OVERHEAD
            message.at_most = at_most
            if message.data.size > at_most:
                self._refuse(f"{message.data.size} bytes where at most {at_most} were due")
            if message.done.done():
                box.finish(key)
        if (error := box.ended or self.lost) and not message.done.done():
            message.done.set_exception(error)
        return message.done

    def session_heard(self, session: int) -> float:
        """Return the loop's time at which bytes of `session` last came."""
        box = self._boxes.get(session)
        return box.heard if box else 0.0

    # Receiving: the buffered protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.heard = asyncio.get_running_loop().time()
        self._on_open(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        if self._now is None:
            return memoryview(self._ahead)[self._filled :]
        return self._place()

    def _place(self) -> memoryview:
        """Return where the rest of the frame goes: into its message, or nowhere."""
        message = None if self._now is None else self._now[2]
        if message is None or message.data is None:
            return memoryview(self._scratch)[: self._left]
        return message.data.data[message.got : message.got + self._left]

    def buffer_updated(self, nbytes: int) -> None:
        if self.lost:
            return  # what was still in the pipe is not believed
        self.heard = asyncio.get_running_loop().time()
        try:
            self._take(nbytes)
        except MalformedMessage as e:
            self._filled = 0
            self._refuse(str(e))

    def _take(self, nbytes: int) -> None:
        """Take in bytes of the frame that has begun, or headers and all that came with them."""
        if self._now is not None:
            self._take_body(self._now, nbytes)
            return
        self._filled += nbytes
        ahead, at = memoryview(self._ahead)[: self._filled], 0
        while not self._left and len(ahead) - at >= HEAD.size and not self.lost:
            now = self._begin(*HEAD.unpack_from(ahead, at))
            at += HEAD.size
            here = ahead[at : at + self._left]
            if now is not None and here:
                self._place()[: len(here)] = here
                at += len(here)
                self._take_body(now, len(here))
        self._filled -= at
        self._ahead[: self._filled] = bytes(ahead[at:])

    def _take_body(self, now: Frame, nbytes: int) -> None:
        session, label, message = now
        self._left -= nbytes
        if message is not None:
            message.got += nbytes
        if session in self._boxes:
            self._boxes[session].heard = self.heard
        if self._left == 0:
            self._now = None
            if message is not None and message.data is not None:
                self._end_frame(session, label, message)

    def _begin(self, session: int, label: int, total: int, length: int) -> Frame | None:
        """Note which frame has begun, and return it; None for a heartbeat."""
        if session == 0 and label == 0 and total == 0 and length == 0:
            return None
        if not 0 < length <= min(FRAME, total):
            raise MalformedMessage("a frame outside its message")
        box = self._box_of(session)
        message = self._inbound(box, session, label, total) if box is not None else None
        if message is not None and (total != message.total or length > total - message.got):
            raise MalformedMessage("a frame outside its message")
        self._now, self._left = (session, label, message), length
        return self._now

    def _box_of(self, session: int) -> Box | None:
        """Return where frames of `session` go, or None to drop them.

        A session that is not open here may have ended a moment ago, or be one
        that a third member told this node and its peer differently: neither is
        a fault of the peer's.
        """
        if session in self._boxes:
            return self._boxes[session]
        if session == 0:
            return self._records
        return None

    def _inbound(self, box: Box, session: int, label: int, total: int) -> Inbound:
        message = box.inbound.get(label)
        if message is None:
            if label in box.finished:
                raise MalformedMessage("a message that was sent before")
            if session == 0 and box.inbound:
                raise MalformedMessage("a control record inside another")
            own = wire.MAX_RECORD if session == 0 or label == 0 else None
            message = Inbound(own, asyncio.get_running_loop().create_future())
            box.inbound[label] = message
        if message.data is None:
            if message.at_most is None:
                box.early += total + OVERHEAD
            if box.early > box.most_early or (
                message.at_most is not None and total > message.at_most
            ):
                raise MalformedMessage(f"a message of {total} bytes nobody expects")
            message.data = np.empty(total, np.uint8)
        return message

    def _end_frame(self, session: int, label: int, message: Inbound) -> None:
        data = cast("NDArray[np.uint8]", message.data)
        if message.got < data.size:
            return
        box = self._boxes.get(session)
        if session == 0:
            self._records.inbound.clear()
            self._on_record(self, data.tobytes())
        elif box is not None and label == 0:
            stop = wire.decode(data.data, Stop)
            peer, reason = cast("Party", self.peer), printable(stop.reason)
            box.on_stop(StoppedByPeer(peer, self.name, reason, stop.suspects))
        elif box is not None and not message.done.done():
            message.done.set_result(data.data)
            if message.at_most is not None:
                box.finish(label)

    # Ending

    def connection(self, name: str) -> Any:
        """Return what asyncio knows of the connection: `ssl_object`, `socket`, `peername`."""
        return self._transport.get_extra_info(name)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        self.close("connection lost")

    def close(self, why: str) -> None:
        """Fail every session on this link, now and later, and drop the connection."""
        self._end(why, f"{self.name} did not answer ({why})")

    def _refuse(self, why: str) -> None:
        """Do the same because the peer broke its rules."""
        self._end(f"it broke the protocol: {why}", f"{self.name} broke the protocol: {why}")

    def _end(self, why: str, message: str) -> None:
        if self.lost is None:
            self.why = why
            self.lost = Abort(message, suspects=() if self.peer is None else (self.peer,))
            self._transport.abort()
            self._room.set()
            for box in self._boxes.values():
                box.fail(self.lost)
            self.lost_event.set()

    def _check(self, session: int) -> None:
        box = self._boxes.get(session)
        if error := self.lost or (box.ended if box else None):
            raise error


def label_key(label: str) -> int:
    """Return the 64 bits that stand for a step's name on the wire; 0 is kept for ABORT."""
    return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest(), "little") or 1


def printable(text: str) -> str:
    """Return a peer's words without anything that could steer a terminal, and not too long."""
    return "".join(c if c.isprintable() else "?" for c in text[:500])
