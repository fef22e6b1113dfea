"""Signs and zeros of secret words by ANDs alone, each of which can be verified.

A replicated word x = x_0 + x_1 + x_2 is three secret words without a message: the bits of x_0
have the XOR shares (x_0, 0, 0), and so on. One layer of full adders makes two words of them,

    s = x_0 ^ x_1 ^ x_2,  shared as x is;    m = (x_0 ^ x_2) (x_1 ^ x_2) ^ x_2

and x = s + 2m. Its sign is bit 63 of p = s ^ 2m and the carry into that bit, which is a tree
over pairs (g, p) with g = s AND 2m, as in `comparison`. A word is zero if x_0 + x_1 is -x_2
bit by bit; the bits of x_0 + x_1 are dealt by party 0 (`sums`).

Adversary: as in `mpc.replicated`; every AND is recorded. Unreviewed.
"""

import numpy as np

from quorate.algebra.bits import BITS, columns
from quorate.algebra.ring import Words
from quorate.mpc.boolean import BitShare, both_words
from quorate.mpc.planes import in_order, planes
from quorate.mpc.record import Kind
from quorate.mpc.replicated import Committee, Share

ONE = np.uint64(1)
LOW = np.uint64((1 << (BITS - 1)) - 1)
"""All bits but 63."""


async def is_negative(committee: Committee, x: Share) -> BitShare:
    """Return bit 63 of each word.

    Cost, m words in c = ceil(m / 64) columns: 8 rounds, 8 * (2 * m + 125 * c) bytes a party
    """
    g, p = await _pairs(committee, _flat(x))
    signs, carry = p, await _carry(committee, _rotated(g, LOW), _rotated(p))
    raise NotImplementedError
