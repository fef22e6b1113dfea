"""This node's links to every other member of its group: kept up, identified, known alive.

Of each pair the member with the larger seat dials, and the one with the
smaller seat is the TLS server; a lost link is dialled again. Right after the
handshake both sides send a greeting; nodes with different rosters or wire
versions say so and part. A heartbeat every 5 s tells a stopped process or a
cut cable from a slow one.

Besides sessions a link carries control records: `ask` sends one and returns
the answer. What is asked of this node goes to one handler.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import (
    Abort,
    Error,
    MalformedMessage,
    Party,
    Refused,
    Unavailable,
    VerificationFailed,
)
from quorate.transport import relayed, tls
from quorate.transport.channel import LinkChannel
from quorate.transport.containment import contained
from quorate.transport.dial import Seat, connect, notice_death
from quorate.transport.guests import Guests
from quorate.transport.link import EARLY, Link, printable
from quorate.transport.records import (
    WIRE_VERSION,
    Greeting,
    Record,
    agreed_version,
    answer_in,
    encoded,
    refusal,
)
from quorate.transport.tls import why

T = TypeVar("T")

HEARTBEAT_S, DEAD_AFTER_S, CONNECT_S = 5.0, 20.0, 10.0
REDIAL_S, REDIAL_MAX_S = 0.1, 2.0
ROSTER = "roster"
"""The one topic that nodes with different rosters may ask each other about."""

MAX_ASKED = 32
"""Requests of one peer answered at the same time; more end its link."""

Handler = Callable[[Party, str, bytes], Awaitable[bytes]]
"""Answers a peer: (seat, topic, body) to the body of the answer. Raises `Error` to refuse."""

log = structlog.get_logger()


@dataclass(slots=True)
class Peer:
    """What this node knows of one other member."""

    seat: Seat
    link: Link | None = None
    greeting: Greeting | None = None
    clock_ahead_s: float = 0.0
    trouble: str = "not connected yet"
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    asked: dict[int, asyncio.Future[Record]] = field(default_factory=dict)
    answering: int = 0


@dataclass(slots=True)
class Peers:
    """The links of the member in seat `me`. Use inside `running()`."""

    me: Party
    seats: tuple[Seat, ...]
    identity: Ed25519PrivateKey
    group: bytes
    software: str
    handler: Handler
    now: Callable[[], datetime]
    on_ready: Callable[[Party], None] = lambda _: None
    on_other_roster: Callable[[Party], None] | None = None
    """Called with who has another roster; it may be asked about `ROSTER`, and nothing else."""
    guests: Guests | None = None
    heartbeat_s: float = HEARTBEAT_S
    dead_after_s: float = DEAD_AFTER_S
    relay_trouble: str = ""  # why this node, if it waits at a relay, cannot be called there now
    peers: dict[Party, Peer] = field(init=False)
    _tasks: asyncio.TaskGroup = field(init=False)
    _server_context: ssl.SSLContext = field(init=False)
    _answers: set[asyncio.Task[None]] = field(default_factory=set)
    _stopping: bool = False
    _next_id: int = 0

    def __post_init__(self) -> None:
        self.peers = {p: Peer(s) for p, s in enumerate(self.seats) if p != self.me}

    @property
    def names(self) -> tuple[str, ...]:
        """Every member's name, by seat."""
        return tuple(seat.name for seat in self.seats)

    @contextlib.asynccontextmanager
    async def running(self, listen: tuple[str, int]) -> AsyncGenerator["Peers"]:
        """Listen at (host, port), dial, and keep all links up for the length of the block."""
        keys = [seat.public_key for seat in self.seats]
        server_context, client_context = tls.contexts(self.identity, keys)
        self._server_context = server_context
        tls.trust(server_context, [] if self.guests is None else self.guests.doors())
        server = await asyncio.get_running_loop().create_server(
            lambda: Link(lambda it: self._on_open(it, None), self._on_record),
            *listen,
            ssl=server_context,
            ssl_handshake_timeout=CONNECT_S,
        )
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            own = [tasks.create_task(self._beat())]
            own += [tasks.create_task(self._dial(p, client_context)) for p in range(self.me)]
            if self.seats[self.me].relayed:
                own.append(tasks.create_task(self._stay_at_relay(server_context)))
            try:
                yield self
            finally:
                self._stopping = True  # for who is still in the middle of a handshake
                server.close()
                for task in (*own, *self._answers):
                    task.cancel()
                for peer in self.peers.values():
                    if peer.link is not None:
                        peer.link.close("this node stops")

    def open_door(self, door: bytes) -> None:
        """Let in, as a guest, who has the key of a door."""
        tls.trust(self._server_context, [door])

    def channel(
        self, session: int, early: int = EARLY, among: Sequence[Party] | None = None
    ) -> LinkChannel:
        """Open `session` on every link. Raises `Abort` naming whoever is not connected.

        With `among`, the seats of some members, on the links to these alone: in the
        session each has its place in `among` for a seat.

        A run whose parties may send more than `EARLY` bytes ahead of one another says how many.
        """
        seats = range(len(self.seats)) if among is None else among
        peers = {at: self.peers[p] for at, p in enumerate(seats) if p != self.me}
        away = [seats[at] for at, peer in peers.items() if not peer.ready.is_set()]
        if away:
            raise self._away(away)
        links = {at: peer.link for at, peer in peers.items() if peer.link is not None}
        return LinkChannel(session, links, early)

    async def wait_ready(self, timeout_s: float) -> None:
        """Wait until every member is connected. Raises `Abort` naming who is not in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while away := self._not_ready():  # a link can be lost again while others come
                    await self.peers[away[0]].ready.wait()
        except TimeoutError:
            if away := self._not_ready():
                raise self._away(away) from None

    async def ask(
        self, party: Party, topic: str, body: object, answer: type[T], *, timeout_s: float
    ) -> T:
        """Ask one member's node and return its answer. Raises `Abort`, or `Refused` and why."""
        peer = self.peers[party]
        self._next_id += 1
        reply: asyncio.Future[Record] = asyncio.get_running_loop().create_future()
        number = self._next_id
        peer.asked[number] = reply
        try:
            async with asyncio.timeout(timeout_s):
                if topic != ROSTER:
                    await peer.ready.wait()
                link = self._link(peer, topic)
                link.send_record(encoded(Record("ask", number, topic, wire.encode(body))))
                record = await reply
        except TimeoutError:
            raise self._away([party]) from None
        finally:
            peer.asked.pop(number, None)
        return self._answer_of(peer, party, record, answer)

    def _answer_of(self, peer: Peer, party: Party, record: Record, answer: type[T]) -> T:
        try:
            return answer_in(record, peer.seat.name, answer)
        except MalformedMessage as e:
            raise Abort(f"{peer.seat.name} answered what was not asked", suspects=[party]) from e

    def _not_ready(self) -> list[Party]:
        return [p for p, peer in self.peers.items() if not peer.ready.is_set()]

    def _away(self, parties: list[Party]) -> Abort:
        who = ", ".join(self.seats[p].name for p in parties)
        why = "; ".join(sorted({self.peers[p].trouble for p in parties} - {""}))
        return Abort(
            f"{who} did not answer" + (f" ({why})" if why else ""),
            suspects=parties,
            hint="see who is reachable with: quorate doctor",
        )

    def _link(self, peer: Peer, topic: str) -> Link:
        greeted = peer.greeting is not None if topic == ROSTER else peer.ready.is_set()
        if peer.link is None or not greeted:
            raise self._away([self.seats.index(peer.seat)])
        return peer.link

    # Links

    async def _dial(self, party: Party, context: ssl.SSLContext) -> None:
        peer, delay = self.peers[party], REDIAL_S
        clock = asyncio.get_running_loop().time

        def to_it() -> Link:
            return Link(lambda it: self._on_open(it, party), self._on_record)

        while True:
            started = clock()
            try:
                async with asyncio.timeout(CONNECT_S):
                    link = await connect(peer.seat, self.identity, to_it, context)
                await link.lost_event.wait()
                if link.peer is None:
                    peer.trouble = str(link.lost)
                if clock() - started > REDIAL_MAX_S:  # it was of use; else do not hurry
                    delay = REDIAL_S
            except Unavailable as e:  # it says at which hop
                peer.trouble = str(e)
            except (OSError, TimeoutError) as e:  # ssl.SSLError is an OSError
                peer.trouble = f"cannot connect to {peer.seat}: {why(e)}"
            await asyncio.sleep(delay)
            delay = min(2 * delay, REDIAL_MAX_S)

    async def _stay_at_relay(self, context: ssl.SSLContext) -> None:
        """Be reachable for who has to call this node through its relay."""

        def tell(trouble: str) -> None:
            self.relay_trouble = trouble

        async def accept(line: socket.socket) -> None:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Link(lambda it: self._on_open(it, None), self._on_record),
                line,
                ssl=context,
                ssl_handshake_timeout=CONNECT_S,
            )

        seat = self.seats[self.me]
        await relayed.stay(relayed.Relay(seat.host, seat.port), self.identity, tell, accept)

    def _on_open(self, link: Link, dialled: Party | None) -> None:
        """Find out whose key is at the other end, then greet."""
        if self._stopping:
            link.close("this node stops")
            return
        try:
            party = self._identify(link, dialled)
            if party is None:
                return
        except VerificationFailed as e:
            link.close(str(e))
            return
        peer = self.peers[party]
        if peer.link is not None:
            peer.link.close("it connected anew")
            self._forget(peer, peer.link)
        link.peer, link.name, peer.link = party, peer.seat.name, link
        notice_death(link.connection("socket"), self.dead_after_s)
        clock = int(self.now().timestamp())
        link.send_record(wire.encode(Greeting(WIRE_VERSION, self.group, self.software, clock)))
        self._tasks.create_task(self._when_lost(peer, link))

    def _identify(self, link: Link, dialled: Party | None) -> Party | None:
        """Return whose link it is: who was dialled, who may dial this node, nobody for a guest."""
        tls_object = link.connection("ssl_object")
        keys = [seat.public_key for seat in self.seats]
        doors = [] if dialled is not None or self.guests is None else list(self.guests.doors())
        issuer = tls.issuer_of(tls_object.getpeercert(True), [*keys, *doors])
        if self.guests is not None and issuer in doors:
            self.guests.enter(link, issuer)
            return None
        party = keys.index(issuer)
        if party != dialled if dialled is not None else party <= self.me:
            raise VerificationFailed("the wrong member is at the other end")
        return party

    async def _when_lost(self, peer: Peer, link: Link) -> None:
        await link.lost_event.wait()
        if peer.link is link:
            self._forget(peer, link)

    def _forget(self, peer: Peer, link: Link) -> None:
        """Note that `link` is gone, and fail what was asked over it."""
        peer.link, peer.greeting, peer.trouble = None, None, link.why
        peer.ready.clear()
        log.info("link lost", member=peer.seat.name, why=peer.trouble)
        for reply in peer.asked.values():
            if link.lost is not None and not reply.done():
                reply.set_exception(link.lost)

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self.heartbeat_s)
            for peer in self.peers.values():
                if peer.link is None:
                    continue
                if clock() - peer.link.heard > self.dead_after_s:
                    peer.link.close(f"silent for {self.dead_after_s:g} s")
                else:
                    peer.link.send_heartbeat()

    # Control records

    def _on_record(self, link: Link, data: bytes) -> None:
        if link.peer is None:
            if self.guests is not None and link in self.guests.links:
                self._keep(self.guests.answer(link, data))
            return
        peer = self.peers[link.peer]
        if peer.greeting is None:
            self._greeted(peer, link, wire.decode(data, Greeting))
            return
        record = wire.decode(data, Record)
        if record.kind == "ask":
            self._asked(peer, link, record)
        elif (reply := peer.asked.get(record.id)) is not None and not reply.done():
            reply.set_result(record)

    def _asked(self, peer: Peer, link: Link, record: Record) -> None:
        if peer.answering >= MAX_ASKED:
            raise MalformedMessage(f"more than {MAX_ASKED} questions at once")
        peer.answering += 1
        self._keep(self._answer(peer, link, record))

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        answer = self._tasks.create_task(work)
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)

    def _greeted(self, peer: Peer, link: Link, greeting: Greeting) -> None:
        try:
            agreed_version(greeting)
        except Unavailable as e:
            link.close(str(e))
            return
        other = greeting.group != self.group
        if other and self.on_other_roster is None:
            link.close(_OTHER_ROSTER)
            return
        peer.greeting = replace(greeting, software=printable(greeting.software))
        if other and self.on_other_roster is not None:
            peer.trouble = _OTHER_ROSTER
            self.on_other_roster(self.seats.index(peer.seat))
            return
        peer.trouble = ""
        peer.clock_ahead_s = greeting.clock - self.now().timestamp()
        peer.ready.set()
        log.info("link up", member=peer.seat.name)
        self.on_ready(self.seats.index(peer.seat))

    async def _answer(self, peer: Peer, link: Link, record: Record) -> None:
        try:
            reply = await self._reply(self.seats.index(peer.seat), record)
            if link.lost is None:
                link.send_record(reply)
                await link.wait_room()  # who asks and does not read is not answered on and on
        finally:
            peer.answering -= 1

    async def _reply(self, party: Party, record: Record) -> bytes:
        """Return the encoded answer or refusal to one question."""
        reply = refusal(record, Error("internal error, see that node's log"))
        with contained("a question failed", lambda _: None, topic=printable(record.topic)):
            try:
                if record.topic != ROSTER and not self.peers[party].ready.is_set():
                    raise Refused(_OTHER_ROSTER)
                body = await self.handler(party, record.topic, record.body)
                return encoded(Record("answer", record.id, record.topic, body))
            except Error as e:
                reply = refusal(record, e)
        return reply


_OTHER_ROSTER = "it has another roster: compare `quorate group show` with theirs"
