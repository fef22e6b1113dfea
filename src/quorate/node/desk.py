"""The desk: studies proposed, approved and declined on this node and on the others'.

A member's word on a plan is signed with its identity key over the plan's
digest; words are passed on by whoever has them, and each node verifies each
itself. Proposing is approving for one's own member. A node that was away
hears what it missed when its link comes up again (`catch_up`).
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from quorate import wire
from quorate.errors import Abort, DataError, Party, Refused
from quorate.node.audit import AuditLog
from quorate.node.home import Home
from quorate.node.lifecycle import Event, State, after
from quorate.node.messages import (
    Ack,
    Approval,
    Proposal,
    SignedApproval,
    sign_approval,
    verify_approval,
)
from quorate.node.store import Entry, Store
from quorate.studies.group import Group
from quorate.studies.plan import Plan, check, compile_plan, utc_text
from quorate.studies.sources import aggregate, open_source
from quorate.studies.study import read_study
from quorate.transport.peers import Peers

MAX_OPEN = 1000
"""Studies waiting for approval on one node; more proposals are refused."""

OPEN = (State.PROPOSED, State.APPROVED, State.FAILED)

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

    # What this node's staff does

    async def propose(self, text: str, accept: Iterable[str]) -> tuple[Entry, tuple[str, ...]]:
        """Compile a study, approve it for this member, tell the others.

        Returns the study and the names of members that could not be told yet.
        """
        plan = compile_plan(
            read_study(text), self.group, proposer=self.home.name, now=self.now(), accept=accept
        )
        await self.own_part(plan)
        signed = self._sign(plan, agrees=True)
        if not self._take_proposal(Proposal(plan, (signed,))):
            raise Refused("the very same study was proposed a moment ago", hint="try again")
        untold = await self._tell_all("proposal", Proposal(plan, (signed,)))
        return self.store.study(plan.digest()), untold

    async def approve(self, digest: bytes) -> tuple[Entry, tuple[str, ...]]:
        """Check this member's rows against the plan, sign it, tell the others."""
        entry = self.store.study(digest)
        if entry.state is not State.PROPOSED:
            after(entry.state, Event.ALL_APPROVED)
        check(entry.plan, self.group)
        await self.own_part(entry.plan)
        return await self._say(entry.plan, agrees=True)

    async def decline(self, digest: bytes) -> tuple[Entry, tuple[str, ...]]:
        """Refuse a plan for good, and tell the others."""
        entry = self.store.study(digest)
        after(entry.state, Event.DECLINED)
        return await self._say(entry.plan, agrees=False)

    async def own_part(self, plan: Plan) -> tuple[int, ...]:
        """Compute this member's own aggregates, away from the event loop; every row is checked."""
        path = self.home.tables.get(plan.study.table.name)
        if path is None:
            raise DataError(
                f"this node has no table {plan.study.table.name}",
                hint=f"register it with: quorate data add {plan.study.table.name} FILE",
            )
        return await asyncio.to_thread(aggregate, open_source(path), plan)

    # What other nodes say

    async def on_proposal(self, party: Party, body: bytes) -> bytes:
        """Take in another member's plan, if it is one this node could run."""
        proposal = wire.decode(body, Proposal)
        check(proposal.plan, self.group)
        spoken_for = {s.approval.member for s in proposal.approvals if s.approval.agrees}
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
        with self.store.transaction():
            if approval.agrees and self.store.add_approval(signed):
                self.audit.append("approved", f"{entry.plan.short_id} by {approval.member}")
                self._move_on_if_all_approved(entry)
            elif not approval.agrees and entry.state in OPEN:
                note = f"declined by {approval.member}"
                self.audit.append("declined", f"{entry.plan.short_id} by {approval.member}")
                self.move(entry.plan, Event.DECLINED, note)

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected what it may have missed."""
        try:
            for entry in self.store.all_studies():
                if entry.state in OPEN:
                    known = self.store.approvals(entry.plan.digest())
                    await self._tell(party, "proposal", Proposal(entry.plan, known))
        except (Abort, Refused) as e:
            log.info("catching up failed", member=self.group.names[party], why=str(e))

    # Shared

    def move(self, plan: Plan, event: Event, note: str = "") -> None:
        """Move a study on in its life."""
        entry = self.store.study(plan.digest())
        self.store.set_state(plan.digest(), after(entry.state, event), note)

    def approved_by(self, plan: Plan) -> tuple[str, ...]:
        """Return who has approved, verified anew, in the order of seats."""
        names: set[str] = set()
        for signed in self.store.approvals(plan.digest()):
            verify_approval(self.group, signed)
            if signed.approval.agrees and signed.approval.plan == plan.digest():
                names.add(signed.approval.member)
        return tuple(name for name in self.group.names if name in names)

    def _sign(self, plan: Plan, *, agrees: bool) -> SignedApproval:
        word = Approval(plan.digest(), self.home.name, agrees, utc_text(self.now()))
        return sign_approval(self.home.identity, word)

    async def _say(self, plan: Plan, *, agrees: bool) -> tuple[Entry, tuple[str, ...]]:
        signed = self._sign(plan, agrees=agrees)
        self.take_approval(signed)
        untold = await self._tell_all("approval", signed)
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

    async def _tell_all(self, topic: str, message: object) -> tuple[str, ...]:
        """Tell every other member; return the names of those that could not be told."""
        others = [party for party in range(len(self.group.members)) if party != self.me]

        async def told(party: Party) -> bool:
            try:
                await self._tell(party, topic, message)
            except (Abort, Refused) as e:
                log.warning("not told", member=self.group.names[party], topic=topic, why=str(e))
                return False
            return True

        results = await asyncio.gather(*map(told, others))
        return tuple(self.group.names[p] for p, ok in zip(others, results, strict=True) if not ok)

    async def _tell(self, party: Party, topic: str, message: object) -> None:
        if not self.peers.peers[party].ready.is_set():
            raise Abort(f"{self.group.names[party]} is not connected", suspects=[party])
        await self.peers.ask(party, topic, message, Ack, timeout_s=self.home.timeout_s)
