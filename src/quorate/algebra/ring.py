"""The ring Z_2^64 as NumPy `uint64` arrays, which wrap by design.

NumPy is bound by memory on whole arrays and fast inside the L2 cache, so long
arrays are walked in blocks of `BLOCK` words.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
"""A vector of ring elements."""

BLOCK = 32_768
"""Words in one block: 256 KiB."""


def from_signed(values: NDArray[np.int64]) -> Words:
    """Return `values` modulo 2^64."""
    return values.astype(np.int64, copy=False).view(np.uint64)


def to_signed(words: Words) -> NDArray[np.int64]:
    """Return the representatives of `words` in [-2^63, 2^63)."""
    return words.astype(np.uint64, copy=False).view(np.int64)


def blocks(size: int, block: int = BLOCK) -> Iterator[slice]:
    """Yield the slices that walk `size` words, `block` words at a time."""
    for start in range(0, size, block):
        yield slice(start, min(start + block, size))
