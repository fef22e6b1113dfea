"""A score of points that members add up, each over its own part of a patient's record.

Member i gives for each patient the points x_i of what it holds, which the score's table lets be
from low_i to high_i. Of everybody's, in shares,

    whether low_i <= x_i <= high_i for all patients,    s = start + sum x_i,    how many edges <= s

The first is a bit for each member, and says nothing of a member that follows the table. What is
compared is any word of 64 bits, as its sign is exact: x - low and high - x are both below 2^63
only where x is in between.

The score of the example is [LinTuo03].

Adversary: that of the engine. A false value within the table's bounds is not noticed. Unreviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quorate.mpc.secret import SecretArray, promised
from quorate.mpc.selection import concatenate
from quorate.studies.analyses.guards import all_of


@dataclass(frozen=True, slots=True)
class Range:
    """Between which whole numbers one member's points are, both included."""

    low: int
    high: int


def within_table(parts: Sequence[SecretArray], ranges: Sequence[Range]) -> SecretArray:
    """Return 0 or 1 for each member: are the points it gave, (patients,), all within its range?

    The points may be any words, whatever is declared of them.

    Cost, 4 patients of 3 members: 12 rounds; 2 more for four times as many; nothing is revealed
    """
    below = [promised(x, 0) - one.low < 0 for x, one in zip(parts, ranges, strict=True)]
    above = [one.high - promised(x, 0) < 0 for x, one in zip(parts, ranges, strict=True)]
    outside = [a | b for a, b in zip(below, above, strict=True)]
    return all_of(~concatenate([one.reshape(-1, 1) for one in outside], axis=1))


def scored(parts: Sequence[SecretArray], ranges: Sequence[Range], start: int) -> SecretArray:
    """Return every patient's points of all members and `start`, where all are in range."""
    total = promised(parts[0], max(map(abs, (ranges[0].low, ranges[0].high))))
    for x, one in zip(parts[1:], ranges[1:], strict=True):
        total = total + promised(x, max(abs(one.low), abs(one.high)))
    return total + start


def banded(points: SecretArray, edges: Sequence[int]) -> SecretArray:
    """Return for every patient how many of the `edges` its points reach."""
    reached = (points.reshape(1, -1) >= np.array(edges, np.int64).reshape(-1, 1)) + 0
    return promised(reached.sum(axis=0), len(edges))
