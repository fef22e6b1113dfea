"""Compaction, groups and joins of secret rows, against NumPy and DuckDB."""

from collections.abc import Sequence

import duckdb
import numpy as np
import pytest

from quorate.algebra.bits import Bits
from quorate.algebra.ring import Words
from quorate.mpc import boolean
from quorate.mpc.boolean import reveal_bits
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee, Security, Share, deal, public
from quorate.mpc.tables import groups
from quorate.mpc.tables.compaction import compact, moved
from quorate.mpc.tables.equality import is_new, is_zero
from quorate.mpc.tables.joins import Joined, by_key, join, missed, with_ones
from quorate.mpc.tables.keys import INVALID, Column, Layout, column_of
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table, none_of
from quorate.mpc.verification import verify
from tests.mpc.committee import cost_of, noise
from tests.mpc.tables.sharing import (
    SECURITIES,
    Draws,
    Ints,
    column_words,
    dealt_table,
    modulo,
    same_for_all,
    shown_bits,
    shown_numbers,
    shown_table,
)

RNG = Draws(41)
KEY = Layout((Column(10),))
JOIN = by_key((Column(10),))
every_security = pytest.mark.parametrize("security", SECURITIES)


def sql(query: str, **tables: dict[str, Ints]) -> list[tuple[int, ...]]:
    """Return what DuckDB says over rows in the clear."""
    with duckdb.connect() as connection:
        for name, columns in tables.items():
            names = ", ".join(f"{column} BIGINT" for column in columns)
            connection.execute(f"CREATE TABLE {name} ({names})")
            rows = np.stack(list(columns.values()), axis=1).tolist()
            if rows:
                marks = ", ".join("?" * len(columns))
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
        return connection.execute(query).fetchall()


@every_security
@pytest.mark.parametrize("lanes", [1, 3])
def test_rows_of_zeros_are_found(lanes: int, security: Security) -> None:
    words = RNG.integers(0, 2, (200, lanes)).astype(np.uint64) << np.uint64(61)

    async def protocol(committee: Committee) -> tuple[Bits | None, Bits | None]:
        secret = await deal(committee, 0, words, np.bitwise_xor)
        found, new = await is_zero(committee, secret), await is_new(committee, secret)
        await verify(committee)
        return (
            await reveal_bits(committee, found, range(3)),
            await reveal_bits(committee, new, range(3)),
        )

    zero, new = same_for_all(protocol, security)
    assert zero is not None
    assert new is not None
    assert np.array_equal(zero, ~np.any(words, axis=1))
    changed = np.concatenate(([True], np.any(words[1:] != words[:-1], axis=1)))
    assert np.array_equal(new, changed)


@every_security
@pytest.mark.parametrize("which", ["none", "all", "in turns"])
def test_marked_rows_come_first_in_their_order(which: str, security: Security) -> None:
    rows = 101
    marks = {"none": np.zeros(rows), "all": np.ones(rows), "in turns": np.arange(rows) % 2}[which]
    bits, numbers = noise(rows).reshape(-1, 1), np.arange(rows, dtype=np.uint64).reshape(-1, 1)

    async def protocol(committee: Committee) -> tuple[Words, Words]:
        table = await dealt_table(committee, bits, numbers)
        secret = await deal(committee, 2, marks.astype(np.uint64))
        return await shown_table(committee, await compact(committee, table, secret))

    found = same_for_all(protocol, security)
    order = np.argsort(1 - marks, kind="stable")
    assert np.array_equal(found[1].ravel(), order)
    assert np.array_equal(found[0], bits[order])


def group_keys(name: str, rows: int) -> Ints:
    return {
        "one group": np.full(rows, 3),
        "all distinct": RNG.permutation(1000)[:rows],
        "some": RNG.integers(0, 9, rows),
    }[name]


@every_security
@pytest.mark.parametrize("name", ["one group", "all distinct", "some"])
def test_sums_and_counts_of_groups(name: str, security: Security) -> None:
    keys, values = group_keys(name, 60), RNG.integers(-1000, 1000, 60)
    bits = np.concatenate((KEY.packed([keys]), KEY.padding(4)))
    numbers = column_words(np.concatenate((values, np.full(4, 5))))

    async def protocol(committee: Committee) -> tuple[Words, ...]:
        rows = await sort(committee, await dealt_table(committee, bits, numbers), KEY)
        found = await groups.sums(committee, rows, KEY.mask(0), 64)
        key = column_of(committee, found.bits, KEY, 0)
        return (await shown_bits(committee, key), *await shown_table(committee, found))

    key, flags, sums = same_for_all(protocol, security)
    expected = np.array(
        sql(
            "SELECT k, sum(v)::BIGINT, count(*) FROM t GROUP BY k ORDER BY k",
            t={"k": keys, "v": values},
        )
    )
    size = len(expected)
    assert np.array_equal(key[:size], expected[:, 0])
    assert np.array_equal(sums[:size], modulo(expected[:, 1:]))
    assert not sums[size:].any()
    assert (flags[size:] == INVALID).all()
    assert (flags[:size] < INVALID).all()


@every_security
def test_first_last_and_distinct_rows(security: Security) -> None:
    keys, days = RNG.integers(0, 12, 80), RNG.integers(0, 300, 80)
    layout = Layout((Column(10), Column(9)))
    bits = np.concatenate((layout.packed([keys, days]), layout.padding(3)))
    numbers = column_words(np.concatenate((days, np.zeros(3, np.int64))))
    mask = layout.mask(0)

    async def protocol(committee: Committee) -> tuple[Words, ...]:
        rows = await sort(committee, await dealt_table(committee, bits, numbers), layout)
        found = await groups.ends(committee, rows, mask)
        first = await groups.ends_of(committee, rows, found.first, mask, 20)
        last = await groups.ends_of(committee, rows, found.last, mask, 20)
        several = await groups.distinct(
            committee, rows, groups.is_valid(committee, rows.bits), mask
        )
        number = await groups.count(committee, found.first)
        return (
            (await shown_table(committee, first))[1],
            (await shown_table(committee, last))[1],
            await shown_numbers(committee, several),
            await shown_numbers(committee, number),
        )

    first, last, several, number = same_for_all(protocol, security)
    expected = np.array(
        sql("SELECT min(d), max(d) FROM t GROUP BY k ORDER BY k", t={"k": keys, "d": days})
    )
    size = len(expected)
    assert several.tolist() == number.tolist() == [size]
    assert np.array_equal(first[:size, 0], expected[:, 0])
    assert np.array_equal(last[:size, 0], expected[:, 1])
    assert not first[size:].any()


@every_security
def test_values_of_first_rows_are_copied_down(security: Security) -> None:
    first = np.array([0, 0, 1, 0, 0, 1, 1, 0], np.bool_)
    values = np.array([9, 9, 4, 9, 9, 0, 7, 9], np.uint64).reshape(-1, 1)

    async def protocol(committee: Committee) -> Words:
        table = Table(await deal(committee, 0, values, np.bitwise_xor), none_of(8))
        marks = boolean.public_bits(committee, first)
        secret = await deal(committee, 1, values)
        return await shown_numbers(
            committee, await groups.copied_down(committee, table, marks, secret)
        )

    assert same_for_all(protocol, security).ravel().tolist() == [0, 0, 4, 4, 4, 0, 7, 7]


def joined_rows(
    unique: Sequence[Ints], other: Sequence[Ints], padding: int, security: Security
) -> tuple[Words, ...]:
    """Return key, whether a row, met, missed, copied and own number of all rows."""

    def side(keys: Ints, values: Ints, which: int) -> tuple[Words, Words]:
        bits = JOIN.packed([keys, np.full(keys.size, which)])
        ones = np.ones(keys.size, np.int64)
        numbers = column_words(ones, values)
        filled = np.concatenate((numbers, np.zeros((padding, 2), np.uint64)))
        return np.concatenate((bits, JOIN.padding(padding))), filled

    async def protocol(committee: Committee) -> tuple[Words, ...]:
        left = await dealt_table(committee, *side(unique[0], unique[1], 0))
        right = await dealt_table(committee, *side(other[0], other[1], 1))
        found: Joined = await join(committee, left, right, JOIN)
        key = await shown_bits(committee, column_of(committee, found.bits, JOIN, 0))
        numbers = (found.is_row, found.met, missed(found), found.copied, found.numbers)
        return (key, *[(await shown_numbers(committee, one)).ravel() for one in numbers])

    return same_for_all(protocol, security)


@every_security
@pytest.mark.parametrize("keys", [range(12), range(20, 30), range(0)])
def test_joins_semi_anti_and_left(keys: range, security: Security) -> None:
    unique = np.array(keys, np.int64), RNG.integers(1, 50, len(keys))
    other = RNG.integers(0, 20, 40), RNG.integers(1, 50, 40)
    key, is_row, met, without, copied, own = joined_rows(unique, other, 3, security)
    tables = {
        "r": {"k": unique[0], "v": unique[1]},
        "s": {"k": other[0], "w": other[1]},
    }
    rows = is_row == 1
    inner = sql("SELECT k, w, v FROM s JOIN r USING (k)", **tables)
    left = sql("SELECT k, w, coalesce(v, 0) FROM s LEFT JOIN r USING (k)", **tables)
    semi = sql("SELECT k, w FROM s WHERE k IN (SELECT k FROM r)", **tables)
    anti = sql("SELECT k, w FROM s WHERE k NOT IN (SELECT k FROM r)", **tables)
    everything = list(zip(key.tolist(), own.tolist(), copied.tolist(), strict=True))
    assert sorted(row for row, one in zip(everything, met, strict=True) if one) == sorted(inner)
    assert sorted(row for row, one in zip(everything, rows, strict=True) if one) == sorted(left)
    pairs = [row[:2] for row in everything]
    assert sorted(row for row, one in zip(pairs, met, strict=True) if one) == sorted(semi)
    assert sorted(row for row, one in zip(pairs, without, strict=True) if one) == sorted(anti)


def test_ones_are_put_before_numbers() -> None:
    async def protocol(committee: Committee) -> Words:
        numbers = public(committee, np.arange(3, dtype=np.uint64).reshape(3, 1))
        return await shown_numbers(committee, with_ones(committee, numbers))

    assert same_for_all(protocol).tolist() == [[1, 0], [1, 1], [1, 2]]


@pytest.mark.parametrize("rows", [64, 1000])
def test_costs_what_the_docstrings_say(rows: int) -> None:
    c = -(-rows // 64)
    one, two = noise(rows).reshape(-1, 1), noise(2 * rows).reshape(-1, 2)
    assert cost_of(is_zero, one) == Cost(6, (504 * c,) * 3)
    assert cost_of(is_zero, two) == Cost(7, (1016 * c,) * 3)
    places = np.arange(rows, dtype=np.uint64)

    async def moving(committee: Committee, words: Share, to: Share) -> Table:
        return await moved(committee, Table(none_of(rows), words), to)

    m = 2 * rows
    assert cost_of(moving, one, places) == Cost(
        3, (8 * (m + rows), 8 * (2 * m + rows), 8 * (m + rows))
    )

    async def compacting(committee: Committee, words: Share, marks: Share) -> Table:
        return await compact(committee, Table(none_of(rows), words), marks)

    expected = 8 * (m + 2 * rows), 8 * (2 * m + 2 * rows), 8 * (m + 2 * rows)
    assert cost_of(compacting, one, places * 0) == Cost(4, expected)


def test_group_tail_costs_what_it_is_made_of() -> None:
    rows, at_most = 640, 64

    async def summing(committee: Committee, bits: Share, numbers: Share) -> Table:
        return await groups.sums(committee, Table(bits, numbers), KEY.mask(0), at_most)

    found = cost_of(summing, noise(rows).reshape(-1, 1), noise(rows).reshape(-1, 1))
    # Equality 6, both ends 1, to the ring 2, compaction 4, wiping 1; who is ahead saves a round.
    equal, ends, ring, wiped = 504 * (rows // 64), 2 * rows // 8, 8 * rows, 8 * at_most * 3
    moving = 8 * rows * 5  # bits, mark, two sums, places
    shared = equal + ends + ring + 8 * rows + moving + 8 * rows + wiped
    assert found == Cost(13, (shared, shared + moving, shared))
