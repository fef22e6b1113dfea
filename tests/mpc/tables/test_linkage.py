"""Persons at several hospitals are counted once, and alike ones found, whatever committee it is."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import Words
from quorate.mpc.engine import Secure
from quorate.mpc.numbers import Revealed
from quorate.mpc.replicated import Committee, Security, deal
from quorate.mpc.secret import held
from quorate.mpc.tables.linkage import PERSONS, Likeness, likeness_above, persons
from quorate.mpc.tables.table import Table, none_of
from tests.mpc.tables.sharing import (
    SECURITIES,
    Draws,
    same_for_all,
    shown,
)

RNG = Draws(9)
every_security = pytest.mark.parametrize("security", SECURITIES)


@every_security
@pytest.mark.parametrize("different", [1, 20, 10_000])
def test_persons_are_counted_once(different: int, security: Security) -> None:
    keys, event = RNG.integers(0, different, 90) << 40, RNG.integers(0, 4, 90) == 0
    bits = np.concatenate((PERSONS.packed([keys, event.astype(np.int64)]), PERSONS.padding(6)))

    async def protocol(committee: Committee) -> tuple[Words, Words]:
        secret = await deal(committee, 0, bits, np.bitwise_xor)
        found = await persons(committee, Table(secret, none_of(len(bits))))
        distinct = await shown(committee, found.distinct, np.add)
        return distinct, await shown(committee, found.events, np.add)

    distinct, events = same_for_all(protocol, security)
    assert distinct.tolist() == [np.unique(keys).size]
    assert events.tolist() == [np.unique(keys[event]).size]


@every_security
def test_alike_sets_are_found(security: Security) -> None:
    ours = RNG.integers(0, 2, (12, 30)).astype(np.uint64)
    theirs = np.concatenate((ours[:4], RNG.integers(0, 2, (5, 30)).astype(np.uint64)))
    theirs[1, :3] ^= np.uint64(1)

    async def protocol(committee: Committee) -> Revealed | None:
        engine = Secure(committee)
        x, y = [
            held(engine, await deal(committee, i, sets), shape=sets.shape, limit=1)
            for i, sets in enumerate((ours, theirs))
        ]
        return await (likeness_above(x, y, Likeness(4, 5)) >= 0).reveal(to=range(3))

    found = same_for_all(protocol, security)
    assert found is not None
    sizes = ours.sum(axis=1)[:, None] + theirs.sum(axis=1)[None, :]
    expected = 5 * 2 * (ours @ theirs.T) >= 4 * sizes
    assert_array_equal(found, expected)
    assert expected.any()
    assert not expected.all()
