"""Sorting secret rows: shuffle them, then reveal their order, which is a random one [HKI12].

Every row is given its number before the shuffle, secret afterwards, as the last thing that is
compared. So rows that are alike keep their order (the sort is stable), and what comparisons
say never depends on whether rows are alike. Adversary: as in `mpc.replicated`. Unreviewed.
"""

from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.replicated import Committee
from quorate.mpc.tables.halves import reversed_bits
from quorate.mpc.tables.keys import Layout, masked, numbered
from quorate.mpc.tables.ranking import order
from quorate.mpc.tables.shuffle import shuffle
from quorate.mpc.tables.table import Table, columns, take


async def sort(committee: Committee, table: Table, layout: Layout, pace: Pace = NEAR) -> Table:
    """Return the rows in the order of their bits, written as the layout says; stable.

    Lanes beyond the layout's are carried along and not compared.

    Cost: that of `shuffle`, then of `ranking.order`. What is sent does not depend on the rows.
    """
    shuffled = await shuffle(
        committee, Table(numbered(committee, table.bits, layout), table.numbers)
    )
    keys = columns(shuffled.bits, slice(layout.lanes))
    ordered = take(shuffled, await order(committee, reversed_bits(keys), pace))
    return Table(masked(ordered.bits, layout.without_tie()), ordered.numbers)
