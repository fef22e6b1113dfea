"""All rosters a group has had, each from the one before it, verified from the first.

A node trusts the roster it was given at the beginning (its digest is compared by
people) and nothing else: every later one is verified change by change. The
history also says what may never come again: a key that was ever listed, and an
invitation that was ever used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.errors import Abort, NotFound, Refused
from quorate.quorum.roster import Change, Decided, SignedVote, convicted, verify_decided
from quorate.studies.group import Group, check_group
from quorate.wire import ABSENT

MAX_EPOCHS = 10_000


@dataclass(frozen=True, slots=True)
class History:
    """Verified rosters, the first one first; `steps[i]` leads from `groups[i]` to the next."""

    groups: tuple[Group, ...]
    steps: tuple[Decided, ...] = ()

    @property
    def first(self) -> Group:
        return self.groups[0]

    @property
    def now(self) -> Group:
        return self.groups[-1]

    def of(self, digest: bytes) -> Group:
        """Return the roster with that digest. Raises `NotFound`."""
        for group in reversed(self.groups):
            if group.digest() == digest:
                return group
        raise NotFound(f"group {self.now.name} never had that roster", hint="quorate group show")

    def since(self, digest: bytes) -> tuple[Decided, ...]:
        """Return what followed the roster with that digest. Raises `NotFound`."""
        return self.steps[self.groups.index(self.of(digest)) :]

    def check_unused(self, change: Change) -> None:
        """Raise `Refused` for a key that was listed before, or an invitation that was used."""
        listed = [member for group in self.groups for member in group.members]
        current = {member.name: member.public_key for member in self.now.members}
        key = change.member.public_key
        keeps = current.get(change.member.name) == key
        if not keeps and any(member.public_key == key for member in listed):
            raise Refused(
                f"the key {change.member.name} would have was in this group before",
                hint="make a new one: a key that was given up does not come back",
            )
        if change.application is not ABSENT and door_of(change) in map(door_of, self.changes()):
            raise Refused("this invitation was used already", hint="ask for a new one")

    def changes(self) -> tuple[Change, ...]:
        return tuple(step.change for step in self.steps)

    def extended(self, decided: Decided) -> "History":
        """Return the history with one more change, verified.

        Raises `VerificationFailed` or `Refused`, and `Abort` naming the culprits
        where the change contradicts one that holds already: a split view.
        """
        change = decided.change
        if change.roster != self.now.digest():
            self._check_split(decided)
        self.check_unused(change)
        after = verify_decided(self.now, self.first.digest(), decided)
        if len(self.steps) >= MAX_EPOCHS:
            raise Refused(f"a group changes at most {MAX_EPOCHS} times")
        return History((*self.groups, after), (*self.steps, decided))

    def _check_split(self, decided: Decided) -> None:
        """Raise what is wrong with a change of a roster that is no longer, or never was."""
        change = decided.change
        group = self.of(change.roster)
        held = self.steps[self.groups.index(group)]
        if held.change == change:
            raise Refused(f"change {change.short_id} holds already")
        verify_decided(group, self.first.digest(), decided)
        raise split(group, (*held.approvals, *decided.approvals))


def split(group: Group, votes: Sequence[SignedVote]) -> Abort:
    """Return the error that names who made two rosters follow one; seats are those of `group`."""
    guilty = convicted(group, votes)
    return Abort(
        f"two rosters follow epoch {group.epoch} of {group.name}: "
        f"{', '.join(guilty)} approved both",
        culprits=map(group.party, guilty),
        hint="speak to one another: the roster this node has stays as it is",
    )


def door_of(change: Change) -> bytes:
    """Return the public key of the invitation a change came by; empty for other changes."""
    application = change.application
    return b"" if application is ABSENT else application.invited.invitation.door


def verify_history(first: Group, steps: Sequence[Decided]) -> History:
    """Return the history that begins with the trusted roster `first`. Raises as `extended` does."""
    check_group(first)
    if first.follows is not ABSENT:
        raise Refused("a history begins with the group's first roster")
    history = History((first,))
    for step in steps:
        history = history.extended(step)
    return history
