"""Who brings a run about: asks who is there, and has all begin at once.

    who convenes                     each other member that is there
    standing  →                      how far its runs have come
    prepare   →                      checks the run, opens the session
    go        →                      takes part

Whoever convenes says nothing by it of having something to say: nodes do it by the
clock, in turn. A run is of all that are there, in the order of the group, and only if an
author would stand among enough. Who is left out is known to all, and why.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from quorate.anonymous import meter
from quorate.anonymous.cards import digest_of
from quorate.anonymous.messages import Run
from quorate.errors import Abort, Error, Party, Refused
from quorate.node.anonymous.messages import Begin, Past, Prepare, Standing, age
from quorate.node.anonymous.records import Held
from quorate.node.anonymous.runs import CELL_BYTES, Runs
from quorate.node.messages import Ack
from quorate.node.runs import CLOCK_S

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Convening:
    """What one node does to have a run held."""

    runs: Runs

    def names(self, parties: Sequence[Party]) -> tuple[str, ...]:
        return tuple(self.runs.desk.group.names[p] for p in parties)

    async def hold(self) -> Held:
        """Hold a run with all that are there; return it when it has ended, well or not.

        Who is there and does not get ready is asked once more, and then is in the run all
        the same: it fails, and all hear who is silent. So nobody who convenes leaves any out.
        Raises `Refused` where an author would stand among too few, and `Abort`.
        """
        parties, ready = await self._made_ready()
        if ready != parties:
            parties, ready = await self._made_ready()
        try:
            self._check_many(ready)
        except Refused:
            self.runs.stop()
            raise
        return await self._go(ready)

    async def _made_ready(self) -> tuple[tuple[Party, ...], tuple[Party, ...]]:
        """Have all that are there prepare; return them, and those that are ready."""
        parties = self.runs.present()
        self._check_many(parties)
        standings = await self._standings(parties)
        return parties, await self._prepare(parties, tuple(standings.values()))

    def _check_many(self, parties: Sequence[Party]) -> None:
        """Raise `Refused` unless an author would stand among enough."""
        crowd = self.runs.crowd(self.names(parties))
        meter.check(meter.read(crowd, author=self.runs.desk.home.name))

    async def _standings(self, parties: Sequence[Party]) -> dict[Party, Standing]:
        mine = self.runs.records.standing()
        latest = self.runs.now_s() + CLOCK_S
        answers = await self._ask(parties, "report standing", mine, Standing)
        told = {
            party: answer
            for party, answer in answers.items()
            if answer.number <= latest and self._took_card(party, answer)
        }
        return told | {self.runs.desk.me: mine}

    def _took_card(self, party: Party, standing: Standing) -> bool:
        """Keep a member's own card; return whether it is one to hold a run with."""
        try:
            if standing.card is not None:
                self.runs.cards.take(standing.card)
        except Error as e:
            log.info("not in the run", member=self.runs.desk.group.names[party], why=str(e))
            return False
        return True

    async def _prepare(
        self, parties: tuple[Party, ...], standings: tuple[Standing, ...]
    ) -> tuple[Party, ...]:
        """Have these members prepare for the next run; return those that are ready."""
        runs = self.runs
        number = max(runs.now_s(), *(standing.number + 1 for standing in standings))
        past = _newest(standings)
        previous = bytes(32) if past is None else past.vote.transcript
        identities = tuple(runs.identities()[p] for p in parties)
        group, cards = runs.desk.group.digest(), runs.cards.all()
        run = Run(group, number, previous, CELL_BYTES, identities, digest_of(cards))
        unheard = runs.silences.unheard()
        request = Prepare(run, secrets.randbits(62) + 1, past, cards, unheard)
        runs.prepare(runs.desk.me, request)
        ready = await self._ask(parties, "report prepare", request, Ack)
        return tuple(p for p in parties if p == runs.desk.me or p in ready)

    async def _go(self, parties: Sequence[Party]) -> Held:
        convened = self.runs.current
        if convened is None:
            raise Abort("the run was given up before it began")
        await self._ask(parties, "report go", Begin(convened.session), Ack)
        convened.begin.set()
        await convened.ended.wait()
        return self.runs.records.run(convened.run.digest())

    async def _ask(
        self, parties: Sequence[Party], topic: str, question: object, kind: type[T]
    ) -> dict[Party, T]:
        """Ask the others among these members; return the answers of those that give one."""
        desk = self.runs.desk

        async def one(party: Party) -> T | None:
            timeout_s = desk.home.timeout_s
            try:
                return await desk.peers.ask(party, topic, question, kind, timeout_s=timeout_s)
            except (Abort, Refused) as e:
                log.info("not in the run", member=desk.group.names[party], why=str(e))
                return None

        others = [p for p in parties if p != desk.me]
        answers = await asyncio.gather(*map(one, others))
        return {p: a for p, a in zip(others, answers, strict=True) if a is not None}


def _newest(standings: Sequence[Standing]) -> Past | None:
    """Return the last run that any of them knows to have gone well."""
    pasts = [standing.past for standing in standings if standing.past is not None]
    return max(pasts, key=age, default=None)
