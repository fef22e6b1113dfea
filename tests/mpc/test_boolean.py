"""Secret bits: gates, conversion to the ring, and their cost."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.bits import Bits
from quorate.algebra.ring import Words
from quorate.mpc import cost
from quorate.mpc.boolean import (
    BitShare,
    both,
    invert,
    public_bits,
    reveal_bits,
    to_ring,
    xor,
)
from quorate.mpc.replicated import Committee, Share
from tests.mpc.committee import ALL, SIZES, cost_of, declared, measured, noise, revealed


def lowest(x: Share) -> BitShare:
    """The lowest bit of each word: that of a sum is the XOR of those of its parts."""
    return BitShare(*((part & np.uint64(1)).astype(np.bool_) for part in (x.own, x.next)))


def bits(x: Words) -> Bits:
    return (x & np.uint64(1)).astype(np.bool_)


async def conjunction(committee: Committee, x: Share, y: Share) -> BitShare:
    return await both(committee, lowest(x), lowest(y))


async def difference(committee: Committee, x: Share, y: Share) -> BitShare:
    return invert(committee, xor(lowest(x), lowest(y)))


async def lifted(committee: Committee, x: Share) -> Share:
    return await to_ring(committee, lowest(x))


@pytest.mark.parametrize("size", SIZES)
def test_gates_and_conversion(size: int) -> None:
    x, y = noise(size), noise(size)
    assert_array_equal(revealed(conjunction, x, y), bits(x) & bits(y))
    assert_array_equal(revealed(difference, x, y), bits(x) == bits(y))
    assert_array_equal(revealed(lifted, x), bits(x).astype(np.uint64))


def test_shapes_are_kept() -> None:
    x, y = noise(30).reshape(2, 3, 5), noise(30).reshape(2, 3, 5)
    assert_array_equal(revealed(conjunction, x, y), bits(x) & bits(y))
    assert_array_equal(revealed(lifted, x), bits(x).astype(np.uint64))


@pytest.mark.parametrize("m", [0, 1, 64, 65, 40_000])
def test_costs_what_the_docstrings_say(m: int) -> None:
    x, y = noise(m), noise(m)
    assert cost_of(conjunction, x, y) == cost.both(m)
    assert cost_of(lifted, x) == cost.to_ring(m)
    if m:
        assert cost.both(m) == declared(both, m=m)
        assert cost.to_ring(m) == declared(to_ring, m=m)
        assert cost.reveal_bits(m, ALL) == declared(reveal_bits, m=m)


def test_revealing_bits_costs_one_bit_each() -> None:
    async def protocol(committee: Committee) -> object:
        return await reveal_bits(committee, public_bits(committee, bits(noise(640))), ALL)

    assert measured(protocol) == cost.reveal_bits(640, ALL)
    assert cost.reveal_bits(640, ALL).bytes_sent == (80, 80, 80)
