"""Behind how many others an author stands, before it sends and ever after.

Who could have written a report is at most everybody who took part in the run. An
author takes away whom it fears to work against it: those know that they did not
write it. The rest must be large enough, and of several organisations, for one
operator may run many nodes. Over the reports of one thread only who took part in
all their runs could have written them [WSF13]: a set that shrinks, and that must
stay large enough too.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from quorate.errors import NotFound, Refused


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member that could have written a report, and whose staff operates its node."""

    name: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Gate:
    """How many must remain. An author may ask for more for its own report, and not for less."""

    min_members: int = 5
    min_organisations: int = 3

    def raised(self, other: "Gate") -> "Gate":
        """Return the gate that asks for as much as both."""
        return Gate(
            max(self.min_members, other.min_members),
            max(self.min_organisations, other.min_organisations),
        )


LEAST = Gate()
"""What every report needs."""


def own_gate(min_members: int, min_organisations: int) -> Gate:
    """Return what an author asks for; 0 asks for nothing of its own.

    Raises `Refused` for less than all need: who asked for less would show it by its run.
    """
    too_few = 0 < min_members < LEAST.min_members
    if too_few or 0 < min_organisations < LEAST.min_organisations:
        raise Refused(
            f"{LEAST.min_members} members of {LEAST.min_organisations} organisations are the least",
            hint="a report may wait for more than that, and not for less",
        )
    return LEAST.raised(Gate(min_members, min_organisations))


Crowd = frozenset[Candidate]
"""Those who could have written it, the author among them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter says: who remains, who would be lost by sending now, and what is too little.

    `lost` are those who stood behind the thread so far and would not any more.
    """

    crowd: Crowd
    lost: Crowd
    lacking: tuple[str, ...]

    @property
    def organisations(self) -> frozenset[str]:
        return frozenset(candidate.organisation for candidate in self.crowd)


def read(
    taking_part: Iterable[Candidate],
    *,
    author: str,
    feared: Iterable[str] = (),
    thread: Iterable[Crowd] = (),
    gate: Gate = LEAST,
) -> Reading:
    """Return behind whom `author` stands if it sends in a run of those who take part.

    `feared` are names of members that may pool what they saw; `thread` the members of
    each run in which this thread has spoken. Raises `NotFound` for an unknown name, and
    `Refused` where the author itself is feared or away.
    """
    here = frozenset(taking_part)
    before = tuple(thread)
    feared = frozenset(feared)
    names = {c.name for crowd in (here, *before) for c in crowd}
    if unknown := sorted(feared - names):
        raise NotFound(f"no member is named {', '.join(unknown)}")
    if author in feared or author not in {c.name for c in here}:
        raise Refused("who writes takes part, and does not fear itself")
    trusted = [frozenset(c for c in crowd if c.name not in feared) for crowd in (*before, here)]
    crowd = frozenset.intersection(*trusted)
    so_far = frozenset.intersection(*trusted[:-1]) if before else crowd
    return Reading(crowd, so_far - crowd, lacking(crowd, gate))


def check(reading: Reading) -> None:
    """Raise `Refused` unless enough remain to send a report."""
    if reading.lacking:
        raise Refused(
            f"the author would stand among {' and '.join(reading.lacking)}",
            hint="wait for a run with more members; the report stays queued until then",
        )


def lacking(crowd: Crowd, gate: Gate = LEAST) -> tuple[str, ...]:
    """Return what is too little, in words: nothing, if enough remain."""
    organisations = len({candidate.organisation for candidate in crowd})
    found: list[str] = []
    if len(crowd) < gate.min_members:
        found.append(f"{len(crowd)} members, and {gate.min_members} are the least")
    if organisations < gate.min_organisations:
        found.append(f"{organisations} organisations, and {gate.min_organisations} are the least")
    return tuple(found)
