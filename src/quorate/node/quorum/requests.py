"""Requests on one node: proposed, answered, passed on, until a quorum acts or time is over.

A holder's answer is signed with its identity key over the request's digest.
Requests travel with all answers their sender knows of, and every node verifies
each itself. A node that was away hears what it missed when its link comes up
again. What happens when enough holders have approved is `on_quorum`'s to say.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from quorate import wire
from quorate.errors import Party, Refused
from quorate.node.desk import PATIENCE_S, Desk
from quorate.node.messages import Ack
from quorate.node.quorum.messages import Asked
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.runs import CLOCK_S
from quorate.quorum.answer import Answer, SignedAnswer, Word, approvals, sign_answer, verify_answer
from quorate.quorum.countersign import check_counts
from quorate.quorum.fhir import text_of
from quorate.quorum.key import Key
from quorate.quorum.key_plan import holders_of
from quorate.quorum.lifecycle import (
    KEYS,
    REQUEST_DONE,
    REQUEST_OPEN,
    REQUESTS,
    KeyEvent,
    KeyState,
    RequestEvent,
    RequestState,
    after,
)
from quorate.quorum.order import words_for
from quorate.quorum.recovery import Recovery, check_use
from quorate.quorum.request import (
    SIGNED,
    Purpose,
    Request,
    check_request,
    is_over,
    make_request,
    noted_as,
    sign_request,
    verify_requester,
)
from quorate.quorum.unlock import Checked
from quorate.studies.times import utc_text

T = TypeVar("T")

MAX_OPEN = 100
"""Requests of one member that wait on a node; more of it are refused."""

TOLD_FOR = timedelta(days=30)
"""How long after its time what came of a request is still told to members that come back."""

KEYS_FOR: dict[Purpose, tuple[str, ...]] = {
    "order": ("sign",),
    "succeed": ("sign",),
    "unlock": ("unlock", "plain"),
    "recover": ("plain",),
}
"""What a key must be for, for each kind of request."""

log = structlog.get_logger()


@dataclass(slots=True)
class Requests:
    """All requests on this node."""

    desk: Desk
    records: Records
    on_quorum: Callable[[bytes], None] = lambda _: None
    """Called with the digest of a request that enough holders have approved, as this node hears."""
    on_last_word: Callable[[bytes], None] = lambda _: None
    """Called where this node's own staff gave the approval that was enough."""

    on_use: Callable[[Checked | Recovery], None] = lambda _: None
    """Called with a new request to use shares, before it is kept; may refuse it."""

    # What this node's staff does

    async def propose(
        self, purpose: Purpose, key: Key, document: bytes, reason: str, lasts: timedelta
    ) -> tuple[RequestEntry, tuple[str, ...]]:
        """Propose a request, approve it if this member holds a share, tell the others.

        Returns the request and the names of members that could not be told yet.
        """
        me = self.desk.home.name
        request = make_request(
            purpose,
            key.key_id(),
            document,
            reason=reason,
            requester=me,
            now=self.desk.now(),
            lasts=lasts,
            randomness=os.urandom,
        )
        own = (self._answer(request, "approve", reason),) if me in key.plan.names else ()
        signature = sign_request(self.desk.home.identity, request)
        self.take(Asked(request, document, signature, own))
        return await self._tell(request)

    async def answer(
        self, digest: bytes, word: Word, reason: str
    ) -> tuple[RequestEntry, tuple[str, ...]]:
        """Approve or decline a request as a holder of its key, and tell the others."""
        self.expire()
        with self.desk.store.transaction():
            entry = self.records.request(digest)
            key = self.records.key_of(entry.request.key)
            me = self.desk.home.name
            key.plan.identifier(me)
            if entry.state not in REQUEST_OPEN:
                after(REQUESTS, "the request", entry.state, RequestEvent.QUORUM)
            if me in {signed.answer.member for signed in self.records.answers(digest)}:
                raise Refused(
                    f"{me} has answered {entry.request.short_id} already", hint="an answer is final"
                )
            signed = self._answer(entry.request, word, reason)
            self.take(Asked(entry.request, entry.document, entry.signature, (signed,)))
            decided = self.records.request(digest).state is RequestState.APPROVED
        if decided:
            self.on_last_word(digest)
        return await self._tell(entry.request)

    # What other nodes say

    async def on_request(self, party: Party, body: bytes) -> bytes:
        """Take in a request and answers to it, whoever passes them on."""
        asked = wire.decode(body, Asked)
        self.take(asked)
        digest = asked.request.digest()
        waits = self.records.request(digest).state is RequestState.APPROVED
        if waits and asked.request.type not in SIGNED:
            self.on_quorum(digest)  # whoever tells it again can help now
        log.info("request", id=asked.request.short_id, via=self.desk.group.names[party])
        return wire.encode(Ack())

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected what waits, as far as it is known here."""
        for entry in self.records.requests_in(*REQUEST_OPEN):
            await self.desk.tell(party, "request", self.asked(entry))

    # Shared

    def take_answers(self, digest: bytes, words: tuple[SignedAnswer, ...]) -> None:
        """Verify and keep answers to a request. Raises `VerificationFailed`, `NotFound`."""
        with self.desk.store.transaction():
            entry = self.records.request(digest)
            key = self.records.key_of(entry.request.key)
            for signed in words:
                verify_answer(key.plan.holders, signed)
                if signed.answer.word == "approve":
                    check_counts(entry.request, signed)
                elif signed.answer.subject != digest:
                    raise Refused("an answer is to another request")
            if self.keep_answers(entry.request, words):
                self._move_on(digest, key)

    def keep_answers(self, request: Request, words: tuple[SignedAnswer, ...]) -> bool:
        """Keep verified answers that are their holders' first, logged; return whether any is."""
        heard = False
        for signed in words:
            answer = signed.answer
            if self.records.add_answer(signed):
                heard = True
                said = "approved" if answer.word == "approve" else "declined"
                who = f"{request.short_id} by {answer.member}: {answer.reason}"
                self.desk.audit.append(f"{request.type} {said}", who)
        return heard

    def approved_by(self, entry: RequestEntry) -> tuple[SignedAnswer, ...]:
        """Return the approvals that count now, verified anew, in the order of holders."""
        key, digest = self.records.key_of(entry.request.key), entry.request.digest()
        return approvals(key.plan.holders, digest, self.records.answers(digest), self.desk.now())

    def move(self, digest: bytes, event: RequestEvent, note: str = "") -> None:
        """Move a request on in its life."""
        state = self.records.request(digest).state
        self.records.set_request_state(digest, after(REQUESTS, "the request", state, event), note)

    def finish(self, asked: Asked, result: object, event: RequestEvent) -> bool:
        """Keep what came of a request, verified, with the answers under which it came.

        Returns whether it is the first word of it; the caller holds a transaction.
        """
        request, digest = asked.request, asked.request.digest()
        self.records.add_request(request, asked.document, asked.signature)
        self.keep_answers(request, asked.answers)
        entry = self.records.request(digest)
        if entry.state in REQUEST_DONE:
            return False
        self.records.set_result(digest, wire.encode(result))
        self.move(digest, event, entry.note)
        return True

    def lately(self, state: RequestState) -> tuple[RequestEntry, ...]:
        """Return the requests of which members that come back are still told what came."""
        now = self.desk.now()
        return tuple(
            entry
            for entry in self.records.requests_in(state)
            if datetime.fromisoformat(entry.request.expires) + TOLD_FOR > now
        )

    async def tell_lately(
        self, party: Party, state: RequestState, topic: str, form: type[T]
    ) -> None:
        """Tell a member that has just connected what came of requests of late."""
        for entry in self.lately(state):
            if entry.result is not None:
                await self.desk.tell(party, topic, wire.decode(entry.result, form))

    def convict(self, request: Request, key: Key, cheats: Iterable[int], of: str) -> None:
        """Write down which holders, by identifier, sent something wrong and signed it."""
        for identifier in cheats:
            said = f"{request.short_id}: {key.holder(identifier).name} sent {of}, signed by it"
            self.desk.audit.append("cheating proven", said)

    def expire(self) -> None:
        """End the requests whose time is over."""
        for entry in self.records.requests_in(*REQUEST_OPEN):
            if is_over(entry.request.expires, self.desk.now()):
                with self.desk.store.transaction():
                    self.desk.audit.append("request expired", entry.request.short_id)
                    self.move(entry.request.digest(), RequestEvent.EXPIRED, entry.note)

    def end_of(self, key: bytes) -> None:
        """End the requests of a key whose shares are given up; the caller holds a transaction."""
        for entry in self.records.requests_in(*REQUEST_OPEN):
            if entry.request.key == key:
                note = "its key is in other hands: propose it again"
                self.desk.audit.append("request expired", f"{entry.request.short_id}: {note}")
                self.move(entry.request.digest(), RequestEvent.EXPIRED, note)

    def _answer(self, request: Request, word: Word, reason: str) -> SignedAnswer:
        return sign_answer(
            self.desk.home.identity,
            Answer(
                request.digest(),
                self.desk.home.name,
                word,
                reason,
                utc_text(self.desk.now()),
                request.expires,
            ),
        )

    def take(self, asked: Asked) -> None:
        """Keep a request if it is one this node's staff could answer, and the answers to it."""
        request = asked.request
        digest = request.digest()
        with self.desk.store.transaction():
            if not self.records.has_request(digest):
                self._check_new(asked)
                self.records.add_request(request, asked.document, asked.signature)
                witnessed = self.records.key_of(request.key).plan.witnesses is not wire.ABSENT
                self.desk.audit.append(*noted_as(request, whole=witnessed))
            self.take_answers(digest, asked.answers)

    def _check_new(self, asked: Asked) -> None:
        request, group = asked.request, self.desk.group
        check_request(request, asked.document)
        key = self.records.key_of(request.key)
        if key.plan.purpose not in KEYS_FOR[request.type]:
            raise Refused(f"key {key.plan.name} is not for this", hint="quorate key list")
        state = self.records.key(key.plan.digest()).state
        if state is not KeyState.READY:
            after(KEYS, f"key {key.plan.name}", state, KeyEvent.HANDED_OVER)
        requester = group.members[group.party(request.requester)]
        verify_requester(request, requester.public_key, asked.signature)
        self._check_document(key, asked)
        now = self.desk.now()
        if is_over(request.expires, now):
            raise Refused(f"request {request.short_id} is over since {request.expires}")
        if datetime.fromisoformat(request.created) > now + timedelta(seconds=CLOCK_S):
            raise Refused("the request comes from the future", hint="set the clocks")
        waiting = [e.request.requester for e in self.records.requests_in(*REQUEST_OPEN)]
        if waiting.count(request.requester) >= MAX_OPEN:
            raise Refused(f"{MAX_OPEN} requests of {request.requester} wait for answers already")

    def _check_document(self, key: Key, asked: Asked) -> None:
        """Raise an `Error` where no person could be shown what the request is about."""
        if asked.request.type in SIGNED:
            words_for(asked.request, text_of(asked.document), key)
        else:
            (requester,) = holders_of(self.desk.group, [asked.request.requester])
            self.on_use(check_use(key, asked.request, asked.document, requester))

    def _move_on(self, digest: bytes, key: Key) -> None:
        """Move a request on where its answers decide it."""
        entry = self.records.request(digest)
        if is_over(entry.request.expires, self.desk.now()):
            return
        if entry.state is RequestState.APPROVED:
            self.on_quorum(digest)  # one more: another holder may help
        if entry.state is not RequestState.OPEN:
            return
        words = {s.answer.member: s.answer.word for s in self.records.answers(digest)}
        purpose = entry.request.type
        if key.plan.suffice([name for name in words if words[name] == "approve"], purpose):
            self.move(digest, RequestEvent.QUORUM)
            self.on_quorum(digest)
        elif not key.plan.suffice(
            [name for name in key.plan.names if words.get(name) != "decline"], purpose
        ):
            self.move(digest, RequestEvent.NO_QUORUM, "too many holders declined")

    def asked(self, entry: RequestEntry) -> Asked:
        """Return a request as it is told, with all answers that are known here."""
        answers = self.records.answers(entry.request.digest())
        return Asked(entry.request, entry.document, entry.signature, answers)

    async def _tell(self, request: Request) -> tuple[RequestEntry, tuple[str, ...]]:
        digest = request.digest()
        untold = await self.desk.tell_all(
            "request", self.asked(self.records.request(digest)), PATIENCE_S
        )
        return self.records.request(digest), untold
