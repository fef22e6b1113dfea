"""Division of secret words by 2^f as in `truncation`, every step of which can be verified.

Moved by 2^62 + 2^f - 1, x = a + b is in [0, 2^63); a = x_0 + x_1 is known to party 0 and b = x_2
to the others. With >> for the shift that keeps the sign, which takes 2^(64-f) from a word
with bit 63, the result of `truncation` is

    (a >> f) + (b >> f) + 2^(64-f) a_63 b_63 - 2^(62-f)

Party 0 deals a's bits, and a >> f and a_63 as numbers. Three claims of sums hold it to them:
the bits are those of x_0 + x_1; shifted, they are those of the second; the highest
is that of the third. What is left is one product of words. The rounding is the same, word by
word, as where nothing is checked.

Adversary: as in `mpc.replicated`; party 0 as in `mpc.carries`. Unreviewed.
"""

import numpy as np

from quorate.algebra.bits import BITS
from quorate.algebra.ring import Words, from_signed, to_signed
from quorate.mpc.carries import claim_sum, deal_known
from quorate.mpc.replicated import Committee, Share, local, mul, only, public
from quorate.transport.session import together

OFFSET = 1 << 62
"""Words from -OFFSET to OFFSET - 2^f can be divided by 2^f."""

SIGN = np.uint64(BITS - 1)


async def divide(committee: Committee, x: Share, f: int) -> Share:
    """Return x / 2^f, rounded down or up.

    Cost, m words: 2 rounds, 56 * m, 32 * m and 32 * m bytes by parties 0, 1 and 2
    """
    flat = local(np.ravel, x)
    numbers = _plus(committee, only(committee, flat, 0, 1), OFFSET + (1 << f) - 1)
    b, size = only(committee, flat, 2), flat.own.size
    a = numbers.own + numbers.next  # at party 0; the others' is not looked at
    bits, dealt = await deal_known(committee, a, np.concatenate((_shifted(a, f), a >> SIGN)))
    shifted, sign = local(lambda part: part[:size], dealt), local(lambda part: part[size:], dealt)
    sums = local(_joined, numbers, dealt)
    their_bits = local(lambda part: np.concatenate((part, _shifted(part, f), part >> SIGN)), bits)
    one, other = committee.beside(2)
    _, both = await together(
        claim_sum(one, sums, their_bits), mul(other, sign, local(lambda part: part >> SIGN, b))
    )
    wrap = np.uint64(BITS - f)
    total = local(lambda t, b, w: t + _shifted(b, f) + (w << wrap), shifted, b, both)
    return local(lambda part: part.reshape(x.shape), _plus(committee, total, -(OFFSET >> f)))


def _shifted(words: Words, f: int) -> Words:
    """Return words / 2^f rounded down, as signed; of XOR shares, the shares of that."""
    return from_signed(to_signed(words) >> np.int64(f))


def _joined(one: Words, other: Words) -> Words:
    return np.concatenate((one, other))


def _plus(committee: Committee, x: Share, number: int) -> Share:
    """Add what everybody knows."""
    known = public(committee, np.broadcast_to(np.uint64(number % (1 << BITS)), x.shape))
    return local(np.add, x, known)
