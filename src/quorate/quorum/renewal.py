"""What a changed roster means for a key that its holders keep: who holds it next, and who deals.

From the old roster and the new one follows what `quorate.threshold.reshare` is
to do. A rule in words (`majority`, `half`) is counted anew; a rule in numbers
stays as long as so many are left. Who is removed for cause does not deal: its
word counts for nothing, and the key should have a successor
(`quorate.threshold.succession`), which a resharing cannot replace.
"""

from collections.abc import Collection
from dataclasses import dataclass

from quorate.errors import Refused
from quorate.quorum.answer import Holder
from quorate.quorum.key_plan import KeyPlan, holders_of
from quorate.studies.group import Group
from quorate.threshold.rule import Rule, parse_rule


@dataclass(frozen=True, slots=True)
class Renewal:
    """A key in other hands, before anybody has dealt."""

    holders: tuple[Holder, ...]  # in the order of the new roster; the first has identifier 1
    rule: Rule
    dealers: tuple[int, ...]  # identifiers of the old key, in ascending order
    joining: tuple[str, ...]
    leaving: tuple[str, ...]


def follow(
    plan: KeyPlan, words: str, old: Group, new: Group, for_cause: Collection[str] = ()
) -> Renewal | None:
    """Return what `new` in place of `old` means for a key; nothing where it means nothing.

    `words` are the rule as its owners wrote it. A key of all members goes to
    all members; any other stays with those of its holders who stay. A member
    with another identity key is another holder. Raises `Refused` where too few
    are left to hand it over, or to follow the rule.
    """
    of_all = plan.names == old.names
    names = new.names if of_all else tuple(name for name in new.names if name in plan.names)
    holders = holders_of(new, names)
    rule = _rule(words, plan, len(holders))
    if holders == plan.holders and rule == plan.rule:
        return None
    return renewed(plan, holders, rule, for_cause)


def renewed(
    plan: KeyPlan, holders: tuple[Holder, ...], rule: Rule, unable: Collection[str] = ()
) -> Renewal:
    """Return what it takes to give a key to `holders`, under `rule`; the same for a refresh.

    `unable` are old holders who do not deal. Raises `Refused` where too few are left.
    """
    return Renewal(
        holders,
        rule,
        _dealers(plan, holders, unable),
        tuple(h.name for h in holders if h not in plan.holders),
        tuple(h.name for h in plan.holders if h not in holders),
    )


def _rule(words: str, plan: KeyPlan, holders: int) -> Rule:
    if any(character.isdigit() for character in words):
        return Rule(parse_rule(words, len(plan.holders)).min_signers, holders)
    return parse_rule(words, holders)


def _dealers(
    plan: KeyPlan, holders: tuple[Holder, ...], for_cause: Collection[str]
) -> tuple[int, ...]:
    """Return who deals: of those who may, first who stays, then who leaves in good standing."""
    able = [i for i, holder in enumerate(plan.holders, 1) if holder.name not in for_cause]
    able.sort(key=lambda i: plan.holders[i - 1] not in holders)  # stable: by identifier within
    if not plan.access.suffice(able):
        raise Refused(
            f"{len(able)} holders may deal, and {plan.wanted} must",
            hint="generate a new key: this one cannot be handed over",
        )
    for i in reversed(able):
        fewer = [other for other in able if other != i]
        if plan.access.suffice(fewer):
            able = fewer
    return tuple(sorted(able))
