"""One change of a group's roster: proposed by a member, voted on by all, then the roster.

A change names the very roster it changes by digest, and the next roster names
both: so the digest of a roster covers all that led to it. A change holds when
more than half of the members signed for it (all, or two thirds, where the
group says so). Who is to be removed has no word in that.

Two changes of one roster cannot both hold unless somebody lied: any two
majorities share a member, and an honest one approves a second change only with
the signed declines that show the first can never hold. So whoever approved both
without them is proven a culprit, by what it signed (`convicted`).

Adversary: any members, fewer than a majority, who say anything to anybody; and
a network that lets through what it likes. Unreviewed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.errors import Error, Refused, VerificationFailed
from quorate.quorum.invitation import Application, verify_application
from quorate.quorum.request import MAX_DAYS, MAX_REASON, NONCE_BYTES, short_id
from quorate.studies.group import Follows, Group, Member, check_group
from quorate.studies.schema import check_text
from quorate.studies.times import check_time
from quorate.threshold.identity import verify_by
from quorate.threshold.rule import majority
from quorate.wire import ABSENT, Absent

FORMAT = 1

Kind = Literal["join", "remove", "rotate"]
Word = Literal["approve", "decline"]


@dataclass(frozen=True, slots=True)
class Change:
    format: int
    kind: Kind
    roster: bytes  # digest of the group that is changed
    member: Member  # as it will be listed; of a removal, as it was
    for_cause: bool  # of a removal: it may have kept what it should not
    reason: str
    proposer: str
    created: str  # UTC
    expires: str  # UTC; from then on nobody votes on it
    nonce: bytes
    application: Application | Absent = ABSENT  # of a join
    consent: bytes | Absent = ABSENT  # of a rotation, by the key that is listed then

    def digest(self) -> bytes:
        return wire.digest("roster change", self)

    @property
    def short_id(self) -> str:
        return short_id(self.digest())


@dataclass(frozen=True, slots=True)
class Vote:
    change: bytes  # digest
    roster: bytes  # digest of the group that is changed
    member: str
    word: Word
    reason: str
    time: str  # UTC


@dataclass(frozen=True, slots=True)
class SignedVote:
    """A vote under its member's identity key, with what set the member free to give it."""

    vote: Vote
    freed_by: tuple["SignedVote", ...]  # the declines of what the member approved before
    signature: bytes


@dataclass(frozen=True, slots=True)
class Decided:
    """A change and the votes that made it hold."""

    change: Change
    signature: bytes  # the proposer's
    approvals: tuple[SignedVote, ...]  # in the order of seats


def needed(group: Group, change: Change) -> int:
    """Return how many must approve: always more than half of the members."""
    members = len(group.members)
    every = {"majority": majority(members), "two thirds": 2 * members // 3 + 1, "all": members}
    rule = "majority" if group.changed_by is ABSENT else group.changed_by
    return min(every[rule], members - (change.kind == "remove"))


def successor(group: Group, change: Change) -> Group:
    """Return the roster that `change` makes of `group`. Raises `Refused`, `MalformedMessage`."""
    _require(change.roster == group.digest(), "the change is of another roster")
    listed = {member.name: member for member in group.members}
    member, before = change.member, listed.get(change.member.name)
    match change.kind:
        case "join":
            _require(before is None, f"{member.name} is a member already")
            members = (*group.members, member)
        case "remove":
            _require(before == member, f"{member.name} is not listed so")
            members = tuple(m for m in group.members if m != member)
        case "rotate":
            _require(before is not None, f"{member.name} is no member")
            _require(before != member, "nothing would change")
            members = tuple(member if m == before else m for m in group.members)
    follows = Follows(group.epoch + 1, group.digest(), change.digest())
    after = replace(group, members=members, follows=follows)
    check_group(after)
    return after


def sign_change(identity: Ed25519PrivateKey, change: Change) -> bytes:
    """Return the proposer's signature."""
    return identity.sign(wire.signing_input("roster change", change))


def consent_input(roster: bytes, member: Member) -> bytes:
    """Return what the key signs that `member` shall be listed with."""
    return wire.signing_input("roster consent", (roster, member))


def verify_change(group: Group, first: bytes, change: Change, signature: bytes) -> Group:
    """Return the roster that `change` would make, if it may be voted on.

    `first` is the digest of the group's first roster. Raises `Refused`,
    `VerificationFailed`, `MalformedMessage`.
    """
    _require(change.format == FORMAT, "the change has an unknown format")
    _require(len(change.nonce) == NONCE_BYTES, "the change has no nonce")
    _require(change.for_cause <= (change.kind == "remove"), "only a removal is for cause")
    check_text("the reason", change.reason, MAX_REASON)
    check_time(change.created)
    check_time(change.expires)
    created = datetime.fromisoformat(change.created)
    lasts = datetime.fromisoformat(change.expires) - created
    _require(
        timedelta() < lasts <= timedelta(days=MAX_DAYS),
        f"a change waits for more than nothing and at most {MAX_DAYS} days",
    )
    after = successor(group, change)
    proposer = group.members[group.party(change.proposer)]
    otherwise = "the change is not signed by its proposer"
    proposer.verify(signature, "roster change", change, otherwise)
    _verify_wish(group, first, change, created)
    return after


def _verify_wish(group: Group, first: bytes, change: Change, created: datetime) -> None:
    """Raise unless the key that will be listed wants to be, by invitation or by consent."""
    application, consent = change.application, change.consent
    _require((application is not ABSENT) is (change.kind == "join"), "no application, or too many")
    _require((consent is not ABSENT) is (change.kind == "rotate"), "no consent, or too many")
    if application is not ABSENT:
        said = application.invited.invitation
        _require(said.group == first, "the invitation is to another group")
        _require(application.member == change.member, "the application is for another member")
        verify_application(application, group.members[group.party(said.inviter)], created)
    if consent is not ABSENT:
        message = consent_input(change.roster, change.member)
        otherwise = f"the key {change.member.name} would have does not consent"
        verify_by(change.member.public_key, consent, message, otherwise)


def sign_vote(
    identity: Ed25519PrivateKey, vote: Vote, freed_by: tuple[SignedVote, ...] = ()
) -> SignedVote:
    """Return a vote under its member's key."""
    return SignedVote(vote, freed_by, identity.sign(_voted(vote, freed_by)))


def verify_vote(group: Group, signed: SignedVote) -> None:
    """Raise `VerificationFailed` unless a member voted so on a change of `group`, and might."""
    vote = signed.vote
    try:
        member = group.members[group.party(vote.member)]
        check_time(vote.time)
        check_text("the reason", vote.reason, MAX_REASON)
    except Error as e:
        raise VerificationFailed(f"a vote is not usable: {e}") from None
    if vote.roster != group.digest():
        raise VerificationFailed("a vote is on a change of another roster")
    otherwise = f"a vote in the name of {vote.member} is not signed by it"
    verify_by(member.public_key, signed.signature, _voted(vote, signed.freed_by), otherwise)
    for decline in signed.freed_by:
        if decline.freed_by or decline.vote.word != "decline" or vote.word != "approve":
            raise VerificationFailed(f"what {vote.member} shows with its vote sets nobody free")
        verify_vote(group, decline)
    if not all(is_blocked(group, one, signed.freed_by) for one in freed_of(signed)):
        raise VerificationFailed(f"what {vote.member} shows with its vote blocks nothing")


def freed_of(signed: SignedVote) -> frozenset[bytes]:
    """Return the digests of the changes from which a vote shows its member to be free."""
    return frozenset(decline.vote.change for decline in signed.freed_by)


def is_blocked(group: Group, change: bytes, votes: Iterable[SignedVote]) -> bool:
    """Return whether verified votes show that a change can never hold, by any rule."""
    against = {v.vote.member for v in votes if (v.vote.change, v.vote.word) == (change, "decline")}
    return len(against) > len(group.members) - majority(len(group.members))


def verify_decided(group: Group, first: bytes, decided: Decided) -> Group:
    """Return the roster that follows `group` if this change of it holds."""
    change = decided.change
    after = verify_change(group, first, change, decided.signature)
    names = [signed.vote.member for signed in decided.approvals]
    for signed in decided.approvals:
        verify_vote(group, signed)
        if (signed.vote.change, signed.vote.word) != (change.digest(), "approve"):
            raise VerificationFailed(f"{signed.vote.member} did not approve this change")
    if names != [name for name in group.names if name in names]:
        raise VerificationFailed("the approvals are not in the order of seats, or repeated")
    counting = set(names) - ({change.member.name} if change.kind == "remove" else set())
    if len(counting) < needed(group, change):
        raise VerificationFailed(
            f"{len(counting)} members approved the change, and {needed(group, change)} must"
        )
    return after


def decide(
    group: Group, change: Change, signature: bytes, votes: Collection[SignedVote]
) -> Decided | None:
    """Return the change as decided if these verified votes make it hold."""
    approvals = {
        v.vote.member: v
        for v in votes
        if (v.vote.change, v.vote.word) == (change.digest(), "approve")
    }
    if change.kind == "remove":
        approvals.pop(change.member.name, None)
    if len(approvals) < needed(group, change):
        return None
    ordered = tuple(approvals[name] for name in group.names if name in approvals)
    return Decided(change, signature, ordered)


def contradiction(one: SignedVote, other: SignedVote) -> bool:
    """Return whether two verified votes on one roster can not both be an honest member's."""
    a, b = one.vote, other.vote
    if (a.member, a.roster) != (b.member, b.roster):
        return False
    if a.change == b.change:
        return a.word != b.word
    both = a.word == b.word == "approve"
    return both and a.change not in freed_of(other) and b.change not in freed_of(one)


def convicted(group: Group, votes: Sequence[SignedVote]) -> tuple[str, ...]:
    """Return who is proven by these votes to have cheated. Raises `VerificationFailed`."""
    for signed in votes:
        verify_vote(group, signed)
    guilty = {a.vote.member for i, a in enumerate(votes) for b in votes[:i] if contradiction(a, b)}
    return tuple(name for name in group.names if name in guilty)


def _voted(vote: Vote, freed_by: tuple[SignedVote, ...]) -> bytes:
    return wire.signing_input("roster vote", (vote, freed_by))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise Refused(message)
