"""All that one node does with anonymous reports, put together."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from quorate import wire
from quorate.anonymous.attachments import Attachment
from quorate.anonymous.meter import LEAST, Gate, Reading
from quorate.anonymous.threads import Claim, Post, Shelf, assemble, claim, verify_claim
from quorate.errors import Error, MalformedMessage, NotFound, Party
from quorate.node.anonymous.book import Waiting
from quorate.node.anonymous.cards import Cards
from quorate.node.anonymous.convening import Convening
from quorate.node.anonymous.missed import Missed
from quorate.node.anonymous.opening import Openings
from quorate.node.anonymous.proofs import Proofs
from quorate.node.anonymous.records import Records
from quorate.node.anonymous.runs import CELL_BYTES, Runs
from quorate.node.anonymous.silences import Silences
from quorate.node.anonymous.writer import Writer
from quorate.node.desk import Desk
from quorate.node.messages import Ack
from quorate.node.quorum.custody import Custody

Answerer = Callable[[Party, bytes], Awaitable[bytes]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reports:
    """Runs, texts and threads of one node."""

    desk: Desk
    records: Records
    writer: Writer
    runs: Runs
    convening: Convening
    proofs: Proofs
    cards: Cards
    openings: Openings
    missed: Missed

    @property
    def silences(self) -> Silences:
        return self.runs.silences

    def answers(self) -> dict[str, Answerer]:
        """Return what answers each topic of `messages`."""
        return {
            "report standing": self.runs.on_standing,
            "report prepare": self.runs.on_prepare,
            "report go": self.runs.on_go,
            "report proof": self.proofs.on_proof,
            "report claim": self.on_claim,
            "report card": self.cards.on_card,
            "report share": self.openings.on_share,
            "report missed": self.missed.on_missed,
            "report brought": self.missed.on_brought,
            "report silent": self.silences.on_word,
            "report unheard": self.silences.on_unheard,
            "report evidence": self.missed.on_evidence,
        }

    # What this member writes and reads

    def reading(self, feared: tuple[str, ...], thread: bytes = b"", gate: Gate = LEAST) -> Reading:
        """Return behind whom this member would stand in a run held now."""
        for name in feared:
            self.desk.group.party(name)
        own = self.writer.find(thread) if thread else None
        there = self.runs.crowd(self.convening.names(self.runs.present()))
        return self.writer.reading(own, there, feared, gate)

    def shelf(self) -> Shelf:
        """Return all posts that came out of runs on this node."""
        return _shelf(self.desk, self.records)

    def body_of(self, post: Post) -> bytes | None:
        """Return what this member may read of a post."""
        if not post.sealed:
            return post.body
        seen = self.openings.seen(post)
        return None if seen is None else seen.body

    def file_of(self, post: Post) -> Attachment | None:
        """Return the file that a post is, if this member may read it and its author made it one."""
        body = self.body_of(post) if post.is_file else None
        try:
            return None if body is None else wire.decode(body, Attachment)
        except MalformedMessage:
            return None

    def reseal(self) -> tuple[Waiting, ...]:
        """Seal anew what waits for keys that are no longer the members'. Raises `NotFound`."""
        found = self.writer.outdated(self.cards.digest())
        if not found:
            raise NotFound("nothing waits for a key that is gone")
        sealings = [self.cards.sealing(kept.recipients, kept.min_recipients) for kept in found]
        anew = map(self.writer.reseal, found, sealings)
        return tuple(waiting for posts in anew for waiting in posts)

    def find(self, prefix: str) -> bytes:
        """Return the thread whose name begins with `prefix` (hex). Raises `NotFound`."""
        wanted = prefix.replace("-", "").lower()
        known = {thread for thread, _ in self.shelf().places()}
        found = [thread for thread in known if thread.hex().startswith(wanted)]
        if len(found) != 1 or not wanted:
            what = "more than one thread" if found and wanted else "no thread"
            raise NotFound(
                f"{what} on this node has a name beginning with {prefix[:64]!r}",
                hint="list them with: quorate report inbox",
            )
        return found[0]

    def texts_of(self, post: Post) -> tuple[bytes, ...]:
        """Return the texts of the cells that make up a post, in order."""
        texts = self.records.texts()
        group = self.desk.group.digest()
        mine = [t for t in texts if _is_part_of(group, t, post)]
        return tuple(dict.fromkeys(mine))

    async def claim(self, thread: bytes) -> tuple[str, ...]:
        """Say in this member's name that a thread is its own; return whom that did not reach."""
        pseudonym = self.writer.pseudonym(self.writer.own(thread))
        claimed = claim(pseudonym, self.desk.home.name, self.desk.home.identity)
        self._keep_claim(claimed)
        return await self.desk.tell_all("report claim", claimed)

    async def on_claim(self, party: Party, body: bytes) -> bytes:
        """Take in a claim, whoever passes it on. Raises `VerificationFailed`."""
        self._keep_claim(wire.decode(body, Claim))
        log.info("claim", via=self.desk.group.names[party])
        return wire.encode(Ack())

    def _keep_claim(self, claimed: Claim) -> None:
        verify_claim(claimed, self.desk.group.digest(), self.runs.identities())
        with self.desk.store.transaction():
            if self.records.add_claim(claimed):
                who = f"{claimed.bond.thread.hex()[:16]} by {claimed.bond.member}"
                self.desk.audit.append("thread claimed", who)

    async def catch_up(self, party: Party) -> None:
        """Tell who has just connected of cards and claims; ask it for what is missing here."""
        try:
            await self.cards.catch_up(party)
            await self.silences.catch_up(party)
            for claimed in self.records.claims():
                await self.desk.tell(party, "report claim", claimed)
        except Error as e:
            log.info("catching up failed", member=self.desk.group.names[party], why=str(e))
        await self.missed.catch_up(party)

    # By the clock

    async def keep_time(self) -> None:
        """Have a run held in every period: by each member in turn, else by the next."""
        period = self.desk.home.report_every_s
        while period > 0:
            now = self.desk.now().timestamp()
            begin = now - now % period + period
            await asyncio.sleep(begin - now)
            await self._hear_the_end()
            there = self.runs.present()
            place = there.index(self.desk.me) if self._is_in() else 0
            turn = (place - int(begin // period)) % len(there)
            await asyncio.sleep(min(turn * self.desk.home.timeout_s, period / 2))
            if self._is_in() and self.records.standing().number < int(begin):
                await self._hold()

    async def _hear_the_end(self) -> None:
        """Ask what a run brought in which somebody kept its key from this member alone."""
        last = self.records.runs(1)
        if last and last[0].decision == "key" and last[0].past is None:
            for party in self.runs.present():
                if party != self.desk.me:
                    await self.missed.catch_up(party)

    def _is_in(self) -> bool:
        return self.desk.me in self.runs.present()

    async def _hold(self) -> None:
        try:
            await self.convening.hold()
        except Error as e:
            log.info("no report run", why=str(e))

    def stop(self) -> None:
        self.runs.stop()


def make_reports(desk: Desk, custody: Custody, tasks: asyncio.TaskGroup) -> Reports:
    """Return the reports of one node."""
    records = Records(desk.store)
    writer = Writer(desk, custody, CELL_BYTES, os.urandom)
    cards = Cards(desk, custody, tasks)
    runs = Runs(desk, records, writer, cards, Silences(desk, records, tasks), tasks)
    proofs = Proofs(runs)
    runs.pass_on = proofs.pass_on
    openings = Openings(writer, cards, lambda: _shelf(desk, records))

    def on_open() -> None:
        writer.seal_anew()
        cards.make_own()

    custody.on_open = on_open
    return Reports(
        desk, records, writer, runs, Convening(runs), proofs, cards, openings, Missed(runs)
    )


def _shelf(desk: Desk, records: Records) -> Shelf:
    return assemble(desk.group.digest(), records.texts())


def _is_part_of(group: bytes, text: bytes, post: Post) -> bool:
    return (post.thread, post.number) in assemble(group, [text]).places()
