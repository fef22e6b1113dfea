"""Sorted rows, against NumPy; what everybody sees of it tells nothing of the rows."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from quorate.algebra.bits import Bits
from quorate.algebra.ring import Words
from quorate.errors import OutOfRange
from quorate.mpc.cost import NEAR, Cost, Pace
from quorate.mpc.replicated import Committee, Security, Share, deal
from quorate.mpc.tables import lanes, ranking
from quorate.mpc.tables.halves import reversed_bits
from quorate.mpc.tables.keys import Column, Layout, column_of, masked
from quorate.mpc.tables.lanes import less
from quorate.mpc.tables.permutations import Places
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table
from tests.mpc.committee import cost_of, noise
from tests.mpc.tables.sharing import (
    SECURITIES,
    Draws,
    dealt_table,
    same_for_all,
    shown_bits,
    shown_table,
)

FAR = Pace(10)
ONE = Layout((Column(39),))
RNG = Draws(14)
EDGES = [0, 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]


def sorted_rows(
    bits: Words,
    numbers: Words,
    layout: Layout,
    pace: Pace = NEAR,
    security: Security = "semi-honest",
) -> tuple[Words, Words]:
    async def protocol(committee: Committee) -> tuple[Words, Words]:
        table = await dealt_table(committee, bits, numbers)
        return await shown_table(committee, await sort(committee, table, layout, pace))

    return same_for_all(protocol, security)


def row_numbers(rows: int) -> Words:
    return np.arange(rows, dtype=np.uint64).reshape(rows, 1)


def compared(keys: Words, left: Places, right: Places, security: Security) -> Bits:
    async def protocol(committee: Committee) -> Bits:
        secret = reversed_bits(await deal(committee, 0, keys, np.bitwise_xor))
        return await less(committee, secret, left, right, NEAR)

    return same_for_all(protocol, security)


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_rows_are_compared_rightly(count: int, security: Security) -> None:
    flips = [a ^ (1 << bit) for a in EDGES for bit in range(0, 64, 7)]
    keys = np.array(EDGES + flips, np.uint64)
    above = RNG.integers(0, 3, (count - 1, keys.size)).astype(np.uint64)
    rows = np.concatenate((above, keys[None]), axis=0).T.copy()
    whole = [sum(int(word) << 64 * (count - 1 - i) for i, word in enumerate(row)) for row in rows]
    left, right = (
        np.array(side) for side in zip(*product(range(keys.size), repeat=2), strict=True)
    )
    found = compared(rows, left, right, security)
    assert found.tolist() == [whole[i] < whole[j] for i, j in zip(left, right, strict=True)]


@pytest.mark.parametrize("pace", [NEAR, FAR])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 255, 256, 257, 3000])
def test_rows_are_sorted_with_what_they_carry(rows: int, pace: Pace) -> None:
    keys = RNG.integers(0, 1 << 39, rows)
    bits = ONE.packed([keys])
    found, numbers = sorted_rows(bits, row_numbers(rows), ONE, pace)
    order = np.argsort(keys, kind="stable")
    assert np.array_equal(numbers.ravel(), order)
    assert np.array_equal(found, bits[order])


ORDERS = {
    "all alike": np.full(400, 7),
    "sorted": np.arange(400),
    "reversed": np.arange(400)[::-1].copy(),
    "two values": np.arange(400) % 2,
}


@pytest.mark.parametrize("name", ORDERS)
def test_rows_that_are_alike_keep_their_order(name: str) -> None:
    keys = ORDERS[name]
    _, numbers = sorted_rows(ONE.packed([keys]), row_numbers(keys.size), ONE)
    assert np.array_equal(numbers.ravel(), np.argsort(keys, kind="stable"))


def test_a_hundred_thousand_rows_are_sorted() -> None:
    keys = RNG.integers(0, 1 << 20, 100_000)
    _, numbers = sorted_rows(ONE.packed([keys]), row_numbers(keys.size), ONE)
    assert np.array_equal(numbers.ravel(), np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("security", SECURITIES)
def test_several_columns_ascending_descending_and_null(security: Security) -> None:
    rows = 120
    layout = Layout(
        (
            Column(3),
            Column(40, signed=True, descending=True, nullable=True),
            Column(30, signed=True),
        )
    )
    assert layout.lanes == 2
    a = RNG.integers(0, 4, rows)
    b, null = RNG.integers(-5, 5, rows), RNG.integers(0, 3, rows) == 0
    c = RNG.integers(-(2**29), 2**29, rows)
    bits = np.concatenate((layout.packed([a, b, c], [None, null, None]), layout.padding(5)))
    found, numbers = sorted_rows(bits, row_numbers(rows + 5), layout, security=security)
    order = np.lexsort((c, np.where(null, 99, -b), null, a))
    assert np.array_equal(numbers.ravel()[:rows], order)
    assert np.array_equal(found[rows:], layout.padding(5))

    async def read_back(committee: Committee) -> list[Words]:
        secret = await deal(committee, 0, bits, np.bitwise_xor)
        return [
            await shown_bits(committee, column_of(committee, secret, layout, i)) for i in range(3)
        ]

    for one, value, bits_wide in zip(same_for_all(read_back), (a, b, c), (3, 40, 30), strict=True):
        known = ~null if value is b else np.ones(rows, np.bool_)
        assert np.array_equal(one[:rows][known], value.view(np.uint64)[known] % (1 << bits_wide))


def test_what_a_column_cannot_hold_is_refused() -> None:
    for value in (-1, 1 << 39):
        with pytest.raises(OutOfRange):
            ONE.packed([np.array([value])])
    with pytest.raises(OutOfRange):
        ONE.packed([np.array([1])], [np.array([True])])
    with pytest.raises(OutOfRange):
        sorted_rows(ONE.packed([np.zeros(3, np.int64)]), row_numbers(3), Layout((Column(39),), 1))


@dataclasses.dataclass(slots=True)
class Seen:
    """What is revealed in a sort, bit by bit."""

    bits: list[Bits]


def watched(monkeypatch: pytest.MonkeyPatch, keys: NDArray[np.int64], *, ties: bool = True) -> Bits:
    """Return all bits that a sort reveals, its shuffle and ranks those of `keys.size` fixed draws.

    Without `ties` rows are not numbered: the same attack with the defence off.
    """
    seen: list[Bits] = []

    async def noted(
        committee: Committee, x: Share, left: Places, right: Places, pace: Pace
    ) -> Bits:
        found = await less(committee, x, left, right, pace)
        if committee.me == 0:
            seen.append(found)
        return found

    monkeypatch.setattr(ranking, "less", noted)
    bits = ONE.packed([keys])
    if ties:
        sorted_rows(bits, row_numbers(keys.size), ONE)
        return np.concatenate(seen)

    async def protocol(committee: Committee) -> None:
        secret = await deal(committee, 0, bits, np.bitwise_xor)
        await ranking.order(committee, reversed_bits(secret), NEAR)

    same_for_all(protocol)
    return np.concatenate(seen)


def share_of_ones(monkeypatch: pytest.MonkeyPatch, keys: NDArray[np.int64], *, ties: bool) -> float:
    return float(np.mean(watched(monkeypatch, keys, ties=ties)))


def test_what_is_revealed_does_not_tell_equal_rows_from_different_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alike = [share_of_ones(monkeypatch, np.full(200, 5), ties=True) for _ in range(12)]
    distinct = [share_of_ones(monkeypatch, np.arange(200), ties=True) for _ in range(12)]
    assert stats.ks_2samp(alike, distinct).pvalue > CONFIDENCE


def test_control_without_numbers_of_rows_equal_rows_show(monkeypatch: pytest.MonkeyPatch) -> None:
    alike = [share_of_ones(monkeypatch, np.full(200, 5), ties=False) for _ in range(12)]
    distinct = [share_of_ones(monkeypatch, RNG.permutation(200), ties=False) for _ in range(12)]
    assert stats.ks_2samp(alike, distinct).pvalue < 1e-4


CONFIDENCE = 1e-5


@pytest.mark.parametrize("keys", [np.arange(64), np.arange(64)[::-1].copy() * 1000 + 3])
def test_what_is_revealed_follows_from_the_ranks_alone(keys: NDArray[np.int64]) -> None:
    order = Draws(3).permutation(64)
    by_rank = np.sort(keys)

    def revealed(values: NDArray[np.int64]) -> Bits:
        with pytest.MonkeyPatch.context() as patch:
            return watched(patch, values[order], ties=False)

    assert np.array_equal(revealed(by_rank), revealed(np.arange(64) * 7))


@pytest.mark.parametrize(("rows", "count"), [(64, 1), (64, 2), (1000, 1), (1000, 3)])
def test_comparing_costs_what_the_docstring_says(rows: int, count: int) -> None:
    left, right = np.arange(rows), np.arange(rows)[::-1].copy()

    async def protocol(committee: Committee, keys: Share) -> Share:
        await less(committee, keys, left, right, NEAR)
        return keys

    blocks = -(-rows // 64)
    expected = 1264 * blocks if count == 1 else 1272 * count * blocks
    found = cost_of(protocol, noise(rows * count).reshape(rows, count))
    assert found == Cost(6 + count, (expected, expected, expected))


def test_many_pairs_are_compared_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "AT_ONCE", 64)
    keys = noise(200).reshape(200, 1)
    left, right = RNG.integers(0, 200, 150), RNG.integers(0, 200, 150)
    found = compared(keys, left, right, "semi-honest")
    assert np.array_equal(found, keys[left, 0] < keys[right, 0])


def test_numbers_of_rows_are_wiped_after_the_sort() -> None:
    keys = RNG.integers(0, 9, 50)
    found, _ = sorted_rows(ONE.packed([keys]), row_numbers(50), ONE)
    assert np.array_equal(found, masked(Share(found, found), ONE.without_tie()).own)
    assert Table(Share(found, found), Share(found, found)).rows == 50
