"""Whether secret rows are alike: the ANDs of what does not differ, in halves [as `tables.halves`].

Adversary: as in `mpc.replicated`. Unreviewed.
"""

from functools import partial

import numpy as np

from quorate.algebra.bits import BITS, unpack
from quorate.algebra.ring import Words
from quorate.mpc.boolean import BitShare, both_words, invert, public_bits
from quorate.mpc.replicated import Committee, Share, local
from quorate.mpc.tables.halves import inverted, part_of, squared

_HALVES = (np.uint32, np.uint16, np.uint8, None, np.uint32, np.uint16, np.uint8)
"""What half of a number, or of eight numbers' planes, is viewed as; None: transpose."""


async def is_zero(committee: Committee, bits: Share) -> BitShare:
    """Return whether all bits of a row (rows, lanes) are 0.

    Cost, m rows in c = ceil(m / 64) blocks, one lane: 6 rounds, 504 * c bytes a party.
    A lane more: a round and 512 * c bytes.
    """
    rows, lanes = bits.shape
    short = -rows % BITS
    padded = local(partial(_lane_by_lane, short), bits)
    alike = inverted(committee, padded)
    if not rows:
        return BitShare(np.zeros(0, np.bool_), np.zeros(0, np.bool_))
    size = rows + short
    met = local(lambda part: part[:size], alike)
    for lane in range(1, lanes):
        here = slice(lane * size, (lane + 1) * size)
        met = await both_words(committee, met, Share(alike.own[here], alike.next[here]))
    for half in _HALVES:
        if half is None:
            met = squared(met)
            continue
        upper, lower = (local(partial(part_of, half, place), met) for place in (1, 0))
        met = await both_words(committee, upper, lower)
    return BitShare(unpack(met.own, rows), unpack(met.next, rows))


async def is_new(committee: Committee, bits: Share) -> BitShare:
    """Return whether a row differs from the one before it; the first does.

    Cost: that of `is_zero` of a row less
    """
    changes = local(lambda part: part[1:] ^ part[:-1], bits)
    differs = invert(committee, await is_zero(committee, changes))
    first = public_bits(committee, np.ones(min(1, bits.shape[0]), np.bool_))
    return joined(first, differs)


def joined(*bits: BitShare) -> BitShare:
    """Return the bits of several, one after the other."""
    return BitShare(
        np.concatenate([one.own for one in bits]), np.concatenate([one.next for one in bits])
    )


def _lane_by_lane(short: int, rows: Words) -> Words:
    """Return the lanes one after the other, each filled up with zeros."""
    lanes = np.zeros((rows.shape[1], len(rows) + short), np.uint64)
    lanes[:, : len(rows)] = rows.T
    return lanes.reshape(-1)
