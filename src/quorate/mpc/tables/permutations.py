"""Random permutations that two parties draw from a common stream, without a message.

Each row is given a few random numbers of 16 bits, by which it is sorted, the last first: of 16
bits NumPy's stable sort is a radix sort. Where two rows drew the same numbers, all is drawn
again: given that no two are alike, every order is equally likely.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.mpc.streams import Stream

Places = NDArray[np.int64]
"""For each row of the result, which row of the input it is."""

DIGITS = 3
MORE_DIGITS = 4
MANY = 1 << 21
"""Rows from which three digits would be drawn again too often."""

_PER_WORD = 4


def permutation(stream: Stream, size: int) -> Places:
    """Return a uniformly random order of `size` rows."""
    while True:
        digits = _digits(stream, size)
        order = sorted_by(digits)
        if not _are_some_alike(digits, order):
            return order


def sorted_by(digits: NDArray[np.uint16]) -> Places:
    """Return the stable order of columns by their digits, (digits, columns), the first least."""
    order = np.argsort(digits[0], kind="stable")
    for row in digits[1:]:
        order = order[np.argsort(row[order], kind="stable")]
    return order


def inverse(order: Places) -> Places:
    """Return where each row of the input went."""
    places = np.empty_like(order)
    places[order] = np.arange(order.size)
    return places


def is_permutation(places: Places) -> bool:
    """Return whether each of 0 ... n - 1 is there once."""
    if places.size and not 0 <= places.min() <= places.max() < places.size:
        return False
    seen = np.zeros(places.size, np.bool_)
    seen[places] = True
    return bool(seen.all())


def _are_some_alike(digits: NDArray[np.uint16], order: Places) -> bool:
    """Return whether two neighbours drew the same."""
    last = digits[-1].take(order)
    alike = np.flatnonzero(last[1:] == last[:-1])
    for row in digits[-2::-1]:
        here = order.take(alike), order.take(alike + 1)
        alike = alike[row.take(here[0]) == row.take(here[1])]
    return bool(alike.size)


def _digits(stream: Stream, size: int) -> NDArray[np.uint16]:
    count = DIGITS if size < MANY else MORE_DIGITS
    words = stream.words(-(-count * size // _PER_WORD))
    return words.view(np.uint16)[: count * size].reshape(count, size)
