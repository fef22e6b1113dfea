"""The desk: studies proposed, approved and declined on this node and on the others'.

A member's word on a plan is signed with its identity key over the plan's
digest; words are passed on by whoever has them, and each node verifies each
itself. Proposing is approving for one's own member. A node that was away
hears what it missed when its link comes up again (`catch_up`).
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from quorate import wire
from quorate.errors import Abort, DataError, Party, Refused
from quorate.node.audit import AuditLog
from quorate.node.budgets.budgets import Budgets
from quorate.node.home import Home
from quorate.node.lifecycle import OPEN, Event, State, after
from quorate.node.messages import Ack, Proposal
from quorate.node.policy import Policy, read_policy
from quorate.node.store import Entry, Store
from quorate.studies.approval import (
    Approval,
    SignedApproval,
    Word,
    is_over,
    sign_approval,
    valid_approvals,
    verify_approval,
)
from quorate.studies.group import Group
from quorate.studies.noised import make_tables
from quorate.studies.plan import Plan, check, compile_plan, utc_text
from quorate.studies.private_rows import noiseless, perturbed
from quorate.studies.records import is_on_records
from quorate.studies.sources import Source, aggregate, count_rows, open_source, snapshot
from quorate.studies.study import read_study
from quorate.transport.peers import Peers

MAX_OPEN = 1000
"""Studies waiting for approval on one node; more proposals are refused."""

_AGAINST = {"decline": (Event.DECLINED, "declined"), "revoke": (Event.REVOKED, "revoked")}

log = structlog.get_logger()


@dataclass(slots=True)
class Desk:
    """Everything about studies on this node but the running of them."""

    home: Home
    group: Group
    store: Store
    audit: AuditLog
    now: Callable[[], datetime]
    peers: Peers = field(init=False)

    @property
    def me(self) -> Party:
        """This member's seat."""
        return self.group.party(self.home.name)

    @property
    def budgets(self) -> Budgets:
        """What may be released from this member's data under privacy."""
        return Budgets(self.store, self.audit, self.now)

    @property
    def policy(self) -> Policy:
        """This member's rules, as they are now."""
        return read_policy(self.home.folder)

    # What this node's staff does

    async def propose(self, text: str, accept: Iterable[str]) -> tuple[Entry, tuple[str, ...]]:
        """Compile a study, approve it for this member, tell the others.

        Returns the study and the names of members that could not be told yet.
        """
        plan = compile_plan(
            read_study(text), self.group, proposer=self.home.name, now=self.now(), accept=accept
        )
        seen = await self._check_own(plan)
        proposal = Proposal(plan, (self._sign(plan, "approve"),))
        if not self._take_proposal(proposal):
            raise Refused("the very same study was proposed a moment ago", hint="try again")
        self.store.set_snapshot(plan.digest(), seen)
        untold = await self.tell_all("proposal", proposal)
        return self.store.study(plan.digest()), untold

    async def approve(self, digest: bytes) -> tuple[Entry, tuple[str, ...]]:
        """Check this member's rules and rows against the plan, sign it, tell the others."""
        entry = self.store.study(digest)
        if entry.state is not State.PROPOSED:
            after(entry.state, Event.ALL_APPROVED)
        check(entry.plan, self.group)
        self.store.set_snapshot(digest, await self._check_own(entry.plan))
        return await self._say(entry.plan, "approve")

    async def decline(self, digest: bytes) -> tuple[Entry, tuple[str, ...]]:
        """Refuse a plan for good, and tell the others."""
        entry = self.store.study(digest)
        after(entry.state, Event.DECLINED)
        return await self._say(entry.plan, "decline")

    async def revoke(self, digest: bytes) -> tuple[Entry, tuple[str, ...]]:
        """Take this member's approval back, as long as no run is under way or done."""
        entry = self.store.study(digest)
        if self.home.name not in self.approved_by(entry.plan):
            raise Refused(
                f"{self.home.name} has not approved study {entry.plan.short_id}",
                hint=f"refuse it with: quorate study decline {entry.plan.short_id}",
            )
        after(entry.state, Event.REVOKED)
        return await self._say(entry.plan, "revoke")

    async def own_part(self, plan: Plan) -> tuple[int, ...]:
        """Compute this member's own aggregates, away from the event loop; every row is checked.

        Raises `Refused` where this member's policy does not allow it.
        """
        policy, source = self.policy, self._source(plan)
        policy.check(plan)
        if is_on_records(plan.study):
            return await asyncio.to_thread(perturbed, source, plan, os.urandom)
        if plan.study.privacy is not None:  # then no row is a reason to refuse
            await asyncio.to_thread(make_tables, plan.study, len(plan.members))
            return await asyncio.to_thread(noiseless, source, plan)
        own = await asyncio.to_thread(aggregate, source, plan)
        if policy.min_rows > 1:  # no rows at all are refused with the rows
            policy.check_rows(await asyncio.to_thread(count_rows, source))
        return own

    async def data_changed(self, plan: Plan) -> bool:
        """Return whether this member's file is another than when it approved."""
        now = await asyncio.to_thread(snapshot, self._source(plan))
        return self.store.snapshot(plan.digest()) not in (None, now)

    async def _check_own(self, plan: Plan) -> bytes:
        """Check rules, budget and rows; return what the file was at that moment."""
        if plan.study.privacy is not None:
            self.budgets.check(plan)
        before = await asyncio.to_thread(snapshot, self._source(plan))
        await self.own_part(plan)
        return before

    def _source(self, plan: Plan) -> Source:
        path = self.home.tables.get(plan.study.table.name)
        if path is None:
            raise DataError(
                f"this node has no table {plan.study.table.name}",
                hint=f"register it with: quorate data add {plan.study.table.name} FILE",
            )
        return open_source(path)

    # What other nodes say

    async def on_proposal(self, party: Party, body: bytes) -> bytes:
        """Take in another member's plan, if it is one this node could run."""
        proposal = wire.decode(body, Proposal)
        check(proposal.plan, self.group)
        words = (signed.approval for signed in proposal.approvals)
        spoken_for = {approval.member for approval in words if approval.word == "approve"}
        if proposal.plan.proposer not in spoken_for:
            raise Refused("the plan is not signed by its proposer")
        self._take_proposal(proposal)
        log.info("proposal", study=proposal.plan.short_id, via=self.group.names[party])
        return wire.encode(Ack())

    async def on_approval(self, party: Party, body: bytes) -> bytes:
        """Take in a member's word on a plan."""
        self.take_approval(wire.decode(body, SignedApproval))
        log.info("approval", via=self.group.names[party])
        return wire.encode(Ack())

    def take_approval(self, signed: SignedApproval) -> None:
        """Verify one member's word and record it. Raises `VerificationFailed`, `NotFound`."""
        verify_approval(self.group, signed)
        approval = signed.approval
        entry = self.store.study(approval.plan)
        who = f"{entry.plan.short_id} by {approval.member}"
        with self.store.transaction():
            if approval.word == "approve":
                if self.store.add_approval(signed):
                    self.audit.append("approved", who)
                    self._move_on_if_all_approved(entry)
            elif entry.state in OPEN:
                event, said = _AGAINST[approval.word]
                self.audit.append(said, who)
                self.move(entry.plan, event, f"{said} by {approval.member}")

    def expire(self) -> None:
        """End the studies of which an approval is over."""
        for entry in self.store.all_studies():
            if entry.state not in OPEN:
                continue
            words = self.store.approvals(entry.plan.digest())
            over = [w.approval.member for w in words if is_over(w, self.now())]
            if over:
                note = f"the approval of {', '.join(over)} is over"
                with self.store.transaction():
                    self.audit.append("expired", f"{entry.plan.short_id}: {note}")
                    self.move(entry.plan, Event.EXPIRED, note)

    def end_of_other_rosters(self) -> None:
        """End the studies that wait, and were planned for a roster that is no more."""
        for entry in self.store.all_studies():
            if entry.state in OPEN and entry.plan.group != self.group.digest():
                note = f"the roster is another since epoch {self.group.epoch}"
                with self.store.transaction():
                    self.audit.append("expired", f"{entry.plan.short_id}: {note}")
                    self.move(entry.plan, Event.EXPIRED, note)

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected what it may have missed."""
        try:
            for entry in self.store.all_studies():
                if entry.state in OPEN:
                    known = self.store.approvals(entry.plan.digest())
                    await self.tell(party, "proposal", Proposal(entry.plan, known))
        except (Abort, Refused) as e:
            log.info("catching up failed", member=self.group.names[party], why=str(e))

    # Shared

    def move(self, plan: Plan, event: Event, note: str = "") -> None:
        """Move a study on in its life."""
        entry = self.store.study(plan.digest())
        self.store.set_state(plan.digest(), after(entry.state, event), note)

    def approved_by(self, plan: Plan) -> tuple[str, ...]:
        """Return who has approved, verified anew, in the order of seats."""
        found = valid_approvals(self.group, plan, self.store.approvals(plan.digest()))
        return tuple(name for name in self.group.names if name in found)

    def _sign(self, plan: Plan, word: Word) -> SignedApproval:
        now = self.now()
        until = now + timedelta(days=self.policy.approval_days)
        approval = Approval(plan.digest(), self.home.name, word, utc_text(now), utc_text(until))
        return sign_approval(self.home.identity, approval)

    async def _say(self, plan: Plan, word: Word) -> tuple[Entry, tuple[str, ...]]:
        signed = self._sign(plan, word)
        self.take_approval(signed)
        untold = await self.tell_all("approval", signed)
        return self.store.study(plan.digest()), untold

    def _take_proposal(self, proposal: Proposal) -> bool:
        """Keep a checked plan and the words on it; return whether the plan is new here."""
        plan = proposal.plan
        with self.store.transaction():
            waiting = sum(e.state is State.PROPOSED for e in self.store.all_studies())
            if waiting >= MAX_OPEN:
                raise Refused(f"{MAX_OPEN} studies wait for approval already")
            new = self.store.add_study(plan)
            if new:
                self.audit.append("proposed", f"{plan.short_id} by {plan.proposer}")
            for signed in proposal.approvals:
                if signed.approval.plan != plan.digest():
                    raise Refused("an approval in the proposal is for another plan")
                self.take_approval(signed)
        return new

    def _move_on_if_all_approved(self, entry: Entry) -> None:
        everybody = self.approved_by(entry.plan) == self.group.names
        if everybody and entry.state is State.PROPOSED:
            self.move(entry.plan, Event.ALL_APPROVED)

    async def tell_all(self, topic: str, message: object) -> tuple[str, ...]:
        """Tell every other member; return the names of those that could not be told."""
        others = [party for party in range(len(self.group.members)) if party != self.me]

        async def told(party: Party) -> bool:
            try:
                await self.tell(party, topic, message)
            except (Abort, Refused) as e:
                log.warning("not told", member=self.group.names[party], topic=topic, why=str(e))
                return False
            return True

        results = await asyncio.gather(*map(told, others))
        return tuple(self.group.names[p] for p, ok in zip(others, results, strict=True) if not ok)

    async def tell(self, party: Party, topic: str, message: object) -> None:
        """Tell one member. Raises `Abort` if it is away, `Refused` if it does not take it."""
        if not self.peers.peers[party].ready.is_set():
            raise Abort(f"{self.group.names[party]} is not connected", suspects=[party])
        await self.peers.ask(party, topic, message, Ack, timeout_s=self.home.timeout_s)
