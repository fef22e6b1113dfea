"""Count the persons of several tables of several members, on shares: semi-joins and anti-joins.

At home each member makes one row of each of its persons: the key, and for each part of the
question a 1 if it has a row of the part. It needs nobody for that: each row lies at one member, so
its condition is that member's own matter. Everybody's rows, filled up, are sorted by key and
added up on shares. A person has a row of a part, at whatever member, where the sum is above 0.

Who holds what: each member its own rows; the three the shares; everybody the count, or that it is
withheld. Adversary: as in `mpc.tables`; a member deals what rows it likes. From [AHIK23] and
[ORQ25]. Unreviewed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quorate.errors import DataError
from quorate.mpc import comparison, secret
from quorate.mpc.boolean import BitShare, both, invert
from quorate.mpc.engine import Secure
from quorate.mpc.replicated import Committee, Share, local
from quorate.mpc.selection import concatenate
from quorate.mpc.tables import groups
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table, settled, stacked
from quorate.studies.analyses.guards import is_large_or_none, shown
from quorate.studies.committee import PACE
from quorate.studies.linking import as_words
from quorate.studies.relational.query import CountDistinct
from quorate.studies.tables import OwnTable, Shape


def shape(query: CountDistinct, max_rows: int) -> Shape:
    """Return how large a member's table of so many persons at most is."""
    return Shape(max_rows, query.layout.lanes, len(query.parts))


def own_table(query: CountDistinct, found: Sequence[NDArray[np.int64]], max_rows: int) -> OwnTable:
    """Return a row of each of a member's persons, filled up; `found` has the keys of each part.

    Raises `DataError` where there are more than `max_rows`.
    """
    keys = np.unique(np.concatenate(found))
    if keys.size > max_rows:
        what = f"{keys.size} persons, and a member's table has room for {max_rows}"
        raise DataError(what, hint="propose the study with a larger max_rows")
    filling = max_rows - keys.size
    bits = query.layout.packed([keys - query.least])
    marks = np.zeros((max_rows, len(query.parts)), np.uint64)
    for i, part in enumerate(found):
        marks[: keys.size, i] = np.isin(keys, part)
    return OwnTable(np.concatenate((bits, query.layout.padding(filling))), marks)


async def counted(
    query: CountDistinct, min_cell: int, committee: Committee, tables: Sequence[Table]
) -> Share:
    """Return two words: how many persons there are, or 0; and 1, or 0 where it is withheld.

    Withheld is a count of 1 to `min_cell` - 1.

    Cost, r rows of p parts: `sort`, `groups.sums`, `comparison.is_negative` of p * r numbers,
    p - 1 rounds of ANDs of r bits, `groups.count`, and the guard of one number
    """
    rows = Table(stacked([one.bits for one in tables]), stacked([one.numbers for one in tables]))
    ordered = await sort(committee, rows, query.layout, PACE)
    found = await groups.sums(committee, ordered, query.layout.mask(0), rows.rows, PACE)
    count = await groups.count(committee, await _are_counted(committee, query, found))
    engine = Secure(committee, PACE)
    persons = secret.held(engine, count, shape=(1,), limit=rows.rows)
    allowed = is_large_or_none(persons, min_cell) + 0
    return await as_words(engine, concatenate([shown(persons, allowed), allowed]))


async def _are_counted(committee: Committee, query: CountDistinct, found: Table) -> BitShare:
    """Return of each group whether every part has a row of it, or none, as is asked."""
    parts, size = len(query.parts), found.rows
    sums = local(lambda part: np.negative(part[:, :parts].T.reshape(-1)), found.numbers)
    there = await comparison.is_negative(committee, settled(sums))
    marks = _part_of(there, 0, size)
    for i, part in enumerate(query.parts[1:], 1):
        here = _part_of(there, i, size)
        marks = await both(committee, marks, invert(committee, here) if part.is_absent else here)
    return marks


def _part_of(bits: BitShare, i: int, size: int) -> BitShare:
    here = slice(i * size, (i + 1) * size)
    return BitShare(bits.own[here], bits.next[here])
