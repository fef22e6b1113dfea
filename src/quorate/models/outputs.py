"""What leaves a model: one row of words, all 0 where the data did not allow an answer.

Each number leaves as a whole number of units of 2^-f, so that numbers with different bits of
fraction can be revealed together, in one round and to any members; the last word is the bit.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from quorate.models.products import read
from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate

Floats = NDArray[np.float64]


class Degenerate(StrEnum):
    """Why there is no answer, as a person is told."""

    COLLINEAR = "columns are collinear: one follows from the others, or does not vary"
    SEPARATED = "the outcome is separated: coefficients grow without end"
    NO_EVENTS = "too few events: none happened while both groups were at risk"


def said(parts: Sequence[SecretArray], sound: SecretArray) -> SecretArray:
    """Return the words of numbers, 0 unless the bit is set, and the bit."""
    bit = (sound + 0).reshape(1)
    words = concatenate([read(part, 0).reshape(part.size) for part in parts])
    return concatenate([promised(words * bit, words.node.limit), bit])


def heard(
    words: NDArray[np.int64], sizes: Sequence[int], bits: Sequence[int]
) -> list[Floats] | None:
    """Return the numbers of `said`, by how many they are and their bits of fraction."""
    if not words[-1]:
        return None
    parts = np.split(words[:-1], np.cumsum(sizes)[:-1])
    return [part / 2.0**f for part, f in zip(parts, bits, strict=True)]
