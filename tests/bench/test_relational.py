"""Small queries of the benchmark page give what NumPy or DuckDB gives."""

import pytest

from bench import relational, tpch
from bench.secret_tables import Query, Timed, time_one
from quorate.mpc.replicated import Committee
from tests.mpc.committee import everyones

QUERIES = [*relational.queries(1000), *tpch.queries((1000,))]


@pytest.mark.parametrize("query", QUERIES, ids=[one.name for one in QUERIES])
def test_a_query_that_is_timed_gives_the_right_result(query: Query) -> None:
    async def protocol(committee: Committee) -> Timed:
        return await time_one(committee, query, 1)  # it compares with the result in the clear

    timed = everyones(protocol)
    assert {one.rounds for one in timed} == {timed[0].rounds}
    assert all(one.bytes_sent > 0 for one in timed)
