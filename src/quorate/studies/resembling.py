"""Count persons whose names may hold typing errors: each once, if like none of a member before.

At home each member makes of each of its persons the set of its pairs of letters, as zeros and ones
(`persons.filters`), and puts it into a block by one part of the key, of which all make the same
block. Blocks are filled up, and only persons of one block are compared, each with each, on shares:

    likeness     2 |x AND y| / (|x| + |y|) at least n / d          [Dice, as in SBR09]
    persons      those like nobody of a member before, in the roster's order
    events       those with the event, like nobody with it of a member before

Nothing is revealed but what `linking.guarded` shows of these. No sort: rounds and bytes are exact.

Adversary: as in `mpc.replicated`; a member deals what sets it likes. Unreviewed.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from quorate.algebra.bits import columns
from quorate.errors import DataError
from quorate.mpc import cost as mpc_cost
from quorate.mpc import price, secret
from quorate.mpc.cost import Cost
from quorate.mpc.engine import Engine, Oracle, Secure
from quorate.mpc.expression import Value
from quorate.mpc.price import NOTHING, Claims
from quorate.mpc.replicated import Committee, Security, Share
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate
from quorate.mpc.tables.keys import Column, Layout
from quorate.mpc.tables.linkage import likeness_above
from quorate.mpc.tables.table import Table
from quorate.studies.analyses.asked import Asked
from quorate.studies.analyses.linkage import (
    block_of,
    blocks_of,
    has_event,
    likeness_of,
    parts_of,
    room_of,
)
from quorate.studies.committee import PACE
from quorate.studies.linking import as_words, guarded, marks_of, own_persons
from quorate.studies.persons import FILTER_BITS, blocks, filters
from quorate.studies.tables import OwnTable, Rows, Shape

LAYOUT = Layout((Column(1),), tie_bits=0)
"""Whether the person has the event."""


def shape(asked: Asked) -> Shape:
    return Shape(blocks_of(asked) * room_of(asked), LAYOUT.lanes, FILTER_BITS)


def own(asked: Asked, rows: Rows) -> OwnTable:
    """Return a row of each of a member's persons in its block, filled up. Raises `DataError`."""
    found, room = own_persons(asked, rows), room_of(asked)
    columns = [[texts[i] for i in found.first] for texts in rows.texts]
    block = np.zeros(found.first.size, np.int64)
    if (part := block_of(asked)) is not None:
        block = blocks(part, columns[-1], blocks_of(asked))
    order = np.argsort(block, kind="stable")
    sizes = np.bincount(block, minlength=blocks_of(asked))
    if sizes.max() > room:
        raise DataError(
            f"{sizes.max()} persons are in one block, and there is room for {room}",
            hint="agree on a study with fewer blocks, or with a larger max_rows",
        )
    firsts = np.cumsum(sizes) - sizes
    places = block[order] * room + np.arange(order.size) - firsts[block[order]]
    size = shape(asked)
    bits, numbers = LAYOUT.padding(size.rows), np.zeros((size.rows, size.numbers), np.uint64)
    bits[places] = LAYOUT.packed([found.event[order]])
    parts = parts_of(asked)
    numbers[places] = filters(parts, columns[: len(parts)])[order]
    return OwnTable(bits, numbers)


async def linked(asked: Asked, committee: Committee, _: OwnTable, tables: Sequence[Table]) -> Share:
    """Return the words that are told, as `linking.linked` does.

    Cost: that of `cost`
    """
    marks = await marks_of(committee, tables, LAYOUT, 0)
    engine = Secure(committee, PACE)
    told = _told(asked, engine, marks, [one.numbers for one in tables])
    return await as_words(engine, told)


def cost(asked: Asked, security: Security) -> Cost:
    """Return what `linked` and verifying it take."""
    size, marks = shape(asked), 2 * asked.members * shape(asked).rows
    checks = security == "malicious"
    nothing = np.broadcast_to(np.zeros((), np.uint64), (size.rows, size.numbers))
    told = _told(asked, Oracle(security), np.zeros(marks, np.uint64), [nothing] * asked.members)
    claimed = Claims(products=2 * marks, ands=columns(marks // 2)) if checks else NOTHING
    done = price.computing([told.node], PACE, security, claimed)
    lifted = mpc_cost.to_ring(marks)
    lifted = lifted.beside(Cost(0, lifted.bytes_sent)) if checks else lifted
    after = price.verification(done.claims, PACE)
    return mpc_cost.both(marks // 2).then(lifted).then(done.cost).then(after)


def _told(asked: Asked, engine: Engine, marks: Value, sets: Sequence[Value]) -> SecretArray:
    n, rows = asked.members, shape(asked).rows
    both = secret.held(engine, marks, shape=(2 * n * rows,), limit=1)
    valid = both[: n * rows].reshape(n, rows)
    people = [secret.held(engine, one, shape=(rows, FILTER_BITS), limit=1) for one in sets]
    like = _alike(asked, people)
    persons = _counted(valid, like)
    events = persons
    if has_event(asked):
        event = both[n * rows :].reshape(n, rows)
        of_first = event[np.array([g for g, _ in combinations(range(n), 2)])]
        with_event = of_first.reshape(*like.shape[:3], 1)
        events = _counted(event, secret.promised(like * with_event, 1))
    return guarded(asked, valid.sum(axis=1), persons, events)


def _alike(asked: Asked, people: Sequence[SecretArray]) -> SecretArray:
    """Return 1 where two persons are alike, (pairs of members, blocks, room, room)."""
    count, room = blocks_of(asked), room_of(asked)
    here = [slice(i * room, (i + 1) * room) for i in range(count)]
    scores = [
        likeness_above(x[at], y[at], likeness_of(asked)).reshape(-1)
        for x, y in combinations(people, 2)
        for at in here
    ]
    return ((concatenate(scores) >= 0) + 0).reshape(-1, count, room, room)


def _counted(marks: SecretArray, like: SecretArray) -> SecretArray:
    """Return how many marked rows (members, rows) are like none of a member before, (1,)."""
    n, rows = marks.shape
    pairs = list(combinations(range(n), 2))
    alike = like.sum(axis=2).reshape(len(pairs), rows)
    before = [
        alike[np.array([k for k, (_, later) in enumerate(pairs) if later == h])].sum(axis=0)
        for h in range(1, n)
    ]
    is_new = (concatenate(before) == 0) + 0
    later = secret.promised(marks[1:].reshape(-1) * is_new, 1)
    return secret.promised(marks[0].sum() + later.sum(), n * rows).reshape(1)
