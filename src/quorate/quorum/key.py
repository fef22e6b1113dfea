"""A key of several members: planned and approved by each, then generated, then certified by each.

Who holds what: every holder one share; everybody the `Key`, which says whose
the shares are. Each holder signs the finished key with its identity key, and
only where all have does it count. So who knows the roster knows the group's key,
and a signature under it means `min_signers` of these holders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Error, MalformedMessage, NotFound, Refused, VerificationFailed
from quorate.quorum.answer import Holder
from quorate.quorum.request import MAX_DAYS, NONCE_BYTES, short_id
from quorate.quorum.request import Purpose as Request
from quorate.studies.group import Group, check_name
from quorate.studies.times import check_time
from quorate.threshold.identity import verify_by
from quorate.threshold.keys import PublicKey, Purpose
from quorate.threshold.rule import Rule
from quorate.wire import ABSENT, Absent

FORMAT = 1
GROUPS_OWN = "group"
"""The name of the key of all members, under which certificates of studies are signed too."""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Holders whose shares unlock only what stands in the audit logs of enough members."""

    names: tuple[str, ...]  # in the order of holders
    members: int  # in whose logs the request must stand, of the whole group


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """A key as it is proposed: nothing of it can change once its holders have approved it."""

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

    def digest(self) -> bytes:
        return wire.digest("key plan", self)

    @property
    def short_id(self) -> str:
        return short_id(self.digest())

    @property
    def rule(self) -> Rule:
        return Rule(self.min_signers, len(self.holders))

    @property
    def recovery(self) -> Rule:
        """How many holders must approve that one member gets the whole key."""
        wanted = len(self.holders) if self.recoverers is ABSENT else self.recoverers
        return Rule(wanted, len(self.holders))

    def rule_for(self, request: Request) -> Rule:
        """Return how many holders must approve a request of this kind."""
        return self.recovery if request == "recover" else self.rule

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(holder.name for holder in self.holders)

    def identifier(self, name: str) -> int:
        """Return the identifier of holder `name`. Raises `NotFound`."""
        if name not in self.names:
            raise NotFound(
                f"{name} holds no share of key {self.name}",
                hint=f"its holders are {', '.join(self.names)}",
            )
        return self.names.index(name) + 1


@dataclass(frozen=True, slots=True)
class Key:
    """A key that exists."""

    plan: KeyPlan
    public: PublicKey
    signatures: tuple[bytes, ...]  # each holder's, over plan and public key, in their order

    def key_id(self) -> bytes:
        return self.public.key_id()

    def holder(self, identifier: int) -> Holder:
        return self.plan.holders[identifier - 1]


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
    Rule(plan.min_signers, len(plan.holders))
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


def sign_plan(identity: Ed25519PrivateKey, plan: KeyPlan) -> bytes:
    """Return the proposer's signature."""
    return identity.sign(wire.signing_input("key plan", plan))


def verify_plan(plan: KeyPlan, public_key: bytes, signature: bytes) -> None:
    """Raise `VerificationFailed` unless its proposer signed the plan."""
    message = wire.signing_input("key plan", plan)
    verify_by(public_key, signature, message, "the key's plan is not signed by its proposer")


def sign_key(identity: Ed25519PrivateKey, plan: KeyPlan, public: PublicKey) -> bytes:
    """Return a holder's signature that this is the key it holds a share of."""
    return identity.sign(_certified(plan, public))


def verify_key_signature(plan: KeyPlan, public: PublicKey, holder: Holder, signed: bytes) -> None:
    """Raise `VerificationFailed` unless `holder` certified this key."""
    otherwise = f"{holder.name} did not certify the key"
    verify_by(holder.public_key, signed, _certified(plan, public), otherwise)


def verify_key(key: Key, group: Group | None = None) -> None:
    """Raise `VerificationFailed` unless every holder certified `key`.

    Give `group` where the roster is known: without it, anybody could have made up the holders.
    """
    plan, public = key.plan, key.public
    try:
        rule_holds = plan.rule == public.rule
        if group is not None:
            check_plan(plan, group)
    except (Refused, MalformedMessage) as e:
        raise VerificationFailed(f"the key is not usable: {e}", hint=e.hint) from None
    if not rule_holds or plan.purpose != public.purpose or public.policy is not wire.ABSENT:
        raise VerificationFailed("the key is not the one its holders planned")
    if len({h.operator for h in plan.holders}) < len(plan.holders):
        raise VerificationFailed("two of the key's holders have one operator")
    if len(key.signatures) != len(plan.holders):
        raise VerificationFailed("not every holder certified the key")
    for holder, signed in zip(plan.holders, key.signatures, strict=True):
        verify_key_signature(plan, public, holder, signed)


def _certified(plan: KeyPlan, public: PublicKey) -> bytes:
    return wire.signing_input("key", (plan.digest(), public))


def _require(condition: bool, message: str, hint: str = "") -> None:
    if not condition:
        raise Refused(message, hint=hint)
