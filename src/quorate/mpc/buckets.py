"""Checking products with random triples, B to each: buckets [FLNW17] [ABF17].

Claimed are sharings x, y and z = x y of N words, in the ring or, with XOR and AND, of bits.
A corrupt party can have made z = x y + e, with an e it chose for each word; nothing else.

1. B arrays of M triples (a, b, c = a b), M > N prime, of fresh random a and b.
2. When all parties have all that is owed to them: a common coin, from which for each array
   the permutation  i -> (s i + t) mod M,  1 <= s < M,  0 <= t < M.
3. The last M - N triples of each array are revealed and looked at. Each of the first N is held
   against a claim: rho = x - a and sigma = y - b are revealed, uniform as a and b are, and
   z - c - rho b - sigma a - rho sigma, which is e minus the error of c, has to be 0.

Soundness. A wrong batch passes only if in every array the wrong triples, which were fixed
before the coin, fall just on the places of the wrong claims. These are neither none
nor all of the M places. The maps above are a group of M (M - 1) elements; those that
take one such set of places to another are none or a coset of the stabiliser of the set,
which holds no shift (a set closed under a shift is all places) and so has at most M - 1 elements.
An array therefore passes with probability at most 1 / M, and a batch with M^-B < 2^-40.
Who fails once has ended the session, so this bounds a whole session, not a batch.

Adversary: one party of three, active. Unreviewed.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import isqrt
from typing import cast

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words, blocks
from quorate.errors import Abort
from quorate.mpc import boolean, replicated, zeros
from quorate.mpc.replicated import Committee, Share, combined
from quorate.mpc.streams import Stream

ENOUGH = (1 << 40) + (1 << 24)
"""M ** B is at least this: below 2^-40 there is room for the tags and for `projections`."""

MOST_ARRAYS = 41
BATCH = 1 << 20
"""Products in a batch: from here on two triples to each are enough."""

COIN_WORDS = 4
ALL = range(replicated.SEATS)
ZERO = np.uint64(0)
Claims = tuple[Share, Share, Share]
"""Of x, y and z, flat: z = x y."""


@dataclass(frozen=True, slots=True)
class Algebra:
    """How words are added, taken away and multiplied, in the open and in secret."""

    name: str
    add: np.ufunc
    subtract: np.ufunc
    multiply: np.ufunc
    product: Callable[[Committee, Share, Share], Awaitable[Share]]


RING = Algebra("ring", np.add, np.subtract, np.multiply, replicated.mul)
BITS = Algebra("bits", np.bitwise_xor, np.bitwise_xor, np.bitwise_and, boolean.both_words)


@dataclass(frozen=True, slots=True)
class Buckets:
    """How many triples check each product, and how many are made for each place: a prime."""

    arrays: int
    triples: int

    def words(self, products: int) -> int:
        """Return what each party sends for `products` products: triples, and what is revealed."""
        return self.arrays * (self.triples + self.revealed(products))

    def revealed(self, products: int) -> int:
        """Return the words revealed of one array: two for a claim, three for a triple."""
        return 2 * products + 3 * (self.triples - products)


@cache
def buckets(products: int) -> Buckets:
    """Return the cheapest with triples > products and triples ** arrays >= ENOUGH."""
    found = (
        Buckets(arrays, _prime(max(products + 1, _root(arrays))))
        for arrays in range(2, MOST_ARRAYS + 1)
    )
    return min(found, key=lambda one: one.words(products))


def batches(products: int) -> Iterator[slice]:
    """Yield the batches in which so many products are checked: each of 2^20 or more, or all."""
    count = max(products // BATCH, 1) if products else 0
    for i in range(count):
        yield slice(products * i // count, products * (i + 1) // count)


async def check(committee: Committee, algebra: Algebra, claims: Claims) -> None:
    """Abort unless z = x y for flat x, y and z.

    Cost, m words, B arrays of M triples: 5 rounds,
    8 * B * (M + 2 * m + 3 * (M - m)) + 160 bytes a party
    """
    size = claims[0].own.size
    chosen = buckets(size)
    triples = await _triples(committee, algebra, chosen)
    coin = await toss(committee)
    places = [_permutation(coin, chosen.triples) for _ in range(chosen.arrays)]
    held = Share(*(np.empty(chosen.arrays * chosen.revealed(size), np.uint64) for _ in range(2)))
    arrays = _permuted(triples, places)
    making = _differences(algebra, claims, arrays, held)
    revealed = cast("Words", await combined(committee, held, ALL, algebra.add, making))
    parts = list(revealed.reshape(chosen.arrays, -1))
    for part in parts:
        _look_at(algebra, part[2 * size :])
    await zeros.compare(committee, _errors(committee, algebra, claims, arrays, parts))


async def toss(committee: Committee) -> Stream:
    """Return a stream that nobody could foresee before everybody had all that was owed.

    A random sharing is revealed, but only after a round in which each party tells each other
    that it has come so far: who lacks a part of the coin gets its words from one
    and their tag, which gives them away too, from the other.

    Cost: 2 rounds, 112 bytes a party
    """
    await committee.session.confirm(committee.session.path)
    own, following = committee.streams()
    hidden = Share(own.words(COIN_WORDS), following.words(COIN_WORDS))
    coin = cast("Words", await combined(committee, hidden, ALL, np.bitwise_xor))
    return Stream(coin.tobytes(), "challenge")


async def _triples(committee: Committee, algebra: Algebra, chosen: Buckets) -> Claims:
    """Return random a and b and the claimed c = a b, all arrays one after the other."""
    size = chosen.arrays * chosen.triples
    streams = committee.streams()
    a, b = (Share(*(stream.words(size) for stream in streams)) for _ in range(2))
    return a, b, await algebra.product(committee.unchecked(), a, b)


def _permutation(coin: Stream, modulus: int) -> NDArray[np.intp]:
    """Return s i + t modulo a prime for i = 0, 1, ...; both bounds are far below 2^31."""
    first, second = (int(word) for word in coin.words(2))
    slope = 1 + first % (modulus - 1)
    places = np.empty(modulus, np.intp)
    places[0], known = second % modulus, 1
    while known < modulus:  # as many again, moved by so many slopes
        more = places[known : 2 * known]
        np.add(places[: more.size], slope * known % modulus, out=more)
        np.subtract(more, modulus, out=more, where=more >= modulus)
        known += more.size
    return places


def _permuted(triples: Claims, places: Sequence[NDArray[np.intp]]) -> list[Claims]:
    """Return each array of triples in its new order, where possible in the memory of the old."""

    def placed(words: Words, j: int) -> Words:
        one: Words = words.reshape(len(places), -1)[j]
        if not one.flags.writeable:  # it was received, and is the network's
            return one.take(places[j])
        one[:] = one.take(places[j])
        return one

    def array(x: Share, j: int) -> Share:
        return Share(placed(x.own, j), placed(x.next, j))

    a, b, c = triples
    return [(array(a, j), array(b, j), array(c, j)) for j in range(len(places))]


def _differences(
    algebra: Algebra, claims: Claims, arrays: Sequence[Claims], held: Share
) -> Iterator[slice]:
    """Write this party's parts of what is revealed, array by array; yield places written.

    Of each array: x - a, then y - b, then a, b and c of the triples that meet no claim.
    """
    size, at = claims[0].own.size, 0
    for a, b, c in arrays:
        for whole, random in ((claims[0], a), (claims[1], b)):
            for here in blocks(size):
                place = slice(at + here.start, at + here.stop)
                algebra.subtract(whole.own[here], random.own[here], out=held.own[place])
                algebra.subtract(whole.next[here], random.next[here], out=held.next[place])
                yield place
            at += size
        for one in (a, b, c):
            place = slice(at, at + one.own.size - size)
            held.own[place], held.next[place] = one.own[size:], one.next[size:]
            at = place.stop
            yield place


def _look_at(algebra: Algebra, triples: Words) -> None:
    a, b, c = triples.reshape(3, -1)
    if not np.array_equal(algebra.multiply(a, b), c):
        raise Abort("a triple is wrong: one of the members deviated")


def _errors(
    committee: Committee,
    algebra: Algebra,
    claims: Claims,
    arrays: Sequence[Claims],
    parts: Sequence[Words],
) -> Iterator[tuple[Words, Words]]:
    """Yield blocks of z - c - rho b - sigma a - rho sigma: x_i + x_{i+1}, and -x_{i+1}."""
    z, size = claims[2], claims[2].own.size
    for (a, b, c), part in zip(arrays, parts, strict=True):
        rho, sigma = part[:size], part[size : 2 * size]
        for here in blocks(size):
            public = rho[here], sigma[here]
            own = _error([one.own[here] for one in (a, b, c, z)], *public, algebra)
            following = _error([one.next[here] for one in (a, b, c, z)], *public, algebra)
            for held, part_0 in ((own, 0), (following, 2)):
                if committee.me == part_0:  # who takes away rho sigma: its part 0 only
                    algebra.subtract(held, algebra.multiply(*public), out=held)
            total = algebra.add(own, following, out=own)
            yield total, algebra.subtract(ZERO, following, out=following)


def _error(terms: Sequence[Words], rho: Words, sigma: Words, algebra: Algebra) -> Words:
    """Return this part of z - c - rho b - sigma a."""
    a, b, c, z = terms
    error: Words = algebra.subtract(z, c)
    multiplied = algebra.multiply(rho, b)
    algebra.subtract(error, multiplied, out=error)
    algebra.multiply(sigma, a, out=multiplied)
    algebra.subtract(error, multiplied, out=error)
    return error


def _root(arrays: int) -> int:
    """Return the least M with M ** arrays >= ENOUGH."""
    guess = round(ENOUGH ** (1 / arrays))
    return next(m for m in range(max(guess - 2, 1), guess + 3) if m**arrays >= ENOUGH)


def _prime(least: int) -> int:
    """Return the smallest prime that is at least `least`."""
    candidate = max(least, 2)
    while any(candidate % divisor == 0 for divisor in range(2, isqrt(candidate) + 1)):
        candidate += 1
    return candidate
