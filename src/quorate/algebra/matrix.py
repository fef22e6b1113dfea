"""Matrix products in Z_2^64 through the processor's double-precision units.

NumPy multiplies integer matrices one number at a time; BLAS multiplies doubles
many at a time. A word is cut into three balanced digits, a = a0 + a1 2^22 + a2 2^44
with |a0|, |a1| <= 2^21 and |a2| <= 2^20. Modulo 2^64 only six products of digits
count, by their weights 1, 2^22 and 2^44:

    a0 b0;   a0 b1 + a1 b0;   a0 b2 + a1 b1 + a2 b0

Laid side by side, [a0 a1 a2] and [b2; b1; b0], each line is one product of
doubles. No partial sum exceeds 2^53 while the inner dimension is at most `INNER`,
so every one is exact; longer ones are cut.

Vectors and other thin matrices are read once and hardly computed on: cutting their words
into digits would take longer than NumPy's own product.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words, to_signed

INNER = 1024
THIN = 8
"""Rows or columns of a result up to which NumPy's own product is the faster."""

ROWS = 512
"""Rows of the result computed at a time, which bounds the memory for their three parts."""

_DIGIT = 22
_HALF = np.int64(1 << (_DIGIT - 1))
_LOW = np.int64((1 << _DIGIT) - 1)


def matmul(a: Words, b: Words) -> Words:
    """Return a (m, k) times b (k, n) modulo 2^64, as (m, n)."""
    if min(a.shape[0], b.shape[1]) <= THIN:
        return a @ b
    total = np.zeros((a.shape[0], b.shape[1]), np.uint64)
    for inner in range(0, a.shape[1], INNER):
        right = np.concatenate(_digits(b[inner : inner + INNER])[::-1], axis=0)
        for top in range(0, a.shape[0], ROWS):
            part = a[top : top + ROWS, inner : inner + INNER]
            left = np.concatenate(_digits(part), axis=1)
            _add_product(left, right, part.shape[1], total[top : top + ROWS])
    return total


def _digits(words: Words) -> list[NDArray[np.float64]]:
    """Return the three digits of each word, the lowest first."""
    rest = to_signed(words)
    digits = []
    for _ in range(2):
        digit = ((rest + _HALF) & _LOW) - _HALF
        digits.append(digit.astype(np.float64))
        rest = (rest - digit) >> _DIGIT
    digits.append(rest.astype(np.float64))
    return digits


def _add_product(
    left: NDArray[np.float64], right: NDArray[np.float64], inner: int, total: Words
) -> None:
    """Add the three lines, each with its weight, to `total`."""
    for line in range(3):
        part = left[:, : (line + 1) * inner] @ right[(2 - line) * inner :]
        weighted = part.astype(np.int64).view(np.uint64)
        np.left_shift(weighted, np.uint64(line * _DIGIT), out=weighted)
        np.add(total, weighted, out=total)
