"""Sign and equality in three rounds, of more bytes: for parties that are far from one another.

Pairs (generate, propagate) are of digits of four bits, and four pairs are combined at once. Of
a digit's pair, party 0's part are the 15 products of its bits a_i; with a^T the product over T,

    g = XOR over T of a^T b^above(T),   above(T): the lowest of T, and what of the rest is higher
    p = XOR over T of a^T b^(not T),    the empty T included

which is bilinear (`mpc.split`). The 16 pairs are not shared but opened under random masks, of
which shares are there without a message: m = v ^ l. A product of values is then a sum of
products of public m and shared masks, and local, once the products of masks are shared; these
depend on no secret, so they are made in the meantime [PSSY21]:

    round 1   party 0 shares its products;                       pairs of masks
    round 2   parties 1 and 2 open what they make of them;       triples and fours of masks
    round 3   16 -> 4 pairs, locally; opened under other masks.  4 -> 1: local

What is sent in round 2: party 1 z_1 ^ l_1 ^ l_2 ^ r, party 2 z_2 ^ l_0 ^ r, r known to both, so
that party 0, which knows l_0 and l_1, sees both under two masks that it lacks; party 1 lacks
l_0 and party 2 l_1. In round 3 each opening is under l'_i, at the party that lacks it.

Adversary as in `mpc.replicated`. Unreviewed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from quorate.algebra.bits import BITS, bits_of, columns
from quorate.algebra.ring import Words
from quorate.mpc.boolean import BitShare, conjunction, reshare_bits
from quorate.mpc.planes import rotated_planes, share_known, write_planes
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.split import known
from quorate.transport.session import together

DIGITS, WHOLE = 16, 0b1111
"""Digits of a word, and the product of all four bits of one."""

P0, P1, P2, P3, G0, G1, G2, G3 = (1 << i for i in range(8))
"""Values of four neighbouring digits, the lowest first; a product is the OR of its factors."""

Polynomial = tuple[int, ...]
ALL: Polynomial = (P0 | P1 | P2 | P3,)
CARRY: Polynomial = (G3, P3 | G2, P3 | P2 | G1, P3 | P2 | P1 | G0)

Table = dict[int, Share]
"""Shares of products of masks, by what is in the product."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What is made of four digits for the next level, and of the last four."""

    inner: tuple[Polynomial, ...]
    last: Polynomial


SIGN = Tree((ALL, CARRY), CARRY)
ZERO = Tree((ALL,), ALL)


async def is_negative(committee: Committee, d: Share) -> BitShare:
    """Return bit 63 of each word.

    Cost, m words in c = ceil(m / 64) columns:
    3 rounds, 2808 * c, 1400 * c and 1400 * c bytes by parties 0, 1 and 2
    """
    mine = known(committee, d)
    rows = np.empty((BITS, columns(mine.size)), np.uint64)
    rotated_planes(mine, rows)
    top = rows[0].copy()
    if committee.me != 0:
        rows[0] = 0  # nothing is generated there
    carry, signs = await _combined(committee, SIGN, rows, top)
    return _bits(Share(carry.own ^ signs.own, carry.next ^ signs.next), d.shape)


async def is_zero(committee: Committee, d: Share) -> BitShare:
    """Return whether each word is 0: whether all bits of a are those of -b.

    Cost, m words in c = ceil(m / 64) columns:
    3 rounds, 2392 * c, 728 * c and 728 * c bytes by parties 0, 1 and 2
    """
    mine = known(committee, d)
    rows = np.empty((BITS, columns(mine.size)), np.uint64)
    write_planes(mine if committee.me == 0 else ~-mine, rows)
    equal, _ = await _combined(committee, ZERO, rows, rows[0])
    return _bits(equal, d.shape)


async def _combined(
    committee: Committee, tree: Tree, rows: Words, top: Words
) -> tuple[Share, Share]:
    """Return `tree.last` of all digits, and shares of the XOR of both operands' `top`."""
    step = committee.session.label().rpartition("/")[2]
    on_digits, on_masks = (committee.at(f"{step} {name}") for name in ("digits", "masks"))
    kinds, width = len(tree.inner), rows.shape[1]
    first, last = (_random(committee, kinds * digits, width) for digits in (DIGITS, DIGITS // 4))
    inner, outer = _shares_of(first, kinds), _shares_of(last, kinds)
    found, _ = await together(
        _open_digits(on_digits, rows, top, first, kinds),
        _multiply_masks(on_masks, (inner, outer), (tree.inner, (tree.last,))),
    )
    opened, tops = cast("tuple[Words, Share]", found)
    pairs = [_evaluate(committee, it, _places(opened, kinds), inner) for it in tree.inner]
    own = np.concatenate([pair.own for pair in pairs]) ^ last.own
    after = np.concatenate([pair.next for pair in pairs]) ^ last.next
    before = await committee.session.shift(own, by=1)
    result = _evaluate(committee, tree.last, _places(own ^ after ^ before, kinds), outer)
    return Share(result.own[0], result.next[0]), tops


async def _open_digits(
    committee: Committee, rows: Words, top: Words, masks: Share, kinds: int
) -> tuple[Words, Share]:
    """Open (p, g) of each digit under `masks`, p alone for one kind; share the operands' `top`."""
    products, width = WHOLE * DIGITS, rows.shape[1]

    def known_rows(_: int) -> Words:
        if committee.me == 0:
            return _products(rows).reshape(products, width)
        nothing = np.zeros((products, width), np.uint64)
        nothing[0] = top  # beside party 0's: the first product of the first digit is its top
        return nothing

    shared = await share_known(committee, known_rows, products, [width])
    tops = Share(*(part.reshape(products, width)[0] for part in (shared.own, shared.next)))
    own, after = committee.streams()
    z = np.zeros_like(masks.own)
    route = committee.session.route
    if committee.me == 0:
        sent = await route(senders=[1, 2], like=z)
        return sent[1] ^ sent[2], tops
    lead = committee.me == 1
    _write_pairs(shared.own if lead else shared.next, rows, z, kinds, lead=lead)
    z ^= masks.own ^ masks.next if lead else masks.next
    (after if lead else own).mask(z.reshape(-1))
    other = 3 - committee.me
    sent = await route(z, to=[0, other], senders=[other], like=z)
    return z ^ sent[other], tops


def _products(rows: Words) -> Words:
    """Return the products of the bits of each digit, (15, digits, columns), by their set."""
    bits = rows.reshape(2, 2, DIGITS, rows.shape[1])
    out = np.empty((WHOLE, DIGITS, rows.shape[1]), np.uint64)
    for bit in range(4):
        out[(1 << bit) - 1] = bits[bit & 1, bit >> 1]
        for lower in range(1, 1 << bit):
            np.bitwise_and(out[lower - 1], out[(1 << bit) - 1], out=out[(lower | 1 << bit) - 1])
    return out


def _write_pairs(shared: Words, rows: Words, z: Words, kinds: int, *, lead: bool) -> None:
    """Write p, and for two kinds g, of each digit, given a share of the other's products."""
    mine = _products(rows)
    theirs, pairs = shared.reshape(mine.shape), z.reshape(kinds, *mine.shape[1:])
    for some in range(1, WHOLE + 1):
        rest = WHOLE & ~some
        pairs[0] ^= theirs[some - 1] & mine[rest - 1] if rest else theirs[some - 1]
        if kinds > 1:
            lowest = some & -some
            above = rest & ~(lowest - 1) | lowest
            pairs[1] ^= theirs[some - 1] & mine[above - 1]
    if lead:
        pairs[0] ^= mine[WHOLE - 1]


async def _multiply_masks(
    committee: Committee, tables: Sequence[Table], trees: Sequence[tuple[Polynomial, ...]]
) -> None:
    """Add to each table the products that its polynomials need: two rounds."""
    needed = [
        sorted({part for each in tree for product in each for part in _within(product)})
        for tree in trees
    ]
    for smallest, largest in ((2, 2), (3, 4)):
        wanted = [
            (table, product)
            for table, products in zip(tables, needed, strict=True)
            for product in products
            if smallest <= product.bit_count() <= largest
        ]
        await _multiply(committee, wanted)


async def _multiply(committee: Committee, wanted: Sequence[tuple[Table, int]]) -> None:
    """Add the products to their tables: each of two that are there."""
    parts = []
    for table, product in wanted:
        one = _lower_half(product)
        x, y = table[one], table[product & ~one]
        parts.append(np.empty_like(x.own))
        conjunction(x, y, parts[-1])
    z = np.concatenate(parts).reshape(-1)
    shared = await reshare_bits(committee, iter([z]), z)
    start = 0
    for (table, product), part in zip(wanted, parts, strict=True):
        here = slice(start, start + part.size)
        table[product] = Share(*(it[here].reshape(part.shape) for it in (shared.own, shared.next)))
        start += part.size


def _lower_half(product: int) -> int:
    """Return the lowest value of a pair, the two lowest of more."""
    lowest = product & -product
    rest = product & ~lowest
    return lowest if product.bit_count() == 2 else lowest | rest & -rest


def _within(product: int) -> Iterator[int]:
    """Yield all products that divide this one, itself and the empty one included."""
    part = product
    while part:
        yield part
        part = (part - 1) & product
    yield 0


def _evaluate(
    committee: Committee, polynomial: Polynomial, opened: dict[int, Words], masks: Table
) -> Share:
    """Return shares of a polynomial of v = m ^ l: of each product, all of public m and shared l."""
    some = next(iter(opened.values()))
    own, after = np.zeros_like(some), np.zeros_like(some)
    ones = np.full_like(some, ~np.uint64(0))
    for product in polynomial:
        for masked in _within(product):
            public = ones
            for bit in opened:
                if bit & product & ~masked:
                    public = public & opened[bit]
            if masked:
                own ^= public & masks[masked].own
                after ^= public & masks[masked].next
            elif committee.me != 1:  # what is public belongs to x_0
                part = own if committee.me == 0 else after
                part ^= public
    return Share(own, after)


def _places(rows: Words, kinds: int) -> dict[int, Words]:
    """Return the rows of each of four neighbours: p of all, then g of all."""
    groups = len(rows) // (4 * kinds)
    parts = rows.reshape(kinds, 2, 2, groups, rows.shape[1])
    return {
        1 << (4 * kind + i): parts[kind, i & 1, i >> 1] for kind in range(kinds) for i in range(4)
    }


def _shares_of(masks: Share, kinds: int) -> Table:
    own, after = _places(masks.own, kinds), _places(masks.next, kinds)
    return {bit: Share(own[bit], after[bit]) for bit in own}


def _random(committee: Committee, rows: int, width: int) -> Share:
    """Return shares of what nobody knows, without a message."""
    return Share(
        *(stream.words(rows * width).reshape(rows, width) for stream in committee.streams())
    )


def _bits(row: Share, shape: tuple[int, ...]) -> BitShare:
    count = int(np.prod(shape))
    return BitShare(*(bits_of(part, count).reshape(shape) for part in (row.own, row.next)))
