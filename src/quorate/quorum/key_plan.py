"""A key as it is proposed: who is to hold it, by which rule, and which key it goes on with.

Nothing of a plan can change once its parties have approved it. A plan may be of
a key there is already, in other hands (`Renews`): then those who deal its old
shares to the new holders approve it too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from quorate import wire
from quorate.algebra.edwards25519 import Point
from quorate.errors import Error, NotFound, Refused
from quorate.quorum.answer import Holder
from quorate.quorum.request import MAX_DAYS, NONCE_BYTES, short_id
from quorate.quorum.request import Purpose as Request
from quorate.studies.group import Group, check_name
from quorate.studies.times import check_time
from quorate.threshold.access import Access
from quorate.threshold.keys import PublicKey, Purpose
from quorate.threshold.policy import Role, parse_policy
from quorate.threshold.rule import Rule, parse_rule
from quorate.threshold.setup import Handover, Setup
from quorate.wire import ABSENT, Absent

Follows = Literal["majority", "half"]

FORMAT = 1
GROUPS_OWN = "group"
"""The name of the key of all members, under which certificates of studies are signed too."""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Holders whose shares unlock only what stands in the audit logs of enough members."""

    names: tuple[str, ...]  # in the order of holders
    members: int  # in whose logs the request must stand, of the whole group


@dataclass(frozen=True, slots=True)
class Roles:
    """Who must act together, in words over roles and names; holders are by the plan's order."""

    policy: str
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True)
class Dealer:
    """A holder of the old key that deals its share to the new holders."""

    identifier: int  # of the old key
    holder: Holder


@dataclass(frozen=True, slots=True)
class Renews:
    """The key that a plan goes on with, in other hands: its public half stays."""

    plan: bytes  # digest of the plan by which the old shares were made
    public: PublicKey
    dealers: tuple[Dealer, ...]  # in ascending order; they suffice


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """A key as it is proposed: nothing of it can change once its parties have approved it."""

    format: int
    name: str
    purpose: Purpose
    group: bytes  # digest of the roster
    holders: tuple[Holder, ...]  # in the order of the roster; the first has identifier 1
    min_signers: int
    proposer: str
    created: str  # UTC
    expires: str  # UTC; by then it exists, or never
    nonce: bytes
    recoverers: int | Absent = ABSENT  # of a plain key: who must approve its recovery; else all
    witnesses: Witnesses | Absent = ABSENT
    follows: Follows | Absent = ABSENT  # the roster: counted anew whenever it changes
    policy: Roles | Absent = ABSENT  # instead of any `min_signers`, which then is the fewest
    renews: Renews | Absent = ABSENT

    def digest(self) -> bytes:
        return wire.digest("key plan", self)

    @property
    def short_id(self) -> str:
        return short_id(self.digest())

    @property
    def rule(self) -> Rule:
        return Rule(self.min_signers, len(self.holders))

    @property
    def access(self) -> Access:
        """Who may act with the key. Raises `Refused` for a policy that is none."""
        if self.policy is ABSENT:
            return Access(self.min_signers, len(self.holders))
        return parse_policy(self.policy.policy, self.policy.roles, self.names)

    @property
    def wanted(self) -> str:
        """Who must act together, in words."""
        return str(self.rule) if self.policy is ABSENT else self.policy.policy

    @property
    def recovery(self) -> Rule:
        """How many holders must approve that one member gets the whole key."""
        wanted = len(self.holders) if self.recoverers is ABSENT else self.recoverers
        return Rule(wanted, len(self.holders))

    def wanted_for(self, request: Request) -> str:
        """Return who must approve a request of this kind, in words."""
        return str(self.recovery) if request == "recover" else self.wanted

    def fewest_for(self, request: Request) -> int:
        """Return how many holders must approve a request of this kind at least."""
        return self.recovery.min_signers if request == "recover" else self.min_signers

    def suffice(self, names: Collection[str], request: Request = "order") -> bool:
        """Return whether these holders are enough for a request of this kind."""
        held = {self.identifier(name) for name in names}
        if request == "recover":
            return len(held) >= self.recovery.min_signers
        return self.access.suffice(held)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(holder.name for holder in self.holders)

    @property
    def parties(self) -> tuple[Holder, ...]:
        """Who must agree to the plan and takes part: the holders, and who only deals."""
        return (*self.holders, *(d for d in self.dealers if d.name not in self.names))

    @property
    def dealers(self) -> tuple[Holder, ...]:
        """Who deals, in order: all holders of a new key, else those who hand the old one over."""
        if self.renews is ABSENT:
            return self.holders
        return tuple(dealer.holder for dealer in self.renews.dealers)

    def setup(self, statics: Sequence[Point], dealing: Sequence[Point]) -> Setup:
        """Return what all parties agree on, with the holders' and dealers' static keys.

        Raises `MalformedMessage`.
        """
        handover: Handover | Absent = ABSENT
        if self.renews is not ABSENT:
            handover = Handover(
                self.renews.public,
                tuple(dealer.identifier for dealer in self.renews.dealers),
                tuple(dealing),
                tuple(dealer.public_key for dealer in self.dealers),
            )
        identities = tuple(holder.public_key for holder in self.holders)
        access = self.access
        return Setup(
            self.purpose,
            access.min_signers,
            self.digest(),
            tuple(statics),
            identities,
            access.policy,
            handover,
        )

    def identifier(self, name: str) -> int:
        """Return the identifier of holder `name`. Raises `NotFound`."""
        if name not in self.names:
            raise NotFound(
                f"{name} holds no share of key {self.name}",
                hint=f"its holders are {', '.join(self.names)}",
            )
        return self.names.index(name) + 1


def holders_of(group: Group, names: Sequence[str]) -> tuple[Holder, ...]:
    """Return these members as holders, in the order of the roster. Raises `NotFound`."""
    wanted = {group.party(name) for name in names}
    members = (member for party, member in enumerate(group.members) if party in wanted)
    return tuple(Holder(m.name, m.run_by, m.public_key) for m in members)


def check_plan(plan: KeyPlan, group: Group) -> None:
    """Raise `Refused` unless this is a key that members of `group` could hold."""
    _require(plan.format == FORMAT, "the key has an unknown format")
    _require(len(plan.nonce) == NONCE_BYTES, "the key's plan has no nonce")
    _require(plan.group == group.digest(), "the key is for another group")
    try:
        check_name("a key", plan.name)
        same = holders_of(group, plan.names) == plan.holders
        group.party(plan.proposer)
    except Error as e:
        raise Refused(str(e), hint=e.hint) from None
    _require(same, "the key's holders are not members of the group, in its order")
    _require(
        len({h.operator for h in plan.holders}) == len(plan.holders),
        "two of the key's holders have one operator",
        "one operator holds one share: choose members whose nodes are run by different people",
    )
    _check_access(plan)
    _check_renewal(plan, group)
    _check_recovery(plan)
    _check_witnesses(plan, len(group.members))
    everybody = plan.names == group.names
    _require(
        plan.name != GROUPS_OWN or (everybody and plan.purpose == "sign"),
        f"a key named {GROUPS_OWN} is one that all members hold, to sign",
        "choose another name",
    )
    check_time(plan.created)
    check_time(plan.expires)
    lasts = datetime.fromisoformat(plan.expires) - datetime.fromisoformat(plan.created)
    _require(
        timedelta() < lasts <= timedelta(days=MAX_DAYS),
        f"a key's plan lasts more than nothing and at most {MAX_DAYS} days",
    )


def _check_access(plan: KeyPlan) -> None:
    access = plan.access
    _require(access.min_signers == plan.min_signers, "the key's policy needs another number")
    if plan.follows is not ABSENT:
        _require(plan.policy is ABSENT, "a policy does not follow the roster")
        _require(
            parse_rule(plan.follows, len(plan.holders)) == plan.rule,
            f"{plan.rule} is not the {plan.follows} of the key's holders",
        )
    if plan.policy is not ABSENT:
        _require(plan.purpose != "plain", "a plain key has no policy", "seal with --purpose unlock")


def _check_renewal(plan: KeyPlan, group: Group) -> None:
    if plan.renews is ABSENT:
        return
    dealers, old = plan.renews.dealers, plan.renews.public
    identifiers = [dealer.identifier for dealer in dealers]
    _require(old.purpose == plan.purpose, "a key keeps its purpose in other hands")
    known = set(identifiers) <= set(old.identifiers())
    in_order = known and sorted(set(identifiers)) == identifiers
    _require(in_order and old.access.suffice(identifiers), "the dealers cannot hand the key over")
    listed = {holder.name: holder for holder in holders_of(group, [d.name for d in plan.dealers])}
    _require(
        len(listed) == len(dealers) and all(listed[d.name] == d for d in plan.dealers),
        "the dealers are not members of the group",
    )


def _check_recovery(plan: KeyPlan) -> None:
    if plan.recoverers is ABSENT:
        return
    _require(plan.purpose == "plain", "only a plain key is recovered: no rule is needed for it")
    fewest = min(plan.min_signers + 1, len(plan.holders))
    _require(
        fewest <= plan.recoverers <= len(plan.holders),
        f"{plan.recoverers} of {len(plan.holders)} to recover a key that {plan.rule} use",
        f"more must approve that than a use of the key: {fewest} to {len(plan.holders)}",
    )


def _check_witnesses(plan: KeyPlan, members: int) -> None:
    if plan.witnesses is ABSENT:
        return
    names = plan.witnesses.names
    _require(plan.purpose != "sign", "a key with witnesses is one that unlocks")
    in_order = tuple(name for name in plan.names if name in names)
    _require(names == in_order and bool(names), "the key's witnesses are not holders, in order")
    _require(
        len(plan.holders) - len(names) < plan.min_signers,
        f"{plan.rule} act without a witness",
        "have fewer other holders than must act together, or more witnesses",
    )
    _require(
        2 <= plan.witnesses.members <= members,
        f"witnesses wait for the logs of {plan.witnesses.members} of {members} members",
        f"say 2 to {members}",
    )


def _require(condition: bool, message: str, hint: str = "") -> None:
    if not condition:
        raise Refused(message, hint=hint)
