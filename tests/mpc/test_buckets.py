"""The check of products with triples: its parameters, its permutations, and what gets past it."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pytest

from quorate.algebra.ring import Words
from quorate.errors import Error
from quorate.mpc import buckets, replicated
from quorate.mpc.buckets import BATCH, ENOUGH, Buckets, batches
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.streams import Stream
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.mpc.cheating import Program, honest, messages
from tests.mpc.committee import meet, noise
from tests.parties import run_parties

CHEAT = 1


@pytest.mark.parametrize("products", [1, 2, 63, 64, 1000, 2**14, BATCH - 1, BATCH, 2 * BATCH - 1])
def test_there_are_triples_enough_for_forty_bits(products: int) -> None:
    chosen = buckets.buckets(products)
    assert chosen.triples > products  # so that at least one of each array is revealed
    assert all(chosen.triples % d for d in range(2, math.isqrt(chosen.triples) + 1))
    assert chosen.triples**chosen.arrays >= ENOUGH > 2**40


def test_two_triples_to_each_product_are_enough_for_a_batch() -> None:
    chosen = buckets.buckets(BATCH)
    assert chosen.arrays == 2
    assert chosen.words(BATCH) / BATCH == pytest.approx(6, abs=0.001)  # and 1 of the product


@pytest.mark.parametrize("products", [0, 1, BATCH, 2 * BATCH - 1, 2 * BATCH, 5 * BATCH + 3])
def test_batches_are_all_of_it_and_not_small(products: int) -> None:
    found = list(batches(products))
    assert [i.start for i in found] == [0, *(i.stop for i in found)][: len(found)]
    assert sum(i.stop - i.start for i in found) == products
    if products >= BATCH:
        assert all(BATCH <= i.stop - i.start < 2 * BATCH for i in found)


@pytest.mark.parametrize("modulus", [2, 3, 5, 7])
def test_no_two_sets_of_places_are_likelier_to_meet_than_two_places(modulus: int) -> None:
    """All maps, all pairs of sets that are neither empty nor everything: at most 1 in `modulus`."""
    maps = [
        [(slope * i + shift) % modulus for i in range(modulus)]
        for slope in range(1, modulus)
        for shift in range(modulus)
    ]
    for size in range(1, modulus):
        for start in itertools.combinations(range(modulus), size):
            met = Counter(frozenset(one[i] for i in start) for one in maps)
            assert max(met.values()) * modulus <= len(maps)


def test_permutations_are_the_maps_and_follow_the_coin() -> None:
    coin = Stream(bytes(32), "challenge")
    seen = Counter(tuple(buckets._permutation(coin, 5).tolist()) for _ in range(2000))
    assert set(seen) == {
        tuple((slope * i + shift) % 5 for i in range(5))
        for slope in range(1, 5)
        for shift in range(5)
    }
    assert max(seen.values()) < 2 * min(seen.values())  # 100 each, within six deviations


async def one_product(committee: Committee, x: Share, y: Share) -> Share:
    return await replicated.mul(committee, x, y)


def program_of(size: int) -> Program:
    x, y = noise(size), noise(size)
    return Program(one_product, (x, y), lambda found: np.array_equal(found, x * y))


def forged(size: int, places: Callable[[int], Sequence[int]]) -> dict[int, Words | Error]:
    """Let a party add 1 to some words of its products and triples, before it sends and keeps them.

    `places` says which, of so many.
    """
    program, real = program_of(size), replicated.reshare

    async def reshare(committee: Committee, parts: Iterable[Words], z: Words) -> Share:
        def wrong() -> Iterator[Words]:
            (part,) = parts
            part[places(part.size)] += np.uint64(1)
            yield part

        return await real(committee, wrong() if committee.me == CHEAT else parts, z)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicated, "reshare", reshare)
        outcomes = run_parties(program, 3)
    for outcome in honest(outcomes, CHEAT):
        assert isinstance(outcome, Error) or not program.is_right(outcome)
    return outcomes


def got_past(outcomes: dict[int, Words | Error]) -> bool:
    return not any(isinstance(outcome, Error) for outcome in honest(outcomes, CHEAT))


def everywhere(size: int) -> Sequence[int]:
    return range(size)


def test_errors_in_all_products_and_all_triples_are_found() -> None:
    assert not got_past(forged(3, everywhere))


def test_control_where_no_triple_is_revealed_errors_everywhere_get_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buckets, "buckets", lambda products: Buckets(26, products))
    assert got_past(forged(3, everywhere))


def test_a_forger_who_guesses_is_right_as_often_as_the_bound_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With one array of five triples: 1 in 5, within five deviations of 200 runs."""
    monkeypatch.setattr(buckets, "buckets", lambda _: Buckets(1, 5))
    passed = sum(got_past(forged(2, lambda _: [0])) for _ in range(200))
    assert abs(passed / 200 - 1 / 5) < 5 * (0.2 * 0.8 / 200) ** 0.5


def _guess(coin: Stream, arrays: int, triples: int) -> list[int]:
    """Return which triple of each array will meet the first product."""
    places = [buckets._permutation(coin, triples)[0] for _ in range(arrays)]
    return [int(i * triples + place) for i, place in enumerate(places)]


def _knowing(size: int, seed: bytes) -> dict[int, Words | Error]:
    chosen = buckets.buckets(size)
    coin = Stream(seed, "challenge")
    meets = _guess(coin, chosen.arrays, chosen.triples)
    return forged(size, lambda count: [0] if count == size else meets)


def test_a_forger_who_does_not_know_the_coin_is_found() -> None:
    assert not got_past(_knowing(3, bytes(32)))


def test_control_a_forger_who_knows_the_coin_before_it_commits_gets_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def known(committee: Committee) -> Stream:
        return Stream(bytes(32), "challenge")

    monkeypatch.setattr(buckets, "toss", known)
    assert got_past(_knowing(3, bytes(32)))


def test_a_coin_gives_nothing_away_before_all_have_said_that_they_came_so_far() -> None:
    """Hold back one party's word: the two others send nothing more."""
    program = program_of(2)
    sent = messages(program)
    words = [e for e in sent if len(e.payload) == 32 and "beside" in e.label]
    held = min((e for e in words if e.sender == CHEAT), key=lambda e: (e.label, e.to))
    later: list[Envelope] = []

    def hold(e: Envelope) -> list[Envelope]:
        if (e.sender, e.to, e.label) == (held.sender, held.to, held.label):
            return []
        if e.sender == held.to and "/part " in e.label:
            later.append(e)
        return [e]

    assert all(isinstance(o, Error) for o in honest(run_parties(program, 3, hold), CHEAT))
    assert later == []


def test_everybody_gets_the_same_coin_and_no_other_time_the_same() -> None:
    seen: list[bytes] = []

    async def toss_twice(session: Session) -> list[bytes]:
        committee = await meet(session, "malicious")
        return [(await buckets.toss(committee)).words(4).tobytes() for _ in range(2)]

    for _ in range(2):
        north, south, west = run_parties(toss_twice, 3).values()
        assert north == south == west
        assert isinstance(north, list)
        seen += north
    assert len(set(seen)) == 4
