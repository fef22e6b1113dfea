"""Finding out that a shuffle changed nothing but the order: tags that are shuffled along.

Each row y is given a tag, the inner product of the row with secret random factors; after the
shuffle random sums of all rows and of all tags must fit. Whoever sends other messages adds
errors e to rows and f to tags that it chose without knowing the factors, so

    the sum of factors times the sum of r_j e_j  =  the sum of r_j f_j

would have to be guessed, the r being drawn once the errors are fixed.

Bits. Two words are one element of the field of 2^128 (`algebra.ghash`); the random sum is a
fingerprint under a key that is tossed. Errors in n rows pass with probability (n + 3) / 2^128.

Numbers. In the ring of 2^64 an error 2^63 is 0 or itself whatever odd number it is multiplied
by. So numbers are held right modulo 2^42 only: two tags and three sums, each random.
Let 2^v divide the error, v < 42 at most. The three sums of r_j e_j are all divisible by 2^(v + i)
with probability 2^-3i, and then 2 tags are guessed with 2^-2(64 - v - i): together
below 2^-2(64 - v) (1 + 1/2 + 1/4 ...) < 2^-45.

Adversary: one party of three, active. Unreviewed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from quorate.algebra import ghash, matrix
from quorate.algebra.ring import Words
from quorate.mpc import zeros
from quorate.mpc.boolean import reshare_bits
from quorate.mpc.buckets import BITS, ZERO, Algebra, toss
from quorate.mpc.replicated import Committee, Share, local, matmul
from quorate.mpc.streams import Stream
from quorate.mpc.tables.table import beside, columns

WORDS = 2
"""Words in an element of the field, and tags of numbers: either way two columns more."""

SUMS = 3


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags of rows, and the factors that nobody knows."""

    factors: Share = field(repr=False)
    """(elements, 2) of bits, (columns, 2) of numbers."""

    tags: Share = field(repr=False)
    """(rows, 2)."""

    def beside(self, x: Share) -> Share:
        return beside(self.tags, x)


async def tag(committee: Committee, algebra: Algebra, x: Share) -> Tags:
    """Return a tag for each row under new factors.

    Cost, m rows: 1 round, 16 * m bytes a party
    """
    elements = -(-x.shape[1] // WORDS) if algebra is BITS else x.shape[1]
    factors = Share(*(_drawn(stream, elements) for stream in committee.streams()))
    return Tags(factors, await _times(committee.unchecked(), algebra, x, factors))


async def checked(committee: Committee, algebra: Algebra, tags: Tags, moved: Share) -> Share:
    """Return the rows without their tags; abort unless they are what was tagged.

    Cost, of bits: 4 rounds, 160 bytes a party. Of numbers: 4 rounds, 192 bytes a party
    """
    found, rows = columns(moved, slice(WORDS)), columns(moved, slice(WORDS, None))
    coin = await toss(committee)
    if algebra is BITS:
        key = coin.words(WORDS).tobytes()
        sums = _fingerprints(key, rows)
        expected = _fingerprints(key, found)
    else:
        weights = coin.words(SUMS * len(rows.own)).reshape(SUMS, -1)
        sums, expected = (local(lambda part: _summed(weights, part), one) for one in (rows, found))
    product = await _times(committee.unchecked(), algebra, sums, tags.factors)
    errors = local(lambda a, b: cast("Words", algebra.subtract(a, b)).ravel(), product, expected)
    await zeros.compare(committee, _compared(algebra, errors))
    return rows


def _drawn(stream: Stream, elements: int) -> Words:
    return stream.words(WORDS * elements).reshape(elements, WORDS)


async def _times(committee: Committee, algebra: Algebra, x: Share, factors: Share) -> Share:
    """Return the inner products of rows with the factors, (rows, 2), unverified."""
    if algebra is not BITS:
        return await matmul(committee, x, factors)
    z = _inner(x.own, factors.own ^ factors.next) ^ _inner(x.next, factors.own)
    flat = np.ascontiguousarray(z).reshape(-1)
    share = await reshare_bits(committee, iter([flat]), flat)
    return local(lambda part: part.reshape(-1, WORDS), share)


def _inner(rows: Words, factors: Words) -> Words:
    """Return the sum of a row's elements, each times its factor in the field of 2^128."""
    total = np.zeros((len(rows), WORDS), np.uint64)
    for i, factor in enumerate(ghash.numbers(factors)):
        total ^= ghash.scaled(_element(rows, i), factor)
    return total


def _element(rows: Words, i: int) -> Words:
    """Return element i of each row; an odd last word is followed by zeros."""
    words = np.zeros((len(rows), WORDS), np.uint64)
    here = rows[:, WORDS * i : WORDS * (i + 1)]
    words[:, : here.shape[1]] = here
    return words


def _fingerprints(key: bytes, rows: Share) -> Share:
    """Return the fingerprint of each column of elements, as one row."""
    fingerprint = ghash.Fingerprint(key)

    def of(part: Words) -> Words:
        found = [
            fingerprint.of(_element(part, i).byteswap().reshape(-1))
            for i in range(-(-part.shape[1] // WORDS))
        ]
        return np.concatenate(found, axis=1)

    return local(of, rows)


def _summed(weights: Words, part: Words) -> Words:
    return matrix.matmul(weights, np.ascontiguousarray(part))


def _compared(algebra: Algebra, x: Share) -> Iterator[tuple[Words, Words]]:
    """Yield x_i + x_{i+1} and -x_{i+1}."""
    yield algebra.add(x.own, x.next), algebra.subtract(ZERO, x.next)
