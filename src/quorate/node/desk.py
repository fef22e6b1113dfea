"""The desk: studies proposed, approved and declined on this node and on the others'.

A member's word on a plan is signed with its identity key over the plan's
digest; words are passed on by whoever has them, and each node verifies each
itself. Proposing is approving for one's own member. A node that was away
hears what it missed when its link comes up again (`catch_up`).
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import structlog
from numpy.typing import NDArray

from quorate import wire
from quorate.errors import Abort, DataError, Party, Refused
from quorate.node.audit import AuditLog
from quorate.node.budgets.budgets import Budgets
from quorate.node.cohorts import Cohorts
from quorate.node.home import Home
from quorate.node.lifecycle import OPEN, Event, State, after
from quorate.node.messages import Ack, Proposal
from quorate.node.own import own_numbers, own_points_of, snapshot_of
from quorate.node.policy import Policy, read_policy
from quorate.node.program import check_enclave
from quorate.node.scores import Scores
from quorate.node.store import Entry, Store
from quorate.studies.approval import (
    CLASSES,
    Approval,
    DataClass,
    SignedApproval,
    Word,
    check_bundle,
    check_classes,
    is_over,
    sign_approval,
    valid_approvals,
    verify_approval,
)
from quorate.studies.bundle import accepted_by, read_bundle
from quorate.studies.group import Group
from quorate.studies.plan import Plan
from quorate.studies.planning import compile_plan
from quorate.studies.protocols import BY_ENCLAVE
from quorate.studies.times import utc_text
from quorate.transport.containment import contained
from quorate.transport.peers import Peers

MAX_OPEN = 1000
"""Studies waiting for approval on one node; more proposals are refused."""

_AGAINST = {"decline": (Event.DECLINED, "declined"), "revoke": (Event.REVOKED, "revoked")}

PATIENCE_S = 3.0
"""How long a person's command waits until others have heard of it: one that hangs delays nobody."""

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
    tasks: asyncio.TaskGroup = field(init=False)
    telling: set[asyncio.Task[bool]] = field(default_factory=set, init=False)

    @property
    def me(self) -> Party:
        """This member's seat."""
        return self.group.party(self.home.name)

    @property
    def budgets(self) -> Budgets:
        """What may be released from this member's data under privacy."""
        return Budgets(self.store, self.audit, self.now)

    @property
    def scores(self) -> Scores:
        """What this node remembers of scores."""
        return Scores(self.store, self.now)

    @property
    def cohorts(self) -> Cohorts:
        """What the guard against differencing knows of earlier releases."""
        return Cohorts(self.home, self.store, self.audit, self.now)

    @property
    def policy(self) -> Policy:
        """This member's rules, as they are now."""
        return read_policy(self.home.folder)

    # What this node's staff does

    async def propose(self, text: str, accept: Iterable[str]) -> tuple[Entry, tuple[str, ...]]:
        """Compile a study or the arms of a comparison, approve it for this member, tell the others.

        Returns the study, of a bundle the first, and the names of members that could not be
        told yet.
        """
        risks, now, me = tuple(accept), self.now(), self.home.name
        plans = tuple(
            compile_plan(study, self.group, proposer=me, now=now, accept=accepted_by(study, risks))
            for study in read_bundle(text)
        )
        check_bundle(self.group, plans)
        seen = await self._check_all_own(plans)
        proposal = Proposal(plans[0], (self._sign(plans, "approve"),), plans[1:])
        if not self._take_proposal(proposal):
            raise Refused("the very same study was proposed a moment ago", hint="try again")
        self._keep_snapshots(plans, seen)
        untold = await self.tell_all("proposal", proposal)
        return self.store.study(plans[0].digest()), untold

    async def approve(self, digest: bytes) -> tuple[Entry, tuple[str, ...]]:
        """Check this member's rules and rows against the plan, sign it, tell the others."""
        entry = self.store.study(digest)
        if entry.state is not State.PROPOSED:
            after(entry.state, Event.ALL_APPROVED)
        plans = self.bundle(entry.plan)
        check_bundle(self.group, plans)
        self._keep_snapshots(plans, await self._check_all_own(plans))
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

    async def own_part(self, plan: Plan) -> tuple[int, ...] | NDArray[np.int64]:
        """Compute what this member puts in, away from the event loop; every row is checked.

        Raises `Refused` where this member's policy does not allow it.
        """
        policy = self.policy
        policy.check(plan)
        if plan.study.is_scored:
            self.scores.check(plan, policy.max_scores)
            return await asyncio.to_thread(own_points_of, self.home, plan)
        if plan.protocol == BY_ENCLAVE:
            await asyncio.to_thread(check_enclave, plan, self.group, self.data_class(plan))
        return await own_numbers(self.home, plan, policy)

    async def data_changed(self, plan: Plan) -> bool:
        """Return whether this member's file is another than when it approved."""
        now = await asyncio.to_thread(snapshot_of, self.home, plan)
        return self.store.snapshot(plan.digest()) not in (None, now)

    async def _check_all_own(self, plans: Sequence[Plan]) -> bytes:
        """Check every plan of a bundle, as `_check_own`, and what this member's data are."""
        check_classes(plans, {self.home.name: self.data_class(plans[0])})
        return [await self._check_own(plan) for plan in plans][-1]

    def _keep_snapshots(self, plans: Sequence[Plan], seen: bytes) -> None:
        for plan in plans:
            self.store.set_snapshot(plan.digest(), seen)

    async def _check_own(self, plan: Plan) -> bytes:
        """Check rules, budget and rows; return what the file was at that moment."""
        if plan.study.privacy is not None:
            self.budgets.check(plan)
        before = await asyncio.to_thread(snapshot_of, self.home, plan)
        await self.own_part(plan)
        return before

    # What other nodes say

    async def on_proposal(self, party: Party, body: bytes) -> bytes:
        """Take in another member's plan, if it is one this node could run."""
        proposal = wire.decode(body, Proposal)
        check_bundle(self.group, proposal.plans)
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
        entries = [self.store.study(plan) for plan in approval.plans]
        who = f"{', '.join(entry.plan.short_id for entry in entries)} by {approval.member}"
        with self.store.transaction():
            if approval.word == "approve":
                if self.store.add_approval(signed):
                    self.audit.append("approved", who)
                    for entry in entries:
                        self._move_on_if_all_approved(entry)
                return
            event, said = _AGAINST[approval.word]
            if still := [entry for entry in entries if entry.state in OPEN]:
                self.audit.append(said, who)
            for entry in still:
                self.move(entry.plan, event, f"{said} by {approval.member}")

    def expire(self) -> None:
        """End studies of which an approval is over, or that were planned for a past roster."""
        for entry in (e for e in self.store.all_studies() if e.state in OPEN):
            words = self.store.approvals(entry.plan.digest())
            over = [w.approval.member for w in words if is_over(w, self.now())]
            note = f"the approval of {', '.join(over)} is over" if over else ""
            if entry.plan.group != self.group.digest():
                note = f"the roster is another since epoch {self.group.epoch}"
            if note:
                with self.store.transaction():
                    self.audit.append("expired", f"{entry.plan.short_id}: {note}")
                    self.move(entry.plan, Event.EXPIRED, note)

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected what it may have missed."""
        try:
            for entry in self.store.all_studies():
                if entry.state in OPEN:
                    known = self.store.approvals(entry.plan.digest())
                    first, *beside = self.bundle(entry.plan)
                    await self.tell(party, "proposal", Proposal(first, known, tuple(beside)))
        except (Abort, Refused) as e:
            log.info("catching up failed", member=self.group.names[party], why=str(e))

    # Shared

    def move(self, plan: Plan, event: Event, note: str = "") -> None:
        """Move a study on in its life."""
        entry = self.store.study(plan.digest())
        self.store.set_state(plan.digest(), after(entry.state, event), note)

    def words(self, plan: bytes) -> dict[str, SignedApproval]:
        """Return the approvals of a plan by member, verified, in the order of seats."""
        found = valid_approvals(self.group, plan, self.store.approvals(plan))
        return {name: found[name] for name in self.group.names if name in found}

    def approved_by(self, plan: Plan) -> tuple[str, ...]:
        """Return who has approved, in the order of seats."""
        return tuple(self.words(plan.digest()))

    def bundle(self, plan: Plan) -> tuple[Plan, ...]:
        """Return all plans that its proposer approved by the word on this one."""
        words = self.words(plan.digest())
        if plan.proposer not in words:
            return (plan,)
        named = words[plan.proposer].approval.plans
        return tuple(self.store.study(digest).plan for digest in named)

    def data_class(self, plan: Plan) -> DataClass:
        """Return what this member's owner says the data of a plan are. Raises `DataError`."""
        said = self.home.data_class(plan.study.table.name)
        for one in CLASSES:
            if said == one:
                return one
        raise DataError(
            f"the data of {plan.study.table.name} are of no class",
            hint=f"say one of {', '.join(CLASSES)}: quorate data add TABLE FILE --class CLASS",
        )

    def check_bundle_classes(self, plan: Plan, approvals: Sequence[SignedApproval]) -> None:
        """Refuse a run of what exact and noised results of real data would stand side by side."""
        data: dict[str, DataClass] = {}
        for one in approvals:
            data[one.approval.member] = one.approval.data
        check_classes(self.bundle(plan), data)
        own = self.data_class(plan)
        if data[self.home.name] != own:
            raise Refused(
                f"the data of {plan.study.table.name} are {own} now, and were approved as "
                f"{data[self.home.name]}",
                hint="propose the study again",
            )

    def _sign(self, plans: Sequence[Plan], word: Word) -> SignedApproval:
        now = self.now()
        until = now + timedelta(days=self.policy.approval_days)
        first, *beside = (plan.digest() for plan in plans)
        times = utc_text(now), utc_text(until)
        data = self.data_class(plans[0])
        approval = Approval(first, self.home.name, word, *times, data, tuple(beside))
        return sign_approval(self.home.identity, approval)

    async def _say(self, plan: Plan, word: Word) -> tuple[Entry, tuple[str, ...]]:
        signed = self._sign(self.bundle(plan), word)
        self.take_approval(signed)
        untold = await self.tell_all("approval", signed)
        return self.store.study(plan.digest()), untold

    def _take_proposal(self, proposal: Proposal) -> bool:
        """Keep a checked plan and the words on it; return whether the plan is new here."""
        digests = tuple(plan.digest() for plan in proposal.plans)
        with self.store.transaction():
            waiting = sum(e.state is State.PROPOSED for e in self.store.all_studies())
            if waiting + len(digests) > MAX_OPEN:
                raise Refused(f"{MAX_OPEN} studies wait for approval already")
            added = [plan for plan in proposal.plans if self.store.add_study(plan)]
            for plan in added:
                self.audit.append("proposed", f"{plan.short_id} by {plan.proposer}")
            for signed in proposal.approvals:
                if signed.approval.plans != digests:
                    raise Refused("an approval in the proposal is for another plan, or bundle")
                self.take_approval(signed)
        return bool(added)

    def _move_on_if_all_approved(self, entry: Entry) -> None:
        everybody = self.approved_by(entry.plan) == self.group.names
        if everybody and entry.state is State.PROPOSED:
            self.move(entry.plan, Event.ALL_APPROVED)

    async def tell_all(
        self, topic: str, message: object, patience_s: float | None = None
    ) -> tuple[str, ...]:
        """Tell every other member; return the names of those that could not be told.

        With patience, also of those that have not answered by then: they are told all the
        same, while whoever waits for this goes on.
        """
        others = [party for party in range(len(self.group.members)) if party != self.me]
        telling = {self.tasks.create_task(self._told(p, topic, message)): p for p in others}
        self.telling.update(telling)
        for task in telling:
            task.add_done_callback(self.telling.discard)
        done, _ = await asyncio.wait(telling, timeout=patience_s)
        told = {telling[task] for task in done if task.result()}
        return tuple(self.group.names[party] for party in others if party not in told)

    def stop(self) -> None:
        """Give up telling who has not answered yet: it hears of all when its link is up again."""
        for task in self.telling:
            task.cancel()

    async def _told(self, party: Party, topic: str, message: object) -> bool:
        """Tell one member, and return whether it took it."""
        told = False
        with contained("not told", lambda _: None, topic=topic):
            try:
                await self.tell(party, topic, message)
                told = True
            except (Abort, Refused) as e:
                log.warning("not told", member=self.group.names[party], topic=topic, why=str(e))
        return told

    async def tell(self, party: Party, topic: str, message: object) -> None:
        """Tell one member. Raises `Abort` if it is away, `Refused` if it does not take it."""
        if not self.peers.peers[party].ready.is_set():
            raise Abort(f"{self.group.names[party]} is not connected", suspects=[party])
        await self.peers.ask(party, topic, message, Ack, timeout_s=self.home.timeout_s)
