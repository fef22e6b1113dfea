"""What nodes tell each other to hold a run, and after one.

topic             ask        answer
report standing   Standing   Standing   (how far have your runs come?)
report prepare    Prepare    Ack
report go         Begin      Ack
report proof      Proof      Ack        (evidence, a record at a time)
report claim      Claim      Ack
report card       SignedCard Ack        (the key by which a member is sealed to)
report share      Wanted     Given      (a recipient's share, if the other is one and says so)
report missed     Since      Listing    (runs that who was away should know of)
report brought    Which      Brought    (the texts of one)
report silent     Word       Ack        (of whom this member heard nothing in a run)
report unheard    Unheard    Ack        (of whom nobody heard anything in one)
report evidence   Which      Spoilt     (who spoilt one, a record at a time)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.anonymous.absence import Unheard
from quorate.anonymous.cards import SignedCard
from quorate.anonymous.filing import verify_votes
from quorate.anonymous.messages import Identity, Run, Vote
from quorate.anonymous.recipients import Share


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
    """Get ready for a run over session `session`; it follows on `past`.

    `cards` are all known, `unheard` say why members that are there are not in it.
    """

    run: Run
    session: int  # 1 .. 2^63 - 1, random
    past: Past | None
    cards: tuple[SignedCard, ...]
    unheard: tuple[Unheard, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Since:
    """Asked by who was away: which runs that all should know of came after this number?"""

    number: int


@dataclass(frozen=True, slots=True)
class Told:
    """A run that brought texts, or that somebody is proven to have spoilt."""

    number: int
    run: bytes
    spoilt: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Some such runs in the order of numbers; the next page begins after the last of them."""

    runs: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Which:
    """Asked for: what a run brought, or record `index` of the evidence of who spoilt it."""

    run: bytes
    index: int = 0


@dataclass(frozen=True, slots=True)
class Brought:
    """What all members of a run have of it: what they signed, the cells, what opens them."""

    past: Past
    cells: tuple[bytes, ...]
    joint_secret: bytes


@dataclass(frozen=True, slots=True)
class Spoilt:
    """One of `count` records that prove who spoilt a run."""

    run: Run
    count: int
    record: bytes


def verify_past(past: Past, group: bytes, members: Sequence[Identity]) -> None:
    """Raise `VerificationFailed` unless all members of that run said go to one transcript."""
    verify_votes(past.run, past.vote, past.votes, group, members)


def age(past: Past) -> tuple[int, bytes]:
    """Return what puts runs in one order for all, also two of one number, by halves of a group."""
    return past.run.number, past.run.digest()
