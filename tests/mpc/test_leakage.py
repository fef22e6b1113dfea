"""What members who pool all they were sent learn of the others' vectors: the total, no more.

Each claim is paired with a control: the same attack on the same protocol with
one safeguard gone, where the attack has to succeed.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import Words
from quorate.errors import Error, Party, SessionReused
from quorate.mpc import additive
from quorate.mpc.additive import Total, secure_sum
from quorate.mpc.agreement import Agreement, Claim, Randomness, agree
from quorate.mpc.streams import Stream
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.mpc.uniformity import bytes_differ, differ, not_uniform
from tests.parties import run_parties

WORDS, RUNS = 66, 50
MASKED, IN_CHUNKS, OPEN = "/3", "/by ", "/5"
ZEROS = np.zeros(WORDS, np.uint64)
ONES = np.full(WORDS, 2**64 - 1, np.uint64)
SOME = np.arange(1, WORDS + 1, dtype=np.uint64)


def forget(session_id: bytes) -> None:
    """Claim nothing: for tests that are not about reuse."""


@dataclass(slots=True)
class View:
    """All that some members were sent in one session, and the keys they made in it."""

    members: frozenset[Party]
    received: list[Envelope] = field(default_factory=list)
    bonds: dict[Party, Agreement] = field(default_factory=dict)
    outcomes: dict[Party, Total | Error] = field(default_factory=dict)

    def note(self, e: Envelope) -> list[Envelope]:
        """Deliver everything, and keep a copy of what the attackers are sent."""
        if e.to in self.members and e.sender not in self.members:
            self.received.append(e)
        return [e]

    def said(self, sender: Party, *labels: str) -> bytes:
        """Return what `sender` sent the first attacker under labels that begin so."""
        return b"".join(
            e.payload
            for e in self.received
            if (e.sender, e.to) == (sender, min(self.members)) and e.label.startswith(labels)
        )

    def masked(self, sender: Party) -> Words:
        """Return the words `sender` sent before anything was opened."""
        return np.frombuffer(self.said(sender, MASKED, IN_CHUNKS), np.uint64)

    def peeled(self, victim: Party, *, opened: bool = True) -> Words:
        """Return the victim's z less every mask the attackers know, and its pad once opened."""
        words = np.frombuffer(self.said(victim, MASKED), np.uint64).copy()
        if opened:
            words -= Stream(self.said(victim, OPEN), "pad").words(words.size)
        for member, bond in self.bonds.items():
            mask = Stream(bond.keys[victim], "mask").words(words.size)
            words = words - mask if victim < member else words + mask
        return words

    @property
    def total(self) -> Words:
        outcome = self.outcomes[min(self.members)]
        assert isinstance(outcome, Total), outcome
        return outcome.words


def observe(
    xs: Sequence[Words],
    members: set[Party],
    *,
    claim: Claim = forget,
    randomness: Callable[[Party], Randomness] = lambda _: secrets.token_bytes,
) -> View:
    """Run the protocol once; return what `members` hold of it afterwards."""
    view = View(frozenset(members))

    async def noted(
        session: Session, context: bytes, commitment: bytes, claim: Claim, randomness: Randomness
    ) -> Agreement:
        bond = await agree(session, context, commitment, claim, randomness)
        if session.me in members:
            view.bonds[session.me] = bond
        return bond

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(additive, "agree", noted)
        view.outcomes = run_parties(
            lambda s: secure_sum(
                s, xs[s.me], context=b"", claim=claim, randomness=randomness(s.me)
            ),
            len(xs),
            view.note,
        )
    return view


def observe_often(xs: Sequence[Words], members: set[Party]) -> list[View]:
    return [observe(xs, members) for _ in range(RUNS)]


def joined(parts: Iterable[Words]) -> Words:
    return np.concatenate(list(parts))


@pytest.fixture(params=["direct", "in chunks"])
def variant(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Send short vectors in chunks too: only the price decides which way is taken."""
    if request.param == "in chunks":
        monkeypatch.setattr(additive, "WORTH_A_ROUND", 0)
    assert additive.in_chunks(3, WORDS) == (request.param == "in chunks")
    chosen: str = request.param
    return chosen


@pytest.mark.parametrize("x", [ZEROS, ONES, SOME], ids=["zeros", "ones", "some"])
def test_all_that_is_sent_before_the_opening_is_uniform(variant: str, x: Words) -> None:
    views = observe_often([ZEROS, x, x], {0})
    for sender in (1, 2):
        assert not_uniform(joined(v.masked(sender) for v in views)) == []
        between = (b.masked(sender) - a.masked(sender) for a, b in pairwise(views))
        assert not_uniform(joined(between)) == []


def test_every_step_looks_alike_whatever_the_others_hold(variant: str) -> None:
    """Two quite different sets of rows with one total: no message tells them apart."""
    few, many = observe_often([SOME, ZEROS, ZEROS], {0}), observe_often([SOME, SOME, -SOME], {0})
    assert_array_equal(few[0].total, many[0].total)
    steps = {(e.sender, e.label) for e in few[0].received}
    assert steps == {(e.sender, e.label) for e in many[0].received}
    assert len(steps) == (10 if variant == "direct" else 12)
    for sender, label in steps:
        here, there = (b"".join(v.said(sender, label) for v in views) for views in (few, many))
        assert len(here) == len(there)
        assert bytes_differ(here, there) == [], (sender, label)
    for sender in (1, 2):
        assert differ(*(joined(v.masked(sender) for v in views) for views in (few, many))) == []


@pytest.mark.parametrize(("n", "members"), [(3, {0}), (3, {1}), (4, {0, 2}), (5, {0, 1, 4})])
def test_colluding_members_learn_the_sum_of_the_rest_and_nothing_else(
    n: int, members: set[Party]
) -> None:
    """With all pads open and all keys pooled each summand is still uniform; their sum is not."""
    xs = [ONES if p % 2 else SOME for p in range(n)]
    views = observe_often(xs, members)
    rest = [p for p in range(n) if p not in members]
    for victim in rest:
        assert not_uniform(joined(v.peeled(victim) for v in views)) == []
    for view in views:
        learned = sum((view.peeled(p) for p in rest), start=ZEROS)
        assert_array_equal(learned, sum((xs[p] for p in rest), start=ZEROS))


@pytest.mark.parametrize("members", [{0, 1}, {0, 2}, {1, 2}])
def test_all_but_one_learn_only_what_the_total_says_anyway(members: set[Party]) -> None:
    xs = [SOME, ONES, SOME]
    views = observe_often(xs, members)
    (victim,) = {0, 1, 2} - members
    assert not_uniform(joined(v.peeled(victim, opened=False) for v in views)) == []
    for view in views:
        inferred = view.total - sum((xs[p] for p in members), start=ZEROS)
        assert_array_equal(view.peeled(victim), inferred)


def test_one_session_says_nothing_of_the_next() -> None:
    first, second = observe([ZEROS, SOME, ONES], {0}), observe([ZEROS, ONES, ONES], {0})
    assert not (second.peeled(1) - first.peeled(1) == ONES - SOME).any()


# Controls: the same attacks where a safeguard is gone


def test_control_repeated_randomness_reveals_how_a_vector_changed() -> None:
    """All members restored from a backup, and nobody recorded which sessions there were."""

    def replayed(party: Party) -> Randomness:
        calls = count()
        return lambda size: bytes([party + 1, next(calls)]) * (size // 2)

    first = observe([ZEROS, SOME, ONES], {0}, randomness=replayed)
    second = observe([ZEROS, ONES, ONES], {0}, randomness=replayed)
    assert_array_equal(second.peeled(1) - first.peeled(1), ONES - SOME)

    (session_id,) = {bond.session_id for bond in first.bonds.values()}

    def recorded(found: bytes) -> None:
        if found == session_id:
            raise SessionReused("this session was run before")

    stopped = observe([ZEROS, ONES, ONES], {0}, claim=recorded, randomness=replayed)
    assert {type(o) for o in stopped.outcomes.values()} == {SessionReused}
    assert stopped.masked(1).size == 0


def test_control_without_the_masks_of_pairs_a_member_reads_each_vector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = additive._masked

    def only_padded(
        session: Session, mine: Words, bond: Agreement, seed: bytes, *, out: Words, start: int = 0
    ) -> Iterable[Words]:
        """Let each mask cancel itself at once instead of in the total."""
        for z in real(session, mine, bond, seed, out=out, start=start):
            z[:] = mine[: z.size] + Stream(seed, "pad").words(z.size)
            yield z

    monkeypatch.setattr(additive, "_masked", only_padded)
    view = observe([ZEROS, SOME, ONES], {0})
    padded = np.frombuffer(view.said(1, MASKED), np.uint64)
    assert_array_equal(padded - Stream(view.said(1, OPEN), "pad").words(WORDS), SOME)


@pytest.mark.parametrize("spoiled", ["half of each word", "one word in eight", "one bit"])
def test_control_weak_masks_are_noticed(spoiled: str) -> None:
    views = observe_often([ZEROS, SOME, SOME], {0})
    words = joined(v.masked(1) for v in views)
    match spoiled:
        case "half of each word":
            words &= np.uint64(2**32 - 1)
        case "one word in eight":
            words[::8] = 7
        case "one bit":
            words |= np.uint64(1 << 40)
    assert not_uniform(words)
    assert differ(words, joined(v.masked(2) for v in views))
