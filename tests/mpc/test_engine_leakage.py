"""What one party of the engine is sent: noise, whatever the others hold.

Each claim is paired with a control: the same look at the same protocol with one
safeguard gone, where the look has to find something.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from quorate.algebra.ring import Words
from quorate.dp import joint
from quorate.dp.joint_gaussian import discrete_gaussian
from quorate.errors import Party
from quorate.mpc import boolean, comparison, decomposition, replicated, shallow, truncation
from quorate.mpc.boolean import BitShare
from quorate.mpc.replicated import Committee, Share, deal
from quorate.mpc.streams import Stream
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.mpc.committee import ALL, meet, words
from tests.mpc.uniformity import differ, not_uniform
from tests.parties import run_parties

Operation = Callable[[Committee, Share, Share], Awaitable[object]]

COUNT = 4096
ZEROS = np.zeros(COUNT, np.uint64)
SOME = words(np.arange(COUNT) - 7)


def lowest(x: Share) -> BitShare:
    return BitShare(*((part & np.uint64(1)).astype(np.bool_) for part in (x.own, x.next)))


def several(x: Share) -> BitShare:
    bits = lowest(x)
    return BitShare(bits.own.reshape(4, -1), bits.next.reshape(4, -1))


OPERATIONS: dict[str, Operation] = {
    "product": replicated.mul,
    "matrix product": lambda c, x, y: replicated.matmul(c, _square(x), _square(y)),
    "sign": lambda c, x, _: comparison.is_negative(c, x),
    "zero": lambda c, x, _: comparison.is_zero(c, x),
    "sign in three rounds": lambda c, x, _: shallow.is_negative(c, x),
    "zero in three rounds": lambda c, x, _: shallow.is_zero(c, x),
    "and": lambda c, x, y: boolean.both(c, lowest(x), lowest(y)),
    "bits to ring": lambda c, x, _: boolean.to_ring(c, lowest(x)),
    "all bits": lambda c, x, _: decomposition.to_bits(c, x),
    "bits to words": lambda c, x, _: decomposition.from_bits(c, several(x), signed=True),
    "division": lambda c, x, _: truncation.truncate(c, x, 16),
    "fixed product": lambda c, x, y: truncation.mul_fixed(c, x, y, 16),
    "joint noise": lambda c, *_: joint.discrete_laplace(c, Fraction(82), 512),
    "joint Gaussian noise": lambda c, *_: discrete_gaussian(c, Fraction(4096), 128),
}


def _square(x: Share) -> Share:
    return Share(x.own.reshape(64, 64), x.next.reshape(64, 64))


@dataclass(slots=True)
class View:
    """All that one party is sent after the keys, step by step."""

    party: Party
    received: dict[str, list[Words]] = field(default_factory=dict)

    def note(self, e: Envelope) -> list[Envelope]:
        if e.to == self.party and e.label.count("/") > 1:
            here = self.received.setdefault(e.label.split("/")[1], [])
            here.append(np.frombuffer(e.payload, np.uint64))
        return [e]

    def of(self, step: str) -> Words:
        return np.concatenate([np.zeros(0, np.uint64), *self.received.get(step, [])])


def observe(party: Party, operation: Operation, x: Words, y: Words, *, owner: Party) -> View:
    """Run an operation twice on the same secrets; return what `party` is sent on the way."""
    view = View(party)

    async def protocol(session: Session) -> None:
        committee = await meet(session)
        dealing = committee.at("dealing")
        shares = [await deal(dealing, owner, x), await deal(dealing, owner, y)]
        await operation(committee.at("once"), *shares)
        await operation(committee.at("again"), *shares)

    outcomes = run_parties(protocol, 3, view.note)
    assert not [o for o in outcomes.values() if o is not None]
    return view


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("party", ALL)
def test_all_that_a_party_is_sent_is_uniform_and_never_the_same(party: Party, name: str) -> None:
    for x, y in ((ZEROS, ZEROS), (SOME, ZEROS), (SOME, SOME)):
        for owner in ALL:
            view = observe(party, OPERATIONS[name], x, y, owner=owner)
            dealt, once, again = view.of("dealing"), view.of("once"), view.of("again")
            assert dealt.size == (2 * COUNT if party == (owner + 1) % 3 else 0)
            assert once.size == again.size
            for seen in (dealt, once, again, once - again, once ^ again):
                assert not seen.size or not_uniform(seen) == []


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("party", ALL)
def test_a_view_does_not_tell_inputs_apart(party: Party, name: str) -> None:
    one = observe(party, OPERATIONS[name], ZEROS, ZEROS, owner=party).of("once")
    other = observe(party, OPERATIONS[name], SOME, ~SOME, owner=party).of("once")
    assert one.size == other.size
    assert not one.size or differ(one, other) == []


def test_every_party_but_the_last_of_a_split_is_sent_something() -> None:
    """So that the tests above look at messages, and not at nothing."""
    for name, operation in OPERATIONS.items():
        sizes = [observe(p, operation, SOME, SOME, owner=0).of("once").size for p in ALL]
        silent = {"bits to ring", "bits to words", "division", "fixed product"}
        assert [size > 0 for size in sizes] == [True, True, name not in silent], name


def test_what_a_party_can_take_away_itself_leaves_noise() -> None:
    """It knows one of the two masks of a product it is sent; the other it lacks."""
    masks: list[Words] = []
    real = Committee.streams

    def streams(self: Committee) -> tuple[Stream, Stream]:
        drawn = real(self)
        if self.me == 0 and self.session.path == "/once":
            label = f"{self.session.path}/{self.session._steps}"
            masks.append(Stream(self.next_key, label).words(COUNT))
        return drawn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Committee, "streams", streams)
        view = observe(0, replicated.mul, SOME, SOME, owner=1)
    (mask,) = masks
    assert not_uniform(view.of("once") - mask) == []
    assert not_uniform(view.of("once") + mask) == []


def test_no_stream_is_drawn_for_two_steps() -> None:
    """Each (key, label) is opened once by each of its two holders, over a whole session."""
    opened: Counter[tuple[bytes, str]] = Counter()
    real = Stream.__init__

    def noted(self: Stream, key: bytes, label: str, *, start: int = 0) -> None:
        opened[key, label] += 1
        real(self, key, label, start=start)

    async def everything(committee: Committee, x: Share, y: Share) -> None:
        for name, operation in OPERATIONS.items():
            await operation(committee.at(name), x, y)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stream, "__init__", noted)
        observe(0, everything, SOME, SOME, owner=0)
        observe(0, everything, SOME, SOME, owner=0)
    assert len({key for key, _ in opened}) == 6  # three pairs, two sessions
    assert set(opened.values()) == {2}


# Controls: the same looks where a safeguard is gone


class Silent(Stream):
    """A mask of zeros."""

    def fill(self, out: Words) -> None:
        out[:] = 0

    def mask(self, words: Words) -> None:
        """Leave them as they are."""


@pytest.mark.parametrize("name", OPERATIONS)
def test_control_without_masks_a_party_is_sent_what_is_no_noise(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Committee.streams_of

    def streams_of(self: Committee, label: str) -> tuple[Stream, Stream]:
        if self.session.path == "/dealing":
            return real(self, label)
        return Silent(self.own_key, ""), Silent(self.next_key, "")

    monkeypatch.setattr(Committee, "streams_of", streams_of)
    found = [
        not_uniform(seen)
        for party in ALL
        if (seen := observe(party, OPERATIONS[name], ZEROS, ZEROS, owner=0).of("once")).size
    ]
    assert any(found)


@pytest.mark.parametrize("name", OPERATIONS)
def test_control_masks_used_twice_show_that_inputs_were_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Stream.__init__

    def forgetful(self: Stream, key: bytes, label: str, *, start: int = 0) -> None:
        real(self, key, label.replace("/again", "/once"), start=start)

    monkeypatch.setattr(Stream, "__init__", forgetful)
    view = observe(0, OPERATIONS[name], SOME, SOME, owner=0)
    assert view.of("once").size
    assert not_uniform(view.of("once") - view.of("again"))
