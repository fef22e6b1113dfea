"""Sign and equality: every carry length, every edge, and the cost."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import to_signed
from quorate.mpc import cost
from quorate.mpc.boolean import BitShare
from quorate.mpc.comparison import is_negative, is_zero
from quorate.mpc.replicated import Committee, Security, Share
from tests.mpc.committee import EDGES, SIZES, cost_of, declared, noise, revealed, words


async def less(committee: Committee, x: Share, y: Share) -> BitShare:
    return await is_negative(committee, Share(x.own - y.own, x.next - y.next))


@pytest.mark.parametrize("size", SIZES)
def test_random_words(size: int) -> None:
    x = noise(size)
    assert_array_equal(revealed(is_negative, x), to_signed(x) < 0)
    sparse = np.where(x % np.uint64(3) == 0, x, np.uint64(0))
    assert_array_equal(revealed(is_zero, sparse), sparse == 0)


def test_edges_and_neighbours_against_each_other() -> None:
    near = sorted({v + d for v in EDGES for d in (-1, 0, 1) if -(2**62) <= v + d < 2**62})
    x, y = words([v for v in near for _ in near]), words([v for _ in near for v in near])
    assert_array_equal(revealed(less, x, y), to_signed(x) < to_signed(y))
    assert_array_equal(revealed(is_zero, x - y), x == y)


def test_one_bit_anywhere_is_seen() -> None:
    single = np.uint64(1) << np.arange(64, dtype=np.uint64)
    for pattern in (single, ~single, single - np.uint64(1), -single):
        assert_array_equal(revealed(is_negative, pattern), to_signed(pattern) < 0)
        assert_array_equal(revealed(is_zero, pattern), pattern == 0)


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_carries_of_every_length(security: Security) -> None:
    """Parts of the secret that are no noise: a = 2^j, b = 2^k - 2^j, for all j and k."""
    powers = np.uint64(1) << np.arange(64, dtype=np.uint64)
    a = np.repeat(powers, 64)
    b = np.tile(powers, 64) - a

    async def protocol(committee: Committee, _: Share) -> BitShare:
        parts = (a, np.zeros_like(a), b)
        share = Share(parts[committee.me], parts[(committee.me + 1) % 3])
        return await is_negative(committee, share)

    found = revealed(protocol, noise(1), security=security)
    assert_array_equal(found, to_signed(a + b) < 0)


@pytest.mark.parametrize("m", [1, 64, 65, 40_000])
def test_costs_what_the_docstrings_say(m: int) -> None:
    assert cost_of(is_negative, noise(m)) == declared(is_negative, m=m) == cost.is_negative(m)
    assert cost_of(is_zero, noise(m)) == declared(is_zero, m=m) == cost.is_zero(m)


def test_a_comparison_costs_under_twenty_bytes() -> None:
    """Busiest party and others, in bytes a word of long arrays."""
    assert [sent / 640_000 for sent in cost.is_negative(640_000).bytes_sent] == [
        19.625,
        15.75,
        15.75,
    ]
    assert [sent / 640_000 for sent in cost.is_zero(640_000).bytes_sent] == [15.875, 7.875, 7.875]


def test_nothing_is_sent_of_nothing() -> None:
    assert cost_of(is_negative, noise(0)) == cost_of(is_zero, noise(0)) == cost.FREE
