"""What a curious party sees of steps over secret rows: places that were revealed, and sizes."""

from collections.abc import Awaitable, Callable, Collection

import numpy as np
import pytest

from quorate.algebra.ring import Words
from quorate.errors import Party
from quorate.mpc.replicated import Committee, Share, deal, reveal
from quorate.mpc.streams import Stream
from quorate.mpc.tables import groups
from quorate.mpc.tables.compaction import compact
from quorate.mpc.tables.keys import Column, Layout
from quorate.mpc.tables.match import Sides, dummies, match
from quorate.mpc.tables.permutations import Places, permutation
from quorate.mpc.tables.table import Table, none_of, read
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.mpc.committee import everyones, meet, noise
from tests.mpc.tables.sharing import Draws, column_words, dealt_table
from tests.parties import run_parties

ROWS = 400
GUESSED = 0.75
"""The part of marks above which a guess is more than luck: ten standard deviations from half."""

RNG = Draws(59)
KEY = Layout((Column(10),))
MARKS = (RNG.permutation(ROWS) % 2).astype(np.uint64)
Message = tuple[Party, Party, str, int]


def places_seen(
    patch: pytest.MonkeyPatch, marks: Collection[Words], *, runs: int = 1
) -> list[Places]:
    """Return what is revealed as the same rows are compacted by each of the marks, in each run."""
    seen: list[Places] = []

    async def noted(committee: Committee, x: Share, to: Collection[Party]) -> Words | None:
        found = await reveal(committee, x, to)
        if committee.me == 0 and found is not None:
            seen.append(read(found).astype(np.int64))
        return found

    async def protocol(committee: Committee) -> None:
        rows = await dealt_table(committee, noise(ROWS)[:, None], noise(ROWS)[:, None])
        for one in marks:
            await compact(committee, rows, await deal(committee, 2, one))

    patch.setattr("quorate.mpc.tables.compaction.reveal", noted)
    for _ in range(runs):
        everyones(protocol)
    assert len(seen) == runs * len(marks)
    return seen


def guessed(places: Places) -> float:
    """Return how many marks are right for who takes a revealed place to be that of the row."""
    return float(np.mean((places < int(MARKS.sum())) == MARKS.astype(np.bool_)))


def linked(known: Places, places: Places) -> float:
    """Return how many marks are right for who knows where rows were when nothing was marked.

    Compacted by no mark, each row is sent to where it was: `known` are the rows in shuffled order.
    """
    by_row = np.empty_like(places)
    by_row[known] = places
    return guessed(by_row)


def test_revealed_places_do_not_tell_which_rows_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    (places,) = places_seen(monkeypatch, [MARKS])
    assert sorted(places.tolist()) == list(range(ROWS))
    assert 1 - GUESSED < guessed(places) < GUESSED


def test_control_places_of_rows_that_are_not_shuffled_tell_all_marks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def kept(_: Committee, table: Table) -> Table:
        return table

    monkeypatch.setattr("quorate.mpc.tables.compaction.shuffle", kept)
    (places,) = places_seen(monkeypatch, [MARKS])
    assert guessed(places) == 1


@pytest.mark.parametrize("runs", [1, 2])
def test_two_shuffles_of_the_same_rows_are_not_linked(
    monkeypatch: pytest.MonkeyPatch, runs: int
) -> None:
    seen = places_seen(monkeypatch, [np.zeros(ROWS, np.uint64), MARKS], runs=runs)
    assert 1 - GUESSED < linked(seen[0], seen[-1]) < GUESSED


def test_control_a_permutation_that_is_drawn_twice_links_the_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first: dict[bytes, Places] = {}

    def again(stream: Stream, size: int) -> Places:
        """Draw from a key once; both parties that hold it are given the same order."""
        return first.setdefault(keys[id(stream)], permutation(stream, size))

    keys: dict[int, bytes] = {}
    streams: list[Stream] = []

    def made(key: bytes, label: str) -> Stream:
        streams.append(Stream(key, label))
        keys[id(streams[-1])] = key
        return streams[-1]

    monkeypatch.setattr("quorate.mpc.tables.shuffle.Stream", made)
    monkeypatch.setattr("quorate.mpc.tables.shuffle.permutation", again)
    known, places = places_seen(monkeypatch, [np.zeros(ROWS, np.uint64), MARKS])
    assert linked(known, places) == 1


def sizes(protocol: Callable[[Committee], Awaitable[object]]) -> list[Message]:
    """Return who sends whom how many bytes in which step: what a network sees under TLS."""
    seen: list[Message] = []

    def noted(e: Envelope) -> list[Envelope]:
        seen.append((e.sender, e.to, e.label, len(e.payload)))
        return [e]

    async def run(session: Session) -> None:
        await protocol(await meet(session))

    outcomes = run_parties(run, 3, noted)
    assert not [o for o in outcomes.values() if isinstance(o, Exception)]
    return sorted(seen)


def summed(keys: Words, at_most: int) -> list[Message]:
    async def protocol(committee: Committee) -> None:
        bits = KEY.packed([keys.astype(np.int64)])
        rows = await dealt_table(committee, bits, column_words(np.arange(keys.size)))
        await groups.sums(committee, rows, KEY.mask(0), at_most)

    return sizes(protocol)


ONE_GROUP, MANY_GROUPS = np.full(100, 7, np.uint64), np.arange(100, dtype=np.uint64)


def test_sizes_of_groups_do_not_tell_how_many_there_are() -> None:
    assert summed(ONE_GROUP, 100) == summed(MANY_GROUPS, 100)


def test_control_groups_cut_at_their_number_tell_it_by_sizes() -> None:
    assert summed(ONE_GROUP, 1) != summed(MANY_GROUPS, 100)


def compacted(marks: Words) -> list[Message]:
    async def protocol(committee: Committee) -> None:
        rows = Table(none_of(marks.size), await deal(committee, 1, noise(marks.size)[:, None]))
        await compact(committee, rows, await deal(committee, 2, marks))

    return sizes(protocol)


def test_sizes_of_a_compaction_do_not_tell_how_many_rows_are_marked() -> None:
    nothing = np.zeros(ROWS, np.uint64)
    assert compacted(nothing) == compacted(MARKS) == compacted(nothing + np.uint64(1))


def common(ours: Words, theirs: Words) -> list[Message]:
    sides = Sides(0, 1, ours.size, theirs.size, 1)

    async def protocol(committee: Committee) -> None:
        mine = {0: ours, 1: theirs}.get(committee.me)
        rows = noise(theirs.size)[:, None] if committee.me == 1 else None
        await match(committee, sides, mine, rows)

    return sizes(protocol)


def padded(ids: Words, owner: Party, cap: int) -> Words:
    return np.concatenate((ids, dummies(owner, cap - ids.size)))


IDS = np.arange(60, dtype=np.uint64)


def test_sizes_of_a_match_tell_the_declared_caps_and_neither_persons_nor_who_is_common() -> None:
    theirs = padded(IDS + np.uint64(1000), 1, 90)
    nobody = common(padded(IDS[:10], 0, 80), theirs)
    assert nobody == common(padded(IDS, 0, 80), padded(IDS, 1, 90))


def test_control_a_match_without_a_cap_tells_how_many_persons_a_member_has() -> None:
    assert common(IDS[:10], padded(IDS, 1, 90)) != common(IDS, padded(IDS, 1, 90))
