"""Who must act together, in roles, as a person writes it: read, and laid over the holders.

    2 of doctor, pharmacist, nurse           one of each of two of these roles
    (2 of oncology) and (1 of pharmacy)      two of one role, and one of another
    2 of alice, (1 of night)                 names of members work as names of roles do

A number of *one* role counts its members; of several names, each counts once,
however many of its members agree. A person is at one place of a policy only, or
it could be two: who has two roles in it is refused. What is forbidden ("not who
prescribed it") cannot be said: a policy that more people satisfy less is none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from quorate.errors import Error, MalformedMessage, Refused
from quorate.threshold.access import (
    MAX_DEPTH,
    MAX_HOLDERS,
    Access,
    Gate,
    check_access,
    fewest,
    leaves_of,
)

MAX_TEXT = 1000
HINT = 'write for example "2 of doctor, pharmacist, nurse" or "(2 of oncology) and (1 of pharmacy)"'
_TOKEN = re.compile(r"\s*([(),]|[a-z0-9][a-z0-9_-]{0,31})")
_WORDS = frozenset({"of", "and", "or"})


@dataclass(frozen=True, slots=True)
class Role:
    """A name, and the members who have it."""

    name: str
    members: tuple[str, ...]


def parse_policy(text: str, roles: Sequence[Role], holders: Sequence[str]) -> Access:
    """Return the access structure that `text` means; holder i has identifier i + 1.

    Raises `Refused` for other words, unknown names, a person at two places, one
    who could act alone, and holders whom the policy does not name.
    """
    if len(text) > MAX_TEXT:
        raise Refused(f"a policy has at most {MAX_TEXT} characters", hint=HINT)
    _check_roles(roles, holders)
    reader = _Reader(_tokens(text), {role.name: role.members for role in roles}, tuple(holders))
    policy = reader.expression(0)
    if reader.left:
        raise _unexpected(reader.left[0])
    if isinstance(policy, int):
        policy = Gate(1, (policy,))
    named = list(leaves_of(policy))
    twice = {holders[i - 1] for i in named if named.count(i) > 1}
    if twice:
        raise Refused(
            f"{', '.join(sorted(twice))} would be at two places of this policy",
            hint="one person counts once: give each person one role",
        )
    unnamed = [name for i, name in enumerate(holders, 1) if i not in named]
    if unnamed:
        raise Refused(f"the policy does not name {', '.join(unnamed)}, who would hold a share")
    access = Access(fewest(policy), len(holders), policy)
    try:
        check_access(access)
    except MalformedMessage as e:
        raise Refused(str(e), hint=HINT) from None
    return access


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    place, text = 0, text.lower().rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise Refused("a policy has names, numbers, commas and parentheses only", hint=HINT)
        tokens.append(found[1])
        place = found.end()
    return tokens


def _check_roles(roles: Sequence[Role], holders: Sequence[str]) -> None:
    names = [role.name for role in roles]
    clashing = {name for name in names if names.count(name) > 1 or name in holders}
    bad = {name for name in (*names, *holders) if name in _WORDS or name.isdigit()}
    if clashing or bad:
        raise Refused(f"{', '.join(sorted(clashing | bad))} cannot be the name of a role or member")
    for role in roles:
        if len(set(role.members)) < len(role.members):
            raise Refused(f"a member has the role {role.name} twice")


@dataclass(slots=True)
class _Reader:
    """Recursive descent: each method takes its words from the left."""

    left: list[str]
    roles: dict[str, tuple[str, ...]]
    holders: tuple[str, ...]

    def expression(self, depth: int) -> Gate | int:
        if depth > MAX_DEPTH:
            raise Refused(f"a policy is more than {MAX_DEPTH} gates deep", hint=HINT)
        terms = [self.term(depth)]
        joint = self.left[0] if self.left and self.left[0] in ("and", "or") else ""
        while joint and self.left and self.left[0] == joint:
            self.take(joint)
            terms.append(self.term(depth))
        if self.left and self.left[0] in ("and", "or"):
            raise Refused('"and" and "or" side by side need parentheses', hint=HINT)
        if len(terms) == 1:
            return terms[0]
        return Gate(len(terms) if joint == "and" else 1, tuple(terms))

    def term(self, depth: int) -> Gate | int:
        if len(self.left) < 2 or self.left[1] != "of" or not self.left[0].isdigit():
            return self.item(depth)
        needed = int(self.take()[:4])
        self.take("of")
        if self._is_role_alone():
            return self._gate(needed, tuple(map(self._holder, self.roles[self.take()])))
        items = [self.item(depth)]
        while self.left and self.left[0] == ",":
            self.take(",")
            items.append(self.item(depth))
        return self._gate(needed, tuple(items))

    def item(self, depth: int) -> Gate | int:
        word = self.take()
        if word == "(":
            inner = self.expression(depth + 1)
            self.take(")")
            return inner
        if word in self.roles:
            return self._gate(1, tuple(map(self._holder, self.roles[word])))
        return self._holder(word)

    def take(self, due: str = "") -> str:
        if not self.left:
            raise Refused("a policy ends too early", hint=HINT)
        if due and self.left[0] != due:
            raise _unexpected(self.left[0])
        return self.left.pop(0)

    def _is_role_alone(self) -> bool:
        return bool(self.left) and self.left[0] in self.roles and self.left[1:2] != [","]

    def _gate(self, needed: int, of: tuple[Gate | int, ...]) -> Gate:
        if not 1 <= needed <= len(of):
            raise Refused(f"{needed} of {len(of)} can never be a rule", hint=HINT)
        if len(of) > MAX_HOLDERS:
            raise Refused(f"a policy has at most {MAX_HOLDERS} holders")
        return Gate(needed, of)

    def _holder(self, name: str) -> int:
        if name not in self.holders:
            raise Refused(f"{name} is neither a role nor a holder", hint=HINT)
        return self.holders.index(name) + 1


def _unexpected(word: str) -> Error:
    return Refused(f"{word} is not expected there in a policy", hint=HINT)
