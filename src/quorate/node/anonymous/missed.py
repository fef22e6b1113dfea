"""What a member missed that was away: texts with their certificates, and evidence, from the others.

Whoever connects asks who answers. It is told of runs, and asks for those it lacks; it
believes nobody: what a run brought is what all its members signed, and evidence is
judged here. What is handed on is what each member of the run has, in the order of its
slots: it says no more of an author than it said to them. Who asks tells that it was away,
which all have seen.
"""

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import structlog

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.anonymous import cell, verify_evidence
from quorate.anonymous.decision import Delivered
from quorate.anonymous.filing import verify_delivered
from quorate.anonymous.messages import Run
from quorate.errors import Error, Party, VerificationFailed
from quorate.node.anonymous.messages import Brought, Listing, Past, Since, Spoilt, Told, Which
from quorate.node.anonymous.others import check_others_run
from quorate.node.anonymous.proofs import most_bytes, most_records
from quorate.node.anonymous.records import Shape
from quorate.node.anonymous.runs import Runs
from quorate.node.runs import CLOCK_S

T = TypeVar("T")

PAGE = 500
_PAGES = 100
"""Pages that are asked for: runs of five years."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Missed:
    """Runs of others, as they come to one node and go from it."""

    runs: Runs

    # Who was there

    async def on_missed(self, _: Party, body: bytes) -> bytes:
        """Say of which runs others should know."""
        since = wire.decode(body, Since)
        return wire.encode(Listing(self.runs.records.told_of(since.number, PAGE)))

    async def on_brought(self, _: Party, body: bytes) -> bytes:
        """Hand on what a run brought. Raises `NotFound`."""
        found = self.runs.records.delivered_by(wire.decode(body, Which).run)
        past = Past(found.run, found.vote, found.votes)
        return wire.encode(Brought(past, found.cells, found.joint_secret))

    async def on_evidence(self, _: Party, body: bytes) -> bytes:
        """Hand on a record of the evidence of who spoilt a run. Raises `NotFound`."""
        which = wire.decode(body, Which)
        run = self.runs.records.run(which.run).run
        records = self.runs.records.evidence(which.run)
        record = records[which.index] if 0 <= which.index < len(records) else b""
        return wire.encode(Spoilt(run, len(records), record))

    # Who was away

    async def catch_up(self, party: Party) -> None:
        """Ask a member for all that is missing here. What it gives wrong ends it."""
        try:
            await self._catch_up(party)
        except Error as e:
            log.info("runs not told of", member=self.runs.desk.group.names[party], why=str(e))

    async def _catch_up(self, party: Party) -> None:
        after, latest = 0, self.runs.now_s() + CLOCK_S
        for _ in range(_PAGES):
            listing = await self._ask(party, "report missed", Since(after), Listing)
            numbers = [after, *(told.number for told in listing.runs)]
            if any(a >= b for a, b in pairwise(numbers)):
                raise VerificationFailed("runs are told of out of order")
            if not listing.runs or numbers[-1] > latest:
                return
            for told in listing.runs:
                await self._take(party, told)
            after = numbers[-1]

    async def _take(self, party: Party, told: Told) -> None:
        records = self.runs.records
        if told.spoilt and not records.evidence(told.run):
            await self._take_evidence(party, told)
        elif not told.spoilt and not records.has_texts(told.run):
            brought = await self._ask(party, "report brought", Which(told.run), Brought)
            self._keep(brought, told)

    def _keep(self, brought: Brought, told: Told) -> None:
        """Keep what a run brought, once it is verified. Raises `VerificationFailed`."""
        past, run = brought.past, brought.past.run
        secret = ed.decode_scalar(brought.joint_secret)
        texts = cell.texts_in(brought.cells, secret, run.digest())
        found = Delivered(
            run, texts, past.vote, past.votes, brought.cells, brought.joint_secret, ()
        )
        check_others_run(self.runs.desk, run)
        verify_delivered(found, self.runs.desk.group.digest(), self.runs.identities())
        if run.digest() != told.run or not texts:
            raise VerificationFailed("another run than was asked for")
        with self.runs.desk.store.transaction():
            if self.runs.records.has_texts(told.run):
                return  # another member was quicker
            self.runs.records.add_missed(run)
            self.runs.records.keep(found, Shape(len(texts), 0, 0, (), b""))
            said = f"of {run.n} members, {len(texts)} texts, heard of later"
            self.runs.desk.audit.append("report run", said)
        for text in texts:
            self.runs.writer.sent(text)

    async def _take_evidence(self, party: Party, told: Told) -> None:
        """Gather the evidence of who spoilt a run, and judge it. Raises `VerificationFailed`."""
        first = await self._ask(party, "report evidence", Which(told.run), Spoilt)
        run, records = first.run, [first.record]
        self._check_spoilt(run, told, first.count)
        for index in range(1, first.count):
            more = await self._ask(party, "report evidence", Which(told.run, index), Spoilt)
            records.append(more.record)
            if sum(map(len, records)) > most_bytes(run):
                raise VerificationFailed("more evidence than a run can leave")
        culprits = await asyncio.to_thread(verify_evidence, run, tuple(records))
        with self.runs.desk.store.transaction():
            self.runs.records.add_missed(run)
            self.runs.note_evidence(run, tuple(records), culprits)

    def _check_spoilt(self, run: Run, told: Told, count: int) -> None:
        check_others_run(self.runs.desk, run)
        if run.digest() != told.run:
            raise VerificationFailed("another run than was asked for")
        if not 0 < count <= most_records(run):
            raise VerificationFailed("this is no evidence of that run")

    async def _ask(self, party: Party, topic: str, question: object, kind: type[T]) -> T:
        desk = self.runs.desk
        return await desk.peers.ask(party, topic, question, kind, timeout_s=desk.home.timeout_s)
