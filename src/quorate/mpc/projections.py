"""Checking matrix products by projections: from one claim to a few inner products.

Z = X Y + E was claimed, the error E chosen by a corrupt party. With public random vectors
r and s of zeros and ones, drawn once Z is fixed, r Z s = (r X) (Y s) is an inner
product, whose terms are products of words and are checked as such.

Soundness over Z_2^64 [Fre79]. Let 2^v be the largest power of two that divides E, and E = 2^v E'.
r E s = 0 modulo 2^64 needs r E' s = 0 modulo 2. Some entry of E' is odd, so E' s is
even throughout with probability at most 1/2, and r meets an odd one evenly with at most 1/2:
r E s = 0 with at most 3/4. For an error in the top bit of one entry it is no less.
145 independent pairs all miss with (3/4)^145 < 2^-60. Small results are not
projected: each entry is an inner product itself.

Adversary: one party of three, active. Unreviewed.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from quorate.algebra import matrix
from quorate.algebra.ring import Words
from quorate.mpc import replicated
from quorate.mpc.buckets import Claims, toss
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.streams import Stream

PAIRS = 145


async def project(committee: Committee, products: Sequence[Claims]) -> tuple[Claims, list[Share]]:
    """Return products of words, unverified, and what is zero if they and the matrices are right.

    Cost, h = the sum over (m, k) by (k, n) of k * min(m * n, 145):
    3 rounds, 8 * h + 112 bytes a party
    """
    coin = await toss(committee)
    left: list[Share] = []
    right: list[Share] = []
    whole: list[Share] = []
    for x, y, z in products:
        rows, columns = _pairs(z.shape, coin)
        left.append(_each(x, partial(matrix.matmul, rows)))
        right.append(_each(y, partial(_by_columns, columns)))
        whole.append(_each(z, partial(_from_both_sides, rows, columns)))
    u, v = (_flat(shares) for shares in (left, right))
    terms = await replicated.mul(committee.unchecked(), u, v)
    return (u, v, terms), _differences(whole, left, terms)


def _pairs(shape: tuple[int, ...], coin: Stream) -> tuple[Words, Words]:
    """Return pairs of vectors as rows: for every entry the one that picks it, or random ones."""
    m, n = shape
    if m * n <= PAIRS:
        picks = np.eye(m, dtype=np.uint64), np.eye(n, dtype=np.uint64)
        return np.repeat(picks[0], n, axis=0), np.tile(picks[1], (m, 1))
    rows, columns = (coin.words(PAIRS * size).reshape(PAIRS, size) for size in (m, n))
    return rows & np.uint64(1), columns & np.uint64(1)


def _each(x: Share, project: Callable[[Words], Words]) -> Share:
    return Share(project(x.own), project(x.next))


def _by_columns(columns: Words, y: Words) -> Words:
    """Return y s for each s, as rows."""
    return np.ascontiguousarray(matrix.matmul(y, columns.T).T)


def _from_both_sides(rows: Words, columns: Words, z: Words) -> Words:
    """Return r z s for each pair."""
    total: Words = (matrix.matmul(rows, z) * columns).sum(axis=1)
    return total


def _flat(shares: Sequence[Share]) -> Share:
    own, following = (
        [part.reshape(-1) for part in parts]
        for parts in zip(*((s.own, s.next) for s in shares), strict=True)
    )
    return Share(np.concatenate(own), np.concatenate(following))


def _differences(whole: Sequence[Share], left: Sequence[Share], terms: Share) -> list[Share]:
    """Return r z s minus the sum of its terms, for each matrix and pair."""
    found, start = [], 0
    for one, (pairs, inner) in zip(whole, (u.shape for u in left), strict=True):
        here = slice(start, start + pairs * inner)
        sums = (part[here].reshape(pairs, inner).sum(axis=1) for part in (terms.own, terms.next))
        own, following = sums
        found.append(Share(one.own - own, one.next - following))
        start = here.stop
    return found
