"""The roster on one node: what waits to be voted on, and the epochs that followed.

Every node verifies every change and every vote itself, and decides by itself
when a change holds; what it has seen it tells whoever connects. A node that was
away hears the epochs it missed from any member it still knows.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Abort, Error, NotFound, Party, Refused
from quorate.node.desk import Desk
from quorate.node.members.messages import Known, Proposed, Told
from quorate.node.members.records import RosterRecords, Waiting
from quorate.node.messages import Ack
from quorate.node.runs import CLOCK_S
from quorate.quorum.history import History
from quorate.quorum.invitation import Application
from quorate.quorum.request import NONCE_BYTES, is_over
from quorate.quorum.roster import (
    FORMAT,
    Change,
    Decided,
    Kind,
    SignedVote,
    Vote,
    Word,
    consent_input,
    convicted,
    decide,
    is_blocked,
    sign_change,
    sign_vote,
    verify_change,
    verify_vote,
)
from quorate.studies.group import Member
from quorate.studies.times import utc_text
from quorate.transport.peers import ROSTER
from quorate.wire import ABSENT

LASTS = timedelta(days=14)
"""How long members may take to vote on a change."""

MAX_WAITING = 20
"""Changes of one proposer that wait on one node; more are refused."""

SETTLE_S = 0.2
"""For how long links stay after a change, so that answers under way get out."""

log = structlog.get_logger()


@dataclass(slots=True)
class Members:
    """The group's roster as this node has it."""

    desk: Desk
    records: RosterRecords
    history: History
    tasks: asyncio.TaskGroup
    on_epoch: Callable[[], None] = lambda: None
    """Called when another roster holds: the node is to begin anew with it."""

    # What this node's staff does

    async def remove(
        self, name: str, reason: str, *, for_cause: bool
    ) -> tuple[Change, tuple[str, ...]]:
        """Propose that a member, this one or another, is no longer one."""
        group = self.desk.group
        change = self._change("remove", group.members[group.party(name)], reason, for_cause)
        return await self.propose(change)

    async def rotate(
        self, member: Member, identity: Ed25519PrivateKey, reason: str
    ) -> tuple[Change, tuple[str, ...]]:
        """Propose that this member is listed otherwise; `identity` is its key from then on."""
        consent = identity.sign(consent_input(self.desk.group.digest(), member))
        return await self.propose(self._change("rotate", member, reason, consent=consent))

    async def rotate_key(self, reason: str) -> tuple[Change, tuple[str, ...]]:
        """Propose that this member has a new identity key, of which it makes itself the first."""
        identity, group = self.desk.home.next_identity(), self.desk.group
        public_key = identity.public_key().public_bytes_raw()
        listed = replace(group.members[self.desk.me], public_key=public_key)
        return await self.rotate(listed, identity, reason)

    async def admit(self, application: Application) -> tuple[Change, tuple[str, ...]]:
        """Propose that who applied becomes a member."""
        inviter = application.invited.invitation.inviter
        reason = f"invited by {inviter}"
        return await self.propose(
            self._change("join", application.member, reason, application=application)
        )

    async def propose(self, change: Change) -> tuple[Change, tuple[str, ...]]:
        """Propose a change and approve it; return it and who could not be told yet."""
        waiting = Waiting(change, sign_change(self.desk.home.identity, change))
        freed_by = self._free(change)
        with self.desk.store.transaction():
            self._take(waiting)
            self._keep_vote(self._signed(change, "approve", change.reason, freed_by))
        return change, await self._tell_and_decide(waiting)

    async def vote(self, prefix: str, word: Word, reason: str) -> tuple[Change, tuple[str, ...]]:
        """Approve or decline a change; return it and who could not be told yet."""
        waiting = self.records.find(self.desk.group.digest(), prefix)
        change, me = waiting.change, self.desk.home.name
        if any(v.vote.member == me for v in self.records.votes_on(change.digest())):
            raise Refused(f"{me} has voted on {change.short_id} already", hint="a vote is final")
        if word == "approve" and is_over(change.expires, self.desk.now()):
            raise Refused(
                f"change {change.short_id} is over since {change.expires}",
                hint="propose it anew",
            )
        freed_by = self._free(change) if word == "approve" else ()
        self._keep_vote(self._signed(change, word, reason, freed_by))
        return change, await self._tell_and_decide(waiting)

    def waiting(self) -> tuple[Waiting, ...]:
        """Return the changes of the roster as it is now, oldest first."""
        return self.records.changes_of(self.desk.group.digest())

    # What other nodes say

    async def on_change(self, _: Party, body: bytes) -> bytes:
        """Take in a change and votes on it, whoever passes them on."""
        told = wire.decode(body, Proposed)
        waiting = Waiting(told.change, told.signature)
        if told.change in self.history.changes():
            return wire.encode(Ack())
        with self.desk.store.transaction():
            self._take(waiting)
            for signed in told.votes:
                self._take_vote(told.change, signed)
        self._decide(waiting)
        return wire.encode(Ack())

    async def on_roster(self, _: Party, body: bytes) -> bytes:
        """Tell what followed the roster a member has, or all, if it was never this group's."""
        known, first = wire.decode(body, Known), self.history.first.digest()
        try:
            steps = self.history.since(known.roster)
        except NotFound:
            steps = self.history.steps
        return wire.encode(Told(first, steps))

    def meet(self, party: Party) -> None:
        """Ask a member that has another roster what led to it."""
        self.tasks.create_task(self._learn(party))

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected what waits for votes."""
        try:
            for waiting in self.waiting():
                await self.desk.tell(party, "change", self._proposed(waiting))
        except (Abort, Refused) as e:
            log.info("catching up failed", member=self.desk.group.names[party], why=str(e))

    async def _learn(self, party: Party) -> None:
        name, timeout_s = self.desk.group.names[party], self.desk.home.timeout_s
        known = Known(self.desk.group.digest())
        try:
            told = await self.desk.peers.ask(party, ROSTER, known, Told, timeout_s=timeout_s)
            self.take_steps(told)
        except Error as e:
            self.desk.peers.peers[party].trouble = f"it has another roster: {e}"
            log.warning("another roster", member=name, why=str(e))

    def take_steps(self, told: Told) -> None:
        """Take over changes that hold elsewhere. Raises `Abort` naming who split the roster."""
        if told.first != self.history.first.digest():
            raise Refused("it is in another group that has the same members")
        for step in told.steps:
            if step.change in self.history.changes():
                continue
            try:
                self._extend(step)
            except Abort as e:
                self.desk.audit.append("cheating proven", f"roster: {e}")
                raise

    # Shared

    def _take(self, waiting: Waiting) -> None:
        """Keep a change if it is one that members could vote on."""
        change, now = waiting.change, self.desk.now()
        digests = {known.change.digest() for known in self.waiting()}
        if change.digest() in digests:
            return
        verify_change(self.desk.group, self.history.first.digest(), change, waiting.signature)
        self.history.check_unused(change)
        if datetime.fromisoformat(change.created) > now + timedelta(seconds=CLOCK_S):
            raise Refused("the change comes from the future", hint="set the clocks")
        if sum(w.change.proposer == change.proposer for w in self.waiting()) >= MAX_WAITING:
            raise Refused(f"{MAX_WAITING} changes of {change.proposer} wait already")
        self.records.add_change(waiting)
        what = f"{change.short_id}: {change.kind} {change.member.name}, by {change.proposer}"
        self.desk.audit.append("roster change proposed", what)

    def _take_vote(self, change: Change, signed: SignedVote) -> None:
        """Keep another's vote; note for all to see who voted in two ways."""
        verify_vote(self.desk.group, signed)
        if signed.vote.change != change.digest():
            raise Refused("a vote is on another change")
        known = [v for w in self.waiting() for v in self.records.votes_on(w.change.digest())]
        theirs = [v for v in known if v.vote.member == signed.vote.member]
        if convicted(self.desk.group, [*theirs, signed]):
            what = f"{signed.vote.member} voted in two ways on epoch {self.desk.group.epoch}"
            self.desk.audit.append("cheating proven", f"roster: {what}")
            log.warning("cheating proven", member=signed.vote.member, what=what)
            return
        self._keep_vote(signed)

    def _keep_vote(self, signed: SignedVote) -> None:
        if self.records.add_vote(signed):
            vote = signed.vote
            said = "approved" if vote.word == "approve" else "declined"
            who = f"{vote.change.hex()[:8]} by {vote.member}: {vote.reason}"
            self.desk.audit.append(f"roster change {said}", who)

    def _free(self, change: Change) -> tuple[SignedVote, ...]:
        """Decline what stands beside `change`; return what shows that nothing approved may hold.

        Raises `Refused` where this member approved another change that still may.
        """
        freed_by: list[SignedVote] = []
        for other in self.waiting():
            if other.change == change:
                continue
            digest = other.change.digest()
            cast = self.records.votes_on(digest)
            own = next((v for v in cast if v.vote.member == self.desk.home.name), None)
            if own is None:
                reason = f"for change {change.short_id}"
                self._keep_vote(self._signed(other.change, "decline", reason, ()))
                self.tasks.create_task(self._tell(other))
            elif own.vote.word == "approve":
                if not is_blocked(self.desk.group, digest, cast):
                    raise Refused(
                        f"{self.desk.home.name} approved {other.change.short_id}, "
                        "which is not decided yet",
                        hint="one change at a time: wait for the others' votes on it",
                    )
                freed_by += [v for v in cast if v.vote.word == "decline"]
        return tuple(freed_by)

    def _decide(self, waiting: Waiting) -> None:
        cast = self.records.votes_on(waiting.change.digest())
        decided = decide(self.desk.group, waiting.change, waiting.signature, cast)
        if decided is not None and waiting.change not in self.history.changes():
            self._extend(decided)

    def _extend(self, decided: Decided) -> None:
        """Let a change hold, and have the node begin anew with the roster it makes."""
        self.history = self.history.extended(decided)
        change, epoch = decided.change, self.history.now.epoch
        with self.desk.store.transaction():
            self.records.keep_history(self.history)
            approved = ", ".join(v.vote.member for v in decided.approvals)
            what = f"epoch {epoch}: {change.kind} {change.member.name}, approved by {approved}"
            self.desk.audit.append("roster changed", what)
        log.info("roster changed", epoch=epoch, kind=change.kind, member=change.member.name)
        asyncio.get_running_loop().call_later(SETTLE_S, self.on_epoch)

    async def _tell_and_decide(self, waiting: Waiting) -> tuple[str, ...]:
        """Tell all members, then look whether the change holds: then links go down."""
        untold = await self.desk.tell_all("change", self._proposed(waiting))
        self._decide(waiting)
        return untold

    async def _tell(self, waiting: Waiting) -> None:
        await self.desk.tell_all("change", self._proposed(waiting))

    def _proposed(self, waiting: Waiting) -> Proposed:
        cast = self.records.votes_on(waiting.change.digest())
        return Proposed(waiting.change, waiting.signature, cast)

    def _signed(
        self, change: Change, word: Word, reason: str, freed_by: tuple[SignedVote, ...]
    ) -> SignedVote:
        now, me = utc_text(self.desk.now()), self.desk.home.name
        vote = Vote(change.digest(), change.roster, me, word, reason, now)
        return sign_vote(self.desk.home.identity, vote, freed_by)

    def _change(
        self,
        kind: Kind,
        member: Member,
        reason: str,
        for_cause: bool = False,
        *,
        application: Application | None = None,
        consent: bytes | None = None,
    ) -> Change:
        now = self.desk.now()
        return Change(
            FORMAT,
            kind,
            self.desk.group.digest(),
            member,
            for_cause,
            reason,
            self.desk.home.name,
            utc_text(now),
            utc_text(now + LASTS),
            os.urandom(NONCE_BYTES),
            ABSENT if application is None else application,
            ABSENT if consent is None else consent,
        )
