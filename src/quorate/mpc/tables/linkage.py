"""The same person at several hospitals: counted once, without anybody learning who it is.

Exact keys: the rows of all hospitals are sorted by key, and groups are counted. Keys with typing
errors: Dice's coefficient of two sets, 2 |x AND y| / (|x| + |y|), of sets that are given as rows of
zeros and ones [SBR09]. The sets stay secret, so nobody can look up how frequent one is.

Adversary: as in `mpc.replicated`. Unreviewed.
"""

from dataclasses import dataclass, field

from quorate.mpc.boolean import both
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.secret import SecretArray
from quorate.mpc.tables import groups
from quorate.mpc.tables.keys import Column, Layout, column_of, is_set
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table
from quorate.transport.session import together

KEY_BITS = 62
PERSONS = Layout((Column(KEY_BITS), Column(1, descending=True)))
"""The key of a person, and whether the row has the event: such a row is the first of its group."""


@dataclass(frozen=True, slots=True)
class Persons:
    """How many persons there are, and how many have the event: one number each."""

    distinct: Share = field(repr=False)
    events: Share = field(repr=False)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Sets are alike where Dice's coefficient is at least numerator / denominator."""

    numerator: int = 4
    denominator: int = 5


async def persons(committee: Committee, rows: Table, pace: Pace = NEAR) -> Persons:
    """Count the persons of all rows, which are written by `PERSONS`, and those with the event.

    Cost: `sort`, `groups.ends`, 1 round for a bit a row, `groups.count` twice at once
    """
    ordered = await sort(committee, rows, PERSONS, pace)
    first = (await groups.ends(committee, ordered, PERSONS.mask(0))).first
    event = is_set(column_of(committee, ordered.bits, PERSONS, 1))
    with_event = await both(committee, first, event)
    for_all, for_events = committee.beside(2)
    distinct, events = await together(
        groups.count(for_all, first), groups.count(for_events, with_event)
    )
    return Persons(distinct, events)


def likeness_above(x: SecretArray, y: SecretArray, likeness: Likeness) -> SecretArray:
    """Return of each pair of rows of x and of y a number: 0 or more where the sets are alike.

    2 d |x AND y| - n (|x| + |y|). Two empty sets are alike.

    Cost: 1 matrix product
    """
    sizes = x.sum(axis=1).reshape(-1, 1) + y.sum(axis=1).reshape(1, -1)
    return (x @ y.T) * (2 * likeness.denominator) - sizes * likeness.numerator
