"""Fair bits that nobody knows, and ANDs of them, as coins and noise are made of.

Party i holds parts i and i + 1 of three, drawn from the keys that it shares with its neighbours,
without a message: it lacks one part, so the bits are uniform to it. Arrays of words hold a
bit of 64 numbers each. Adversary as in `mpc.replicated`. Unreviewed.
"""

import numpy as np

from quorate.algebra.bits import Bits, unpack
from quorate.algebra.ring import Words
from quorate.mpc.boolean import BitShare, both_words
from quorate.mpc.replicated import Committee, Share


def bits(committee: Committee, shape: tuple[int, ...]) -> Share:
    """Return words of uniform secret bits: party i draws e_i and e_{i+1}. No message."""
    size = int(np.prod(shape))
    own, after = (stream.words(size).reshape(shape) for stream in committee.streams())
    return Share(own, after)


async def both(committee: Committee, x: Share, y: Share) -> Share:
    """Return x AND y, of one shape.

    Cost, m words: 1 round, 8 * m bytes a party
    """
    return shaped(await both_words(committee, shaped(x, (-1,)), shaped(y, (-1,))), x.own.shape)


def shaped(x: Share, shape: tuple[int, ...]) -> Share:
    return Share(x.own.reshape(shape), x.next.reshape(shape))


def rows(words: Words, count: int) -> Bits:
    """Return the first `count` bits of each row of words, (rows, count)."""
    return np.stack([unpack(row, count) for row in np.ascontiguousarray(words)])


def turned(found: Bits) -> Bits:
    """Return the part of bits that are turned over where the last, a sign, is 1; it stays."""
    return np.concatenate([found[:-1] ^ found[-1], found[-1:]])


def turned_share(x: BitShare) -> BitShare:
    """Return numbers of bits, lowest first, with their signs: in two's complement g or -1 - g."""
    return BitShare(turned(x.own), turned(x.next))
