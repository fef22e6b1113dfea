"""One run of one protocol, as seen by one party: six verbs, and nothing else of the outside.

Every party takes the same steps in the same order, so `path/step` names the
same moment everywhere. Sub-protocols that run side by side each get their own
`at(name)`. Every message of a step has the type and shape of one's own, so
protocol code never mentions bytes. Time-outs and decoding live here and
nowhere else: this module names *suspects* (silence, undecodable bytes); only a
protocol that holds proof names *culprits*.

A big array may be given as an iterable of blocks with `like=` an array of the
whole: each block leaves while the next is computed, and what comes back is
written straight into NumPy memory.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

from quorate import wire
from quorate.errors import Abort, MalformedMessage, OutOfRange, Party, Silence
from quorate.transport.waiting import wait_whole

M = TypeVar("M")

Buffer = bytes | bytearray | memoryview

PIECE = 256 << 10
"""Bytes that must get away within one time-out, so that a long message may take many."""

MAX_MESSAGE = (1 << 32) - 1
"""Bytes in the largest message: its size travels in 32 bits."""

Blocks = Iterable[NDArray[Any]]
"""A long array as it is being made."""


class Channel(Protocol):
    """Authenticated, confidential delivery of labelled messages within one session.

    A message may leave in several pieces; it arrives whole. The same label
    from the same sender is delivered once: a repetition aborts.
    """

    async def send(self, to: Party, label: str, total: int, piece: Buffer) -> None:
        """Send the next piece of a message of `total` bytes.

        Waits while the link is full, unless one piece of at most `PIECE` bytes is all there is.
        """

    def expect(self, sender: Party, label: str, at_most: int) -> Awaitable[Buffer]:
        """Return the message once it is whole. Raises `Abort` if it cannot come."""
        ...

    def last_heard(self, sender: Party) -> float:
        """Return the event loop's time at which bytes last came from `sender`."""
        ...

    def close(self, error: BaseException | None) -> None:
        """End the session here; with an error, tell the others so that they stop now."""


class StoppedByPeer(Abort):
    """Another party ended the session and said why. Its word, not this party's finding."""

    def __init__(self, by: Party, name: str, reason: str, named: Iterable[Party]) -> None:
        super().__init__(f"{name} stopped the run: {reason}", suspects=[by])
        self.named = frozenset(named)


@dataclass(slots=True)
class Meter:
    """What a session has cost this party so far: payload bytes, without frames and TLS."""

    bytes_sent: int = 0
    bytes_received: int = 0


@dataclass(slots=True)
class Session:
    """All a protocol may do with the outside."""

    me: Party
    names: tuple[str, ...]
    channel: Channel
    timeout_s: float
    path: str = ""
    meter: Meter = field(default_factory=Meter)
    rounds: int = 0
    parent: "Session | None" = None
    _steps: int = 0

    @property
    def n(self) -> int:
        """How many parties there are."""
        return len(self.names)

    @property
    def others(self) -> tuple[Party, ...]:
        """Everybody but me, in the order of seats."""
        return tuple(p for p in range(self.n) if p != self.me)

    def at(self, name: str) -> "Session":
        """Return a session whose labels no sibling can produce.

        Its rounds count from now: make all children that run side by side before the first starts.
        """
        if not name or "/" in name:
            raise ValueError("a step's name is not empty and holds no /")
        child = f"{self.path}/{name}"
        return Session(
            self.me, self.names, self.channel, self.timeout_s, child, self.meter, self.rounds, self
        )

    def among(self, first: int, name: str) -> "Session":
        """Return `at(name)` of the parties in the first seats alone, for these to call."""
        child = self.at(name)
        child.names = self.names[:first]
        return child

    def over(self, channel: Channel, name: str) -> "Session":
        """Return `at(name)` whose messages go through `channel`, which ends where this one does."""
        child = self.at(name)
        child.channel = channel
        return child

    def label(self) -> str:
        """Name the next step. Equal at every party, never repeated in a run."""
        self._steps += 1
        return f"{self.path}/{self._steps}"

    @overload
    async def shift(self, mine: M, *, by: int) -> M: ...
    @overload
    async def shift(self, mine: Blocks, *, by: int, like: M) -> M: ...
    async def shift(self, mine: object, *, by: int, like: Any = None) -> Any:
        """Send to the party `by` seats on around the ring; return what comes from behind."""
        to, sender = (self.me + by) % self.n, (self.me - by) % self.n
        template = mine if like is None else like
        return (await self._step([to], [sender], mine, template))[sender]

    @overload
    async def exchange(self, mine: M) -> tuple[M, ...]: ...
    @overload
    async def exchange(self, mine: Blocks, *, like: M) -> tuple[M, ...]: ...
    async def exchange(self, mine: object, *, like: Any = None) -> tuple[Any, ...]:
        """Send to everyone; return everyone's by seat. A cheat may tell each peer a lie.

        One's own entry is `mine`, or `like` where `mine` was given in blocks.
        """
        template = mine if like is None else like
        theirs = await self._step(self.others, self.others, mine, template)
        return tuple(template if p == self.me else theirs[p] for p in range(self.n))

    async def route(
        self,
        mine: object = None,
        *,
        to: Sequence[Party] = (),
        senders: Sequence[Party] = (),
        like: M,
    ) -> dict[Party, M]:
        """Send to some, return what comes from some, by seat: where the parties' roles differ."""
        return await self._step(to, senders, like if mine is None else mine, like)

    async def broadcast(self, mine: M) -> tuple[M, ...]:
        """Exchange, then compare: honest parties return the same tuple or abort [GL02]."""
        everyones = await self.exchange(mine)
        await self.confirm(*everyones)
        return everyones

    async def confirm(self, *seen: object) -> None:
        """Abort unless all parties have seen the same values. One round of 32 bytes."""
        told = hashlib.sha256()
        for value in seen:
            frame = _frame(value)
            told.update(len(frame).to_bytes(8, "big"))
            told.update(frame)
        if len(set(await self.exchange(told.digest()))) > 1:
            raise Abort("the members were told different things: one of them lies to some")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        self.channel.close(error)

    async def _step(
        self, to: Sequence[Party], senders: Sequence[Party], mine: object, like: M
    ) -> dict[Party, M]:
        """Send `mine`, shaped like `like`, to some; return what comes from others."""
        label, size, started = self.label(), _size_of(like), asyncio.get_running_loop().time()
        if size == 0:
            return dict.fromkeys(senders, like)  # all know that there is nothing to send
        arriving: dict[Party, asyncio.Future[Buffer]] = {
            p: asyncio.ensure_future(self.channel.expect(p, label, size or wire.MAX_RECORD))
            for p in senders
        }
        try:
            await self._send(to, label, mine, like)
            if silent := await wait_whole(arriving, self.channel.last_heard, self.timeout_s):
                raise self._silence(silent)
            received = {p: self._decode(p, f.result(), label, like) for p, f in arriving.items()}
        except StoppedByPeer as e:
            missing = {p for p, f in arriving.items() if _is_missing(f)}
            raise self._blame(e, missing, self._unheard(missing, started)) from None
        finally:
            for future in arriving.values():
                future.cancel()
        self._count_round()
        return received

    async def _send(self, to: Sequence[Party], label: str, mine: object, like: object) -> None:
        """Send `mine` to each party in `to`: whole, or block by block as it is produced."""
        if mine is like or isinstance(mine, np.ndarray | bytes):
            whole = _frame(mine)
            total = len(whole)
            pieces: Iterable[Buffer] = (
                memoryview(whole)[at : at + PIECE] for at in range(0, total, PIECE)
            )
        else:
            blocks = cast("Blocks", mine)
            pieces, total = map(wire.array_frame, blocks), cast("int", _size_of(like))
        if total > MAX_MESSAGE:
            raise OutOfRange(f"a message of {total} bytes: send it in several, of at most 4 GiB")
        for piece in pieces:
            for party in to:
                await self._send_piece(party, label, total, piece)

    async def _send_piece(self, to: Party, label: str, total: int, piece: Buffer) -> None:
        self.meter.bytes_sent += len(piece)
        if total <= PIECE:  # then it does not wait
            await self.channel.send(to, label, total, piece)
            return
        try:
            async with asyncio.timeout(self.timeout_s):
                await self.channel.send(to, label, total, piece)
        except TimeoutError:
            raise self._silence([to]) from None

    def _blame(self, error: StoppedByPeer, missing: set[Party], unheard: set[Party]) -> Abort:
        """Take over a peer's accusation only where it is this party's own finding too.

        Whoever stops early names whom it likes: only the long `unheard` count as silent.
        """
        if not (mine := error.named & missing):
            return error
        silence = self._silence(mine)
        return silence if mine <= unheard else Abort(str(silence), suspects=mine)

    def _unheard(self, missing: set[Party], started: float) -> set[Party]:
        """Return whom this party has not heard for half a time-out, since its step began."""
        long_ago = asyncio.get_running_loop().time() - self.timeout_s / 2
        return {p for p in missing if max(started, self.channel.last_heard(p)) <= long_ago}

    def _silence(self, silent: Iterable[Party]) -> Silence:
        silent = sorted(silent)
        who = ", ".join(self.names[p] for p in silent)
        return Silence(f"{who} did not answer", suspects=silent)

    def _decode(self, sender: Party, data: Buffer, label: str, like: M) -> M:
        try:
            message = _message(data, like)
        except MalformedMessage as e:
            raise Abort(
                f"{self.names[sender]} sent what is not a message of step {label} ({e})",
                suspects=[sender],
            ) from e
        self.meter.bytes_received += len(data)
        return message

    def _count_round(self) -> None:
        """Count the longest chain of steps: siblings at work together share their rounds."""
        self.rounds += 1
        session = self
        while session.parent is not None:
            session.parent.rounds = max(session.parent.rounds, session.rounds)
            session = session.parent


async def together(*steps: Awaitable[M]) -> list[M]:
    """Run steps side by side and return their results in order; the first failure ends all."""
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_awaited(step)) for step in steps]
    except BaseExceptionGroup as group:
        raise first_failure(group) from None
    return [task.result() for task in running]


def first_failure(group: BaseExceptionGroup) -> BaseException:
    """Return the first exception in a group of groups."""
    first = group.exceptions[0]
    return first_failure(first) if isinstance(first, BaseExceptionGroup) else first


async def _awaited(step: Awaitable[M]) -> M:
    return await step


def _is_missing(future: asyncio.Future[Buffer]) -> bool:
    return not future.done() or future.exception() is not None


def _size_of(like: object) -> int | None:
    """Return the exact bytes of a message like this, or None for a record."""
    match like:
        case np.ndarray():
            return like.nbytes
        case bytes():
            return len(like)
        case _:
            return None


def _frame(message: object) -> Buffer:
    match message:
        case np.ndarray():
            return wire.array_frame(message)
        case bytes():
            return message
        case _:
            return wire.encode(message)


def _message(data: Buffer, like: M) -> M:
    match like:
        case np.ndarray():
            return cast("M", wire.array_from_frame(data, like))
        case bytes():
            if len(data) != len(like):
                raise MalformedMessage(f"{len(data)} bytes where {len(like)} were due")
            return cast("M", bytes(data))
        case _:
            return wire.decode(data, type(like))
