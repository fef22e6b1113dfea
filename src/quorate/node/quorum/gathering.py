"""Gathering partial decryptions: one question to each holder that approved.

    gatherer                             each approving holder
    unlock (with the approvals) →        checks them, answers parts sealed to the gatherer
    opened (file key, for the requester) → all members

The gatherer is the member to whom answers go: the requester, or the opener of a
plain file. It asks as soon as it hears of enough approvals, keeps each answer,
and opens when enough are right: it does not wait for the rest, so that a holder
that hangs delays nobody. Who is away is asked when it is back; who sent a wrong
part is left out and proven to have. One round.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

import structlog

from quorate.errors import Abort, Error, Party, VerificationFailed
from quorate.node.desk import Desk
from quorate.node.quorum.errands import Errands, ask_one, is_there
from quorate.node.quorum.messages import Unlock
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.unlocker import Unlocker
from quorate.node.quorum.unlocks import Unlocks, document_of
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.countersign import answers_of
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.unlock import Checked, Opened, Proof, identities, sign_opened
from quorate.threshold.answers import SealedAnswer, read_answer, verify_proof
from quorate.threshold.keys import seat
from quorate.threshold.unlocking import Unlocked, pass_on, unlock

_Asking = dict[str, asyncio.Task[SealedAnswer | Error]]

log = structlog.get_logger()


@dataclass(slots=True)
class Gathering:
    """The requests whose answers come to this node."""

    desk: Desk
    records: Records
    unlocker: Unlocker
    unlocks: Unlocks
    tasks: asyncio.TaskGroup
    errands: Errands = field(init=False)
    news: dict[bytes, asyncio.Event] = field(default_factory=dict)  # of requests at work

    def __post_init__(self) -> None:
        self.errands = Errands(self.tasks, "unlock", self._gather)

    def start(self, digest: bytes) -> None:
        """Gather the answers to an approved request, if they go to this node."""
        entry = self.records.request(digest)
        if document_of(entry).answers_to.member == self.desk.home.name:
            if digest in self.news:
                self.news[digest].set()
            self.errands.start(digest)

    def start_all(self) -> None:
        """Try again for every request that waits for answers."""
        for entry in self.records.requests_in(RequestState.APPROVED):
            if entry.request.type == "unlock":
                self.start(entry.request.digest())

    def stop(self) -> None:
        """Give up what is under way: it will be tried again."""
        self.errands.stop()

    async def _gather(self, digest: bytes) -> None:
        """Ask who has approved and not answered, until enough have or nobody is left."""
        asking: _Asking = {}
        failed: Error | None = None
        async with asyncio.TaskGroup() as tasks:
            self.news[digest] = asyncio.Event()
            try:
                await self._gather_from(digest, asking, tasks)
            except Error as e:
                failed = e
            finally:
                del self.news[digest]
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
            approved = self.unlocks.requests.approved_by(entry)
            if self._opened(entry, approved, tried):
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
        me = self.desk.home.name
        if document_of(entry).opener and me not in [s.answer.member for s in approved]:
            tried[me] = f"{me} is to open this, and has not approved it"
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

    def _opened(
        self, entry: RequestEntry, approved: tuple[SignedAnswer, ...], tried: dict[str, str]
    ) -> bool:
        """Open with the answers that are here, and tell all; return whether they were enough."""
        digest = entry.request.digest()
        checked = self.unlocker.checked(entry)
        if len(self.records.parts(digest)) < checked.key.plan.min_signers:
            return False
        try:
            unlocked = self._unlocked(checked)
        except Abort as e:
            self._blame(checked, e, tried)
            return False
        except Error as e:
            tried[""] = str(e)
            return False
        opened = self._told(checked, entry, approved, unlocked)
        self.unlocks.take(opened)
        self.errands.aside(self._tell(opened))
        return True

    def _unlocked(self, checked: Checked) -> Unlocked:
        key, digest = checked.key, checked.request.digest()
        secret, parts = self.unlocks.replies.secret(checked.request), self.records.parts(digest)
        return unlock(key.public, checked.unlocking, digest, secret, parts, identities(key))

    def _told(
        self,
        checked: Checked,
        entry: RequestEntry,
        approved: tuple[SignedAnswer, ...],
        unlocked: Unlocked,
    ) -> Opened:
        request, unlocking = checked.request, checked.unlocking
        box = pass_on(unlocked.file_key, unlocking, unlocking.asked(request.digest()))
        proofs = self._proofs(checked)
        signature = sign_opened(self.desk.home.identity, request, box, proofs)
        answers = answers_of(checked.key, approved)
        return Opened(request, entry.document, entry.signature, answers, box, proofs, signature)

    def _proofs(self, checked: Checked) -> tuple[Proof, ...]:
        """Return what proves that holders cheated, of all that answered: each is read again."""
        digest, key = checked.request.digest(), checked.key
        secret = self.unlocks.replies.secret(checked.request)
        asked, them = checked.unlocking.asked(digest), identities(key)
        proofs: list[Proof] = []
        for part in self.records.parts(digest):
            holder = them[seat(part.identifier)]
            with contextlib.suppress(VerificationFailed):  # it is right, or anybody's
                signed = read_answer(secret, asked, part, holder)
                by = (part.identifier, holder)
                verify_proof(key.public, asked, checked.bases, signed, by)
                proofs.append(Proof(part.identifier, signed))
        return tuple(proofs)

    def _blame(self, checked: Checked, error: Abort, tried: dict[str, str]) -> None:
        """Say whose answers were of no use; what could not be read is asked for again later."""
        digest, plan = checked.request.digest(), checked.key.plan
        for one in error.culprits | error.suspects:
            name = plan.names[one]
            if one in error.suspects:
                self.records.drop_part(digest, one + 1)
                tried[name] = f"the answer of {name} cannot be read"
                continue
            said = f"{name} cheated: wrong partial decryptions, signed by it"
            if tried.get(name) == said:
                continue
            tried[name] = said
            log.warning("wrong parts", id=checked.request.short_id, member=name)
            if tried[name] not in self.records.request(digest).note:
                self.desk.audit.append("cheating proven", f"{checked.request.short_id}: {said}")
        tried.setdefault("", str(error))

    async def _tell(self, opened: Opened) -> None:
        await self.desk.tell_all("opened", opened)
