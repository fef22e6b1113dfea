"""Rows taken by an order that one party knows, without a comparison [ours].

Owner g knows which rows of a secret table are wanted, each at most once. It and party g+1 draw a
permutation rho and masks z; with w = x_{g+1} + x_{g+2}:

    g+1 -> g-1:  t = rho(w) + z        g -> g-1:  psi = rho^-1(places)

Party g-1 sees noise and a random injection. Then t(psi) at g-1 and x_g(places) - z(psi) at g add
up to the rows that are wanted; the two replicate them (`replicated_by_two`).

Adversary: three parties, at most one corrupt and curious: nothing of it can be verified, so a
committee that checks is refused. Unreviewed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.ring import Words
from quorate.errors import Abort, DataError, Party
from quorate.mpc.replicated import SEATS, Committee, Share, local
from quorate.mpc.streams import Stream
from quorate.mpc.tables.permutations import Places, inverse, permutation
from quorate.mpc.tables.table import stacked
from quorate.transport.session import together

Indexes = NDArray[np.uint32]
Message = NDArray[Any]
"""Rows, or indexes of them."""


async def gathered(
    committee: Committee, owner: Party, x: Share, places: Places, *, spare: int = 0
) -> Share:
    """Return the rows of x at `places`, which `owner` gives; others only say how many.

    Beyond the last row of x there are `spare` rows of zeros. Raises `Abort` if places repeat.

    Cost, n rows and spare ones, q places, k columns: 2 rounds,
    4 * q + 8 * q * k, 8 * n * k and 8 * q * k bytes by the owner, the one after and the one before
    """
    committee.refuse_to_check()
    zeros = np.zeros((spare, x.shape[1]), np.uint64)
    whole, seat = stacked([x, Share(zeros, zeros)]), (committee.me - owner) % SEATS
    after, before = (owner + 1) % SEATS, (owner - 1) % SEATS
    for_rows, for_places = committee.beside(2)
    label, mine = for_rows.session.label(), whole.own.take(places, axis=0)
    like: Message = whole.own
    psi: Message = np.zeros(places.size, np.uint32)
    step, told = for_rows.session, for_places.session
    if seat == 0:
        order, masks = drawn(committee.next_key, label, like.shape)
        psi = inverse(order).take(places).astype(np.uint32)
        await together(step.route(like=like), told.route(psi, to=[before], like=psi))
        mine -= masks.take(psi, axis=0)
    elif seat == 1:
        order, masks = drawn(committee.own_key, label, like.shape)
        masks += (whole.own + whole.next).take(order, axis=0)
        await together(step.route(masks, to=[before], like=like), told.route(like=psi))
    else:
        rows, asked = step.route(senders=[after], like=like), told.route(senders=[owner], like=psi)
        table, wanted = await together(rows, asked)
        mine = table[after].take(injection(wanted[owner], len(like)), axis=0)
    (last,) = committee.beside(1)
    return await replicated_by_two(last, owner, mine)


async def sums_by_code(
    committee: Committee, owner: Party, x: Share, codes: Places, count: int
) -> Share:
    """Return the sums (count, columns) of rows by their codes 0 ... count - 1, which `owner` knows.

    Cost, n rows, q codes, k columns: 4 rounds; by the owner, the one after and the one before
    4 * n + 8 * q + 8 * k * (n + 2 * q), 8 * k * (2 * n + 2 * q) and 8 * k * (n + 2 * q) bytes
    """
    # A row of zeros for each code, so that every code has a last row.
    all_codes = np.concatenate((codes, np.arange(count)))
    by_code = np.argsort(all_codes, kind="stable")
    rows = await gathered(committee, owner, x, by_code, spare=count)
    totals = local(lambda part: np.cumsum(part, axis=0), rows)
    ends = np.cumsum(np.bincount(all_codes, minlength=count)) - 1
    found = await gathered(committee, owner, totals, ends)
    return local(lambda part: np.diff(part, axis=0, prepend=np.zeros_like(part[:1])), found)


async def repeated(committee: Committee, owner: Party, x: Share, of: Places) -> Share:
    """Return rows of x, each once or more and in order; `owner` alone knows how often.

    Each row is the one before and a difference, which is gathered where a row is first used.

    Cost: `gathered` of `of.size` places and as many spare rows
    """
    steps = local(lambda part: np.diff(part, axis=0, prepend=np.zeros_like(part[:1])), x)
    rows = x.shape[0]
    places = np.zeros(of.size, np.int64)
    if committee.me == owner:
        first = np.diff(of, prepend=-1) > 0
        if of.size and (int(first.sum()), int(of[-1])) != (rows, rows - 1):
            raise DataError("rows to repeat have to be in order, and each has to be there")
        places = np.where(first, of, rows + np.arange(of.size))
    found = await gathered(committee, owner, steps, places, spare=of.size)
    return local(lambda part: np.cumsum(part, axis=0), found)


async def replicated_by_two(committee: Committee, holder: Party, mine: Words) -> Share:
    """Replicate what `holder` g and the party before it hold additive shares of.

    x_{g+1} = F(k_{g+1}),  x_{g-1} = F(k_{g-1}),  x_g: what is left, which each tells the other.

    Cost, m words: 1 round, 8 * m, 0 and 8 * m bytes by g, the one after and the one before
    """
    committee.refuse_to_check()
    own, after = (stream.words(mine.size).reshape(mine.shape) for stream in committee.streams())
    route, before = committee.session.route, (holder - 1) % SEATS
    match (committee.me - holder) % SEATS:
        case 0:
            rest = mine - after
            told = await route(rest, to=[before], senders=[before], like=rest)
            return Share(rest + told[before], after)
        case 1:
            await route(like=mine)
            return Share(own, after)
        case _:
            rest = mine - own
            told = await route(rest, to=[holder], senders=[holder], like=rest)
            return Share(own, rest + told[holder])


def drawn(key: bytes, label: str, shape: tuple[int, ...]) -> tuple[Places, Words]:
    """Draw an order of rows, and masks for them, from a key of two parties."""
    rows, columns = shape
    masks = Stream(key, f"{label} masks").words(rows * columns).reshape(shape)
    return permutation(Stream(key, f"{label} order"), rows), masks


def injection(told: Indexes, rows: int) -> Places:
    """Return places that somebody told. Raises `Abort` unless each is a row, and none twice."""
    places = told.astype(np.int64)
    seen = np.zeros(rows, np.bool_)
    if places.size and places.max() >= rows:
        raise Abort("a row was asked for that is not there")
    seen[places] = True
    if int(seen.sum()) != places.size:
        raise Abort("a row was asked for twice")
    return places
