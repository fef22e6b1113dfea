"""Which pairs to compare so that numbers are found by their place in order, whatever they are.

Batcher's odd-even merging network [Bat68], less every comparison without which the places asked
for are still right: by the 0-1 principle [Knu98] it is enough to look at all zeros and ones. The
medians of 3, 5 and 10 numbers take 3, 7 and 26 comparisons, of 3, 9 and 32.
"""

from collections.abc import Sequence
from functools import cache

Pair = tuple[int, int]
Layer = tuple[Pair, ...]

MOST = 12
"""Up to so many numbers 2^n cases are looked at; of more, what touches no place is left out."""


@cache
def sorting(n: int) -> tuple[Pair, ...]:
    """Return pairs (i, j), i < j, in order; the smaller of each goes to i."""
    pairs: list[Pair] = []
    p = 1
    while p < n:
        k = p
        while k:
            for first in range(k % p, n - k, 2 * k):
                near = range(first, min(first + k, n - k))
                pairs += [(i, i + k) for i in near if i // (2 * p) == (i + k) // (2 * p)]
            k //= 2
        p *= 2
    return tuple(pairs)


@cache
def selecting(n: int, places: tuple[int, ...]) -> tuple[Layer, ...]:
    """Return layers of pairs that do not touch, after which `places` are in their places."""
    wanted, kept = set(places), list[Pair]()
    for i, j in reversed(sorting(n)):
        if {i, j} & wanted:
            kept.insert(0, (i, j))
            wanted |= {i, j}
    if n <= MOST:
        right = _outcomes(n, sorting(n), places)
        for at in reversed(range(len(kept))):
            fewer = kept[:at] + kept[at + 1 :]
            if _outcomes(n, fewer, places) == right:
                kept = fewer
    return _layers(n, kept)


def _outcomes(n: int, pairs: Sequence[Pair], places: tuple[int, ...]) -> list[int]:
    """Return what stands at each place, for all inputs of zeros and ones: a bit for each input."""
    every = (1 << (1 << n)) - 1
    lines = [every // ((1 << (1 << i)) + 1) for i in range(n)]
    for i, j in pairs:
        lines[i], lines[j] = lines[i] & lines[j], lines[i] | lines[j]
    return [lines[place] for place in places]


def _layers(n: int, pairs: Sequence[Pair]) -> tuple[Layer, ...]:
    """Put each pair into the first layer after those that touch it."""
    depth = [0] * n
    layers: list[list[Pair]] = []
    for i, j in pairs:
        at = max(depth[i], depth[j])
        if at == len(layers):
            layers.append([])
        layers[at].append((i, j))
        depth[i] = depth[j] = at + 1
    return tuple(map(tuple, layers))
