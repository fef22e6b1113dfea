"""Members with keys, and what they sign when their roster changes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.quorum.history import History
from quorate.quorum.invitation import Application, Token, apply, invite
from quorate.quorum.roster import (
    Change,
    Decided,
    Kind,
    SignedVote,
    Vote,
    Word,
    consent_input,
    decide,
    sign_change,
    sign_vote,
    verify_change,
)
from quorate.studies.group import Group, Member
from quorate.studies.times import utc_text
from quorate.wire import ABSENT

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@dataclass(slots=True)
class Ward:
    """A group whose members' keys the test has."""

    keys: dict[str, Ed25519PrivateKey]
    history: History = field(init=False)

    def __post_init__(self) -> None:
        members = tuple(listed(name, key) for name, key in self.keys.items())
        self.history = History((Group("ward", members),))

    @property
    def now(self) -> Group:
        return self.history.now

    def change(
        self,
        kind: Kind,
        member: Member,
        proposer: str,
        *,
        application: Application | None = None,
        new_key: Ed25519PrivateKey | None = None,
        nonce: bytes = bytes(16),
    ) -> Change:
        roster = self.now.digest()
        consent = None if new_key is None else new_key.sign(consent_input(roster, member))
        return Change(
            format=1,
            kind=kind,
            roster=roster,
            member=member,
            for_cause=False,
            reason="as agreed",
            proposer=proposer,
            created=utc_text(NOW),
            expires=utc_text(NOW + timedelta(days=7)),
            nonce=nonce,
            application=ABSENT if application is None else application,
            consent=ABSENT if consent is None else consent,
        )

    def removal(self, name: str, proposer: str, nonce: bytes = bytes(16)) -> Change:
        member = self.now.members[self.now.party(name)]
        return self.change("remove", member, proposer, nonce=nonce)

    def join(self, name: str, key: Ed25519PrivateKey, proposer: str, token: Token) -> Change:
        member = listed(name, key)
        return self.change("join", member, proposer, application=apply(token, member, key))

    def token(self, inviter: str, lasts: timedelta = timedelta(days=1)) -> Token:
        first, key = self.history.first.digest(), self.keys[inviter]
        return invite(self.now, first, inviter, key, NOW, lasts, os.urandom)

    def vote(
        self,
        name: str,
        change: Change,
        word: Word = "approve",
        freed_by: tuple[SignedVote, ...] = (),
    ) -> SignedVote:
        vote = Vote(change.digest(), change.roster, name, word, "seen", utc_text(NOW))
        return sign_vote(self.keys[name], vote, freed_by)

    def decided(self, change: Change, names: Sequence[str]) -> Decided:
        """Return the change with these members' approvals, whether or not they are enough."""
        signature = sign_change(self.keys[change.proposer], change)
        ordered = [name for name in self.now.names if name in names]
        return Decided(change, signature, tuple(self.vote(name, change) for name in ordered))

    def holds(self, change: Change, names: Sequence[str]) -> None:
        """Make the change hold for everybody."""
        decided = self.decided(change, names)
        verify_change(self.now, self.history.first.digest(), change, decided.signature)
        assert decide(self.now, change, decided.signature, decided.approvals) == decided
        self.history = self.history.extended(decided)


def listed(name: str, key: Ed25519PrivateKey, host: str = "") -> Member:
    address = f"{host or name}.example:7400"
    return Member(name, address, key.public_key().public_bytes_raw())


def ward(*names: str) -> Ward:
    return Ward({name: Ed25519PrivateKey.generate() for name in names})
