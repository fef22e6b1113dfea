"""The ring Z_2^64, and the blocks in which long vectors are walked."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quorate.algebra.ring import blocks, from_signed, to_signed

SIGNED = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20)


@given(SIGNED)
def test_signed_numbers_come_back(values: list[int]) -> None:
    words = from_signed(np.array(values, np.int64))
    assert words.tolist() == [v % 2**64 for v in values]
    assert to_signed(words).tolist() == values


@given(SIGNED, SIGNED)
def test_sums_wrap_as_integers_modulo_2_64(a: list[int], b: list[int]) -> None:
    size = min(len(a), len(b))
    added = from_signed(np.array(a[:size], np.int64)) + from_signed(np.array(b[:size], np.int64))
    assert added.tolist() == [(x + y) % 2**64 for x, y in zip(a, b, strict=False)]


@given(st.integers(0, 1000), st.integers(1, 100))
def test_blocks_walk_every_word_once_and_in_order(size: int, block: int) -> None:
    walked = [k for here in blocks(size, block) for k in range(here.start, here.stop)]
    assert walked == list(range(size))
    assert all(here.stop - here.start <= block for here in blocks(size, block))
