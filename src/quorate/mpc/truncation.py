"""Division of secret words by 2^f, and with it products of fixed-point numbers.

For 0 <= x < 2^63, x = a + b modulo 2^64, where party 0 knows a and parties 1 and
2 know b, the sum of the two integers wraps just when one of them has bit 63, so

    (a >> f) + (b >> f) - 2^(64-f) (a_63 OR b_63)  is  x >> f or one less
    a_63 OR b_63  =  a_63 (1 - b_63) + b_63

which is bilinear in party 0's (a >> f, a_63) and the others' b (`mpc.split`). Signed
words are moved into the range by 2^62, and by 2^f - 1 so that the result is always
x / 2^f rounded down or up, and exact where it can be. This holds for every x in
range, not with high probability, which sets it apart from the truncation of
[MZ17] and [MR18], where a word of l bits comes out quite wrong once in 2^(63-l)
times. Of words whose parts are fresh, as a product's are, it is rounded up with the
probability that makes the mean right. The choice follows from the parts, of
which single parties know some, so a rounding that is independent of all views is
not claimed.

Adversary as in `mpc.replicated`. Unreviewed.
"""

from collections.abc import Iterable

import numpy as np

from quorate.algebra.bits import BITS
from quorate.algebra.ring import Words, blocks
from quorate.mpc import shifts
from quorate.mpc.replicated import Committee, Share, matmul, matrix_products, mul, products
from quorate.mpc.shifts import OFFSET
from quorate.mpc.split import RING, Bilinear, bilinear, gather_known, known, widths_of


async def truncate(committee: Committee, x: Share, f: int) -> Share:
    """Return x / 2^f, rounded down or up.

    Cost, m words: 2 rounds, 16 * m, 8 * m and 8 * m bytes by parties 0, 1 and 2.
    Where the committee checks, `shifts.divide`, and so in all that follows.
    """
    if committee.checks:
        return await shifts.divide(committee, x, f)
    return await _truncate_known(committee, known(committee, x), f, x.shape)


async def mul_fixed(committee: Committee, x: Share, y: Share, f: int) -> Share:
    """Multiply elementwise and divide by 2^f, rounded down or up.

    Cost, m words: 3 rounds, 16 * m bytes a party
    """
    if committee.checks:
        return await shifts.divide(committee, await mul(committee, x, y), f)
    z = np.empty(x.own.size, np.uint64)
    return await truncate_parts(committee, products(x, y, z), z, f, x.shape)


async def matmul_fixed(committee: Committee, x: Share, y: Share, f: int) -> Share:
    """Multiply matrices, (m, k) by (k, n), and divide by 2^f, rounded down or up.

    Cost: 3 rounds, 16 * m * n bytes a party
    """
    if committee.checks:
        return await shifts.divide(committee, await matmul(committee, x, y), f)
    z = matrix_products(x, y)
    flat = z.reshape(-1)
    parts = (flat[here] for here in blocks(flat.size))
    return await truncate_parts(committee, parts, flat, f, z.shape)


async def truncate_parts(
    committee: Committee, parts: Iterable[Words], z: Words, f: int, shape: tuple[int, ...]
) -> Share:
    """Divide by 2^f a value of which party i holds the additive share z_i, flat.

    Cost, m words: 3 rounds, 16 * m bytes a party
    """
    return await _truncate_known(committee, await gather_known(committee, parts, z), f, shape)


async def _truncate_known(
    committee: Committee, mine: Words, f: int, shape: tuple[int, ...]
) -> Share:
    places = list(blocks(mine.size))
    digit, sign, wrap = np.uint64(f), np.uint64(BITS - 1), np.uint64(BITS - f)
    back = np.uint64(OFFSET >> f)

    def digits(i: int) -> Words:
        a = mine[places[i]] + np.uint64(OFFSET + (1 << f) - 1)
        return np.stack((a >> digit, a >> sign))

    def evaluate(i: int, shared: Words, out: Words, lead: bool) -> None:
        b = mine[places[i]]
        b_sign = b >> sign
        np.multiply(shared[1], 1 - b_sign, out=out[0])
        if lead:
            np.add(out, b_sign, out=out)
        np.left_shift(out, wrap, out=out)
        np.subtract(shared[0], out[0], out=out[0])
        if lead:
            np.add(out, (b >> digit) - back, out=out)

    widths = widths_of(mine.size, packed=False)
    flat = await bilinear(committee, Bilinear(RING, widths, 2, 1, digits, evaluate))
    return Share(flat.own.reshape(shape), flat.next.reshape(shape))
