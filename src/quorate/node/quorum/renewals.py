"""What becomes of keys when their holders change, or should have new shares: plans that renew.

Staff asks for it, or the roster has changed and a key's rule follows it: then
the first member of those who would deal proposes it, and every party still
approves it on its own node, as for a new key.
"""

import os
from dataclasses import dataclass, replace

import structlog

from quorate.errors import Error, Refused, Unavailable
from quorate.node.desk import Desk
from quorate.node.members.records import RosterRecords
from quorate.node.quorum.keys import FOLLOWS, LASTS, Keys
from quorate.node.quorum.records import KeyEntry, Records
from quorate.quorum.key_plan import Dealer, KeyPlan, Renews, Roles, Witnesses, holders_of
from quorate.quorum.lifecycle import KEY_OPEN, KeyState
from quorate.quorum.renewal import Renewal, follow, renewed
from quorate.quorum.request import NONCE_BYTES
from quorate.studies.times import utc_text
from quorate.threshold.rule import Rule, parse_rule
from quorate.wire import ABSENT, Absent

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OtherHands:
    """Whom a key shall have as holders; what is empty stays as it was."""

    members: tuple[str, ...] = ()
    rule: str = ""
    policy: Roles | Absent = ABSENT


@dataclass(slots=True)
class Renewals:
    """The plans by which this node's keys go on in other hands."""

    desk: Desk
    records: Records
    keys: Keys

    async def reshare(
        self, entry: KeyEntry, to: OtherHands, reason: str
    ) -> tuple[KeyEntry, tuple[str, ...]]:
        """Propose a key in other hands: as the roster has them, or as it is said."""
        plan = entry.plan
        if to != OtherHands():
            return await self._propose(entry, self._as_said(plan, to), to, reason)
        change = follow(plan, words_of(plan), self.keys.roster(plan.group), self.desk.group)
        if change is None:
            raise Refused(
                f"key {plan.name} is in the hands that the roster has",
                hint=f"give its holders new shares with: quorate key refresh {plan.name}",
            )
        return await self._propose(entry, change, to, reason)

    async def refresh(
        self, entry: KeyEntry, reason: str, lost: str = ""
    ) -> tuple[KeyEntry, tuple[str, ...]]:
        """Propose new shares for the same holders, so that old ones are of no use.

        Who `lost` its share deals nothing, and gets a new one as all do.
        """
        plan = entry.plan
        if lost:
            plan.identifier(lost)
        as_it_is = OtherHands(plan.names, policy=plan.policy)
        change = self._as_said(plan, as_it_is, lost)
        return await self._propose(entry, change, as_it_is, reason)

    async def follow_roster(self) -> None:
        """Propose what a changed roster means for keys, where this member is to do so."""
        for entry in self.records.all_keys():
            if entry.state is not KeyState.READY or entry.plan.group == self.desk.group.digest():
                continue
            try:
                await self._follow(entry)
            except Error as e:
                log.warning("a key does not follow the roster", key=entry.plan.name, why=str(e))

    async def _follow(self, entry: KeyEntry) -> None:
        plan = entry.plan
        waits = any(e.plan.name == plan.name and e.state in KEY_OPEN for e in self._all())
        change = follow(plan, words_of(plan), self.keys.roster(plan.group), self.desk.group)
        if change is None or waits or self.desk.home.name != self._first(plan, change):
            return
        self._refuse_for_cause(plan)
        reason = f"the roster is another since epoch {self.desk.group.epoch}"
        await self._propose(entry, change, OtherHands(), reason)

    def _refuse_for_cause(self, plan: KeyPlan) -> None:
        """Who was removed for cause may have kept its share: the key itself has to go."""
        removed = RosterRecords(self.desk.store).removed_for_cause()
        names = [holder.name for holder in plan.holders if holder.public_key in removed]
        if names:
            raise Refused(
                f"{', '.join(names)} was removed for cause and may have kept its share",
                hint=f"make a new key, then: quorate key succeed {plan.name} NEW",
            )

    def _first(self, plan: KeyPlan, change: Renewal) -> str:
        return plan.names[change.dealers[0] - 1]

    def _all(self) -> tuple[KeyEntry, ...]:
        return self.records.all_keys()

    def _as_said(self, plan: KeyPlan, to: OtherHands, lost: str = "") -> Renewal:
        group = self.desk.group
        holders = holders_of(group, to.members or plan.names)
        if to.policy is not ABSENT:
            aimed = replace(plan, holders=holders, policy=to.policy)
            rule = Rule(aimed.access.min_signers, len(holders))
        elif to.rule:
            rule = parse_rule(to.rule, len(holders))
        elif plan.follows is not ABSENT:
            rule = parse_rule(plan.follows, len(holders))
        else:
            rule = Rule(plan.min_signers, len(holders))
        gone = [name for name in plan.names if name == lost or name not in group.names]
        return renewed(plan, holders, rule, gone)

    async def _propose(
        self, entry: KeyEntry, change: Renewal, to: OtherHands, reason: str
    ) -> tuple[KeyEntry, tuple[str, ...]]:
        if entry.key is None:
            raise Unavailable(f"key {entry.plan.name} does not exist yet")
        old, group, now = entry.plan, self.desk.group, self.desk.now()
        dealing = [old.names[identifier - 1] for identifier in change.dealers]
        listed = {holder.name: holder for holder in holders_of(group, dealing)}
        dealers = tuple(
            Dealer(i, listed[name]) for i, name in zip(change.dealers, dealing, strict=True)
        )
        plan = replace(
            old,
            group=group.digest(),
            holders=change.holders,
            min_signers=change.rule.min_signers,
            proposer=self.desk.home.name,
            created=utc_text(now),
            expires=utc_text(now + LASTS),
            nonce=os.urandom(NONCE_BYTES),
            recoverers=_recoverers(old, change.rule),
            witnesses=_witnesses(old, change),
            follows=FOLLOWS.get(to.rule, ABSENT) if to.rule else old.follows,
            policy=to.policy,
            renews=Renews(old.digest(), entry.key.public, dealers),
        )
        if plan.policy is not ABSENT:
            plan = replace(plan, follows=ABSENT)
        return await self.keys.put_forward(plan, reason)


def words_of(plan: KeyPlan) -> str:
    """Return the rule of a key as its owners wrote it."""
    return str(plan.rule) if plan.follows is ABSENT else plan.follows


def _recoverers(old: KeyPlan, rule: Rule) -> int | Absent:
    """Return how many give a whole key away: as before, as far as the new rule allows."""
    if old.recoverers is ABSENT:
        return ABSENT
    least = min(rule.min_signers + 1, rule.max_signers)
    return max(least, min(old.recoverers, rule.max_signers))


def _witnesses(old: KeyPlan, change: Renewal) -> Witnesses | Absent:
    if old.witnesses is ABSENT:
        return ABSENT
    staying = [holder.name for holder in change.holders if holder.name in old.witnesses.names]
    return replace(old.witnesses, names=tuple(staying))
