"""A network inside one process, which can lose, delay, repeat, alter and crash.

For tests, cost tables and plans that want their rounds known: under an event
loop in virtual time, with every message delayed by one second, the time a
protocol takes *is* its number of rounds.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from quorate.errors import Abort, Party
from quorate.transport.session import Buffer, StoppedByPeer


@dataclass(frozen=True, slots=True)
class Envelope:
    """One whole message on its way."""

    sender: Party
    to: Party
    label: str
    payload: bytes
    delay_s: float = 0.0


Fault = Callable[[Envelope], Iterable[Envelope]]
"""What becomes of one envelope: nothing, itself, a late copy, two copies, other bytes."""


def perfect(envelope: Envelope) -> Iterable[Envelope]:
    """Deliver everything at once."""
    return [envelope]


@dataclass(slots=True)
class MemoryNetwork:
    """All the links among `names` for one session."""

    names: tuple[str, ...]
    fault: Fault = perfect
    bytes_sent: Counter[Party] = field(default_factory=Counter)
    _channels: dict[Party, "MemoryChannel"] = field(default_factory=dict)

    def channel(self, me: Party) -> "MemoryChannel":
        """Return `me`'s end."""
        self._channels[me] = MemoryChannel(me, self)
        return self._channels[me]

    def crash(self, party: Party) -> None:
        """Cut `party` off: what it sent before still arrives, then its links are lost."""
        error = Abort(f"{self.names[party]} did not answer (connection lost)", suspects=[party])
        for other in self._channels.values():
            if other.me != party:
                asyncio.get_running_loop().call_soon(other.lose, party, error)
        if party in self._channels:
            self._channels[party].close(None)

    def post(self, envelope: Envelope) -> None:
        """Meter an envelope, let the fault decide, deliver what is left of it."""
        self.bytes_sent[envelope.sender] += len(envelope.payload)
        for e in self.fault(envelope):
            if e.to in self._channels:
                target = self._channels[e.to]
                asyncio.get_running_loop().call_later(e.delay_s, target.deliver, e)

    def stop(self, by: Party, error: BaseException) -> None:
        """Tell everybody that `by` ended the session."""
        named = error.suspects if isinstance(error, Abort) else frozenset[Party]()
        for other in self._channels.values():
            if other.me != by:
                told = StoppedByPeer(by, self.names[by], str(error), named)
                asyncio.get_running_loop().call_soon(other.fail_all, told)


@dataclass(slots=True)
class MemoryChannel:
    """One party's end of a `MemoryNetwork`."""

    me: Party
    network: MemoryNetwork
    _inbox: dict[tuple[Party, str], asyncio.Future[Buffer]] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.get_running_loop().create_future())
    )
    _parts: dict[tuple[Party, str], bytearray] = field(default_factory=dict)
    _lost: dict[Party, Abort] = field(default_factory=dict)
    _ended: Abort | None = None
    _heard: dict[Party, float] = field(default_factory=lambda: defaultdict(float))
    _closed: bool = False

    async def send(self, to: Party, label: str, total: int, piece: Buffer) -> None:
        if error := self._ended or self._lost.get(to):
            raise error
        part = self._parts.setdefault((to, label), bytearray())
        part += piece
        if len(part) == total and not self._closed:
            self.network.post(Envelope(self.me, to, label, bytes(self._parts.pop((to, label)))))

    async def expect(self, sender: Party, label: str, at_most: int) -> Buffer:
        box = self._inbox[sender, label]
        if not box.done() and (error := self._ended or self._lost.get(sender)):
            raise error
        data = await asyncio.shield(box)
        if len(data) > at_most:
            raise Abort(
                f"{self.network.names[sender]} sent {len(data)} bytes where at most "
                f"{at_most} were due",
                suspects=[sender],
            )
        return data

    def last_heard(self, sender: Party) -> float:
        return self._heard[sender]

    def close(self, error: BaseException | None) -> None:
        self._closed = True
        if error is not None:
            self.network.stop(self.me, error)

    def deliver(self, envelope: Envelope) -> None:
        """Take in one envelope; a label that comes twice aborts the session."""
        self._heard[envelope.sender] = asyncio.get_running_loop().time()
        box = self._inbox[envelope.sender, envelope.label]
        if not box.done():
            box.set_result(envelope.payload)
        else:
            name = self.network.names[envelope.sender]
            self.fail_all(Abort(f"{name} sent a message twice", suspects=[envelope.sender]))

    def lose(self, party: Party, error: Abort) -> None:
        """Fail everything still awaited from `party`, now and later."""
        self._lost.setdefault(party, error)
        self._fail((key for key in self._inbox if key[0] == party), error)

    def fail_all(self, error: Abort) -> None:
        """Fail everything still awaited from anybody, now and later."""
        self._ended = self._ended or error
        self._fail(self._inbox, error)

    def _fail(self, keys: Iterable[tuple[Party, str]], error: Abort) -> None:
        for key in keys:
            box = self._inbox[key]
            if not box.done():
                box.set_exception(error)
                box.exception()  # whoever awaits it will see it; nobody may
