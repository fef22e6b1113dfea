"""Words and their bits: every width, every carry, both ways, and the cost."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.bits import Bits
from quorate.algebra.ring import Words
from quorate.mpc import cost
from quorate.mpc.boolean import BitShare
from quorate.mpc.decomposition import COUNTS, from_bits, to_bits
from quorate.mpc.replicated import Committee, Share
from tests.mpc.committee import EDGES, SIZES, cost_of, declared, noise, revealed, words


def bits_of(x: Words, count: int) -> Bits:
    places = np.arange(count, dtype=np.uint64).reshape(-1, *[1] * x.ndim)
    return (x >> places & np.uint64(1)).astype(np.bool_)


@pytest.mark.parametrize("size", SIZES)
def test_random_words(size: int) -> None:
    x = noise(size)
    assert_array_equal(revealed(to_bits, x), bits_of(x, 64))


@pytest.mark.parametrize("count", COUNTS)
def test_every_width(count: int) -> None:
    async def function(committee: Committee, x: Share) -> BitShare:
        return await to_bits(committee, x, count)

    x = np.concatenate([noise(70), words(EDGES)]).reshape(9, 9)
    assert_array_equal(revealed(function, x), bits_of(x, count))
    assert cost_of(function, x) == cost.to_bits(x.size, count)


def test_carries_of_every_length() -> None:
    """Parts of the secret that are no noise: a = 2^j, b = 2^k - 2^j, for all j and k."""
    powers = np.uint64(1) << np.arange(64, dtype=np.uint64)
    a = np.repeat(powers, 64)
    b = np.tile(powers, 64) - a

    async def protocol(committee: Committee, _: Share) -> BitShare:
        parts = (a, np.zeros_like(a), b)
        share = Share(parts[committee.me], parts[(committee.me + 1) % 3])
        return await to_bits(committee, share)

    assert_array_equal(revealed(protocol, noise(1)), bits_of(a + b, 64))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("count", [1, 2, 7, 63, 64])
def test_and_back(count: int, *, signed: bool) -> None:
    async def function(committee: Committee, x: Share) -> Share:
        bits = await to_bits(committee, x)
        return await from_bits(
            committee, BitShare(bits.own[:count], bits.next[:count]), signed=signed
        )

    x = noise(600).reshape(2, 300)
    up = np.uint64(64 - count)
    expected = ((x << up).view(np.int64) >> up.astype(np.int64)).view(np.uint64)
    assert_array_equal(revealed(function, x), expected if signed else x << up >> up)


@pytest.mark.parametrize("m", [1, 64, 65, 40_000])
def test_costs_what_the_docstrings_say(m: int) -> None:
    x = noise(m)
    assert cost_of(to_bits, x) == declared(to_bits, m=m) == cost.to_bits(m, 64)

    async def back(committee: Committee, x: Share) -> Share:
        nothing = np.zeros((5, x.own.size), np.bool_)
        return await from_bits(committee, BitShare(nothing, nothing), signed=False)

    assert cost_of(back, x) == declared(from_bits, m=m, k=5) == cost.from_bits(m, 5)


def test_all_bits_of_a_word_cost_under_45_bytes_a_party() -> None:
    assert [sent / 640_000 for sent in cost.to_bits(640_000, 64).bytes_sent] == [44.25] * 3


def test_nothing_is_sent_of_nothing() -> None:
    assert cost_of(to_bits, noise(0)) == cost.FREE
