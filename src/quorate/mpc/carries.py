"""What party 0 deals of a = x_0 + x_1, which it alone knows, and how it is held to it.

Values of this kind have the parts (v_0, v_1, 0): v_0 is known to parties 0 and 2, v_1 to
parties 0 and 1. Party 0 draws v_0 = F(k_0) and sends v_1 to party 1.

That the bits t = t_0 ^ t_1 are those of the number s = s_0 + s_1 modulo 2^64 is one AND and
a comparison with zero. In an addition t = s_0 ^ s_1 ^ c, where c are the carries, so

    c = (s_0 ^ t_0) ^ (s_1 ^ t_1)    has the parts (c_0, c_1, 0) without a message,
    c = 2 maj(s_0, s_1, c) = 2 ((s_0 ^ c) (s_1 ^ c) ^ c),

where s_0 ^ c has the parts (t_0, c_1, 0) and s_1 ^ c has (c_0, t_1, 0). By induction from bit 0
on, a c that fulfils this is the carries, and t the sum. The AND is recorded, and what is zero.

Adversary: as in `mpc.replicated`. Only party 0 could deal something wrong; it knows all of the
statement, so it learns nothing from whether it is found out. Unreviewed.
"""

import numpy as np

from quorate.algebra.ring import Words
from quorate.mpc.boolean import both_words
from quorate.mpc.record import Kind
from quorate.mpc.replicated import Committee, Share, local

ONE = np.uint64(1)


async def deal_known(committee: Committee, bits: Words, numbers: Words) -> tuple[Share, Share]:
    """Share flat words that party 0 knows, the first as bits; others only say the shapes.

    Cost, m words: 1 round, 8 * m, 0 and 0 bytes by parties 0, 1 and 2
    """
    own, after = committee.streams()
    size, route = bits.size, committee.session.route
    like = np.zeros(size + numbers.size, np.uint64)
    if committee.me == 0:
        zeroth = own.words(like.size)
        rest = np.concatenate((bits ^ zeroth[:size], numbers - zeroth[size:]))
        await route(rest, to=[1], like=like)
        dealt = Share(zeroth, rest)
    elif committee.me == 1:
        dealt = Share((await route(senders=[0], like=like))[0], like)
    else:
        await route(like=like)
        dealt = Share(like, after.words(like.size))
    return (
        Share(dealt.own[:size], dealt.next[:size]),
        Share(dealt.own[size:], dealt.next[size:]),
    )


async def claim_sum(committee: Committee, s: Share, t: Share) -> Share:
    """Record that the bits t are those of the numbers s, flat; return t.

    Both have the parts (v_0, v_1, 0).

    Cost, m words: 1 round, 8 * m bytes a party
    """
    c = local(np.bitwise_xor, s, t)
    met = await both_words(committee, _mixed(committee, t, c), _mixed(committee, c, t))
    committee.claim(Kind.ZERO, local(lambda both, carry: carry ^ ((both ^ carry) << ONE), met, c))
    return t


def _mixed(committee: Committee, zeroth: Share, first: Share) -> Share:
    """Return part 0 of one and part 1 of the other."""
    match committee.me:
        case 0:
            return Share(zeroth.own, first.next)
        case 1:
            return Share(first.own, first.next)
        case _:
            return Share(zeroth.own, zeroth.next)
