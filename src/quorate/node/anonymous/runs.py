"""Anonymous runs on one node: prepared at another's word, conducted by the node itself.

The share of the key and the seed are in memory only, and the decision between them
is on the disk before anything leaves: a node that stops in a run lets out what it
has let out, and nothing more. What is noted of a run is the same whether this
member had something to say or not.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import structlog

from quorate import wire
from quorate.anonymous import meter, take_part
from quorate.anonymous.cards import SignedCard
from quorate.anonymous.decision import Delivered
from quorate.anonymous.filing import certify
from quorate.anonymous.messages import Identity, Run
from quorate.anonymous.meter import Candidate, Crowd
from quorate.errors import Abort, Disrupted, Error, Party, Refused, Silence
from quorate.node.anonymous import others
from quorate.node.anonymous.cards import Cards
from quorate.node.anonymous.convened import Convened
from quorate.node.anonymous.messages import Begin, Past, Prepare, age, verify_past
from quorate.node.anonymous.pace import evenly
from quorate.node.anonymous.records import SHOWN, Records, Shape
from quorate.node.anonymous.silences import SITS_OUT_S, Silences
from quorate.node.anonymous.writer import Writer
from quorate.node.desk import Desk
from quorate.node.messages import Ack
from quorate.node.runs import CLOCK_S
from quorate.transport.containment import contained
from quorate.transport.session import Meter, Session

CELL_BYTES = 1024

log = structlog.get_logger()


@dataclass(slots=True)
class Runs:
    """The anonymous runs of one node, one at a time."""

    desk: Desk
    records: Records
    writer: Writer
    cards: Cards
    silences: Silences
    tasks: asyncio.TaskGroup
    pass_on: Callable[[Run], Awaitable[None]] = field(init=False)
    """Called with a run that was spoilt, when there is evidence."""
    current: Convened | None = None

    def recover(self) -> None:
        """Mark the runs as failed in which this node stopped."""
        for run in self.records.broken_off():
            self._note_failure(run, "this node stopped during the run")

    def stop(self) -> None:
        """Give up a run that has not begun; one that has ends with its links."""
        if self.current is not None:
            self.current.give_up()

    def now_s(self) -> int:
        return int(self.desk.now().timestamp())

    def sitting_out(self) -> frozenset[str]:
        """Return who is proven to have spoilt a run lately."""
        return self.records.culprits(self.now_s() - SITS_OUT_S)

    def out(self) -> frozenset[str]:
        """Return who takes part in no run: proven to have spoilt one, or silent to all."""
        return self.sitting_out() | self.silences.left_out()

    def present(self) -> tuple[Party, ...]:
        """Return the seats of who is there and may take part, this member's among them."""
        desk, out = self.desk, self.out()
        there = {p for p, peer in desk.peers.peers.items() if peer.ready.is_set()} | {desk.me}
        return tuple(p for p in sorted(there) if desk.group.names[p] not in out)

    def left_behind(self, run: Run) -> frozenset[str]:
        """Return who is there and not in a run, and this node knows no reason of its own for it."""
        peers, group = self.desk.peers.peers, self.desk.group
        there = {group.names[p] for p, peer in peers.items() if peer.ready.is_set()}
        reasons = self.sitting_out() | self.silences.missed_by_none()
        return frozenset(there - reasons - {member.name for member in run.members})

    def identities(self) -> tuple[Identity, ...]:
        return others.identities(self.desk)

    def crowd(self, names: tuple[str, ...]) -> Crowd:
        """Return those members as the meter counts them."""
        return others.crowd(self.desk, names)

    # What whoever convenes says

    async def on_standing(self, _: Party, __: bytes) -> bytes:
        """Say how far this node's runs have come."""
        return wire.encode(replace(self.records.standing(), card=self.cards.own()))

    async def on_prepare(self, party: Party, body: bytes) -> bytes:
        """Get ready for a run, if it is one this node may take part in.

        If not, whoever convenes is first told what it may not know, for it asks again.
        """
        try:
            self.prepare(party, wire.decode(body, Prepare))
        except Refused:
            await self.cards.catch_up(party)
            await self.silences.catch_up(party)
            raise
        return wire.encode(Ack())

    async def on_go(self, party: Party, body: bytes) -> bytes:
        """Begin the run that is prepared here."""
        current, begin = self.current, wire.decode(body, Begin)
        if current is None or (current.starter, current.session) != (party, begin.session):
            raise Refused("no such run waits here")
        current.begin.set()
        return wire.encode(Ack())

    def prepare(self, starter: Party, request: Prepare) -> Convened:
        """Open the session of a run, and let it wait for its beginning. Raises `Refused`."""
        if self.current is not None:
            if self.current.starter != starter or self.current.begin.is_set():
                raise Refused("a run is under way here", hint="wait for its end")
            self.current.give_up()
        run, group = request.run, self.desk.group
        for unheard in request.unheard:
            self.silences.take(unheard)
        self._check(run, group.names[starter], request.session)
        self._check_past(run, request.past)
        self._check_cards(run, request.cards)
        among = [group.party(member.name) for member in run.members]
        channel = self.desk.peers.channel(request.session, among=among)
        convened = Convened(run, request.session, starter, channel)
        self.current = convened
        self.tasks.create_task(self._conduct(convened))
        return convened

    def _check(self, run: Run, starter: str, session: int) -> None:
        """Raise `Refused` for a run that is not of this group, now, or among too few."""
        names = tuple(member.name for member in run.members)
        ours = tuple(i for i in self.identities() if i.name in names)
        if run.group != self.desk.group.digest() or run.members != ours:
            raise Refused("the run is not of members of this group, in its order")
        if not {self.desk.home.name, starter} <= set(names):
            raise Refused("who convenes a run, and who is asked, take part in it")
        if out := sorted(self.out() & set(names)):
            raise Refused(
                f"{', '.join(out)} spoilt a run, or was silent in many: it sits out a day"
            )
        meter.check(meter.read(self.crowd(names), author=self.desk.home.name))
        if run.cell_bytes != CELL_BYTES or not 0 < session < 1 << 63:
            raise Refused("the run has not the form of this version's")
        if not self.records.standing().number < run.number <= self.now_s() + CLOCK_S:
            raise Refused("the run's number is past or far in the future", hint="set the clocks")

    def _check_past(self, run: Run, past: Past | None) -> None:
        """Raise `Refused` where the members come from different runs."""
        mine = self.records.standing().past
        if past is not None:
            verify_past(past, self.desk.group.digest(), self.identities())
        if run.previous != (bytes(32) if past is None else past.vote.transcript):
            raise Refused("the run does not follow on the one that was shown")
        if mine is None or past == mine:
            return
        if past is None or age(past) < age(mine):
            raise Refused("this node has taken part in another run since")

    def _check_cards(self, run: Run, shown: tuple[SignedCard, ...]) -> None:
        """Refuse a run of members who would not all seal to the same keys."""
        for signed in shown:
            self.cards.take(signed)
        if run.cards != self.cards.digest():
            raise Refused("not all members know the same keys of recipients yet")

    # Every member

    async def _conduct(self, convened: Convened) -> None:
        """See one run through to its end, whatever that is."""
        run = convened.run

        def note_bug(_: str) -> None:
            self._note_failure(run, "internal error")

        try:
            with contained("report run failed", note_bug):
                await self._hold(convened)
        finally:
            convened.channel.close(None)
            if self.current is convened:
                self.current = None
            convened.ended.set()

    async def _hold(self, convened: Convened) -> None:
        run = convened.run
        try:
            await self._wait_for_beginning(convened)
            self.records.add(run)
            await self._take_part(convened)
        except Disrupted as e:
            self.note_evidence(run, e.evidence, e.culprits)
            self._note_failure(run, str(e))
            self.tasks.create_task(self._pass_on(run))
        except Silence as e:
            self._note_failure(run, str(e))
            self.silences.note(run, e.suspects)
        except Error as e:
            self._note_failure(run, str(e))

    async def _pass_on(self, run: Run) -> None:
        try:
            await self.pass_on(run)
        except Error as e:
            log.warning("evidence not passed on", why=str(e))

    async def _wait_for_beginning(self, convened: Convened) -> None:
        name = self.desk.group.names[convened.starter]
        try:
            async with asyncio.timeout(2 * self.desk.home.timeout_s):
                await convened.begin.wait()
        except TimeoutError:
            raise Abort(f"{name} did not begin the run", suspects=[convened.starter]) from None
        if convened.given_up:
            raise Abort("the run was given up before it began")

    async def _take_part(self, convened: Convened) -> None:
        run, home = convened.run, self.desk.home
        names = tuple(member.name for member in run.members)
        text = await evenly(lambda: self._next_text(run))
        session = Session(names.index(home.name), names, convened.channel, home.timeout_s)
        try:
            async with session:
                delivered = await take_part(
                    session,
                    run,
                    text,
                    identity=home.identity,
                    store=self.records,
                    randomness=os.urandom,
                )
        except Error:
            self.writer.seal_anew()
            raise
        self._note_delivered(delivered, session.meter)
        self.writer.sent(text if text in delivered.texts else b"")

    def _next_text(self, run: Run) -> bytes:
        """Return what this member says in a run, if it says anything.

        Not behind a smaller set than is there; and what is sealed, not in the run in which
        others first hear of a key: only whom its owner told before could have used it.
        """
        past = self.records.standing().past
        names = tuple(member.name for member in run.members)
        is_known = past is not None and past.run.cards == run.cards
        crowd = frozenset[Candidate]() if self.left_behind(run) else self.crowd(names)
        return self.writer.next_text(crowd, run.cards if is_known else None)

    def _note_delivered(self, delivered: Delivered, cost: Meter) -> None:
        run, texts = delivered.run, len(delivered.texts)
        with self.desk.store.transaction():
            self.records.keep(delivered, _shape(delivered, cost))
            self.desk.audit.append("report run", f"of {run.n} members, {texts} texts")
        log.info("report run", members=run.n, texts=texts)

    def note_evidence(
        self, run: Run, evidence: tuple[bytes, ...], culprits: frozenset[Party]
    ) -> None:
        """Keep verified evidence of who spoilt a run."""
        with self.desk.store.transaction():
            if self.records.add_evidence(run, evidence, culprits):
                who = f"{run.name(culprits)} spoilt run {run.digest().hex()[:16]}; evidence is kept"
                self.desk.audit.append("report run spoilt", who)

    def _note_failure(self, run: Run, why: str) -> None:
        log.warning("report run failed", why=why)
        with self.desk.store.transaction():
            self.records.fail(run.digest(), why)
            self.desk.audit.append("report run failed", why)


def _shape(delivered: Delivered, cost: Meter) -> Shape:
    sent, received = cost.bytes_sent, cost.bytes_received
    if not delivered.texts:
        return Shape(0, sent, received, (), b"")
    sealed = certify(delivered, delivered.texts[0]).cell
    at = delivered.cells.index(sealed) * delivered.run.sealed_bytes
    parts = tuple(part[at : at + SHOWN] for part in delivered.parts)
    return Shape(len(delivered.texts), sent, received, parts, sealed[:SHOWN])
