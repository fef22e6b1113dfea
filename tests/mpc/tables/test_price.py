"""A sort takes no more than is said before it, and not much less."""

import numpy as np
import pytest

from quorate.mpc.cost import Pace
from quorate.mpc.replicated import Committee, Security, deal
from quorate.mpc.tables.linkage import PERSONS
from quorate.mpc.tables.price import sort_at_most
from quorate.mpc.tables.ranking import FAR_MS
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table, none_of
from quorate.mpc.verification import verify
from tests.mpc.committee import everyones
from tests.mpc.tables.sharing import SECURITIES, Draws

RNG = Draws(12)
FAR = Pace(FAR_MS)


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("rows", [20, 90, 256, 300, 600, 2500])
def test_a_sort_takes_at_most_what_is_said(rows: int, security: Security) -> None:
    bits = PERSONS.packed([RNG.integers(0, 1 << 40, rows), RNG.integers(0, 2, rows)])

    async def protocol(committee: Committee) -> tuple[int, int]:
        session = committee.session
        table = Table(await deal(committee, 0, bits, np.bitwise_xor), none_of(rows))
        before, sent = session.rounds, session.meter.bytes_sent
        await sort(committee, table, PERSONS, FAR)
        await verify(committee, FAR)
        return session.rounds - before, session.meter.bytes_sent - sent

    said = sort_at_most(rows, PERSONS.lanes, security)
    for party, (rounds, sent) in enumerate(everyones(protocol, security)):
        assert said.rounds / 4 < rounds <= said.rounds
        assert said.bytes_sent[party] / 4 < sent <= said.bytes_sent[party]


def test_no_rows_take_nothing() -> None:
    assert sort_at_most(0, 2, "malicious").rounds == 0
