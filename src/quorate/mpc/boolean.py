"""Secret bits among three parties: x = x_0 ^ x_1 ^ x_2, replicated as in `mpc.replicated`.

XOR and NOT are local, an AND is one round in which each party sends one bit. Bits
are computed on and sent 64 to a word; an AND of words is an AND of 64 gates.
Adversary as in `mpc.replicated`. Unreviewed.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from quorate.algebra.bits import Bits, pack, unpack
from quorate.algebra.ring import Words, blocks
from quorate.errors import Party
from quorate.mpc.record import Kind
from quorate.mpc.replicated import (
    Committee,
    Share,
    combined,
    local,
    mul,
    only,
    refuse_unverified,
)
from quorate.mpc.split import RING, Bilinear, bilinear, widths_of
from quorate.mpc.streams import Stream


@dataclass(frozen=True, slots=True)
class BitShare:
    """One party's part of secret bits: x_i and x_{i+1}, of one shape. Never written to."""

    own: Bits = field(repr=False)
    next: Bits = field(repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.own.shape


def packed(x: BitShare) -> Share:
    """Return the same share with the bits in words, flat."""
    return Share(pack(x.own), pack(x.next))


def unpacked(x: Share, shape: tuple[int, ...]) -> BitShare:
    """Return the bits of flat words in `shape`."""
    count = int(np.prod(shape))
    own, after = (unpack(part, count).reshape(shape) for part in (x.own, x.next))
    return BitShare(own, after)


def public_bits(committee: Committee, bits: Bits) -> BitShare:
    """Return a sharing of what everybody knows: x_0 = bits, x_1 = x_2 = 0."""
    zeros = np.zeros(bits.shape, np.bool_)
    return BitShare(bits if committee.me == 0 else zeros, bits if committee.me == 2 else zeros)


def xor(x: BitShare, y: BitShare) -> BitShare:
    return BitShare(x.own ^ y.own, x.next ^ y.next)


def invert(committee: Committee, x: BitShare) -> BitShare:
    return xor(x, public_bits(committee, np.ones(x.shape, np.bool_)))


async def reveal_bits(committee: Committee, x: BitShare, to: Collection[Party]) -> Bits | None:
    """Send the parties in `to` the part that they lack; return x there, None elsewhere.

    Raises `Refused` while a product is unverified, `Abort` if two parties hold different parts.

    Cost, m bits in c = ceil(m / 64) words, to all: 1 round, 8 * c bytes a party;
    16 more where the committee checks
    """
    refuse_unverified(committee)
    total = await combined(committee, packed(x), to, np.bitwise_xor)
    return None if total is None else unpack(total, x.own.size).reshape(x.shape)


async def both(committee: Committee, x: BitShare, y: BitShare) -> BitShare:
    """Return x AND y, bit by bit.

    Cost, m bits in c = ceil(m / 64) words: 1 round, 8 * c bytes a party
    """
    return unpacked(await both_words(committee, packed(x), packed(y)), x.shape)


async def both_words(committee: Committee, x: Share, y: Share) -> Share:
    """Return x AND y of flat words of 64 bits.

    Cost, m words: 1 round, 8 * m bytes a party
    """
    z = np.empty(x.own.size, np.uint64)

    def parts() -> Iterator[Words]:
        for here in blocks(z.size):
            conjunction(_at(x, here), _at(y, here), z[here])
            yield z[here]

    label = committee.session.label()
    product = await _replicated(committee, parts(), z, committee.streams_of(label))
    committee.claim(Kind.CONJUNCTION, x, y, product, label=label)
    return product


def conjunction(x: Share, y: Share, out: Words) -> None:
    """Write this party's XOR share of x AND y: x_i (y_i ^ y_{i+1}) ^ x_{i+1} y_i."""
    np.bitwise_xor(y.own, y.next, out=out)
    np.bitwise_and(out, x.own, out=out)
    np.bitwise_xor(out, x.next & y.own, out=out)


async def reshare_bits(committee: Committee, parts: Iterable[Words], z: Words) -> Share:
    """Replicate bits of which party i holds the XOR share z_i.

    `parts` yields flat z, a block at a time, as slices of it: each is masked and sent.
    Nothing here can be verified, so a committee that checks is refused.

    Cost, m words: 1 round, 8 * m bytes a party
    """
    committee.refuse_to_check()
    return await _replicated(committee, parts, z, committee.streams())


async def _replicated(
    committee: Committee, parts: Iterable[Words], z: Words, streams: tuple[Stream, Stream]
) -> Share:
    own, after = streams

    def masked() -> Iterator[Words]:
        for part in parts:
            own.mask(part)
            after.mask(part)
            yield part

    return Share(z, await committee.session.shift(masked(), by=-1, like=z))


def known_bits(committee: Committee, x: BitShare) -> Bits:
    """Return what this party knows of x = u ^ v, flat: u at party 0, v at the others."""
    return (x.own ^ x.next, x.next, x.own)[committee.me].reshape(-1)


async def to_ring(committee: Committee, x: BitShare) -> Share:
    """Return the bits as words 0 and 1 of the ring; where the committee checks, by products.

    Of b = u ^ v party 0 knows u = b_0 ^ b_1, the others know v = b_2:  b = u (1 - 2v) + v

    Cost, m bits: 2 rounds, 8 * m bytes a party; twice as many where the committee checks
    """
    if committee.checks:
        return await _to_ring_by_products(committee, x)
    mine = known_bits(committee, x)
    places = list(blocks(mine.size))

    def digits(i: int) -> Words:
        return mine[places[i]].astype(np.uint64).reshape(1, -1)

    def evaluate(i: int, u: Words, out: Words, lead: bool) -> None:
        v = mine[places[i]].astype(np.uint64)
        np.multiply(u, 1 - 2 * v, out=out)
        if lead:
            np.add(out, v, out=out)

    widths = widths_of(mine.size, packed=False)
    flat = await bilinear(committee, Bilinear(RING, widths, 1, 1, digits, evaluate))
    return Share(flat.own.reshape(x.shape), flat.next.reshape(x.shape))


async def _to_ring_by_products(committee: Committee, x: BitShare) -> Share:
    """Return b_0 ^ b_1 ^ b_2 in the ring: u ^ v = u + v - 2 u v, twice.

    Each b_i, as an element of the ring, has shares without a message: part i is b_i, the others 0.

    Cost, m bits: 2 rounds, 16 * m bytes a party
    """
    words = Share(x.own.astype(np.uint64).ravel(), x.next.astype(np.uint64).ravel())
    result = only(committee, words, 0)
    for part in (1, 2):
        other = only(committee, words, part)
        both = await mul(committee, result, other)
        result = local(lambda u, v, uv: u + v - 2 * uv, result, other, both)
    return local(lambda part: part.reshape(x.shape), result)


def _at(x: Share, here: slice) -> Share:
    return Share(x.own[here], x.next[here])
