"""In one run a node lets out its share of the key, or its seed, or neither: never both.

All orders of what two honest members of three can be told by the third, and of
crashes before and after the choice is on disk, with all that was kept still there
when the node starts again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import pytest
from typing_extensions import override

from quorate import wire
from quorate.anonymous.decision import OpenSeed, ReleaseKey, decide
from quorate.anonymous.messages import Run, Signed, Vote, sign
from quorate.anonymous.rounds import Voted
from quorate.errors import SessionReused
from tests.anonymous.group import Members, MemoryStore, members, up_to_votes

HONEST, CORRUPT = (0, 1), 2
Crash = Literal["before", "after", "never"]
LetOut = frozenset[str]


class Crashed(Exception):
    """The process died."""


@dataclass(slots=True)
class CrashingStore(MemoryStore):
    """A disk that outlives the process, which dies just before or just after it writes."""

    crash: Crash = "never"

    @override
    def decide(self, run: bytes, decision: str) -> None:
        if self.crash == "before":
            raise Crashed
        self.write(run, decision)
        if self.crash == "after":
            raise Crashed

    def write(self, run: bytes, decision: str) -> None:
        MemoryStore.decide(self, run, decision)


@dataclass(slots=True)
class ForgetfulStore(CrashingStore):
    """One that says it has written."""

    @override
    def write(self, run: bytes, decision: str) -> None:
        """Write nothing."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Three members that have voted; what the corrupt one may have said to anybody."""

    run: Run
    kept: list[Voted]
    votes: tuple[Signed, ...]
    said: tuple[Signed, ...]


def scene(*, all_is_well: bool) -> Scene:
    group: Members = members(3)
    run = group.run()
    kept, votes = up_to_votes(group, run, (b"text", b"", b""))
    if not all_is_well:  # member 1 found its cell spoilt
        no_go = replace(wire.decode(votes[1].body, Vote), go=False)
        votes = (votes[0], sign(group.keys[1], run.digest(), "vote", 1, no_go), votes[2])
    own = wire.decode(votes[CORRUPT].body, Vote)
    said = (own, replace(own, go=False), replace(own, transcript=bytes(32)))
    signed = (sign(group.keys[CORRUPT], run.digest(), "vote", CORRUPT, vote) for vote in said)
    return Scene(run, kept, votes, tuple(signed))


def lives(at: Scene, party: int, kind: type[CrashingStore]) -> Iterator[LetOut]:
    """Every life of a node of two starts: what it lets out, whatever it is told in each."""
    starts = tuple(product(at.said, ("before", "after", "never")))
    for both in product(starts, repeat=2):
        store, let_out = kind(), set[str]()
        for told, crash in both:
            store.crash = crash  # type: ignore[assignment]
            let_out |= start(at, party, told, store)
        yield frozenset(let_out)


def start(at: Scene, party: int, told: Signed, store: CrashingStore) -> set[str]:
    votes = (*at.votes[:CORRUPT], told)
    try:
        decision = decide(at.kept[party], votes, store).decision
    except (Crashed, SessionReused):
        return set()
    match decision:
        case ReleaseKey():
            return {"key"}
        case OpenSeed():
            return {"seed"}
    return set()


@pytest.mark.parametrize("all_is_well", [True, False])
def test_in_no_order_of_words_and_crashes_are_both_let_out(all_is_well: bool) -> None:
    at = scene(all_is_well=all_is_well)
    first, second = (set(lives(at, p, CrashingStore)) for p in HONEST)
    assert {frozenset(), frozenset({"seed"})} <= first
    assert (frozenset({"key"}) in first) == all_is_well
    for one, other in product(first, second):
        assert len(one) <= 1
        assert len(other) <= 1
        if "seed" in one | other:
            assert not ("key" in one and "key" in other)


def test_control_a_store_that_forgets_lets_out_both() -> None:
    at = scene(all_is_well=True)
    assert frozenset({"key", "seed"}) in set(lives(at, 0, ForgetfulStore))


def test_a_node_takes_part_in_a_run_once() -> None:
    group = members(3)
    run = group.run()
    up_to_votes(group, run, (b"",) * 3)
    with pytest.raises(SessionReused):
        up_to_votes(group, run, (b"",) * 3)


def test_the_choice_holds_one_secret_and_shows_none() -> None:
    at = scene(all_is_well=True)
    decided = decide(at.kept[0], at.votes, MemoryStore())
    assert isinstance(decided.decision, ReleaseKey)
    begun = at.kept[0].begun
    assert not any(
        secret.hex() in text or repr(secret) in text
        for secret in (begun.seed, begun.share)
        for text in (repr(decided), repr(at.kept[0]))
    )
    assert begun.seed not in wire.encode(decided)
