"""Sign and equality in three rounds: as those of more rounds, and the cost."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import to_signed
from quorate.mpc import cost
from quorate.mpc.boolean import BitShare
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.shallow import is_negative, is_zero
from quorate.transport.session import together
from tests.mpc.committee import EDGES, SIZES, cost_of, declared, noise, revealed, words


@pytest.mark.parametrize("size", SIZES)
def test_random_words(size: int) -> None:
    x = noise(size)
    assert_array_equal(revealed(is_negative, x), to_signed(x) < 0)
    sparse = np.where(x % np.uint64(3) == 0, x, np.uint64(0))
    assert_array_equal(revealed(is_zero, sparse), sparse == 0)


def test_edges_and_neighbours_against_each_other() -> None:
    near = sorted({v + d for v in EDGES for d in (-1, 0, 1) if -(2**62) <= v + d < 2**62})
    x, y = words([v for v in near for _ in near]), words([v for _ in near for v in near])
    assert_array_equal(revealed(is_negative, x - y), to_signed(x) < to_signed(y))
    assert_array_equal(revealed(is_zero, x - y), x == y)


def test_one_bit_anywhere_is_seen() -> None:
    single = np.uint64(1) << np.arange(64, dtype=np.uint64)
    for pattern in (single, ~single, single - np.uint64(1), -single):
        assert_array_equal(revealed(is_negative, pattern), to_signed(pattern) < 0)
        assert_array_equal(revealed(is_zero, pattern), pattern == 0)


def test_carries_of_every_length() -> None:
    """Parts of the secret that are no noise: a = 2^j, b = 2^k - 2^j, for all j and k."""
    powers = np.uint64(1) << np.arange(64, dtype=np.uint64)
    a = np.repeat(powers, 64)
    b = np.tile(powers, 64) - a

    async def protocol(committee: Committee, _: Share) -> BitShare:
        parts = (a, np.zeros_like(a), b)
        share = Share(parts[committee.me], parts[(committee.me + 1) % 3])
        return await is_negative(committee, share)

    assert_array_equal(revealed(protocol, noise(1)), to_signed(a + b) < 0)


def test_one_after_the_other_and_side_by_side() -> None:
    async def protocol(committee: Committee, x: Share) -> BitShare:
        await is_negative(committee, x)
        one, other = committee.at("one"), committee.at("other")
        zero, negative = await together(is_zero(one, x), is_negative(other, x))
        return BitShare(zero.own ^ negative.own, zero.next ^ negative.next)

    x = words(EDGES)
    assert_array_equal(revealed(protocol, x), to_signed(x) <= 0)


@pytest.mark.parametrize("m", [1, 64, 65, 40_000])
def test_costs_what_the_docstrings_say(m: int) -> None:
    sign = cost_of(is_negative, noise(m))
    assert sign == declared(is_negative, m=m) == cost.is_negative_in_three_rounds(m)
    zero = cost_of(is_zero, noise(m))
    assert zero == declared(is_zero, m=m) == cost.is_zero_in_three_rounds(m)


def test_nothing_is_sent_of_nothing() -> None:
    assert cost_of(is_negative, noise(0)) == cost_of(is_zero, noise(0)) == cost.FREE
