"""Products through doubles are exact modulo 2^64, also where every digit is extreme."""

import secrets

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.matrix import INNER, ROWS, THIN, matmul
from quorate.algebra.ring import Words

WIDE = THIN + 1  # as few rows and columns as go through doubles


def some(rows: int, width: int) -> Words:
    return np.frombuffer(secrets.token_bytes(8 * rows * width), np.uint64).reshape(rows, width)


@pytest.mark.parametrize(
    ("m", "k", "n"),
    [
        *((1, 1, 1), (3, 5, 2), (0, 4, 3), (3, 0, 2), (2, 3, 0), (THIN, INNER + 1, WIDE)),
        *((WIDE, 5, WIDE), (WIDE, 0, WIDE), (WIDE, INNER + 1, WIDE), (ROWS + 1, 2, WIDE)),
    ],
)
def test_products_are_those_of_the_ring(m: int, k: int, n: int) -> None:
    a, b = some(m, k), some(k, n)
    assert_array_equal(matmul(a, b), a @ b)


EXTREMES = [
    0,
    1,
    2**64 - 1,
    2**63,
    2**63 - 1,
    2**62,
    sum(1 << (22 * i + 21) for i in range(2)),  # both lower digits at -2^21
    sum(((1 << 21) - 1) << (22 * i) for i in range(2)),  # and at 2^21 - 1
    (1 << 63) | (1 << 43) | (1 << 21),
]


@pytest.mark.parametrize("value", EXTREMES)
@pytest.mark.parametrize("other", EXTREMES)
def test_the_longest_inner_dimension_loses_nothing(value: int, other: int) -> None:
    a, b = np.full((WIDE, INNER), value, np.uint64), np.full((INNER, WIDE), other, np.uint64)
    assert set(matmul(a, b).flat) == {INNER * value * other % 2**64}
