"""Bit planes: what the transposition does, and that it undoes itself."""

import secrets

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from quorate.algebra.bits import BITS, REVERSED, bits_of, columns, pack, transpose, unpack
from quorate.algebra.ring import Words


def some(count: int) -> Words:
    return np.frombuffer(secrets.token_bytes(8 * count), np.uint64).copy()


@pytest.mark.parametrize("width", [1, 2, 7, 512])
def test_each_row_holds_one_bit_of_every_word(width: int) -> None:
    words = some(BITS * width)
    rows = words.reshape(BITS, width).copy()
    transpose(rows, np.empty(BITS * width // 2, np.uint64))
    for row in range(BITS):
        expected = (words >> np.uint64(REVERSED[row])) & np.uint64(1)
        assert_array_equal(bits_of(rows[row], words.size), expected)


def test_neighbouring_bits_lie_half_the_rows_apart() -> None:
    for row in range(BITS // 2):
        assert REVERSED[row + BITS // 2] == REVERSED[row] + 1


def test_twice_is_nothing() -> None:
    rows, scratch = some(BITS * 3).reshape(BITS, 3), np.empty(BITS * 3 // 2, np.uint64)
    before = rows.copy()
    transpose(rows, scratch)
    assert (rows != before).any()
    transpose(rows, scratch)
    assert_array_equal(rows, before)


@given(st.lists(st.booleans(), max_size=200))
def test_packed_bits_come_back(bits: list[bool]) -> None:
    array = np.array(bits, np.bool_)
    packed = pack(array)
    assert packed.size == columns(len(bits))
    assert_array_equal(unpack(packed, len(bits)), array)
