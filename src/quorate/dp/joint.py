"""Joint noise: three parties draw noise that none of them knows.

Who holds what: party i holds two of the three parts of every bit, drawn from the keys that it
shares with its neighbours, without a message. Nobody holds the noise, until something that
contains it is revealed. Adversary as in `mpc.replicated`: three parties, one of them
corrupt; where the committee checks, one that deviates is noticed before anything is
revealed. Two together know the noise, and then also the data.

Laplace noise is made here, Gaussian noise in `dp.joint_gaussian`.

Laplace noise is a geometric number of independent bits, each turned over where a last one, the
sign, is 1 (`dp.geometric`). Bit i is 1 with probability t = 0.t_1 t_2 ... t_64: it is t_J,
where J is the place of the first 0 in a sequence of fair bits e_1, e_2, ...; for J = j has
probability 2^-j. Fair shared bits are free, and the digits of t are public, so what
is left is to find t_J, by pairs (found, still 1) of neighbouring sequences:

    (F, P) (f, p) = (F ^ P f, P p)

in a tree. At its leaves (f, p) = (t_j (1 ^ e_j), e_j), so the first level takes one AND for a
pair, the others two; the lowest pair of a level needs no p. These are 89 ANDs a bit, not the
126 of a comparison with t. 64 fair bits in a row have no 0 with probability 2^-64: then the bit
is 0, as for a threshold that is rounded down.

Bits as shares and ANDs are from [MR18], noise bit by bit from [DKMMN06], coins of any
bias from fair bits from [CSU19]. Unreviewed.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from quorate.algebra.bits import columns
from quorate.algebra.ring import Words
from quorate.dp import fair, geometric, joint_gaussian
from quorate.dp.mechanisms import Gaussian, Laplace, Mechanism
from quorate.mpc import expression
from quorate.mpc.boolean import BitShare
from quorate.mpc.cost import FREE, Cost
from quorate.mpc.decomposition import from_bits
from quorate.mpc.engine import Engine
from quorate.mpc.expression import Held
from quorate.mpc.price import Checked, Claims, to_ring, verification
from quorate.mpc.replicated import Committee, Security, Share, public
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import argmax

PRECISION = 64
"""Binary digits of each probability."""

ANDS = 89
_ONES = np.uint64((1 << 64) - 1)


async def noise(committee: Committee, mechanism: Mechanism, count: int) -> Share:
    """Return shares of `count` draws of a mechanism's noise, within `distance` of its law each."""
    match mechanism:
        case Laplace(scale=scale):
            return await discrete_laplace(committee, scale, count)
        case Gaussian(variance=variance):
            return await joint_gaussian.discrete_gaussian(committee, variance, count)


def distance(mechanism: Mechanism) -> Fraction:
    """Return how far one draw is from its law, in total variation, at most. Raises `OutOfRange`."""
    match mechanism:
        case Laplace(scale=scale):
            return geometric.distance(scale, PRECISION)
        case Gaussian(variance=variance):
            return joint_gaussian.distance(variance)


async def discrete_laplace(committee: Committee, scale: Fraction, count: int) -> Share:
    """Return shares of `count` draws with P(x) ~ e^(-|x|/scale), within `distance` of it.

    Cost, m = count numbers of d bits, the sign among them, in c = ceil(m / 64) columns:
    8 rounds, 712 * c * d + 8 * d * m, 712 * c * d + 8 * m and 712 * c * d + 8 * m bytes
    by parties 0, 1 and 2
    """
    drawn = await coins(committee, geometric.signed_thresholds(scale, PRECISION), count)
    return await from_bits(committee, fair.turned_share(drawn), signed=True)


def cost(scale: Fraction, count: int) -> Cost:
    """Return what `discrete_laplace` costs."""
    if not count:
        return Cost(0, (0, 0, 0))
    d, m = 1 + geometric.bits_of_scale(scale, PRECISION), count
    ands = 8 * ANDS * columns(m) * d
    return Cost(8, (ands + 8 * d * m, ands + 8 * m, ands + 8 * m))


def drawing_cost(noises: Sequence[tuple[Mechanism, int]], security: Security) -> Cost:
    """Return what drawing so many numbers of each noise costs, all at once, and verifying it."""
    drawn = drawing(noises, security)
    return drawn.cost.then(verification(drawn.claims))


def drawing(noises: Sequence[tuple[Mechanism, int]], security: Security) -> Checked:
    """Return what drawing costs, and what is claimed where the committee checks."""
    total, claims = FREE, Claims()
    for mechanism, count in noises:
        match mechanism:
            case Laplace(scale=scale):
                one = _drawing_laplace(scale, count, security)
            case Gaussian(variance=variance):
                one = joint_gaussian.drawing(variance, count, security)
        total, claims = total.beside(one.cost), claims + one.claims
    return Checked(total, claims)


def _drawing_laplace(scale: Fraction, count: int, security: Security) -> Checked:
    """Where the committee checks, it makes numbers of bits by two products for each bit."""
    if security == "semi-honest":
        return Checked(cost(scale, count), Claims())
    d, m = 1 + geometric.bits_of_scale(scale, PRECISION), count
    lifted = to_ring(d * m)
    ands = ANDS * columns(m) * d
    coin = Cost(6, (8 * ands, 8 * ands, 8 * ands))
    return Checked(coin.then(lifted.cost), lifted.claims + Claims(ands=ands))


async def coins(committee: Committee, chances: Sequence[int], count: int) -> BitShare:
    """Return secret bits, (len(chances), count): each is 1 with probability chance / 2^64.

    Cost, m bits for each of d chances in c = ceil(m / 64) columns:
    6 rounds, 712 * c * d bytes a party
    """
    shape = (PRECISION, len(chances), columns(count))
    drawn = fair.bits(committee, shape)
    digits = _digits(chances)
    found, still = await _leaves(committee, drawn, digits)
    while found.shape[0] > 1:
        found, still = await _level(committee, found, still)
    return BitShare(*(fair.rows(part[0], count) for part in (found.own, found.next)))


async def noisy_max(committee: Committee, counts: SecretArray, mechanism: Laplace) -> SecretArray:
    """Return where the largest noisy count of the first axis is, the first of equals.

    Only the place is to be revealed: `queries.noisy_max` has the noise and its guarantee.
    """
    drawn = await discrete_laplace(committee, mechanism.scale, counts.size)
    noisy = counts + secret(counts.engine, fair.shaped(drawn, counts.shape), mechanism.scale)
    return argmax(noisy, axis=0)


def secret(engine: Engine, drawn: Share, scale: Fraction) -> SecretArray:
    """Return drawn noise as an array of the engine whose committee drew it."""
    limit = 1 << geometric.bits_of_scale(scale, PRECISION)
    return SecretArray(engine, expression.node(Held(drawn), [], drawn.shape, limit))


def _digits(chances: Sequence[int]) -> Words:
    """Return words of all 0 or all 1, (64, len(chances), 1): the binary digits, highest first."""
    places = np.arange(PRECISION, dtype=np.uint64)[::-1].reshape(-1, 1, 1)
    values = np.array(chances, np.uint64).reshape(1, -1, 1)
    return (values >> places & np.uint64(1)) * _ONES


async def _leaves(committee: Committee, drawn: Share, digits: Words) -> tuple[Share, Share]:
    """Return (found, still 1) of pairs of fair bits: t_1 (1 ^ e_1) ^ t_2 (e_1 ^ e_1 e_2)."""
    first, second = _every(drawn, 0), _every(drawn, 1)
    t_first, t_second = digits[0::2], digits[1::2]
    still = await fair.both(committee, first, second)
    constant = public(committee, np.broadcast_to(t_first, first.shape))
    own, after = (
        ones ^ (t_first ^ t_second) & e ^ t_second & both
        for ones, e, both in (
            (constant.own, first.own, still.own),
            (constant.next, first.next, still.next),
        )
    )
    return Share(own, after), still


async def _level(committee: Committee, found: Share, still: Share) -> tuple[Share, Share]:
    """Join neighbours: (F ^ P f, P p). The last P p of a level is left out: nobody needs it."""
    upper, rest = _every(still, 0), _every(still, 1)
    lower = _every(found, 1)
    pairs, last = lower.shape[0], lower.shape[0] - 1
    left = _stacked(upper, upper, last)
    z = await fair.both(committee, left, _stacked(lower, rest, last))
    own, after = (
        high[0::2] ^ low[:pairs] for high, low in ((found.own, z.own), (found.next, z.next))
    )
    return Share(own, after), Share(z.own[pairs:], z.next[pairs:])


def _every(x: Share, start: int) -> Share:
    return Share(x.own[start::2], x.next[start::2])


def _stacked(x: Share, y: Share, count: int) -> Share:
    """Return all of x and the first `count` of y, along the first axis."""
    own, after = (
        np.concatenate([top, bottom[:count]]) for top, bottom in ((x.own, y.own), (x.next, y.next))
    )
    return Share(own, after)
