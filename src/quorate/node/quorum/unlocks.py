"""Unlocking on one node: asked for by its staff, told to all, read by the requester only."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from quorate import wire
from quorate.errors import Abort, NotFound, Party, Refused, Unavailable, VerificationFailed
from quorate.node.desk import Desk
from quorate.node.messages import Ack
from quorate.node.quorum.errands import is_there
from quorate.node.quorum.messages import Asked
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.replies import Replies
from quorate.node.quorum.requests import Requests
from quorate.quorum.key import Key
from quorate.quorum.key_plan import holders_of
from quorate.quorum.lifecycle import RequestEvent, RequestState
from quorate.quorum.request import Request, is_over
from quorate.quorum.unlock import Opened, verify_opened
from quorate.threshold.answers import ReplyKey, Sought
from quorate.threshold.partial import check_purpose
from quorate.threshold.unlocking import Unlocking, take_over

ASKED = (RequestState.OPEN, RequestState.APPROVED, RequestState.UNLOCKED)

log = structlog.get_logger()


@dataclass(slots=True)
class Unlocks:
    """The requests to unlock of one node, and what came of them."""

    desk: Desk
    records: Records
    requests: Requests
    replies: Replies

    # What this node's staff does

    async def ask(
        self, sought: Sought, key: Key, reason: str, lasts: timedelta, opener: str = ""
    ) -> tuple[RequestEntry, tuple[str, ...]]:
        """Ask the key's holders to unlock something for this member; approve it if it is one.

        What was asked for before and is not over is not asked for again. Returns
        the request and the names of members that could not be told yet.
        """
        check_purpose(key.public, "plain" if sought.mode == "plain" else "unlock")
        before = self.asked_before(sought)
        if before is not None:
            return before, ()
        opening = await self._opener(sought, key, opener) if sought.mode == "plain" else None
        reply = self.replies.offer(self.desk.me, sought)
        document = wire.encode(Unlocking(sought, reply, opening))
        return await self.requests.propose("unlock", key, document, reason, lasts)

    def asked_before(self, sought: Sought) -> RequestEntry | None:
        """Return this member's own request for the very same, if it is still of use."""
        for entry in self.records.requests_in(*ASKED):
            request = entry.request
            own = request.type == "unlock" and request.requester == self.desk.home.name
            if not own or self._is_over(request):
                continue
            if document_of(entry).sought == sought:
                return entry
        return None

    def file_key(self, entry: RequestEntry) -> bytes:
        """Return the file key that a request of this member opened, until the request is over."""
        request = entry.request
        if request.type != "unlock":
            raise Refused(f"request {request.short_id} opens no file", hint="quorate unlock list")
        if entry.result is None:
            why = f": {entry.note}" if entry.note else ""
            raise NotFound(
                f"request {request.short_id} is {entry.state.value}{why}",
                hint=f"quorate unlock show {request.short_id}",
            )
        if request.requester != self.desk.home.name:
            raise Refused(f"only {request.requester} reads what request {request.short_id} opened")
        return self._taken_over(wire.decode(entry.result, Opened))

    # What other nodes say

    async def on_opened(self, party: Party, body: bytes) -> bytes:
        """Take in that a request was unlocked, whoever passes it on."""
        opened = wire.decode(body, Opened)
        self.take(opened)
        log.info("unlocked", id=opened.request.short_id, via=self.desk.group.names[party])
        return wire.encode(Ack())

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected what was unlocked of late."""
        await self.requests.tell_lately(party, RequestState.UNLOCKED, "opened", Opened)

    # Shared

    def take(self, opened: Opened) -> None:
        """Keep that a request was unlocked, if it verifies and is the first word of it."""
        request = opened.request
        key = self.records.key_of(request.key)
        (requester,) = holders_of(self.desk.group, [request.requester])
        checked = verify_opened(key, opened, requester)
        mine = request.requester == self.desk.home.name
        if mine and self.replies.custody.state == "open" and not self._is_over(request):
            self._taken_over(opened)
        with self.desk.store.transaction():
            told = Asked(request, opened.document, opened.requested, opened.answers)
            if not self.requests.finish(told, opened, RequestEvent.UNLOCKED):
                return
            said = f"{request.short_id} for {request.requester}: {checked.unlocking.sought.record}"
            self.desk.audit.append("record unlocked", said)
            cheats = (proof.identifier for proof in opened.proofs)
            self.requests.convict(request, key, cheats, "wrong partial decryptions")

    def _taken_over(self, opened: Opened) -> bytes:
        document = wire.decode(opened.document, Unlocking)
        secret = self.replies.secret(opened.request)
        try:
            return take_over(secret, document.asked(opened.request.digest()), opened.box)
        except VerificationFailed as e:
            said = f"what {document.answers_to.member} passed on does not open: {e}"
            digest = opened.request.digest()
            self.records.set_request_state(digest, self.records.request(digest).state, said)
            raise VerificationFailed(said, hint="ask again, with another opener") from None

    def _is_over(self, request: Request) -> bool:
        return is_over(request.expires, self.desk.now())

    async def _opener(self, sought: Sought, key: Key, wanted: str) -> ReplyKey:
        """Return the key of a holder that will be the opener. Raises `Unavailable`."""
        others = [name for name in key.plan.names if name != self.desk.home.name]
        if wanted:
            key.plan.identifier(wanted)
            others = [wanted]
        why: list[str] = []
        for name in others:
            if not is_there(self.desk, name):
                why.append(f"{name} is not connected")
                continue
            try:
                return await self.desk.peers.ask(
                    self.desk.group.party(name),
                    "opener",
                    sought,
                    ReplyKey,
                    timeout_s=self.desk.home.timeout_s,
                )
            except (Abort, Refused) as e:
                why.append(str(e))
        raise Unavailable(
            f"no holder can open this now: {'; '.join(why)}",
            hint="ask again when one of them is there",
        )


def document_of(entry: RequestEntry) -> Unlocking:
    """Return the document of a request to unlock."""
    return wire.decode(entry.document, Unlocking)
