"""Replicated sharing: right in the ring, as cheap as it says, revealed to whom was said."""

import secrets
from collections.abc import Collection

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.errors import Party, Refused
from quorate.mpc import cost
from quorate.mpc.replicated import Committee, Share, convene, deal, matmul, mul, public, reveal
from quorate.transport.session import Session, together
from tests.mpc.committee import (
    ALL,
    EDGES,
    SIZES,
    cost_of,
    dealt,
    declared,
    everyones,
    forget,
    measured,
    noise,
    revealed,
    words,
)
from tests.parties import run_parties


async def same(_: Committee, x: Share) -> Share:
    return x


@pytest.mark.parametrize("size", SIZES)
def test_products_are_those_of_the_ring(size: int) -> None:
    x, y = noise(size), noise(size)
    assert_array_equal(revealed(mul, x, y), x * y)


def test_products_of_edge_values() -> None:
    x = words([v for v in EDGES for _ in EDGES])
    y = words([v for _ in EDGES for v in EDGES])
    assert_array_equal(revealed(mul, x, y), x * y)


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (2, 3, 4), (5, 1030, 2), (0, 2, 2)])
def test_matrix_products_are_those_of_the_ring(m: int, k: int, n: int) -> None:
    x, y = noise(m * k).reshape(m, k), noise(k * n).reshape(k, n)
    assert_array_equal(revealed(matmul, x, y), x @ y)


@pytest.mark.parametrize("to", [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]])
@pytest.mark.parametrize("owner", ALL)
def test_what_a_party_deals_is_revealed_to_whom_it_is_for(owner: int, to: Collection[int]) -> None:
    x = noise(7).reshape(7, 1)

    async def protocol(committee: Committee) -> object:
        mine = x if committee.me == owner else np.zeros_like(x)
        return await reveal(committee, await deal(committee, owner, mine), to)

    for party, output in enumerate(everyones(protocol)):
        if party in to:
            assert_array_equal(output, x)
        else:
            assert output is None


def test_each_part_is_held_twice() -> None:
    async def protocol(committee: Committee) -> Share:
        x, y = await dealt(noise_x, noise_y)(committee)
        return await mul(committee, x, y)

    noise_x, noise_y = noise(9), noise(9)
    shares = everyones(protocol)
    for party in ALL:
        assert_array_equal(shares[party].next, shares[(party + 1) % 3].own)


def test_public_words_are_shared_without_a_message() -> None:
    async def protocol(committee: Committee) -> object:
        return await reveal(committee, public(committee, x), ALL)

    x = noise(5)
    for output in everyones(protocol):
        assert_array_equal(output, x)
    assert measured(protocol) == cost.reveal(5, ALL)


@pytest.mark.parametrize("m", [1, 65, 40_000])
def test_a_product_costs_eight_bytes_a_party(m: int) -> None:
    x, y = noise(m), noise(m)
    assert cost_of(mul, x, y) == declared(mul, m=m) == cost.mul(m)
    assert cost.mul(1_000_000).bytes_sent == (8_000_000,) * 3


def test_a_matrix_product_costs_its_result() -> None:
    x, y = noise(6).reshape(2, 3), noise(12).reshape(3, 4)
    assert cost_of(matmul, x, y) == declared(matmul, m=2, n=4) == cost.mul(8)


@pytest.mark.parametrize("owner", ALL)
def test_dealing_costs_eight_bytes_to_one_party(owner: Party) -> None:
    x = noise(11)
    assert measured(lambda committee: deal(committee, owner, x)) == cost.deal(11, owner)
    assert sum(cost.deal(11, owner).bytes_sent) == 8 * 11


@pytest.mark.parametrize("to", [[0], [1, 2], [0, 1, 2], []])
def test_a_reveal_costs_what_those_lack_who_get_it(to: Collection[Party]) -> None:
    async def protocol(committee: Committee) -> object:
        return await reveal(committee, public(committee, noise(3)), to)

    assert measured(protocol).bytes_sent == cost.reveal(3, to).bytes_sent
    assert cost.reveal(3, ALL) == declared(reveal, m=3)


def test_convening_costs_what_it_says() -> None:
    assert declared(convene, m=0) == cost.convene()


def test_steps_side_by_side_share_a_round() -> None:
    async def protocol(committee: Committee) -> object:
        x = public(committee, noise(2))
        children = [committee.at(name) for name in ("one", "two")]
        return await together(*(mul(child, x, x) for child in children))

    assert measured(protocol) == cost.mul(2).beside(cost.mul(2))


def test_nothing_is_sent_of_nothing() -> None:
    empty = noise(0)
    assert cost_of(mul, empty, empty) == cost.FREE == cost.mul(0)


def test_only_three_parties_convene() -> None:
    async def protocol(session: Session) -> Committee:
        return await convene(session, b"", forget, secrets.token_bytes)

    assert all(isinstance(o, Refused) for o in run_parties(protocol, 4).values())


def test_secrets_are_not_in_reprs() -> None:
    async def protocol(committee: Committee) -> str:
        return f"{committee!r} {public(committee, words([1234567]))!r}"

    for text in everyones(protocol):
        assert "1234567" not in text
        assert "key=" not in text
