"""Count the persons of several members, each once, and those with an event: on shares alone.

At home each member makes one row of each of its persons: a key, and whether any row of the person
has the event. Of everybody's rows, filled up, are computed on shares

    persons      distinct keys                     duplicates   rows - persons
    events       distinct keys of a row with it    allowed      whether it may be shown

and nothing is revealed but these, where allowed, and that bit.

Adversary: as in `mpc.tables`; a member deals what rows it likes. From [AHIK22] and [ORQ25].
Unreviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from quorate.algebra.bits import BITS
from quorate.algebra.ring import Words
from quorate.mpc import cost as mpc_cost
from quorate.mpc import price, secret
from quorate.mpc.boolean import both, to_ring
from quorate.mpc.cost import Cost
from quorate.mpc.engine import Engine, Oracle, Secure
from quorate.mpc.expression import Value
from quorate.mpc.price import NOTHING, Claims
from quorate.mpc.replicated import Committee, Security, Share, local
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate
from quorate.mpc.tables.equality import joined
from quorate.mpc.tables.groups import is_valid
from quorate.mpc.tables.keys import Layout, column_of, is_set
from quorate.mpc.tables.linkage import PERSONS, persons
from quorate.mpc.tables.price import sort_at_most
from quorate.mpc.tables.table import Table, none_of, stacked
from quorate.studies.analyses.asked import Asked
from quorate.studies.analyses.guards import all_of, is_large_or_none, shown
from quorate.studies.analyses.kinds import LEAST_MEMBERS
from quorate.studies.analyses.linkage import has_event, outcome_of, parts_of, read_parts
from quorate.studies.committee import PACE
from quorate.studies.persons import keys
from quorate.studies.tables import OwnTable, Reads, Rows, Shape

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OwnPersons:
    """A member's own persons, in the order of their keys."""

    keys: Numbers = field(repr=False)
    first: Numbers = field(repr=False)
    """Of each, its first row."""

    event: Numbers = field(repr=False)
    """Of each, 1 if any row has the event."""


AROUND_SORT, ANDS = 17, 134
"""Rounds of the steps beside the sort, but for the guard's, and their ANDs for 64 rows."""


def reads(asked: Asked) -> Reads:
    """Return what a member reads of its file to link its persons."""
    columns = (outcome_of(asked),) if has_event(asked) else ()
    texts = tuple(part.column for part in read_parts(asked))
    return Reads(columns, texts, asked.analysis.where)


def shape(asked: Asked) -> Shape:
    return Shape(asked.study.max_rows, PERSONS.lanes)


def own(asked: Asked, rows: Rows) -> OwnTable:
    """Return a row of each of a member's persons, filled up. Raises `DataError`."""
    found = own_persons(asked, rows)
    bits = PERSONS.packed([found.keys, found.event])
    filling = PERSONS.padding(asked.study.max_rows - found.keys.size)
    return OwnTable(np.concatenate((bits, filling)), np.zeros((asked.study.max_rows, 0), np.uint64))


def own_persons(asked: Asked, rows: Rows) -> OwnPersons:
    """Return a member's persons by their keys. Raises `DataError`."""
    parts = parts_of(asked)
    found, first, of = np.unique(
        keys(parts, rows.texts[: len(parts)]), return_index=True, return_inverse=True
    )
    event = np.zeros(found.size, np.int64)
    event[of[_has_event(asked, rows)]] = 1
    return OwnPersons(found.astype(np.int64), first, event)


async def linked(asked: Asked, committee: Committee, _: OwnTable, tables: Sequence[Table]) -> Share:
    """Return the words that are told: the numbers, for each a 1 if it is shown, and the bit.

    Cost: `groups.is_valid` and `boolean.to_ring` of a bit a row, `linkage.persons`, and the guard
    """
    rows = await _rows_of_each(committee, tables)
    everybody = stacked([one.bits for one in tables])
    found = await persons(committee, Table(everybody, none_of(len(everybody.own))), PACE)
    engine = Secure(committee, PACE)
    return await as_words(engine, told_of(asked, engine, rows, found.distinct, found.events))


async def marks_of(committee: Committee, tables: Sequence[Table], layout: Layout, i: int) -> Share:
    """Return 1 for each row that is more than filling, then for each of these that has column i.

    Cost, m rows: 1 round for a bit a row, `boolean.to_ring` of 2 * m bits
    """
    valid = joined(*(is_valid(committee, one.bits) for one in tables))
    event = joined(*(is_set(column_of(committee, one.bits, layout, i)) for one in tables))
    return await to_ring(committee, joined(valid, await both(committee, event, valid)))


async def as_words(engine: Secure, told: SecretArray) -> Share:
    """Compute what is told."""
    (value,) = await engine.compute([told.node])
    if not isinstance(value, Share):
        raise TypeError("what is told of persons are words")
    return value


def cost(asked: Asked, security: Security) -> Cost:
    """Return what `linked` and verifying it take, at most."""
    rows, one = asked.rows, np.zeros(1, np.uint64)
    c = -(-rows // BITS)
    told = told_of(asked, Oracle(security), np.zeros(asked.members, np.uint64), one, one)
    sent = 8 * (1 + ANDS) * c
    bits = Cost(AROUND_SORT, (sent, sent, sent)).then(mpc_cost.to_ring(6 * rows))
    claimed = Claims(products=6 * rows, ands=ANDS * c) if security == "malicious" else NOTHING
    done = price.computing([told.node], PACE, security, claimed)
    after = price.verification(done.claims, PACE)
    sorted_rows = sort_at_most(rows, PERSONS.lanes, security)
    return sorted_rows.then(bits).then(done.cost).then(after)


def told_of(asked: Asked, engine: Engine, each: Value, one: Value, other: Value) -> SecretArray:
    """Return what is told of rows of each member, distinct persons and those with the event."""
    rows = _held(engine, each, asked.members, asked.study.max_rows)
    distinct, events = (_held(engine, value, 1, asked.rows) for value in (one, other))
    return guarded(asked, rows, distinct, events)


def guarded(
    asked: Asked, rows: SecretArray, distinct: SecretArray, events: SecretArray
) -> SecretArray:
    """Return what is told of these numbers: they, a 1 for each, and one; or zeros.

    `rows` are those of each member, (members,), and what is counted of them (1,).
    """
    duplicates = secret.promised(rows.sum().reshape(1) - distinct, asked.rows)
    without = secret.promised(distinct - events, asked.rows)
    counts = [distinct, duplicates, *([events] if has_event(asked) else [])]
    guarded = concatenate([*counts, *([without] if has_event(asked) else [])])
    fine = all_of(is_large_or_none(guarded, asked.study.min_cell))
    allowed = fine.reshape(1)
    if asked.study.min_cell > 1:
        members = ((rows >= 1) + 0).sum().reshape(1)
        allowed = shown(allowed, (members >= LEAST_MEMBERS) + 0)
    numbers = concatenate(counts)
    return concatenate([shown(numbers, allowed), *[allowed] * (len(counts) + 1)])


async def _rows_of_each(committee: Committee, tables: Sequence[Table]) -> Share:
    """Return how many rows of each table are more than filling, (tables,)."""
    valid = joined(*(is_valid(committee, one.bits) for one in tables))
    words = await to_ring(committee, valid)
    return local(partial(_added_up, len(tables)), words)


def _added_up(parts: int, words: Words) -> Words:
    sums: Words = words.reshape(parts, -1).sum(axis=1)
    return sums


def _has_event(asked: Asked, rows: Rows) -> NDArray[np.bool_]:
    if not has_event(asked):
        return np.zeros(len(rows.numbers), np.bool_)
    return np.asarray(rows.numbers[:, 0] == asked.value_of("event", outcome_of(asked)), np.bool_)


def _held(engine: Engine, value: Value, size: int, limit: int) -> SecretArray:
    return secret.held(engine, value, shape=(size,), limit=limit)
