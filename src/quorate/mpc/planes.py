"""Secret words as bit planes (`algebra.bits`), in the form a + b or a ^ b of `mpc.split`.

Party 0 knows the planes of a, parties 1 and 2 those of b. Blocks are (rows, columns) arrays, one
after the other in flat words. Adversary as in `mpc.replicated`. Unreviewed.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from quorate.algebra.bits import BITS, Bits, bits_of, transpose
from quorate.algebra.ring import Words, blocks
from quorate.mpc.boolean import BitShare
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.split import cut


async def share_known(
    committee: Committee, planes: Callable[[int], Words], rows: int, widths: Sequence[int]
) -> Share:
    """Share a ^ b, of which party 0 knows a's `rows` in each block and the others b's.

    x_0 = F(k_0);  x_1 = a ^ x_0, sent to party 1;  x_2 = b

    Cost, r rows of c columns: 1 round, 8 * r * c, 0 and 0 bytes by parties 0, 1 and 2
    """
    committee.refuse_to_check()
    own, after = committee.streams()
    x = np.empty(rows * sum(widths), np.uint64)
    route = committee.session.route
    if committee.me == 0:
        zeroth = own.words(x.size)

        def masked() -> Iterator[Words]:
            both = zip(cut(zeroth, rows, widths), cut(x, rows, widths), strict=True)
            for i, (mask, out) in enumerate(both):
                yield np.bitwise_xor(planes(i), mask, out=out)

        await route(masked(), to=[1], like=x)
        return Share(zeroth, x)
    for i, out in enumerate(cut(x, rows, widths)):
        out[:] = planes(i)
    if committee.me == 1:
        return Share((await route(senders=[0], like=x))[0], x)
    await route(like=x)
    return Share(x, after.words(x.size))


def rotated_planes(words: Words, out: Words) -> None:
    """Write the bit planes of `words` rotated left by one: bit 63 is in row 0."""
    write_planes((words << np.uint64(1)) | (words >> np.uint64(BITS - 1)), out)


def write_planes(words: Words, out: Words) -> None:
    """Write the bit planes of `words` to `out`; columns beyond the last word are zeros."""
    flat = out.reshape(-1)
    flat[: words.size] = words
    flat[words.size :] = 0
    transpose(out, np.empty(flat.size // 2, np.uint64))


def one_row(flat: Words, rows: int, widths: Sequence[int], row: int) -> Words:
    """Return one row of every block, one after the other."""
    out = np.empty(sum(widths), np.uint64)
    for block, place in zip(cut(flat, rows, widths), cut(out, 1, widths), strict=True):
        place[0] = block[row]
    return out


def in_order(rows: Share, shape: tuple[int, ...], widths: Sequence[int]) -> BitShare:
    """Return the bits of one-row blocks in the order of the words they belong to."""

    def bits(flat: Words) -> Bits:
        out = np.empty(int(np.prod(shape)), np.bool_)
        for here, row in zip(blocks(out.size), cut(flat, 1, widths), strict=True):
            out[here] = bits_of(row[0], here.stop - here.start)
        return out.reshape(shape)

    return BitShare(bits(rows.own), bits(rows.next))
