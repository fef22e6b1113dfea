"""Rows taken by their owner's order, and two tables matched by the third party."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import stats

from quorate.algebra.ring import Words
from quorate.errors import Abort, DataError, Party, Refused
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee, Share, deal
from quorate.mpc.tables.match import Sides, dummies, match, met, tagged
from quorate.mpc.tables.owned import gathered, injection, repeated, sums_by_code
from quorate.mpc.tables.permutations import Places
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.mpc.cheating import KEYS
from tests.mpc.committee import ALL, cost_of, everyones, meet, noise
from tests.mpc.tables.sharing import Draws, same_for_all, shown
from tests.parties import run_parties

RNG = Draws(31)
every_party = pytest.mark.parametrize("owner", ALL)
every_pair = pytest.mark.parametrize("pair", [(a, b) for a in ALL for b in ALL if a != b])
CONFIDENCE = 1e-9


def given(committee: Committee, owner: Party, places: Places) -> Places:
    """Return what the owner knows; the others know how many."""
    return places if committee.me == owner else np.zeros_like(places)


@every_party
@pytest.mark.parametrize("wanted", [0, 5, 25])
def test_the_owners_rows_are_taken(owner: Party, wanted: int) -> None:
    rows, places = noise(60).reshape(20, 3), RNG.permutation(25)[:wanted]

    async def protocol(committee: Committee) -> Words:
        secret = await deal(committee, 1, rows)
        mine = given(committee, owner, places)
        return await shown(
            committee, await gathered(committee, owner, secret, mine, spare=5), np.add
        )

    whole = np.concatenate((rows, np.zeros((5, 3), np.uint64)))
    assert_array_equal(same_for_all(protocol), whole[places])


@every_party
def test_rows_are_repeated(owner: Party) -> None:
    rows, of = noise(5).reshape(5, 1), np.array([0, 0, 1, 2, 2, 2, 3, 4])

    async def protocol(committee: Committee) -> Words:
        secret = await deal(committee, 2, rows)
        mine = given(committee, owner, of)
        return await shown(committee, await repeated(committee, owner, secret, mine), np.add)

    assert_array_equal(same_for_all(protocol), rows[of])


@every_party
def test_sums_by_the_owners_codes(owner: Party) -> None:
    rows, codes = noise(80).reshape(40, 2), RNG.choice([0, 1, 4], 40)

    async def protocol(committee: Committee) -> Words:
        secret = await deal(committee, 0, rows)
        mine = given(committee, owner, codes)
        return await shown(committee, await sums_by_code(committee, owner, secret, mine, 6), np.add)

    expected = [rows[codes == code].sum(axis=0) for code in range(6)]
    assert_array_equal(same_for_all(protocol), expected)


def test_places_that_repeat_or_are_not_there_are_refused() -> None:
    for told in ([0, 1, 1], [0, 3]):
        with pytest.raises(Abort):
            injection(np.array(told, np.uint32), 3)
    rows = noise(3).reshape(3, 1)

    async def protocol(session: Session) -> Share:
        committee = await meet(session)
        secret = await deal(committee, 0, rows)
        return await gathered(committee, 1, secret, given(committee, 1, np.array([0, 0])))

    outcomes = run_parties(protocol, 3)
    assert isinstance(outcomes[0], Abort)


def test_a_committee_that_checks_is_refused() -> None:
    async def protocol(committee: Committee) -> list[type[Exception]]:
        secret = await deal(committee, 0, noise(3).reshape(3, 1))
        refusals: list[type[Exception]] = []
        for step in (
            gathered(committee, 1, secret, np.arange(3)),
            match(committee, Sides(0, 1, 1, 1, 0), noise(1), noise(1).reshape(1, 1)),
        ):
            try:
                await step
            except Refused as e:
                refusals.append(type(e))
        return refusals

    assert same_for_all(protocol, "malicious") == [Refused, Refused]


@pytest.mark.parametrize("columns", [1, 3])
def test_gathering_costs_what_the_docstring_says(columns: int) -> None:
    n, q, k = 30, 12, columns

    async def protocol(committee: Committee, secret: Share) -> Share:
        return await gathered(committee, 0, secret, given(committee, 0, np.arange(q)))

    expected = 4 * q + 8 * q * k, 8 * n * k, 8 * q * k
    assert cost_of(protocol, noise(n * k).reshape(n, k)) == Cost(2, expected)


def test_summing_by_codes_costs_what_the_docstring_says() -> None:
    n, q, k = 50, 6, 2

    async def protocol(committee: Committee, secret: Share) -> Share:
        codes = given(committee, 0, np.arange(n) % q)
        return await sums_by_code(committee, 0, secret, codes, q)

    found = cost_of(protocol, noise(n * k).reshape(n, k))
    both = 8 * k * (n + 2 * q)
    assert found == Cost(4, (4 * n + 8 * q + both, 8 * k * (2 * n + 2 * q), both))


def matched(pair: tuple[Party, Party], ids: Sequence[Words], rows: Words) -> tuple[Places, Words]:
    """Return the receiver's order, and what everybody would see of the result."""
    receiver, provider = pair
    sides = Sides(receiver, provider, len(ids[0]), len(ids[1]), rows.shape[1])

    async def protocol(committee: Committee) -> tuple[Places, Words]:
        mine = {receiver: ids[0], provider: ids[1]}.get(committee.me)
        payload = rows if committee.me == provider else None
        found = await match(committee, sides, mine, payload)
        return found.order, await shown(committee, found.met, np.add)

    outcomes = everyones(protocol)
    assert all(outcomes[p][0].size == 0 for p in ALL if p != receiver)
    for other in outcomes:
        assert_array_equal(other[1], outcomes[0][1])
    return outcomes[receiver]


@every_pair
@pytest.mark.parametrize("common", [0, 1, 12])
def test_persons_are_met_with_what_the_other_has_of_them(
    pair: tuple[Party, Party], common: int
) -> None:
    everybody = RNG.permutation(1000)[:40].astype(np.uint64)
    ours = np.concatenate((everybody[:12], dummies(pair[0], 3)))
    theirs = np.concatenate((everybody[12 - common : 30 - common], dummies(pair[1], 4)))
    rows = noise(2 * theirs.size).reshape(-1, 2)
    order, found = matched(pair, (ours, theirs[RNG.permutation(theirs.size)]), rows)
    assert int(found[:, 0].sum()) == common
    assert sorted(order.tolist()) == list(range(ours.size))


@every_pair
def test_unmet_rows_are_zeros_and_met_ones_right(pair: tuple[Party, Party]) -> None:
    ours, theirs = np.arange(10, dtype=np.uint64), np.arange(5, 30, dtype=np.uint64)
    rows = noise(25).reshape(25, 1)
    order, found = matched(pair, (ours, theirs), rows)
    for person, row in zip(ours[order].tolist(), found, strict=True):
        assert row.tolist() == ([1, int(rows[person - 5, 0])] if person >= 5 else [0, 0])


def test_who_gives_a_person_twice_is_told() -> None:
    with pytest.raises(DataError):
        tagged(bytes(32), "step", np.array([3, 3], np.uint64))


def test_tags_that_repeat_or_are_out_of_order_are_refused() -> None:
    tags, _ = tagged(bytes(32), "step", np.arange(4, dtype=np.uint64))
    nobody = tags[:0]
    for wrong in (tags[[0, 0, 1]], tags[::-1]):
        for sides in ((wrong, tags), (tags, wrong)):
            with pytest.raises(Abort):
                met(*sides)
    assert met(tags, nobody).tolist() == [0, 1, 2, 3]
    assert met(tags[1:3], tags).tolist() == [1, 2]


def test_tags_are_new_in_each_run_and_say_nothing_of_persons() -> None:
    ids = np.arange(5000, dtype=np.uint64)
    first, order = tagged(bytes(32), "one", ids)
    second, other = tagged(bytes(32), "two", ids)
    assert not np.intersect1d(first, second).size
    assert not np.array_equal(order, other)
    data = np.frombuffer(first[:, 1].tobytes(), np.uint8)
    assert stats.chisquare(np.bincount(data, minlength=256)).pvalue > CONFIDENCE
    assert abs(stats.spearmanr(order, ids).statistic) < 0.1


def test_control_a_key_that_is_kept_follows_persons_from_run_to_run() -> None:
    ids = np.arange(50, dtype=np.uint64)
    first, _ = tagged(bytes(32), "one", ids)
    second, _ = tagged(bytes(32), "one", ids[::2])
    assert len(np.intersect1d(first, second)) == 2 * 25


def seen_by(party: Party, ours: Words, theirs: Words) -> list[bytes]:
    """Return the messages that a party is sent in a match of parties 0 and 1."""
    sides, sent = Sides(0, 1, len(ours), len(theirs), 1), list[bytes]()

    def noted(e: Envelope) -> list[Envelope]:
        if e.to == party and e.label not in KEYS:
            sent.append(bytes(e.payload))
        return [e]

    async def protocol(session: Session) -> Share:
        committee = await meet(session)
        mine = {0: ours, 1: theirs}.get(committee.me)
        rows = np.ones((len(theirs), 1), np.uint64) if committee.me == 1 else None
        return (await match(committee, sides, mine, rows)).met

    outcomes = run_parties(protocol, 3, noted)
    assert not [o for o in outcomes.values() if isinstance(o, Exception)]
    return sent


@pytest.mark.parametrize("common", [0, 2000])
def test_neither_owner_sees_who_is_common(common: int) -> None:
    ours = np.arange(2000, dtype=np.uint64)
    theirs = ours + np.uint64(2000 - common)
    assert not seen_by(1, ours, theirs)
    told = seen_by(0, ours, theirs)
    (places,) = (np.frombuffer(one, np.uint32) for one in told if len(one) == 4 * 2000)
    assert np.unique(places).size == 2000
    assert stats.kstest(places / 4000, "uniform").pvalue > CONFIDENCE
    for one in told:
        if len(one) != places.nbytes:
            counts = np.bincount(np.frombuffer(one, np.uint8), minlength=256)
            assert stats.chisquare(counts).pvalue > CONFIDENCE


def test_matching_costs_what_the_docstring_says() -> None:
    n, q, k = 30, 50, 2
    ids = noise(80)

    async def protocol(committee: Committee, secret: Share) -> Share:
        mine = {0: ids[:n], 1: ids[n:]}.get(committee.me)
        rows = noise(q * k).reshape(q, k) if committee.me == 1 else None
        await match(committee, Sides(0, 1, n, q, k), mine, rows)
        return secret

    expected = 16 * n + 8 * n * (k + 1), 16 * q + 8 * (n + q) * (k + 1), 4 * n + 8 * n * (k + 1)
    assert cost_of(protocol, noise(1)) == Cost(3, expected)
