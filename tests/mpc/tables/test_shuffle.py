"""Shuffled rows: all there, in an order that nobody knows, and for the price that is said."""

import secrets

import numpy as np
import pytest
from scipy import stats

from quorate.algebra.ring import Words
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee, Security, Share
from quorate.mpc.streams import Stream
from quorate.mpc.tables import permutations
from quorate.mpc.tables.permutations import inverse, is_permutation, permutation
from quorate.mpc.tables.shuffle import shuffle
from quorate.mpc.tables.table import Table, none_of, read, settled
from tests.mpc.committee import cost_of, everyones, noise
from tests.mpc.tables.sharing import SECURITIES, dealt_table, same_for_all, shown_table

CONFIDENCE = 1e-9


def rows_of(*columns: Words) -> list[tuple[int, ...]]:
    return sorted(map(tuple, np.concatenate(columns, axis=1).tolist()))


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize(
    ("rows", "lanes", "numbers"), [(1, 1, 1), (2, 0, 3), (3, 3, 0), (0, 1, 1), (33_000, 1, 2)]
)
def test_all_rows_are_still_there(rows: int, lanes: int, numbers: int, security: Security) -> None:
    bits = noise(rows * lanes).reshape(rows, lanes)
    words = noise(rows * numbers).reshape(rows, numbers)

    async def protocol(committee: Committee) -> tuple[Words, Words]:
        table = await dealt_table(committee, bits, words)
        return await shown_table(committee, await shuffle(committee, table))

    found = same_for_all(protocol, security)
    numbers_kept = read(settled(Share(words, words)).own)
    assert rows_of(*found) == rows_of(bits, numbers_kept)
    if rows > 3:
        assert not np.array_equal(found[1], numbers_kept)


def test_each_row_may_end_anywhere() -> None:
    count, rows = 600, 4
    words = np.arange(rows, dtype=np.uint64).reshape(rows, 1)

    async def protocol(committee: Committee) -> list[Words]:
        table = Table(none_of(rows), (await dealt_table(committee, words, words)).numbers)
        return [
            (await shown_table(committee, await shuffle(committee, table)))[1].ravel()
            for _ in range(count)
        ]

    orders = np.array(same_for_all(protocol))
    assert len(np.unique(orders, axis=0)) == 24
    for place in orders.T:
        assert stats.chisquare(np.bincount(place.astype(np.int64))).pvalue > CONFIDENCE


def test_no_party_knows_all_three_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[permutations.Places] = []

    def noted(stream: Stream, size: int) -> permutations.Places:
        drawn.append(permutation(stream, size))
        return drawn[-1]

    monkeypatch.setattr("quorate.mpc.tables.shuffle.permutation", noted)
    words = noise(50).reshape(50, 1)

    async def protocol(committee: Committee) -> None:
        await shuffle(committee, await dealt_table(committee, words, words))

    everyones(protocol)
    # Three parties know two each: three different ones in all.
    assert len(drawn) == 6
    assert len(np.unique(np.array(drawn), axis=0)) == 3


def test_permutations_are_drawn_again_where_rows_drew_the_same() -> None:
    class Few(Stream):
        """A stream whose first numbers are all the same."""

        def __init__(self) -> None:
            super().__init__(bytes(32), "few")
            self.calls = 0

        def words(self, count: int) -> Words:
            self.calls += 1
            return np.zeros(count, np.uint64) if self.calls == 1 else super().words(count)

    stream = Few()
    assert is_permutation(permutation(stream, 100))
    assert stream.calls == 2


def test_permutations_undo() -> None:
    order = permutation(Stream(secrets.token_bytes(32), "order"), 1000)
    assert np.array_equal(order[inverse(order)], np.arange(1000))
    assert not is_permutation(np.array([0, 2]))
    assert not is_permutation(np.array([1, 1]))


@pytest.mark.parametrize("rows", [1, 40_000])
def test_costs_what_the_docstring_says(rows: int) -> None:
    async def both_kinds(committee: Committee, bits: Share, numbers: Share) -> Table:
        return await shuffle(committee, Table(bits, numbers))

    bits, numbers = noise(rows).reshape(rows, 1), noise(2 * rows).reshape(rows, 2)
    m = 3 * rows
    assert cost_of(both_kinds, bits, numbers) == Cost(2, (8 * m, 16 * m, 8 * m))


@pytest.mark.parametrize("rows", [1, 1_000])
def test_costs_what_the_docstrings_say_where_it_is_checked(rows: int) -> None:
    async def bits_only(committee: Committee, bits: Share) -> Table:
        return await shuffle(committee, Table(bits, none_of(rows)))

    async def numbers_only(committee: Committee, numbers: Share) -> Table:
        return await shuffle(committee, Table(none_of(rows), numbers))

    words, moved = noise(3 * rows).reshape(rows, 3), 8 * 5 * rows
    tagging = 16 * rows
    for function, checking in ((bits_only, 160), (numbers_only, 192)):
        extra = tagging + checking
        expected = Cost(7, (moved + extra, 2 * moved + extra, moved + extra))
        assert cost_of(function, words, security="malicious") == expected
