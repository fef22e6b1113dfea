"""Functions of two numbers, one known to party 0 and one to parties 1 and 2.

Every replicated share is of this kind for free: x = a + b, where party 0 knows
a = x_0 + x_1 and the two others know b = x_2. Now any function of a and b is a
sum of digits of a, which party 0 can compute and share, times coefficients that
parties 1 and 2 compute from b, so they need only the digits' additive shares:

    round 1   party 0 shares its digits d:   d_0 = F(k_0),  d_1 = d - d_0 to party 1
    round 2   parties 1 and 2 evaluate the function on d_1 and d_0, and replicate:
              o_0 = F'(k_0);   o_1 = f(d_1) + F(k_2) to party 0;
              o_2 = f(d_0) - o_0 - F(k_2) to party 1

Conversions of [MR18] all begin so; taking whole digits at a time is ours, and so
is the argument: party 1 sees d under k_0, which it lacks; party 0 sees f(d_1)
under k_2; party 1 sees f(d_0) under F'(k_0); party 2 is sent nothing.
Adversary as in `mpc.replicated`. Unreviewed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.algebra.bits import columns
from quorate.algebra.ring import BLOCK, Words, blocks
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.streams import Stream


@dataclass(frozen=True, slots=True)
class Operation:
    """How parts of a shared word are put together, and taken away."""

    add: np.ufunc
    subtract: np.ufunc


RING = Operation(np.add, np.subtract)
XOR = Operation(np.bitwise_xor, np.bitwise_xor)


@dataclass(frozen=True, slots=True)
class Bilinear:
    """f(a, b) as a sum of digits of a times coefficients of b, block by block.

    Block i is `widths[i]` columns wide; each digit and each result is a row.
    """

    operation: Operation
    widths: Sequence[int]
    digit_rows: int
    rows: int

    digits: Callable[[int], Words]
    """Return the digits of block i, (digit_rows, width), at party 0."""

    evaluate: Callable[[int, Words, Words, bool], None]
    """Write f of one's share of the digits of block i to the second array.

    The flag is set at one of the two parties: it adds what depends on b alone.
    """


def known(committee: Committee, x: Share) -> Words:
    """Return what this party knows of x = a + b, flat: a at party 0, b at the others."""
    part = (x.own + x.next, x.next, x.own)[committee.me]
    return part.reshape(-1)


def widths_of(count: int, *, packed: bool) -> list[int]:
    """Return the columns of each block of `count` words, or of their bit planes."""
    sizes = [here.stop - here.start for here in blocks(count)]
    return [columns(size) for size in sizes] if packed else sizes


def cut(flat: Words, rows: int, widths: Sequence[int]) -> Iterator[Words]:
    """Yield the blocks of `flat`, each (rows, width)."""
    start = 0
    for width in widths:
        yield flat[start : start + rows * width].reshape(rows, width)
        start += rows * width


async def bilinear(committee: Committee, f: Bilinear) -> Share:
    """Evaluate f and share the result, blocks of (rows, width) one after the other.

    Cost, d digits and r results of each of m columns:
    2 rounds, 8 * d * m, 8 * r * m and 8 * r * m bytes by parties 0, 1 and 2
    """
    committee.refuse_to_check()
    shared = committee.streams()
    replicated = committee.streams()
    size = sum(f.widths)
    digits, out = np.empty(f.digit_rows * size, np.uint64), np.empty(f.rows * size, np.uint64)
    route = committee.session.route
    match committee.me:
        case 0:
            await route(_masked_digits(f, shared[0]), to=[1], like=digits)
            received = await route(senders=[1], like=out)
            replicated[0].fill(out)
            return Share(out, received[1])
        case 1:
            sent = await route(senders=[0], like=digits)
            parts = _masked_results(f, sent[0], replicated[1], out)
            received = await route(parts, to=[0], senders=[2], like=out)
            return Share(out, received[2])
        case _:
            await route(like=digits)
            first = np.empty_like(out)
            parts = _last_results(f, shared[1], replicated, first, out)
            await route(parts, to=[1], like=out)
            return Share(out, first)


def _masked_digits(f: Bilinear, stream: Stream) -> Iterator[Words]:
    """Yield d_1 = d - F(k_0)."""
    for i in range(len(f.widths)):
        block = f.digits(i)
        noise = stream.words(block.size).reshape(block.shape)
        yield f.operation.subtract(block, noise, out=block)


def _masked_results(f: Bilinear, sent: Words, stream: Stream, out: Words) -> Iterator[Words]:
    """Yield o_1 = f(d_1) + F(k_2), having written it to `out`."""
    blocks_in, blocks_out = cut(sent, f.digit_rows, f.widths), cut(out, f.rows, f.widths)
    for i, (digits, block) in enumerate(zip(blocks_in, blocks_out, strict=True)):
        f.evaluate(i, digits, block, True)
        yield f.operation.add(block, stream.words(block.size).reshape(block.shape), out=block)


def _last_results(
    f: Bilinear, shared: Stream, replicated: tuple[Stream, Stream], first: Words, out: Words
) -> Iterator[Words]:
    """Yield o_2 = f(d_0) - o_0 - F(k_2), having written it to `out`, and o_0 to `first`."""
    subtract = f.operation.subtract
    blocks_out = zip(cut(first, f.rows, f.widths), cut(out, f.rows, f.widths), strict=True)
    for i, (zeroth, block) in enumerate(blocks_out):
        digits = shared.words(f.digit_rows * f.widths[i]).reshape(f.digit_rows, -1)
        f.evaluate(i, digits, block, False)
        replicated[1].fill(zeroth.reshape(-1))
        subtract(block, zeroth, out=block)
        yield subtract(block, replicated[0].words(block.size).reshape(block.shape), out=block)


async def gather_known(committee: Committee, parts: Iterable[Words], z: Words) -> Words:
    """Bring additive shares z_i into the form a + b; return what this party knows of it.

    b = F(k_2) + F'(k_2);   a = z_0 + (z_1 - F(k_2)) + (z_2 - F'(k_2)), summed by party 0.
    `parts` yields flat z, a block at a time, as slices of it.

    Cost, m words: 1 round, 0, 8 * m and 8 * m bytes by parties 0, 1 and 2
    """
    committee.refuse_to_check()
    streams = committee.streams(), committee.streams()
    route = committee.session.route
    if committee.me == 0:
        for _ in parts:
            pass
        received = await route(senders=[1, 2], like=z)
        for here in blocks(z.size):
            z[here] += received[1][here]
            z[here] += received[2][here]
        return z
    side = 2 - committee.me  # k_2 is party 1's next key and party 2's own
    mine, other = (step[side] for step in streams[:: 1 if committee.me == 1 else -1])
    b, noise = np.empty_like(z), np.empty(min(BLOCK, z.size), np.uint64)

    def masked() -> Iterator[Words]:
        for part, here in zip(parts, blocks(z.size), strict=True):
            mask = noise[: part.size]
            mine.fill(mask)
            other.fill(b[here])
            np.add(b[here], mask, out=b[here])
            yield np.subtract(part, mask, out=part)

    await route(masked(), to=[0], like=z)
    return b
