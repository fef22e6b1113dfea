"""Moving secret rows to secret places, and marked rows to the front, in their order [AHIK22].

Where a row is to go is computed on shares; the rows are shuffled together with it, and then it is
revealed: a shuffled permutation is uniformly random, whatever it is. How many rows are marked
is not told either. Adversary: as in `mpc.replicated`; what is computed is verified before
the shuffle, and the shuffle before the places are revealed. Unreviewed.
"""

from typing import TYPE_CHECKING, cast

import numpy as np

from quorate.errors import Abort
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.replicated import SEATS, Committee, Share, local, mul, public, reveal
from quorate.mpc.tables.permutations import Places, inverse, is_permutation
from quorate.mpc.tables.shuffle import shuffle
from quorate.mpc.tables.table import Table, beside, column, columns, read, settled, take
from quorate.mpc.verification import verify

if TYPE_CHECKING:
    from quorate.algebra.ring import Words


async def moved(committee: Committee, table: Table, places: Share, pace: Pace = NEAR) -> Table:
    """Return each row in the place that is secretly its own: all places, each once.

    Raises `Abort` if they are not.

    Cost, r rows, m words of them: that of `shuffle` of m + r words, and a reveal of r numbers
    """
    await verify(committee, pace)
    whole = Table(table.bits, beside(places, table.numbers))
    shuffled = await shuffle(committee, whole)
    to = await _revealed(committee, column(shuffled.numbers, 0))
    if not is_permutation(to):
        raise Abort("rows were sent to places that are not theirs: one of the members deviated")
    rest = Table(shuffled.bits, columns(shuffled.numbers, slice(1, None)))
    return take(rest, inverse(to))


async def _revealed(committee: Committee, places: Share) -> Places:
    found = cast("Words", await reveal(committee, settled(places), range(SEATS)))
    return read(found).view(np.int64)


async def compact(committee: Committee, table: Table, marks: Share, pace: Pace = NEAR) -> Table:
    """Return the rows whose mark is 1 first, then those whose mark is 0, each in their order.

    Place of a marked row: the marked ones before it; of another, all marked and the others before.

    Cost, r rows, m words of them: 1 round, 8 * r bytes a party, then that of `moved`
    """
    rows = table.rows
    ahead = local(np.cumsum, marks)
    total = local(lambda part: np.broadcast_to(part[-1:], part.shape), ahead)
    numbers = public(committee, np.arange(rows, dtype=np.uint64))
    # Of n rows up to and with this one a are marked: the others before it are n - a - (not marked).
    behind = local(lambda all_, n, a: all_ + n - a, total, numbers, ahead)
    ones = public(committee, np.ones(rows, np.uint64))
    if_marked = local(lambda a, one, other: a - one - other, ahead, ones, behind)
    places = await mul(committee, marks, if_marked)
    return await moved(committee, table, local(np.add, places, behind), pace)
