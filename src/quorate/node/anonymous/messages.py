"""What nodes tell each other to hold a run, and after one.

topic             ask        answer
report standing   Standing   Standing   (how far have your runs come?)
report prepare    Prepare    Ack
report go         Begin      Ack
report proof      Proof      Ack        (evidence, a record at a time)
report claim      Claim      Ack
report card       SignedCard Ack        (the key by which a member is sealed to)
report share      Wanted     Given      (a recipient's share, if the other is one and says so)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.anonymous.cards import SignedCard
from quorate.anonymous.messages import Ballot, Identity, Run, Vote, is_signed, shown_ballot
from quorate.anonymous.recipients import Share
from quorate.errors import VerificationFailed


@dataclass(frozen=True, slots=True)
class Past:
    """The last run that brought something, as all its members signed it."""

    run: Run
    vote: Vote
    votes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """The highest number of a run this node took part in, and the last that went well, if any.

    Told to others, it has this member's own card, so that no run begins without its newest.
    """

    number: int
    past: Past | None
    card: SignedCard | None = None


@dataclass(frozen=True, slots=True)
class Prepare:
    """Get ready for a run over session `session`; it follows on `past`. `cards` are all known."""

    run: Run
    session: int  # 1 .. 2^63 - 1, random
    past: Past | None
    cards: tuple[SignedCard, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin the run that is prepared."""

    session: int


@dataclass(frozen=True, slots=True)
class Proof:
    """One of `count` records that prove who spoilt the run of digest `run`."""

    run: bytes
    index: int
    count: int
    record: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """Asked of a recipient by another: its share of the body of this post."""

    thread: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Given:
    """The share, or nothing: of who is no recipient, has not approved, or is asked by no recipient.

    All three answer alike.
    """

    share: Share | None


def verify_past(past: Past, group: bytes, members: Sequence[Identity]) -> None:
    """Raise `VerificationFailed` unless all members of that run said go to one transcript."""
    run, sid = past.run, past.run.digest()
    ours = run.group == group and run.n > 0 and set(run.members) <= set(members)
    if not ours or not past.vote.go or len(past.votes) != run.n:
        raise VerificationFailed("the run before is none of this group's")
    for party, signature in enumerate(past.votes):
        if not is_signed(run, sid, shown_ballot(party, Ballot(past.vote, signature))):
            raise VerificationFailed(f"{run.name([party])} has not signed the run before")
