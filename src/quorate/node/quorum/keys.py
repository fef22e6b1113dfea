"""Keys on one node: planned, answered by every holder, generated, certified, shown alive.

A key needs the approval of *every* holder's own staff before its generation
begins, on that holder's own node, whose vault must be open: a share nobody
could seal is not made. All members hear of a key, so that all can verify what
it signs; only its holders answer and generate.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from quorate import wire
from quorate.errors import NotFound, Party, Refused, VerificationFailed
from quorate.node.desk import PATIENCE_S, Desk
from quorate.node.messages import Ack
from quorate.node.quorum.custody import Custody, share_name
from quorate.node.quorum.messages import Planned
from quorate.node.quorum.records import KeyEntry, Records
from quorate.node.runs import CLOCK_S
from quorate.quorum.answer import Answer, Holder, SignedAnswer, Word, sign_answer, verify_answer
from quorate.quorum.key import Key, sign_plan, verify_key, verify_plan
from quorate.quorum.key_plan import (
    FORMAT,
    GROUPS_OWN,
    Follows,
    KeyPlan,
    Roles,
    Witnesses,
    check_plan,
    holders_of,
)
from quorate.quorum.lifecycle import KEY_OPEN, KEYS, KeyEvent, KeyState, after
from quorate.quorum.posting import STATIC, due
from quorate.quorum.request import NONCE_BYTES, is_over
from quorate.studies.group import Group
from quorate.studies.times import utc_text
from quorate.threshold.keys import Purpose, seat
from quorate.threshold.policy import parse_policy
from quorate.threshold.rule import Rule, parse_rule
from quorate.wire import ABSENT, Absent

LASTS = timedelta(days=7)
"""How long holders may take to approve a key and to be there for its generation."""

MAX_OPEN = 100
"""Keys that wait on one node; more are refused."""

FOLLOWS: dict[str, Follows] = {"majority": "majority", "half": "half"}
"""The rules in words, which are counted anew when the roster changes."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key as a person asks for it."""

    name: str
    members: tuple[str, ...]
    rule: str
    purpose: Purpose
    recovery: str = ""  # of a plain key; if it does not say, all holders
    witnesses: tuple[str, ...] = ()
    published: int = 0  # in how many members' logs witnesses look; 0 means all
    policy: Roles | Absent = ABSENT  # in place of the rule


@dataclass(slots=True)
class Keys:
    """All keys on this node."""

    desk: Desk
    records: Records
    custody: Custody
    roster: Callable[[bytes], Group]
    """Returns the group's roster with a digest, the present one or one before; or `NotFound`."""
    on_approved: Callable[[bytes], None] = lambda _: None
    """Called with the digest of a plan whose holders have all approved it."""
    on_handed_over: Callable[[bytes], None] = lambda _: None
    """Called with the identifier of a key whose shares are given up for new ones."""
    on_ready: Callable[[Key], None] = lambda _: None
    """Called with a key that is about to be kept, so that a share of it is kept with it."""

    # What this node's staff does

    async def propose(self, wanted: Wanted, reason: str) -> tuple[KeyEntry, tuple[str, ...]]:
        """Plan a key among its members, approve it if this member is one, tell the others.

        Returns the key and the names of members that could not be told yet.
        """
        group, now, me = self.desk.group, self.desk.now(), self.desk.home.name
        holders = holders_of(group, wanted.members)
        if len(holders) < len(wanted.members):
            raise Refused("a member is named twice", hint="a holder has one share")
        rule, follows = _rule(wanted, holders)
        plan = KeyPlan(
            FORMAT,
            wanted.name,
            wanted.purpose,
            group.digest(),
            holders,
            rule.min_signers,
            me,
            utc_text(now),
            utc_text(now + LASTS),
            os.urandom(NONCE_BYTES),
            parse_rule(wanted.recovery, len(holders)).min_signers if wanted.recovery else ABSENT,
            _witnesses(wanted, holders, len(group.members)),
            follows,
            wanted.policy,
        )
        return await self.put_forward(plan, reason)

    async def put_forward(self, plan: KeyPlan, reason: str) -> tuple[KeyEntry, tuple[str, ...]]:
        """Propose a plan, approve it if this member has a part in it, tell the others."""
        own: tuple[SignedAnswer, ...] = ()
        if self.desk.home.name in due(plan, STATIC):
            self.custody.vault()
            own = (self._answer(plan, "approve", reason),)
        self._take(Planned(plan, sign_plan(self.desk.home.identity, plan), own))
        return await self._tell(plan)

    async def answer(
        self, digest: bytes, word: Word, reason: str
    ) -> tuple[KeyEntry, tuple[str, ...]]:
        """Approve or decline a key as one of its holders, and tell the others."""
        self.expire()
        entry, me = self.records.key(digest), self.desk.home.name
        if me not in due(entry.plan, STATIC):
            entry.plan.identifier(me)
        if entry.state is not KeyState.PROPOSED:
            after(KEYS, f"key {entry.plan.name}", entry.state, KeyEvent.ALL_APPROVED)
        if me in {signed.answer.member for signed in self.records.answers(digest)}:
            raise Refused(f"{me} has answered already", hint="an answer is final")
        if word == "approve":
            self.custody.vault()
        own = self._answer(entry.plan, word, reason)
        self._take(Planned(entry.plan, entry.signature, (own,)))
        return await self._tell(entry.plan)

    # What other nodes say

    async def on_key(self, party: Party, body: bytes) -> bytes:
        """Take in a planned key and answers to it, whoever passes them on."""
        planned = wire.decode(body, Planned)
        self._take(planned)
        log.info("key planned", id=planned.plan.short_id, via=self.desk.group.names[party])
        return wire.encode(Ack())

    async def on_certified(self, party: Party, body: bytes) -> bytes:
        """Take in a key that exists, if every holder has certified it."""
        key = wire.decode(body, Key)
        self.take_key(key)
        log.info("key certified", id=key.plan.short_id, via=self.desk.group.names[party])
        return wire.encode(Ack())

    async def catch_up(self, party: Party) -> None:
        """Tell a member that has just connected which keys there are and which wait."""
        for entry in self.records.all_keys():
            if entry.key is not None:
                await self.desk.tell(party, "certified", entry.key)
            elif entry.state in KEY_OPEN:
                await self.desk.tell(party, "key", self._planned(entry))

    # Shared

    def take_key(self, key: Key) -> None:
        """Keep a key that exists. Raises `VerificationFailed` unless all holders certified it."""
        verify_key(key, self.roster(key.plan.group))
        digest, me = key.plan.digest(), self.desk.home.name
        with self.desk.store.transaction():
            self.records.add_key(key.plan, b"")
            entry = self.records.key(digest)
            if entry.key is not None:
                if entry.key.public != key.public:
                    raise VerificationFailed("this node holds another key of the same plan")
                return
            self._hand_over(key)
            self.on_ready(key)
            if me in key.plan.names and not self.custody.has_share(key.key_id()):
                log.warning("a key without this member's share", id=key.plan.short_id)
            self.records.set_key(key)
            self.records.set_key_state(digest, KeyState.READY, "")
            self.desk.audit.append("key ready", f"{key.plan.name}: {key.key_id().hex()[:16]}")

    def move(self, digest: bytes, event: KeyEvent, note: str = "") -> None:
        """Move a key on in its life."""
        entry = self.records.key(digest)
        state = after(KEYS, f"key {entry.plan.name}", entry.state, event)
        self.records.set_key_state(digest, state, note)

    def expire(self) -> None:
        """End the keys whose time to be made is over, naming who was missing."""
        for entry in self.records.all_keys():
            if entry.state in KEY_OPEN and is_over(entry.plan.expires, self.desk.now()):
                waiting = ", ".join(self.waits_for(entry))
                note = f"its time is over; it waited for {waiting}" if waiting else "time is over"
                self._end(entry.plan, note)

    def end_of_other_rosters(self) -> None:
        """End the keys that are not made, and were planned for a roster that is no more."""
        for entry in self.records.all_keys():
            if entry.state in KEY_OPEN and entry.plan.group != self.desk.group.digest():
                self._end(entry.plan, f"the roster is another since epoch {self.desk.group.epoch}")

    def _end(self, plan: KeyPlan, note: str) -> None:
        with self.desk.store.transaction():
            self.desk.audit.append("key expired", f"{plan.name}: {note}")
            self.move(plan.digest(), KeyEvent.EXPIRED, note)

    def waits_for(self, entry: KeyEntry) -> tuple[str, ...]:
        """Return whose answer is missing, or whose step of the generation."""
        if entry.state is KeyState.GENERATING:
            return self.records.board(entry.plan).missing()
        if entry.state is not KeyState.PROPOSED:
            return ()
        answered = {s.answer.member for s in self.records.answers(entry.plan.digest())}
        return tuple(name for name in due(entry.plan, STATIC) if name not in answered)

    def groups_own(self) -> Key | None:
        """Return the newest key that all members hold under the group's own name."""
        try:
            return self.records.find_key(GROUPS_OWN).key
        except NotFound:
            return None

    def _answer(self, plan: KeyPlan, word: Word, reason: str) -> SignedAnswer:
        now = utc_text(self.desk.now())
        answer = Answer(plan.digest(), self.desk.home.name, word, reason, now, plan.expires)
        return sign_answer(self.desk.home.identity, answer)

    def _take(self, planned: Planned) -> None:
        """Keep a plan if it is one this node could take part in, and the answers to it."""
        plan, digest = planned.plan, planned.plan.digest()
        if not self.records.has_key(digest):
            self._check_new(planned)
            with self.desk.store.transaction():
                self.records.add_key(plan, planned.signature)
                who = f"{plan.name}, {plan.wanted}, by {plan.proposer}"
                self.desk.audit.append("key planned", who)
        for signed in planned.answers:
            verify_answer(plan.parties, signed)
            if signed.answer.subject != digest:
                raise Refused("an answer is to another key")
        with self.desk.store.transaction():
            for signed in planned.answers:
                self._keep(plan, signed)
            self._move_on(plan)

    def _check_new(self, planned: Planned) -> None:
        plan, group = planned.plan, self.desk.group
        check_plan(plan, group)
        proposer = group.members[group.party(plan.proposer)]
        verify_plan(plan, proposer.public_key, planned.signature)
        now, entries = self.desk.now(), self.records.all_keys()
        if is_over(plan.expires, now):
            raise Refused(f"the plan of key {plan.name} is over since {plan.expires}")
        if datetime.fromisoformat(plan.created) > now + timedelta(seconds=CLOCK_S):
            raise Refused("the key's plan comes from the future", hint="set the clocks")
        in_use = (*KEY_OPEN, KeyState.READY)
        renewed = None if plan.renews is ABSENT else plan.renews.plan
        named = [e for e in entries if e.plan.name == plan.name and e.plan.digest() != renewed]
        if renewed is not None:
            self._renewed(plan)
        if any(e.state in in_use for e in named):
            raise Refused(
                f"there is a key named {plan.name} already", hint="choose another name for it"
            )
        if sum(e.state in KEY_OPEN for e in entries) >= MAX_OPEN:
            raise Refused(f"{MAX_OPEN} keys wait already")

    def _renewed(self, plan: KeyPlan) -> KeyEntry:
        """Return the key that a plan goes on with. Raises `Refused`, `NotFound`."""
        if plan.renews is ABSENT:
            raise Refused("this plan is of a new key")
        old = self.records.key(plan.renews.plan)
        if old.key is None or old.key.public != plan.renews.public or old.plan.name != plan.name:
            raise Refused("the plan goes on with another key than this node knows")
        for dealer in plan.renews.dealers:
            if old.plan.names[seat(dealer.identifier)] != dealer.holder.name:
                raise Refused(f"{dealer.holder.name} does not hold the share it would deal")
        if old.state is not KeyState.READY:
            after(KEYS, f"key {plan.name}", old.state, KeyEvent.HANDED_OVER)
        return old

    def _hand_over(self, key: Key) -> None:
        """Let the shares go whose place those of `key` take; the caller holds a transaction."""
        if key.plan.renews is ABSENT:
            return
        old = self._renewed(key.plan)
        self.move(old.plan.digest(), KeyEvent.HANDED_OVER)
        self.records.drop_sealed(share_name(key.plan.renews.public.key_id()))
        names = ", ".join(key.plan.names)
        self.desk.audit.append("key handed over", f"{key.plan.name}, {key.plan.wanted}: {names}")
        self.on_handed_over(key.plan.renews.public.key_id())

    def _keep(self, plan: KeyPlan, signed: SignedAnswer) -> None:
        if self.records.add_answer(signed):
            answer = signed.answer
            said = "key approved" if answer.word == "approve" else "key declined"
            self.desk.audit.append(said, f"{plan.name} by {answer.member}: {answer.reason}")

    def _move_on(self, plan: KeyPlan) -> None:
        """Move a key on where its holders' answers decide it."""
        digest = plan.digest()
        if self.records.key(digest).state is not KeyState.PROPOSED:
            return
        if is_over(plan.expires, self.desk.now()):
            return
        words = {s.answer.member: s.answer.word for s in self.records.answers(digest)}
        against = [name for name, word in words.items() if word == "decline"]
        if against:
            self.move(digest, KeyEvent.DECLINED, f"declined by {', '.join(against)}")
        elif len(words) == len(plan.parties):
            self.move(digest, KeyEvent.ALL_APPROVED)
            self.on_approved(digest)

    def _planned(self, entry: KeyEntry) -> Planned:
        return Planned(entry.plan, entry.signature, self.records.answers(entry.plan.digest()))

    async def _tell(self, plan: KeyPlan) -> tuple[KeyEntry, tuple[str, ...]]:
        digest = plan.digest()
        untold = await self.desk.tell_all(
            "key", self._planned(self.records.key(digest)), PATIENCE_S
        )
        return self.records.key(digest), untold


def _rule(wanted: Wanted, holders: tuple[Holder, ...]) -> tuple[Rule, Follows | Absent]:
    """Return how many must act at least, and whether that follows the roster."""
    if wanted.policy is not ABSENT:
        names = [holder.name for holder in holders]
        access = parse_policy(wanted.policy.policy, wanted.policy.roles, names)
        return Rule(access.min_signers, len(holders)), ABSENT
    return parse_rule(wanted.rule, len(holders)), FOLLOWS.get(wanted.rule.strip().lower(), ABSENT)


def _witnesses(wanted: Wanted, holders: tuple[Holder, ...], members: int) -> Witnesses | Absent:
    if not wanted.witnesses:
        return ABSENT
    names = tuple(holder.name for holder in holders if holder.name in wanted.witnesses)
    if len(names) < len(wanted.witnesses):
        raise Refused(
            "a witness holds no share of the key", hint="name witnesses among --members, each once"
        )
    return Witnesses(names, wanted.published or members)
