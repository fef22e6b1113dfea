"""Division by 2^f: off by less than one unit for every word, never quite wrong; and its cost."""

from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import to_signed
from quorate.mpc import cost
from quorate.mpc.replicated import Committee, Share, mul
from quorate.mpc.shifts import OFFSET
from quorate.mpc.truncation import matmul_fixed, mul_fixed, truncate
from tests.mpc.committee import SIZES, cost_of, declared, noise, revealed, words


def by(f: int) -> Callable[[Committee, Share], Awaitable[Share]]:
    return lambda committee, x: truncate(committee, x, f)


async def product(committee: Committee, x: Share, y: Share) -> Share:
    return await mul_fixed(committee, x, y, 16)


async def matrix_product(committee: Committee, x: Share, y: Share) -> Share:
    return await matmul_fixed(committee, x, y, 16)


@pytest.mark.parametrize("f", [1, 7, 16, 31, 48, 61])
def test_every_word_in_range_is_rounded_down_or_up(f: int) -> None:
    edges = [0, 1, -1, OFFSET - 2**f, -OFFSET, OFFSET // 2, 2**f - 1, 1 - 2**f, 2**f + 1]
    spread = to_signed(noise(50_000) >> np.uint64(1)) - OFFSET
    x = np.minimum(np.concatenate([np.array(edges), spread]), OFFSET - 2**f)
    up = to_signed(revealed(by(f), words(x)).view(np.uint64)) - (x >> f)
    assert set(up.tolist()) <= {0, 1}
    assert not up[(x & (2**f - 1)) == 0].any()  # exact where it can be


def test_the_mean_is_right() -> None:
    """Rounded up with the probability of what is cut off: 5 sigma of 50,000 draws."""

    async def fresh(committee: Committee, x: Share, one: Share) -> Share:
        return await truncate(committee, await mul(committee, x, one), 16)

    x, one = words(np.full(50_000, 5 * 2**16 + 2**14)), words(np.ones(50_000, np.int64))
    mean = to_signed(revealed(fresh, x, one).view(np.uint64)).mean()
    assert abs(mean - 5.25) < 5 * (0.25 * 0.75 / 50_000) ** 0.5


@pytest.mark.parametrize("size", SIZES)
def test_fixed_products(size: int) -> None:
    x, y = (to_signed(noise(size)) >> shift for shift in (34, 33))
    got = to_signed(revealed(product, words(x), words(y)).view(np.uint64))
    assert_array_equal((got - ((x * y) >> 16)) >> 1, 0)


def test_fixed_matrix_products() -> None:
    x, y = to_signed(noise(12)).reshape(3, 4) >> 34, to_signed(noise(20)).reshape(4, 5) >> 36
    got = to_signed(revealed(matrix_product, words(x), words(y)).view(np.uint64))
    assert_array_equal((got - ((x @ y) >> 16)) >> 1, 0)


@pytest.mark.parametrize("m", [1, 65, 40_000])
def test_costs_what_the_docstrings_say(m: int) -> None:
    x = noise(m)
    assert cost_of(by(16), x) == declared(truncate, m=m) == cost.truncate(m)
    assert cost_of(product, x, x) == declared(mul_fixed, m=m) == cost.mul_fixed(m)


def test_a_matrix_product_costs_its_result() -> None:
    x, y = noise(6).reshape(2, 3), noise(12).reshape(3, 4)
    assert cost_of(matrix_product, x, y) == declared(matmul_fixed, m=2, n=4) == cost.mul_fixed(8)
