"""Members that gave nothing in several runs, and are left out for a day if all others say so."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from quorate import wire
from quorate.anonymous.absence import (
    RUNS,
    Silent,
    Unheard,
    Word,
    others_of,
    say,
    verify_unheard,
    verify_word,
)
from quorate.anonymous.messages import Run
from quorate.errors import Error, Party
from quorate.node.anonymous.others import check_others_run
from quorate.node.anonymous.records import Records
from quorate.node.anonymous.tables import report_runs, report_silences
from quorate.node.desk import Desk
from quorate.node.messages import Ack

SITS_OUT_S = 24 * 60 * 60
"""For so long who is proven to have spoilt a run, or was silent in several, takes part in none."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Silences:
    """What one node knows of who was silent."""

    desk: Desk
    records: Records
    tasks: asyncio.TaskGroup

    def note(self, run: Run, silent: Iterable[Party]) -> None:
        """Say, and tell all, that this node heard nothing of these seats for a whole time-out."""
        for party in silent:
            about = Silent(run.digest(), run.members[party].name, self.desk.home.name)
            word = say(self.desk.home.identity, about)
            self._keep(run, (word,))
            self.tasks.create_task(self._tell_all(word))

    async def on_word(self, _: Party, body: bytes) -> bytes:
        """Take in what a member says of another. Raises `VerificationFailed`, `NotFound`."""
        word = wire.decode(body, Word)
        run = self.records.run(word.silent.run).run
        verify_word(word, run)
        self._keep(run, (word,))
        return wire.encode(Ack())

    async def on_unheard(self, _: Party, body: bytes) -> bytes:
        """Take in what all others of a run say of a member. Raises as `take` does."""
        self.take(wire.decode(body, Unheard))
        return wire.encode(Ack())

    def take(self, unheard: Unheard) -> None:
        """Keep what all others of a run say, be it one this node was not in.

        Raises `VerificationFailed`, and `Refused` for what can have been no run.
        """
        check_others_run(self.desk, unheard.run)
        verify_unheard(unheard)
        self.records.add_missed(unheard.run)
        self._keep(unheard.run, unheard.words())

    def unheard(self) -> tuple[Unheard, ...]:
        """Return of whom all others say, of a run of the last day, that they heard nothing."""
        since = int(self.desk.now().timestamp()) - SITS_OUT_S
        recent = (
            sa.select(report_silences, report_runs.c.run)
            .join(report_runs, report_runs.c.sid == report_silences.c.sid)
            .where(report_runs.c.number >= since)
        )
        with self.desk.store.transaction() as db:
            rows = db.execute(recent).all()
        said: dict[tuple[bytes, str], dict[str, bytes]] = {}
        for row in rows:
            said.setdefault((row.run, row.member), {})[row.by] = row.signature
        found: list[Unheard] = []
        for (encoded, member), signatures in said.items():
            run = wire.decode(encoded, Run)
            others = others_of(run, member)
            if set(others) == signatures.keys():
                found.append(Unheard(run, member, tuple(signatures[by] for by in others)))
        return tuple(found)

    def left_out(self) -> frozenset[str]:
        """Return who is left out of runs: this node says so too, or more than half of the group."""
        half, known = len(self.desk.group.members) / 2, self.unheard()
        by_many = _in_several(one for one in known if one.run.n - 1 > half)
        return by_many | self._by_own_word(known)

    def missed_by_none(self) -> frozenset[str]:
        """Return who is left out by this node's own word too: its member's texts go without."""
        return self._by_own_word(self.unheard())

    def _by_own_word(self, known: Iterable[Unheard]) -> frozenset[str]:
        name = self.desk.home.name
        return _in_several(u for u in known if name in others_of(u.run, u.member))

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected who is left out. Raises `Abort`, `Refused`."""
        for one in self.unheard():
            await self.desk.tell(party, "report unheard", one)

    def _keep(self, run: Run, words: Iterable[Word]) -> None:
        before = self.left_out()
        with self.desk.store.transaction() as db:
            for word in words:
                key = {"sid": run.digest(), "member": word.silent.member, "by": word.silent.by}
                if not db.execute(sa.select(report_silences.c.by).filter_by(**key)).first():
                    db.execute(report_silences.insert().values(**key, signature=word.signature))
            for member in self.left_out() - before:
                self.desk.audit.append("left out of reports", f"{member}, silent in {RUNS} runs")

    async def _tell_all(self, word: Word) -> None:
        try:
            await self.desk.tell_all("report silent", word)
        except Error as e:
            log.info("silence not passed on", why=str(e))


def _in_several(found: Iterable[Unheard]) -> frozenset[str]:
    names = [one.member for one in found]
    return frozenset(name for name in names if names.count(name) >= RUNS)
