"""Shuffling secret rows into an order that no party knows [AFOPRT21].

Parties i and i-1 draw a permutation p_i from their key; party i lacks p_{i-1}, so to each of
them the order is uniform. With Z, Z', A and B drawn by two parties (and + XOR, of bits):

    0 -> 1:  X = p_0(p_1(x_0 + x_1 + Z)) + Z'        1 -> 2:  Y = p_1(x_2 - Z)
    1 -> 2:  C_1 = p_2(X) - B                        2 -> 1:  C_2 = p_2(p_0(Y) - Z') - A

A, B and C_1 + C_2 are the new parts. Each message is uniform to who receives it. Who sends
another one adds an error that it knows: the honest parties' new parts agree all the same.
A committee that checks shuffles tags along and finds such errors before it goes on (`tagged`).

Adversary: as in `mpc.replicated`. Unreviewed.
"""

from dataclasses import dataclass, field

from quorate.algebra.ring import Words
from quorate.mpc.buckets import BITS, RING, Algebra
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.streams import Stream
from quorate.mpc.tables import tagged
from quorate.mpc.tables.permutations import Places, permutation
from quorate.mpc.tables.table import Table
from quorate.transport.session import together


@dataclass(frozen=True, slots=True)
class Orders:
    """The two permutations of a shuffle that this party knows."""

    own: Places = field(repr=False)
    """p_i, known to party i-1 too."""

    next: Places = field(repr=False)
    """p_{i+1}, known to party i+1 too."""


async def shuffle(committee: Committee, table: Table) -> Table:
    """Return the rows in a new order: bits and numbers in the same.

    Cost, m words in all columns: 2 rounds, 8 * m, 16 * m and 8 * m bytes by parties 0, 1 and 2.
    Where the committee checks, that of `tagged.shuffled` for bits and for numbers.
    """
    label = committee.session.label()
    orders = Orders(
        permutation(Stream(committee.own_key, f"{label} order"), table.rows),
        permutation(Stream(committee.next_key, f"{label} order"), table.rows),
    )
    for_bits, for_numbers = committee.beside(2)
    bits, numbers = await together(
        _shuffled(for_bits, BITS, orders, table.bits),
        _shuffled(for_numbers, RING, orders, table.numbers),
    )
    return Table(bits, numbers)


async def _shuffled(committee: Committee, algebra: Algebra, orders: Orders, x: Share) -> Share:
    if not x.own.size:
        return x
    if not committee.checks:
        return await passed(committee, algebra, orders, x)
    tags = await tagged.tag(committee, algebra, x)
    moved = await passed(committee, algebra, orders, tags.beside(x))
    return await tagged.checked(committee, algebra, tags, moved)


async def passed(committee: Committee, algebra: Algebra, orders: Orders, x: Share) -> Share:
    """Return the rows after all three permutations, unchecked.

    Cost, m words: 2 rounds, 8 * m, 16 * m and 8 * m bytes by parties 0, 1 and 2
    """
    label, shape = committee.session.label(), x.shape
    masks = [Stream(key, f"{label} masks") for key in (committee.own_key, committee.next_key)]

    def drawn(stream: Stream) -> Words:
        return stream.words(x.own.size).reshape(shape)

    match committee.me:
        case 0:
            z_after, z, a, b = *map(drawn, masks), *map(drawn, masks)
            return await _from_zeroth(committee, algebra, orders, x, (z, z_after, a, b))
        case 1:
            return await _from_first(
                committee, algebra, orders, x, drawn(masks[0]), drawn(masks[0])
            )
        case _:
            return await _from_second(
                committee, algebra, orders, x, drawn(masks[1]), drawn(masks[1])
            )


async def _from_zeroth(
    committee: Committee,
    algebra: Algebra,
    orders: Orders,
    x: Share,
    masks: tuple[Words, Words, Words, Words],
) -> Share:
    z, z_after, a, b = masks
    algebra.add(z, x.own, out=z)
    algebra.add(z, x.next, out=z)
    moved = z.take(orders.next.take(orders.own), axis=0)
    algebra.add(moved, z_after, out=moved)
    await committee.session.route(moved, to=[1], like=moved)
    await committee.session.route(like=moved)
    return Share(a, b)


async def _from_first(
    committee: Committee, algebra: Algebra, orders: Orders, x: Share, z: Words, b: Words
) -> Share:
    route = committee.session.route
    algebra.subtract(x.next, z, out=z)
    sent = z.take(orders.own, axis=0)
    moved = (await route(sent, to=[2], senders=[0], like=sent))[0].take(orders.next, axis=0)
    algebra.subtract(moved, b, out=moved)
    other = (await route(moved, to=[2], senders=[2], like=moved))[2]
    return Share(b, algebra.add(moved, other))


async def _from_second(
    committee: Committee, algebra: Algebra, orders: Orders, x: Share, z_after: Words, a: Words
) -> Share:
    route = committee.session.route
    received = (await route(senders=[1], like=x.own))[1].take(orders.next, axis=0)
    algebra.subtract(received, z_after, out=received)
    moved = received.take(orders.own, axis=0)
    algebra.subtract(moved, a, out=moved)
    other = (await route(moved, to=[1], senders=[1], like=moved))[1]
    return Share(algebra.add(moved, other), a)
