"""Which of two secret numbers is the less, revealed: for shuffled rows, whose order tells nothing.

Numbers are XOR-shared words, one or more to a number (lanes, the first counts most), with bit
rev(i) in place i, where rev reverses the six bits of an index: so the lower half of a word holds
the even bits and the upper half the odd ones, and so on in each half. With e, e' the even and o, o'
the odd bits of x and y, the pairs (less, equal) of digits of two bits take

    g = NOT e AND e',   G = g ^ (o ^ o') AND (o' ^ g),   P = NOT (o ^ o') AND NOT (e ^ e'),

96 bits of AND and not 128 [ours]: where o and o' differ the answer is o', else g. Neighbours
are joined as in `mpc.comparison`, (G ^ P g, P p): upper halves of words with lower halves, of 32,
16 and 8 bits; then eight numbers are transposed to a word of eight planes, and the halves
go on, down to one bit of each. Arrays are viewed as words of 64 bits throughout.

Adversary: as in `mpc.replicated`. In a committee that checks the ANDs are verified before
the result is revealed. Unreviewed.
"""

from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.bits import BITS, Bits, unpack
from quorate.algebra.ring import Words, blocks
from quorate.mpc.boolean import both_words, conjunction
from quorate.mpc.cost import Pace
from quorate.mpc.replicated import SEATS, Committee, Share, combined, local
from quorate.mpc.tables.halves import inverted, part_of, squared
from quorate.mpc.tables.table import taken
from quorate.mpc.verification import verify

Indexes = NDArray[np.int64]
AT_ONCE = 1 << 20
"""Pairs that are compared at a time: memory is bounded, and what is worked on is near."""

_HALVES = (np.uint16, np.uint8, None, np.uint32, np.uint16, np.uint8)
"""What half of a number, or of eight numbers' planes, is viewed as; None: transpose."""


async def less(committee: Committee, x: Share, left: Indexes, right: Indexes, pace: Pace) -> Bits:
    """Reveal whether row `left` of x is less than row `right`, for pairs of rows (rows, lanes).

    Cost, m pairs in c = ceil(m / 64) blocks, one lane: 7 rounds, 1264 * c bytes a party;
    l > 1 lanes: l + 6 rounds, 1272 * l * c bytes. So for each 2^20 pairs. Where the committee
    checks, 8 * c bytes less, then verifying them, and a reveal.
    """
    found = np.empty(left.size, np.bool_)
    for here in blocks(left.size, AT_ONCE):
        found[here] = await _less(committee, x, left[here], right[here], pace)
    return found


async def _less(committee: Committee, x: Share, left: Indexes, right: Indexes, pace: Pace) -> Bits:
    count, lanes = left.size, x.shape[1]
    short = -count % BITS
    above, below = (np.concatenate((side, np.zeros(short, np.int64))) for side in (left, right))
    pair = [local(_lane_by_lane, taken(x, side)) for side in (above, below)]
    pairs = await _pairs(committee, *pair)
    for half in _HALVES[:-1]:
        pairs = await _joined(committee, pairs, half)
    g, p = local(partial(_half, 0), pairs), local(partial(_half, 1), pairs)
    return unpack(await _last(committee, g, p, lanes, pace), count)


async def _pairs(committee: Committee, x: Share, y: Share) -> Share:
    """Return all G, then all P, of 32 digits each."""
    e, o = (local(partial(_digits, place), x) for place in (0, 1))
    e_other, o_other = (local(partial(_digits, place), y) for place in (0, 1))
    g = await both_words(committee, inverted(committee, e), e_other)
    differ = local(np.bitwise_xor, o, o_other)
    alike = inverted(committee, local(np.bitwise_xor, e, e_other))
    met = await both_words(
        committee,
        _two(differ, inverted(committee, differ)),
        _two(local(np.bitwise_xor, o_other, g), alike),
    )
    return local(_onto_first_half, met, g)


async def _joined(committee: Committee, pairs: Share, half: type | None) -> Share:
    """Return G and P of half as many digits."""
    if half is None:
        return squared(pairs)
    met = await both_words(
        committee, local(partial(_uppers, half), pairs), local(partial(_lowers, half), pairs)
    )
    return local(partial(_over, half), met, pairs)


async def _last(committee: Committee, g: Share, p: Share, lanes: int, pace: Pace) -> Words:
    """Reveal G of the whole: of two digits each, and of all lanes."""
    half = np.uint8
    upper = local(partial(part_of, half, 1), g)
    through = local(partial(part_of, half, 1), p)
    lower = local(partial(part_of, half, 0), g)
    if lanes > 1:
        p_lower = local(partial(part_of, half, 0), p)
        met = await both_words(committee, _two(through, through), _two(lower, p_lower))
        through = local(partial(_half, 1), met)
        upper = local(np.bitwise_xor, upper, local(partial(_half, 0), met))
        *firsts, lower = (local(partial(_lane, lanes, i), upper) for i in range(lanes))
        *throughs, _ = (local(partial(_lane, lanes, i), through) for i in range(lanes))
        while len(firsts) > 1:
            met = await both_words(committee, throughs.pop(), lower)
            lower = local(np.bitwise_xor, firsts.pop(), met)
        upper, through = firsts[0], throughs[0]
    return await _revealed(committee, upper, through, lower, pace)


async def _revealed(committee: Committee, g: Share, p: Share, lower: Share, pace: Pace) -> Words:
    """Reveal g ^ (p AND lower); unchecked, the shares of the AND are sent to all at once.

    Cost, m words: 1 round, 16 * m bytes a party
    """
    if committee.checks:
        met = await both_words(committee, p, lower)
        await verify(committee, pace)
        whole = local(np.bitwise_xor, g, met)
        return cast("Words", await combined(committee, whole, range(SEATS), np.bitwise_xor))
    mine = np.empty(g.own.size, np.uint64)
    conjunction(p, lower, mine)
    mine ^= g.own
    for stream in committee.streams():
        stream.mask(mine)
    zeroth, first, second = await committee.session.exchange(mine)
    return zeroth ^ first ^ second


def _lane_by_lane(rows: Words) -> Words:
    return np.ascontiguousarray(rows.T).reshape(-1)


def _digits(place: int, words: Words) -> Words:
    """Return the lower or the upper half of each word, two to a word."""
    return part_of(np.uint32, place, words)


def _half(place: int, words: Words) -> Words:
    part: Words = words.reshape(2, -1)[place]
    return part


def _lane(lanes: int, place: int, words: Words) -> Words:
    part: Words = words.reshape(lanes, -1)[place]
    return part


def _two(x: Share, y: Share) -> Share:
    return local(lambda a, b: np.concatenate((a, b)), x, y)


def _onto_first_half(met: Words, g: Words) -> Words:
    out = met.copy()  # what was claimed is never written to
    out[: g.size] ^= g
    return out


def _uppers(half: type, pairs: Words) -> Words:
    """Return the upper halves of P, twice."""
    return np.tile(part_of(half, 1, _half(1, pairs)), 2)


def _lowers(half: type, pairs: Words) -> Words:
    """Return the lower halves of G, then of P."""
    return part_of(half, 0, pairs)


def _over(half: type, met: Words, pairs: Words) -> Words:
    return _onto_first_half(met, part_of(half, 1, _half(0, pairs)))
