"""Runs in which all follow the protocol."""

import asyncio

import pytest
from hypothesis import given, settings

from quorate import wire
from quorate.anonymous.decision import Delivered
from quorate.errors import Abort, OutOfRange, Refused
from quorate.transport.memory import Envelope, Fault
from tests.anonymous.group import hold, member, members
from tests.faults import benign
from tests.transport.mesh import mesh, sessions

TEXT = b"This course is boring"


@pytest.mark.parametrize("n", [3, 5])
def test_everybody_reads_what_was_said_and_nobody_is_named(n: int) -> None:
    group = members(n)
    texts = [TEXT, b"", b"Agreed", *(b"" for _ in range(3, n))]
    outcomes = list(hold(group, group.run(), texts).values())
    for outcome in outcomes:
        assert isinstance(outcome, Delivered), outcome
        assert set(outcome.texts) == {TEXT, b"Agreed"}
        assert outcome == outcomes[0]


def test_all_may_speak_and_nobody_need() -> None:
    group = members(3)
    for number, texts in enumerate([(b"a", b"b", b"c"), (b"", b"", b"")]):
        for outcome in hold(group, group.run(number), texts).values():
            assert isinstance(outcome, Delivered)
            assert sorted(outcome.texts) == [text for text in texts if text]


def test_equal_texts_count_once() -> None:
    group = members(3)
    for outcome in hold(group, group.run(), (TEXT, TEXT, b"")).values():
        assert isinstance(outcome, Delivered)
        assert outcome.texts == (TEXT,)


def test_what_is_sent_has_the_same_size_with_a_text_and_without() -> None:
    sizes = set()
    for number, texts in enumerate([(TEXT, b"", b""), (b"", b"", b""), (b"x" * 60, TEXT, b"")]):
        group = members(3)
        sent: list[tuple[int, int, str, int]] = []

        def tapped(e: Envelope, sent: list[tuple[int, int, str, int]] = sent) -> list[Envelope]:
            sent.append((e.sender, e.to, e.label, len(e.payload)))
            return [e]

        hold(group, group.run(number), texts, tapped)
        sizes.add(tuple(sorted(sent)))
    assert len(sizes) == 1


def test_too_long_a_text_stops_before_anything_is_said() -> None:
    group = members(3)
    sent: list[Envelope] = []

    def tapped(e: Envelope) -> list[Envelope]:
        sent.append(e)
        return [e]

    outcomes = hold(group, group.run(), (bytes(61), b"", b""), tapped)
    assert isinstance(outcomes[0], OutOfRange)
    assert not any(e.sender == 0 for e in sent)


def test_runs_that_would_hide_nobody_are_refused() -> None:
    pair, group = members(2), members(3)
    for outcome in hold(pair, pair.run(), (TEXT, b"")).values():
        assert isinstance(outcome, Refused)
    for cell_bytes in (15, wire.MAX_RECORD // 3):
        for outcome in hold(group, group.run(cell_bytes=cell_bytes), (b"", b"", b"")).values():
            assert isinstance(outcome, Refused)


@settings(max_examples=40)
@given(benign(parties=3))
def test_on_any_benign_network_the_text_or_a_blameless_abort(fault: Fault) -> None:
    group = members(3)
    for outcome in hold(group, group.run(), (TEXT, b"", b""), fault).values():
        if isinstance(outcome, Abort):
            assert outcome.suspects
            assert not outcome.culprits
        else:
            assert isinstance(outcome, Delivered)
            assert outcome.texts == (TEXT,)
    for store in group.stores:
        assert set(store.decided.values()) <= {"key"}


def test_over_real_links() -> None:
    group = members(3)

    async def all_members() -> list[Delivered]:
        async with mesh(3) as peers:
            # The run's names are those of the seats; its keys are the members' own.
            held = sessions(peers, 1, 20)
            run = group.run()
            texts = (TEXT, b"", b"")
            return await asyncio.gather(*(member(s, group, run, texts) for s in held))

    for delivered in asyncio.run(all_members()):
        assert delivered.texts == (TEXT,)
