"""Count persons of three members by matching their keys in pairs: quick, and it tells something.

The table of each member is that of `linking`. Members 0, 1 and 2 match the keys of all their
persons, then of those with the event (`mpc.tables.match`): 1 with 0, 2 with 0 and 2 with 1. With
m_gh 1 for a person of member g that h has too,

    persons = rows - sum m_10 - sum (m_20 + m_21 - m_20 m_21)

on shares. The third of each match sees how many persons the two have in common, and how many of
these have the event at both: before anything is withheld, and whatever it is.

Adversary: three members, at most one corrupt and curious: a committee that checks is refused.
Unreviewed.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np

from quorate.algebra.bits import Bits
from quorate.algebra.ring import Words
from quorate.errors import Party
from quorate.mpc import cost as mpc_cost
from quorate.mpc import price
from quorate.mpc.cost import Cost
from quorate.mpc.engine import Oracle, Secure
from quorate.mpc.replicated import SEATS, Committee, Security, Share, local, mul
from quorate.mpc.tables.keys import INVALID, read_column
from quorate.mpc.tables.linkage import PERSONS
from quorate.mpc.tables.match import Matched, Sides, dummies, match
from quorate.mpc.tables.owned import gathered
from quorate.mpc.tables.permutations import inverse
from quorate.mpc.tables.table import Table, taken
from quorate.studies.analyses.asked import Asked
from quorate.studies.analyses.linkage import has_event
from quorate.studies.committee import PACE
from quorate.studies.linking import as_words, marks_of, told_of
from quorate.studies.tables import OwnTable
from quorate.transport.session import together

PAIRS = ((1, 0), (2, 0), (2, 1))
"""Receiver and provider of each match."""


async def linked(
    asked: Asked, committee: Committee, own: OwnTable, tables: Sequence[Table]
) -> Share:
    """Return the words that are told, as `linking.linked` does. Raises `Refused` where it checks.

    Cost: that of `cost`
    """
    marks = await marks_of(committee, tables, PERSONS, 1)
    half = marks.own.size // 2
    rows, events = (_by_member(taken(marks, at)) for at in (slice(half), slice(half, None)))
    is_person = own.bits[:, 0] < INVALID
    distinct = await _distinct(committee, rows, own, is_person)
    with_event = distinct
    if has_event(asked):
        happened_here = is_person & (read_column(own.bits, PERSONS, 1) == 1)
        with_event = await _distinct(committee, events, own, happened_here)
    engine = Secure(committee, PACE)
    return await as_words(engine, told_of(asked, engine, rows, distinct, with_event))


def cost(asked: Asked, security: Security) -> Cost:
    """Return what `linked` takes."""
    m, rows = asked.study.max_rows, asked.rows
    one = np.zeros(1, np.uint64)
    told = told_of(asked, Oracle(security), np.zeros(SEATS, np.uint64), one, one)
    done = price.computing([told.node], PACE, security).cost
    lifted = mpc_cost.both(rows).then(mpc_cost.to_ring(2 * rows))
    sent = [8 * m, 8 * m, 12 * m]  # by `gathered`, of which the last member is the owner
    for receiver, provider in PAIRS:
        sent[receiver] += 24 * m
        sent[provider] += 32 * m
        sent[SEATS - receiver - provider] += 12 * m
    once = Cost(3 + 2, (sent[0], sent[1], sent[2])).then(mpc_cost.mul(m))
    return reduce(Cost.then, [once] * (1 + has_event(asked)), lifted).then(done)


async def _distinct(committee: Committee, rows: Share, own: OwnTable, chosen: Bits) -> Share:
    """Return how many persons the rows of each member, (members,), are of: the chosen own ones."""
    nobody = dummies(committee.me, len(own.bits))
    ids = np.where(chosen, read_column(own.bits, PERSONS, 0), nobody)
    steps = zip(committee.beside(len(PAIRS)), PAIRS, strict=True)
    first, second, third = await together(*(_matched(step, pair, ids) for step, pair in steps))
    last, places = SEATS - 1, np.zeros(ids.size, np.int64)
    if committee.me == last:
        places = inverse(third.order)[second.order]
    at_first = await gathered(committee, last, third.met, places)
    at_both = await mul(committee, second.met, at_first)
    once = local(np.add, first.met, second.met)
    again = local(np.subtract, local(np.add, once, at_first), at_both)
    return local(_without, rows, again)


async def _matched(committee: Committee, pair: tuple[Party, Party], ids: Words) -> Matched:
    sides = Sides(*pair, ids.size, ids.size, 0)
    if committee.me == sides.third:
        return await match(committee, sides)
    return await match(committee, sides, ids, np.zeros((ids.size, 0), np.uint64))


def _without(rows: Words, again: Words) -> Words:
    left: Words = rows.sum(keepdims=True) - again.sum(axis=0)
    return left


def _by_member(marks: Share) -> Share:
    """Return how many rows of each member are marked."""
    return local(lambda part: part.reshape(SEATS, -1).sum(axis=1), marks)
