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
    own, after = committee.streams()
    size = sum(f.widths)
    digits = np.broadcast_to(np.uint64(0), f.digit_rows * size)  # what is sent is like it
    out = np.empty(f.rows * size, np.uint64)
    route = committee.session.route
    parts: Iterator[Words] = iter(())
    match committee.me:
        case 0:
            await route(_masked_digits(f, own), to=[1], like=digits)
        case 1:
            sent = await route(senders=[0], like=digits)
            parts = _results(f, cut(sent[0], f.digit_rows, f.widths), out, lead=True)
        case _:
            await route(like=digits)
            parts = _results(f, _digits_zeroth(f, after), out, lead=False)
    return await replicate_two(committee, f.operation, parts, out)


def _masked_digits(f: Bilinear, stream: Stream) -> Iterator[Words]:
    """Yield d_1 = d - F(k_0)."""
    for i in range(len(f.widths)):
        block = f.digits(i)
        noise = stream.words(block.size).reshape(block.shape)
        yield f.operation.subtract(block, noise, out=block)


def _digits_zeroth(f: Bilinear, stream: Stream) -> Iterator[Words]:
    """Yield d_0 = F(k_0)."""
    for width in f.widths:
        yield stream.words(f.digit_rows * width).reshape(f.digit_rows, width)


def _results(f: Bilinear, digits: Iterable[Words], out: Words, *, lead: bool) -> Iterator[Words]:
    """Yield blocks of `out`, filled with f of one's share of the digits."""
    places = cut(out, f.rows, f.widths)
    for i, (share, block) in enumerate(zip(digits, places, strict=True)):
        f.evaluate(i, share, block, lead)
        yield block.reshape(-1)


async def replicate_two(
    committee: Committee, operation: Operation, parts: Iterable[Words], z: Words
) -> Share:
    """Replicate a value of which parties 1 and 2 hold the additive shares z.

    o_0 = F'(k_0);  o_1 = z_1 + F(k_2), to party 0;  o_2 = z_2 - o_0 - F(k_2), to party 1.
    `parts` yields flat z, a block at a time, as slices of it; party 0's are not looked at.

    Cost, m words: 1 round, 0, 8 * m and 8 * m bytes by parties 0, 1 and 2
    """
    committee.refuse_to_check()
    own, after = committee.streams()
    route = committee.session.route
    if committee.me == 0:
        received = await route(senders=[1], like=z)
        own.fill(z)
        return Share(z, received[1])
    if committee.me == 1:
        masked = (operation.add(part, after.words(part.size), out=part) for part in parts)
        received = await route(masked, to=[0], senders=[2], like=z)
        return Share(z, received[2])
    zeroth = np.empty_like(z)
    await route(_last(operation, parts, own, after, zeroth), to=[1], like=z)
    return Share(z, zeroth)


def _last(
    operation: Operation, parts: Iterable[Words], own: Stream, after: Stream, zeroth: Words
) -> Iterator[Words]:
    """Yield o_2 = z_2 - o_0 - F(k_2), having written o_0 to `zeroth`."""
    start = 0
    for part in parts:
        first = zeroth[start : start + part.size]
        after.fill(first)
        operation.subtract(part, first, out=part)
        yield operation.subtract(part, own.words(part.size), out=part)
        start += part.size


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
