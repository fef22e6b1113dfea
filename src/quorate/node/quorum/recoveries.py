"""A whole key for one member: asked for by its staff, told to all, put together here alone.

The shares that holders hand over are kept as they came, sealed to the request's reply key;
the key itself is kept nowhere. While the request counts, its node puts it together anew for
its own staff; when that is over, the reply key is thrown away, and with it the way to the shares.
"""

import contextlib
from dataclasses import dataclass
from datetime import timedelta

import structlog

from quorate import wire
from quorate.errors import NotFound, Party, Refused, VerificationFailed
from quorate.node.desk import Desk
from quorate.node.messages import Ack
from quorate.node.quorum.messages import Asked
from quorate.node.quorum.records import Records, RequestEntry
from quorate.node.quorum.replies import Replies
from quorate.node.quorum.requests import Requests
from quorate.node.quorum.unlocker import Unlocker
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.countersign import answers_of
from quorate.quorum.key import Key
from quorate.quorum.key_plan import holders_of
from quorate.quorum.lifecycle import REQUEST_OPEN, RequestEvent, RequestState
from quorate.quorum.recovery import (
    Recovered,
    Recovery,
    WrongShare,
    sign_recovered,
    verify_recovered,
)
from quorate.quorum.request import is_over
from quorate.quorum.unlock import identities, identity_of
from quorate.threshold import recovery
from quorate.threshold.answers import Whole
from quorate.threshold.keys import seat
from quorate.threshold.recovery import Recovering, read_share, verify_proof

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recoveries:
    """The requests for whole keys of one node, and what came of them."""

    desk: Desk
    records: Records
    requests: Requests
    unlocker: Unlocker
    replies: Replies
    topic: str = "recovered"

    # What this node's staff does

    async def ask(
        self, key: Key, reason: str, lasts: timedelta
    ) -> tuple[RequestEntry, tuple[str, ...]]:
        """Ask the key's holders for the whole key; approve it if this member is one.

        What was asked for before and is not over is not asked for again. Returns
        the request and the names of members that could not be told yet.
        """
        before = self._asked_before(key)
        if before is not None:
            return before, ()
        whole = Whole(key.key_id())
        document = Recovering(whole, self.replies.offer(self.desk.me, whole))
        (me,) = holders_of(self.desk.group, [self.desk.home.name])
        recovery.check_document(key.public, document, identity_of(me))
        return await self.requests.propose("recover", key, wire.encode(document), reason, lasts)

    def line(self, entry: RequestEntry) -> str:
        """Return the recovered key as the line of an age identity, until the request is over."""
        request = entry.request
        if entry.state is not RequestState.RECOVERED:
            raise NotFound(
                f"request {request.short_id} is {entry.state.value}",
                hint=f"quorate unlock show {request.short_id}",
            )
        if request.requester != self.desk.home.name:
            raise Refused(f"only {request.requester} has what request {request.short_id} recovered")
        line = self._recovered(self._checked(entry)).line
        self.desk.audit.append("key given out", f"{request.short_id} to this node's staff")
        return line

    def who_has(self, key: Key) -> tuple[str, ...]:
        """Return which members were given this key whole, as far as it is known here."""
        found = (e.request for e in self.records.requests_in(RequestState.RECOVERED))
        same = {k.key_id() for k in self.records.made() if k.public.group == key.public.group}
        return tuple(dict.fromkeys(r.requester for r in found if r.key in same))

    # What other nodes say

    async def on_recovered(self, party: Party, body: bytes) -> bytes:
        """Take in that a key was recovered, whoever passes it on."""
        recovered = wire.decode(body, Recovered)
        self.take(recovered)
        log.info("recovered", id=recovered.request.short_id, via=self.desk.group.names[party])
        return wire.encode(Ack())

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected which keys were recovered of late."""
        await self.requests.tell_lately(party, RequestState.RECOVERED, self.topic, Recovered)

    # What `gathering` needs

    def gatherer(self, entry: RequestEntry) -> str:
        return entry.request.requester

    def must_approve(self, entry: RequestEntry) -> str:  # noqa: ARG002 - nobody in particular
        return ""

    def finish(self, entry: RequestEntry, approved: tuple[SignedAnswer, ...]) -> Recovered:
        """Look that the shares here suffice. Raises `Abort` where too few are right."""
        checked = self._checked(entry)
        self._recovered(checked)
        proofs, request = self._proofs(checked), entry.request
        signature = sign_recovered(self.desk.home.identity, request, proofs)
        answers = answers_of(checked.key, approved)
        recovered = Recovered(request, entry.document, entry.signature, answers, proofs, signature)
        self.take(recovered)
        return recovered

    # Shared

    def take(self, recovered: Recovered) -> None:
        """Keep that a key was recovered, if it verifies and is the first word of it."""
        request = recovered.request
        key = self.records.key_of(request.key)
        (requester,) = holders_of(self.desk.group, [request.requester])
        verify_recovered(key, recovered, requester)
        with self.desk.store.transaction():
            told = Asked(request, recovered.document, recovered.requested, recovered.answers)
            if not self.requests.finish(told, recovered, RequestEvent.RECOVERED):
                return
            said = f"{request.short_id}: {request.requester} has the whole key {key.plan.name}"
            self.desk.audit.append("key recovered", said)
            cheats = (proof.identifier for proof in recovered.proofs)
            self.requests.convict(request, key, cheats, "a wrong share")

    def _recovered(self, checked: Recovery) -> recovery.Recovered:
        digest, key = checked.request.digest(), checked.key
        secret, parts = self.replies.secret(checked.request), self.records.parts(digest)
        return recovery.recover(
            key.public, checked.recovering, digest, secret, parts, identities(key)
        )

    def _proofs(self, checked: Recovery) -> tuple[WrongShare, ...]:
        """Return what proves that holders cheated, of all that answered: each is read again."""
        secret, them = self.replies.secret(checked.request), identities(checked.key)
        proofs: list[WrongShare] = []
        for part in self.records.parts(checked.request.digest()):
            holder = them[seat(part.identifier)]
            with contextlib.suppress(VerificationFailed):  # it is right, or anybody's
                handed = read_share(secret, checked.asked, part, holder)
                by = (part.identifier, holder)
                verify_proof(checked.key.public, checked.asked, handed, by)
                proofs.append(WrongShare(part.identifier, handed))
        return tuple(proofs)

    def _checked(self, entry: RequestEntry) -> Recovery:
        checked = self.unlocker.checked(entry)
        if not isinstance(checked, Recovery):
            raise Refused("that is not a request for a whole key")
        return checked

    def _asked_before(self, key: Key) -> RequestEntry | None:
        """Return this member's own request for this key, if it is still of use."""
        for entry in self.records.requests_in(*REQUEST_OPEN, RequestState.RECOVERED):
            request, me = entry.request, self.desk.home.name
            own = request.requester == me and request.key == key.key_id()
            ours = own and request.type == "recover"
            if ours and not is_over(request.expires, self.desk.now()):
                return entry
        return None
