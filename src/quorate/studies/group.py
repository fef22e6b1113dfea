"""A group: its members, where their nodes listen, and the keys that speak for them.

The digest of a group identifies it everywhere: plans, sessions and certificates
carry it, so nobody can be moved into a group that others did not agree to. A
member's seat is its place in the roster.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

from quorate import wire
from quorate.errors import MalformedMessage, NotFound, Party
from quorate.studies import document
from quorate.threshold.identity import verify_by
from quorate.wire import ABSENT, Absent

Approvers = Literal["majority", "two thirds", "all"]

MAX_MEMBERS = 256
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
RELAY = "relay:"
_HOST = re.compile(r"(?=.{1,253}:)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?:([0-9]{1,5})")
_HOST_V6 = re.compile(r"\[([0-9a-f:.]{2,45})\]:([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    address: str  # host:port of its node, or relay:host:port of the relay at which it waits
    public_key: bytes  # Ed25519, 32 bytes
    operator: str = ""  # who runs the node, where that is not the member itself

    @property
    def run_by(self) -> str:
        """Who runs the node: two members may have one operator, and then one share of a key."""
        return self.operator or self.name

    def verify(self, signature: bytes, domain: str, message: object, otherwise: str) -> None:
        """Raise `VerificationFailed(otherwise)` unless this member signed `message`."""
        verify_by(self.public_key, signature, wire.signing_input(domain, message), otherwise)


@dataclass(frozen=True, slots=True)
class Follows:
    """What came before a roster: with it, the digest of one covers all before it."""

    epoch: int  # 1 for the first change
    roster: bytes  # digest of the group before
    change: bytes  # digest of the change that led here


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    members: tuple[Member, ...]
    changed_by: Approvers | Absent = ABSENT  # who must approve a change; a majority
    follows: Follows | Absent = ABSENT  # nothing: the roster the group began with

    @property
    def epoch(self) -> int:
        return 0 if self.follows is ABSENT else self.follows.epoch

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.members)

    def digest(self) -> bytes:
        return wire.digest("group", self)

    def party(self, name: str) -> Party:
        """Return the seat of member `name`. Raises `NotFound`."""
        if name not in self.names:
            raise NotFound(
                f"no member of that name in group {self.name}",
                hint=f"the members are {', '.join(self.names)}",
            )
        return self.names.index(name)


def check_group(group: Group) -> None:
    """Refuse a group that could confuse or be confused. Raises `MalformedMessage`."""
    check_name("the group", group.name)
    if not 2 <= len(group.members) <= MAX_MEMBERS:
        raise MalformedMessage(
            f"a group has 2 to {MAX_MEMBERS} members, and this has {len(group.members)}"
        )
    for member in group.members:
        check_member(member)
    if len(set(group.names)) < len(group.members):
        raise MalformedMessage("two members have the same name")
    if len({member.public_key for member in group.members}) < len(group.members):
        raise MalformedMessage("two members have the same key")
    direct = [m.address for m in group.members if not m.address.startswith(RELAY)]
    if len(set(direct)) < len(direct):
        raise MalformedMessage("two members have the same address")


def check_member(member: Member) -> None:
    """Refuse a member no group could list. Raises `MalformedMessage`."""
    check_name("a member", member.name)
    _check_address(member)
    if member.operator:
        check_name(f"the operator of {member.name}", member.operator)
    if member.operator == member.name:
        raise MalformedMessage(
            f"{member.name} is said to be its own operator", hint="that is what no operator means"
        )
    if len(member.public_key) != 32:
        raise MalformedMessage(f"the key of {member.name} is not 32 bytes")


def group_to_json(group: Group) -> str:
    return document.write("group 2", group)


def group_from_json(text: str) -> Group:
    """Return the group a file holds, checked. Raises `MalformedMessage`."""
    group = document.read("group 2", text, Group)
    check_group(group)
    return group


def check_name(whose: str, name: str) -> None:
    if len(name) > 32 or not _NAME.fullmatch(name):
        raise MalformedMessage(
            f"{whose} has an unusable name",
            hint="a lowercase letter, then lowercase letters, digits and single -, at most 32",
        )


def _check_address(member: Member) -> None:
    address = member.address.removeprefix(RELAY)
    named, v6 = _HOST.fullmatch(address), _HOST_V6.fullmatch(address)
    port = int(named[1]) if named else int(v6[2]) if v6 else 0
    if 1 <= port <= 65535 and (v6 is None or _is_ipv6(v6[1])):
        return
    raise MalformedMessage(
        f"the address of {member.name} is not host:port",
        hint="write for instance north.example:7400, [2001:db8::1]:7400 or relay:north.example:443",
    )


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
