"""Gathering what holders answer to a request: one question to each that approved.

    gatherer                             each approving holder
    unlock (with the approvals) →        checks them, answers parts sealed to the gatherer
    opened, or recovered →               all members

The gatherer is the member to whom answers go: the requester, or the opener of a
plain file. It asks as soon as it hears of enough approvals, keeps each answer,
and opens when enough are right: it does not wait for the rest, so that a holder
that hangs delays nobody. Who is away is asked when it is back; who sent a wrong
part is left out and proven to have. One round.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from quorate.errors import Abort, Error, Party
from quorate.node.desk import Desk
from quorate.node.quorum.errands import Errands, ask_one, is_there
from quorate.node.quorum.messages import Unlock
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.requests import Requests
from quorate.node.quorum.unlocker import Unlocker
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.request import Purpose
from quorate.threshold.answers import SealedAnswer
from quorate.threshold.keys import seat

_Asking = dict[str, asyncio.Task[SealedAnswer | Error]]

log = structlog.get_logger()


class Kind(Protocol):
    """A kind of request whose answers are gathered, and what is made of them."""

    @property
    def topic(self) -> str:
        """Under which all members are told of the outcome."""
        ...

    def gatherer(self, entry: RequestEntry) -> str:
        """Return the member to whom answers go."""
        ...

    def must_approve(self, entry: RequestEntry) -> str:
        """Return who must have approved before anybody is asked; nobody if empty."""
        ...

    def finish(self, entry: RequestEntry, approved: tuple[SignedAnswer, ...]) -> object:
        """Keep and return what comes of the answers kept. Raises `Abort` where they fall short."""
        ...


Kinds = Mapping[Purpose, Kind]


@dataclass(slots=True)
class Gathering:
    """The requests whose answers come to this node."""

    desk: Desk
    records: Records
    unlocker: Unlocker
    requests: Requests
    kinds: Kinds
    tasks: asyncio.TaskGroup
    errands: Errands = field(init=False)
    news: dict[bytes, asyncio.Event] = field(default_factory=dict)  # of requests at work

    def __post_init__(self) -> None:
        self.errands = Errands(self.tasks, "unlock", self._gather)

    def start(self, digest: bytes) -> None:
        """Gather the answers to an approved request, if they go to this node."""
        entry = self.records.request(digest)
        if self.kinds[entry.request.type].gatherer(entry) == self.desk.home.name:
            if digest in self.news:
                self.news[digest].set()
            self.errands.start(digest)

    def start_all(self) -> None:
        """Try again for every request that waits for answers."""
        for entry in self.records.requests_in(RequestState.APPROVED):
            if entry.request.type in self.kinds:
                self.start(entry.request.digest())

    def stop(self) -> None:
        """Give up what is under way: it will be tried again."""
        self.errands.stop()

    async def _gather(self, digest: bytes) -> None:
        """Ask who has approved and not answered, and again where there was news meanwhile."""
        news = self.news[digest] = asyncio.Event()
        try:
            await self._gather_once(digest)
            while news.is_set():  # it came when nobody looked any more
                await self._gather_once(digest)
        finally:
            del self.news[digest]

    async def _gather_once(self, digest: bytes) -> None:
        """Ask until enough have answered or nobody is left."""
        asking: _Asking = {}
        failed: Error | None = None
        self.news[digest].clear()
        async with asyncio.TaskGroup() as tasks:
            try:
                await self._gather_from(digest, asking, tasks)
            except Error as e:
                failed = e
            finally:
                for task in asking.values():
                    task.cancel()
        if failed is not None:
            raise failed

    async def _gather_from(self, digest: bytes, asking: _Asking, tasks: asyncio.TaskGroup) -> None:
        tried: dict[str, str] = {}
        while (entry := self.records.request(digest)).state is RequestState.APPROVED:
            if self.news[digest].is_set():  # whoever could not help may be able to now
                self.news[digest].clear()
                have = self._have(entry)
                tried = {name: why for name, why in tried.items() if name in have}
            approved = self.requests.approved_by(entry)
            if self._done(entry, approved, tried):
                return
            question = Unlock(digest, approved)
            for name in self._to_ask(entry, approved, tried):
                if name not in asking:
                    asking[name] = tasks.create_task(self._ask(name, question))
            if not asking:
                note = "; ".join(dict.fromkeys(filter(None, tried.values())))
                self.records.set_request_state(digest, entry.state, note)
                return
            await self._next(asking, tasks, self.news[digest])
            for name in [name for name, task in asking.items() if task.done()]:
                self._keep(entry, name, asking.pop(name).result(), tried)

    def _to_ask(
        self, entry: RequestEntry, approved: tuple[SignedAnswer, ...], tried: dict[str, str]
    ) -> list[str]:
        """Return which approvers to ask now; who is not there is noted in `tried`."""
        due = self.kinds[entry.request.type].must_approve(entry)
        if due and due not in [s.answer.member for s in approved]:
            tried[due] = f"{due} is to open this, and has not approved it"
            return []
        have = self._have(entry)
        names = [s.answer.member for s in approved if s.answer.member not in {*have, *tried}]
        tried.update({n: f"{n} is not connected" for n in names if not is_there(self.desk, n)})
        return [name for name in names if name not in tried]

    def _have(self, entry: RequestEntry) -> set[str]:
        """Return who has answered."""
        plan = self.records.key_of(entry.request.key).plan
        return {plan.names[seat(p.identifier)] for p in self.records.parts(entry.request.digest())}

    async def _ask(self, name: str, question: Unlock) -> SealedAnswer | Error:
        def here(me: Party) -> SealedAnswer:
            return self.unlocker.answer(me, question)

        if name == self.desk.home.name:
            await self.unlocker.publication.publish(question.request)
        return await ask_one(self.desk, name, "unlock", question, SealedAnswer, here)

    async def _next(self, asking: _Asking, tasks: asyncio.TaskGroup, news: asyncio.Event) -> None:
        """Wait until somebody answers, or one more could be asked."""
        heard = tasks.create_task(news.wait())
        try:
            await asyncio.wait([heard, *asking.values()], return_when=asyncio.FIRST_COMPLETED)
        finally:
            heard.cancel()

    def _keep(
        self, entry: RequestEntry, name: str, answer: SealedAnswer | Error, tried: dict[str, str]
    ) -> None:
        plan = self.records.key_of(entry.request.key).plan
        if isinstance(answer, Error):
            tried[name] = str(answer)
        elif answer.identifier != plan.identifier(name):
            tried[name] = f"{name} answered in another holder's place"
        else:
            self.records.add_part(entry.request.digest(), answer)

    def _done(
        self, entry: RequestEntry, approved: tuple[SignedAnswer, ...], tried: dict[str, str]
    ) -> bool:
        """Finish with the answers that are here, and tell all; return whether they were enough."""
        kind = self.kinds[entry.request.type]
        plan = self.records.key_of(entry.request.key).plan
        if not plan.suffice(self._have(entry)):
            return False
        try:
            outcome = kind.finish(entry, approved)
        except Abort as e:
            self._blame(entry, e, tried)
            return False
        except Error as e:
            tried[""] = str(e)
            return False
        self.errands.aside(self._tell(kind.topic, outcome))
        return True

    def _blame(self, entry: RequestEntry, error: Abort, tried: dict[str, str]) -> None:
        """Say whose answers were of no use; what could not be read is asked for again later."""
        digest, id_ = entry.request.digest(), entry.request.short_id
        plan = self.records.key_of(entry.request.key).plan
        for one in error.culprits | error.suspects:
            name = plan.names[one]
            if one in error.suspects:
                self.records.drop_part(digest, one + 1)
                tried[name] = f"the answer of {name} cannot be read"
                continue
            said = f"{name} cheated: what it answered is wrong, and signed by it"
            if tried.get(name) == said:
                continue
            tried[name] = said
            log.warning("wrong answer", id=id_, member=name)
            if tried[name] not in self.records.request(digest).note:
                self.desk.audit.append("cheating proven", f"{id_}: {said}")
        tried.setdefault("", str(error))

    async def _tell(self, topic: str, outcome: object) -> None:
        await self.desk.tell_all(topic, outcome)
