"""The distinguishing game: how far two sets of data can be told apart by what is released.

Half of the draws choose the event that tells most; on the other half its probability is bounded by
Clopper and Pearson's intervals [CP34], which hold at any number of draws. What comes out is an
epsilon that the mechanism certainly does not go below, but for one game in a thousand.
"""

import numpy as np
from numpy.typing import NDArray

from quorate.dp.tables import Integers

ERROR = 1e-3

Event = NDArray[np.bool_]


def epsilon_shown(one: Integers, other: Integers, delta: float = 0.0) -> float:
    """Return a lower bound on epsilon from draws of integers under two sets of data.

    With a delta, what an event's probability may exceed is taken off before.
    """
    half = one.size // 2
    best = 0.0
    for first, second in ((one, other), (other, one)):
        low, high = _most_telling(first[:half], second[:half])
        seen = [int(((x >= low) & (x <= high)).sum()) for x in (first[half:], second[half:])]
        best = max(best, bound(seen[0], seen[1], one.size - half, delta))
    return best


def bound(seen: int, unseen: int, draws: int, delta: float = 0.0) -> float:
    """Return what an event shows that came `seen` times in one, `unseen` times in the other.

    Each of the two directions and two intervals has its part of the error.
    """
    likely = at_least(seen, draws, ERROR / 4) - delta
    rare = 1 - at_least(draws - unseen, draws, ERROR / 4)
    return float(np.log(likely / rare)) if likely > 0 else 0.0


def at_least(seen: int, draws: int, error: float) -> float:
    """Return the probability at which `seen` or more of `draws` come with chance `error`."""
    if seen == 0:
        return 0.0
    i = np.arange(1, draws + 1)
    ways = np.concatenate([[0.0], np.cumsum(np.log((draws - i + 1) / i))])
    counts = np.arange(seen, draws + 1)
    low, high = 0.0, 1.0
    for _ in range(50):
        p = (low + high) / 2
        logs = ways[seen:] + counts * np.log(p) + (draws - counts) * np.log1p(-p)
        if np.exp(logs).sum() > error:
            high = p
        else:
            low = p
    return low


def _most_telling(one: Integers, other: Integers) -> tuple[float, float]:
    """Return the interval of values that is likeliest under `one` beside `other`."""
    values = np.unique(np.concatenate([one, other]))
    candidates = [(float(v), np.inf) for v in values]
    candidates += [(-np.inf, float(v)) for v in values]
    candidates += [(float(v), float(v)) for v in values]
    ordered = [np.sort(x) for x in (one, other)]

    def score(interval: tuple[float, float]) -> float:
        low, high = interval
        k, m = (
            int(np.searchsorted(x, high, "right") - np.searchsorted(x, low, "left"))
            for x in ordered
        )
        return float(np.log(max(k - 3 * k**0.5, 1e-9) / (m + 3 * m**0.5 + 5)))

    return max(candidates, key=score)
