"""Joint Gaussian noise: three parties draw discrete Gaussian noise that none of them knows.

Who holds what: as in `dp.joint`, party i holds two of the three parts of every bit, and nobody
holds the noise until something that contains it is revealed. Adversary as there: three
parties, one of them corrupt, noticed where the committee checks.

Noise is a weighted sum of narrow draws (`dp.convolution`). For one of them a uniform
word u of 64 secret bits is compared with public thresholds h_1 < h_2 < ...; g is how many it
reaches. The digits of u in base 16 are turned into 16 bits, of which one is 1: 11 ANDs each. Of a
threshold's digit these tell, without a message, (less, equal); digits are joined by

    (L, E) (l, e) = (L ^ E l, E e)

in a tree, 26 ANDs a threshold. As u reaches h_t only if it reaches all before, bit i of g
is the XOR over all t that are multiples of 2^i. A fair bit is the sign.

Source: that sums of narrow Gaussians are wide ones [MP13]. Unreviewed.
"""

from fractions import Fraction

import numpy as np

from quorate.algebra.bits import columns
from quorate.algebra.ring import Words
from quorate.dp import convolution, fair
from quorate.dp.convolution import PRECISION, Pieces
from quorate.mpc.boolean import BitShare
from quorate.mpc.cost import Cost
from quorate.mpc.decomposition import from_bits
from quorate.mpc.price import Checked, Claims, to_ring
from quorate.mpc.replicated import Committee, Security, Share, local, public

DIGIT_BITS = 4
DIGITS = PRECISION // DIGIT_BITS
VALUES = 1 << DIGIT_BITS
FOR_DIGITS = 11 * DIGITS
A_THRESHOLD = 26
_ONES = np.uint64((1 << 64) - 1)


async def discrete_gaussian(committee: Committee, variance: Fraction, count: int) -> Share:
    """Return shares of `count` draws with P(x) ~ e^(-x^2 / 2 variance), within `distance` of it.

    Cost, m = count numbers of w draws of d bits, the sign among them, in c = ceil(m / 64)
    columns, with n thresholds:
    8 rounds, 8 * w * c * (176 + 26 * n) + 8 * w * d * m, 8 * w * c * (176 + 26 * n) + 8 * w * m
    and 8 * w * c * (176 + 26 * n) + 8 * w * m bytes by parties 0, 1 and 2
    """
    parts = convolution.pieces(variance)
    drawn = await _narrow(committee, parts, count)
    words = await from_bits(committee, fair.turned_share(drawn), signed=True)
    worth = np.array(parts.weights, np.uint64)
    whole = local(lambda part: worth @ part.reshape(worth.size, count), words)
    constant = np.full(count, parts.halves, np.uint64)
    return local(np.add, whole, public(committee, constant))


def distance(variance: Fraction) -> Fraction:
    """Return how far one draw is from the true distribution, in total variation, at most."""
    return convolution.pieces(variance).distance


def drawing(variance: Fraction, count: int, security: Security) -> Checked:
    """Return what drawing costs, and what is claimed where the committee checks."""
    parts = convolution.pieces(variance)
    numbers, digits = len(parts.weights) * count, parts.digits + 1
    ands = (FOR_DIGITS + A_THRESHOLD * parts.thresholds.size) * len(parts.weights) * columns(count)
    compared = Cost(6, (8 * ands, 8 * ands, 8 * ands))
    if security == "semi-honest":
        lifted = Cost(2, (8 * digits * numbers, 8 * numbers, 8 * numbers))
        return Checked(compared.then(lifted), Claims())
    in_ring = to_ring(digits * numbers)
    return Checked(compared.then(in_ring.cost), in_ring.claims + Claims(ands=ands))


async def _narrow(committee: Committee, parts: Pieces, count: int) -> BitShare:
    """Return narrow draws, (digits and the sign, draws * count), lowest bit first.

    Cost, m numbers of w draws in c = ceil(m / 64) columns, with n thresholds:
    6 rounds, 8 * w * c * (176 + 26 * n) bytes a party
    """
    draws = len(parts.weights)
    drawn = fair.bits(committee, (PRECISION + 1, draws * columns(count)))
    uniform, sign = local(lambda part: part[:-1], drawn), local(lambda part: part[-1:], drawn)
    hot = await _one_hot(committee, uniform)
    reached = await _reached(committee, hot, parts.thresholds)
    bits = local(lambda part: _counted(part, parts.digits), reached)
    whole = local(lambda low, last: np.concatenate([low, last]), bits, sign)
    own, after = (
        fair.rows(part.reshape(-1, columns(count)), count).reshape(parts.digits + 1, -1)
        for part in (whole.own, whole.next)
    )
    return BitShare(own, after)


async def _one_hot(committee: Committee, uniform: Share) -> Share:
    """Return for each digit, highest first, 16 bits of which one is 1, (16, 16, words)."""
    paired = local(lambda part: part.reshape(2 * DIGITS, 2, -1), uniform)
    upper, lower = local(lambda part: part[:, 0], paired), local(lambda part: part[:, 1], paired)
    product = await fair.both(committee, upper, lower)
    pairs = local(
        lambda a, b, ab: np.stack([a ^ b ^ ab, b ^ ab, a ^ ab, ab], 1), upper, lower, product
    )
    none = np.zeros(pairs.own.shape, np.uint64)
    none[:, 0] = _ONES
    pairs = local(np.bitwise_xor, pairs, public(committee, none))
    high, low = local(lambda part: part[0::2], pairs), local(lambda part: part[1::2], pairs)
    products = await fair.both(
        committee,
        local(lambda part: np.repeat(part[:, 1:], 3, axis=1), high),
        local(lambda part: np.tile(part[:, 1:], (1, 3, 1)), low),
    )
    return local(_square, high, low, products)


def _square(high: Words, low: Words, products: Words) -> Words:
    """Return a part of all 16 products of two sets of four bits, of which one each is 1, from 9."""
    table = np.empty((DIGITS, 4, 4, products.shape[-1]), np.uint64)
    table[:, 1:, 1:] = products.reshape(DIGITS, 3, 3, -1)
    table[:, 0, 1:] = low[:, 1:] ^ np.bitwise_xor.reduce(table[:, 1:, 1:], axis=1)
    table[:, :, 0] = high ^ np.bitwise_xor.reduce(table[:, :, 1:], axis=2)
    return table.reshape(DIGITS, VALUES, -1)


async def _reached(committee: Committee, hot: Share, thresholds: Words) -> Share:
    """Return for each threshold whether the word reaches it, (thresholds, words)."""
    shifts = np.arange(DIGITS, dtype=np.uint64)[::-1].reshape(-1, 1) * np.uint64(DIGIT_BITS)
    digits = (thresholds >> shifts & np.uint64(VALUES - 1)).astype(np.intp)
    places = np.arange(DIGITS).reshape(-1, 1)
    equal = local(lambda part: part[places, digits], hot)
    less = local(lambda part: _below(part)[places, digits], hot)
    while less.own.shape[0] > 1:
        less, equal = await _joined(committee, less, equal)
    every = np.full(less.own[0].shape, _ONES)
    return local(lambda one, part: one ^ part[0], public(committee, every), less)


def _below(hot: Words) -> Words:
    """Return a part of whether each digit is less than 0, 1, ... 15."""
    less = np.zeros_like(hot)
    np.bitwise_xor.accumulate(hot[:, :-1], axis=1, out=less[:, 1:])
    return less


async def _joined(committee: Committee, less: Share, equal: Share) -> tuple[Share, Share]:
    """Join neighbours: (L ^ E l, E e). The last E e of a level is left out: nobody needs it."""
    pairs = less.own.shape[0] // 2
    upper = local(lambda e: np.concatenate([e[0::2], e[0::2][: pairs - 1]]), equal)
    lower = local(lambda x, e: np.concatenate([x[1::2], e[1::2][: pairs - 1]]), less, equal)
    z = await fair.both(committee, upper, lower)
    return (
        local(lambda x, part: x[0::2] ^ part[:pairs], less, z),
        local(lambda part: part[pairs:], z),
    )


def _counted(reached: Words, digits: int) -> Words:
    """Return a part of the bits of how many thresholds are reached, none before all below it."""
    return np.stack([np.bitwise_xor.reduce(reached[(1 << i) - 1 :: 1 << i]) for i in range(digits)])
