"""Sums by a code of few values, against NumPy, and what they cost."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import Words
from quorate.mpc.boolean import BitShare
from quorate.mpc.cost import Cost
from quorate.mpc.replicated import Committee, Security, Share, deal
from quorate.mpc.tables.few import sums_of_few
from tests.mpc.committee import cost_of, noise
from tests.mpc.tables.sharing import (
    SECURITIES,
    Draws,
    column_words,
    modulo,
    same_for_all,
    shown_numbers,
)

RNG = Draws(5)
LOWEST = np.uint64(1)


def lowest_bits(words: Share) -> BitShare:
    return BitShare(words.own & LOWEST != 0, words.next & LOWEST != 0)


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize(("rows", "code_bits"), [(1, 1), (70, 3), (200, 5)])
def test_marked_rows_are_added_up_by_their_code(
    rows: int, code_bits: int, security: Security
) -> None:
    codes, marks = RNG.integers(0, 1 << code_bits, rows), RNG.integers(0, 2, rows)
    numbers = RNG.integers(-50, 50, (rows, 2))

    async def protocol(committee: Committee) -> Words:
        code = await deal(committee, 2, codes.view(np.uint64), np.bitwise_xor)
        mark = await deal(committee, 1, marks.view(np.uint64), np.bitwise_xor)
        values = await deal(committee, 0, numbers.view(np.uint64))
        found = await sums_of_few(committee, code, code_bits, lowest_bits(mark), values)
        return await shown_numbers(committee, found)

    expected = [
        [numbers[(codes == code) & (marks == 1), i].sum() for code in range(1 << code_bits)]
        for i in range(2)
    ]
    wanted = modulo(column_words(*map(np.array, expected)).view(np.int64))
    assert_array_equal(same_for_all(protocol, security), wanted)


def test_costs_what_it_says() -> None:
    n, b, k = 128, 3, 2

    async def work(committee: Committee, codes: Share, marks: Share, numbers: Share) -> Share:
        values = Share(numbers.own.reshape(n, k), numbers.next.reshape(n, k))
        return await sums_of_few(committee, codes, b, lowest_bits(marks), values)

    groups = 1 << b
    sent = n * (groups - 1) // 8 + 8 * n * groups + 8 * groups * k
    assert cost_of(work, noise(n), noise(n), noise(n * k)) == Cost(b + 3, (sent, sent, sent))
