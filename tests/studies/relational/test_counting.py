"""Persons counted over tables of three members, against DuckDB over the pooled rows."""

from collections.abc import Awaitable, Callable, Sequence

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quorate.algebra.ring import Words
from quorate.errors import DataError, MalformedStudy
from quorate.mpc.replicated import Committee, Security, deal
from quorate.mpc.tables.table import Table as Secret
from quorate.studies.relational.counting import counted, own_table, shape
from quorate.studies.relational.query import MAX_PARTS, CountDistinct
from quorate.studies.relational.reader import read_count
from quorate.studies.schema import Column, Table
from tests.mpc.committee import measured
from tests.mpc.tables.sharing import SECURITIES, same_for_all, shown_numbers

PATIENT = Column("patient", "integer", "-20", "40", "1", ())
CODE = Column("code", "integer", "0", "3", "1", ())
TABLES = tuple(Table(name, (PATIENT, CODE)) for name in ("diagnosis", "medication", "deceased"))
COUNT = "select count(distinct patient) as n from diagnosis"
TREATED = (
    COUNT + " where code = 1 and patient in (select patient from medication where code >= 2)"
    " and patient not in (select patient from deceased)"
)
QUESTIONS = (
    COUNT,
    COUNT + " where code = 1 or code = 2",
    COUNT + " where patient not in (select patient from diagnosis where code = 3)",
    COUNT + " where (code = 0 or code = 1) and not code = 1 and patient in (select patient"
    " from medication)",
    TREATED,
)
MAX_ROWS = 8
ROUNDS = {"semi-honest": 43, "malicious": 76}
"""Of `TREATED`, with dealing and revealing: few rows are all compared at once."""
Rows = tuple[tuple[int, int], ...]
Member = tuple[Rows, ...]  # rows (patient, code) of each table

ROWS = st.lists(st.tuples(st.integers(-3, 2), st.integers(0, 3)), max_size=6).map(tuple)
MEMBERS = st.tuples(*[st.tuples(ROWS, ROWS, ROWS)] * 3)
NOBODY: Member = ((), (), ())


def filled(members: Sequence[Member]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for i, table in enumerate(TABLES):
        connection.execute(f"create table {table.name} (patient bigint, code bigint)")
        rows = [row for member in members for row in member[i]]
        if rows:
            connection.executemany(f"insert into {table.name} values (?, ?)", rows)
    return connection


def expected(sql: str, members: Sequence[Member]) -> int:
    """Ask the pooled rows."""
    found = filled(members).execute(sql).fetchall()
    return int(found[0][0])


def own_keys(query: CountDistinct, member: Member) -> list[NDArray[np.int64]]:
    connection = filled([member])
    return [
        np.array(connection.execute(query.local_sql(part)).fetchall(), np.int64).reshape(-1)
        for part in query.parts
    ]


def asked(
    sql: str, members: Sequence[Member], min_cell: int = 1, security: Security = "semi-honest"
) -> list[int]:
    """Return what the three reveal."""
    protocol = counting(sql, members, min_cell)
    return [int(word) for word in same_for_all(protocol, security)]


def counting(
    sql: str, members: Sequence[Member], min_cell: int
) -> Callable[[Committee], Awaitable[Words]]:
    query = read_count("r", sql, TABLES)
    own = [own_table(query, own_keys(query, one), MAX_ROWS) for one in members]

    async def protocol(committee: Committee) -> Words:
        tables = [
            Secret(
                await deal(committee, party, one.bits, np.bitwise_xor),
                await deal(committee, party, one.numbers),
            )
            for party, one in enumerate(own)
        ]
        return await shown_numbers(committee, await counted(query, min_cell, committee, tables))

    return protocol


@pytest.mark.parametrize("sql", QUESTIONS)
@settings(max_examples=6, deadline=None)
@given(members=MEMBERS)
@example(members=(NOBODY, NOBODY, NOBODY))
def test_persons_are_those_of_the_pooled_rows(sql: str, members: Sequence[Member]) -> None:
    assert asked(sql, members) == [expected(sql, members), 1]


SPREAD: tuple[Member, ...] = (
    (((-3, 1), (0, 1), (2, 1)), (), ((2, 0),)),
    (((0, 1), (5, 1)), ((-3, 2), (2, 3)), ()),
    ((), ((0, 3), (5, 0)), ()),
)
"""Persons -3 and 0 are treated elsewhere, 2 is dead, 5 was given something else."""


@pytest.mark.parametrize("security", SECURITIES)
def test_a_persons_rows_may_lie_at_different_members(security: Security) -> None:
    assert asked(TREATED, SPREAD, security=security) == [2, 1]


@pytest.mark.parametrize(("least", "told"), [(2, [2, 1]), (3, [0, 0])])
def test_a_small_count_is_withheld_before_it_is_revealed(least: int, told: list[int]) -> None:
    assert asked(TREATED, SPREAD, least) == told


def test_control_where_nothing_is_withheld_one_treated_person_is_told() -> None:
    members = (SPREAD[0], ((), ((-3, 2),), ()), NOBODY)
    assert asked(TREATED, members, 1) == [1, 1]
    assert asked(TREATED, members, 2) == [0, 0]


def test_that_nobody_is_there_is_told() -> None:
    assert asked(TREATED, [NOBODY] * 3, 5) == [0, 1]


def test_what_is_dealt_has_the_same_size_whatever_a_member_has() -> None:
    query = read_count("r", TREATED, TABLES)
    size = shape(query, MAX_ROWS)
    for member in (NOBODY, *SPREAD):
        own = own_table(query, own_keys(query, member), MAX_ROWS)
        assert own.bits.shape == (size.rows, size.lanes)
        assert own.numbers.shape == (size.rows, size.numbers)


@pytest.mark.parametrize("security", SECURITIES)
def test_neither_rounds_nor_bytes_depend_on_who_is_there(security: Security) -> None:
    costs = {measured(counting(TREATED, one, 2), security) for one in ([NOBODY] * 3, SPREAD)}
    (cost,) = costs
    assert cost.rounds == ROUNDS[security]


def test_more_persons_than_there_is_room_for_are_refused() -> None:
    query = read_count("r", COUNT, TABLES)
    with pytest.raises(DataError, match="9 persons, and a member's table has room for 8"):
        own_table(query, [np.arange(9, dtype=np.int64)], MAX_ROWS)


@pytest.mark.parametrize("sql", QUESTIONS)
def test_the_text_of_a_question_is_read_as_the_question(sql: str) -> None:
    query = read_count("r", sql, TABLES)
    assert read_count("r", query.sql, TABLES) == query


REFUSED = (
    (COUNT.replace("distinct ", ""), "does not count distinct keys"),
    (COUNT + " group by code", "group is not allowed here"),
    (COUNT.replace("diagnosis", "visits"), "is not a declared table"),
    (COUNT + " order by n", "is not allowed"),
    (COUNT + " where patient in (select code from medication)", "is not about patient"),
    (COUNT + " where code in (select code from medication)", "is not about patient"),
    (
        COUNT + " where code = 1 or patient in (select patient from medication)",
        "query is not allowed here",
    ),
    (COUNT + " where patient in (select distinct patient from deceased)", "distinct is not"),
    (COUNT + " where code = 7 -- all", "a comment"),
    (COUNT + ", count(distinct code) as m", "is not one count|is not understood|is not allowed"),
    (
        COUNT + " where " + " and ".join(["patient in (select patient from deceased)"] * MAX_PARTS),
        "more than 16 tables",
    ),
)


@pytest.mark.parametrize(("sql", "why"), REFUSED)
def test_anything_else_is_refused_with_the_place(sql: str, why: str) -> None:
    with pytest.raises(MalformedStudy, match=rf"releases\.r, line 1, column \d+.*({why})"):
        read_count("r", sql, TABLES)


def test_a_key_that_is_declared_in_two_ways_is_refused() -> None:
    other = Table("deceased", (Column("patient", "integer", "0", "40", "1", ()),))
    with pytest.raises(MalformedStudy, match="declared alike in both tables"):
        read_count("r", TREATED, (*TABLES[:2], other))
