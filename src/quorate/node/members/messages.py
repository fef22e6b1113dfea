"""What nodes tell each other about the roster.

topic    ask            answer
roster   Known          Told        (what followed the roster I have?)
change   Proposed       Ack
apply    Application    Welcome     (from a guest: see `quorate.transport.guests`)
"""

from dataclasses import dataclass

from quorate.quorum.roster import Change, Decided, SignedVote
from quorate.studies.group import Group


@dataclass(frozen=True, slots=True)
class Known:
    """The digest of the asking node's roster."""

    roster: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """All changes of the group's rosters since the first, whose digest is `first`."""

    first: bytes
    steps: tuple[Decided, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A change, and the votes on it that the sender knows of."""

    change: Change
    signature: bytes
    votes: tuple[SignedVote, ...]


@dataclass(frozen=True, slots=True)
class Welcome:
    """To a newcomer: the rosters so far, and who still has to vote, while it is not listed."""

    first: Group
    steps: tuple[Decided, ...]
    waits_for: tuple[str, ...]
