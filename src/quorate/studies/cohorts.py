"""Which rows a study is about, and by how many two studies differ: what the guard compares.

A study's *cohorts* are the rows that satisfy each of its conditions. A row is known by a mark: 64
bits of a hash of its whole text under a secret of its member, so a corrected row is another.
Marks never leave a node. How many marks two cohorts do not share leaves it as one of the numbers
that `runners.guard` adds up in shares.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quorate.studies.analyses.kinds import every_input
from quorate.studies.inputs import columns_in
from quorate.studies.plan import Plan
from quorate.studies.query import Predicate
from quorate.studies.scan import marks_query, readings_of
from quorate.studies.sources import Source, check_rows, scanned

Marks = NDArray[np.uint64]
Where = tuple[Predicate, ...]

MOST_PAIRS = 256
"""Of cohorts that one run compares: those with the newest releases."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two cohorts: one of the study, and one of an earlier plan, or another of its own."""

    own: int
    plan: bytes  # digest of the earlier plan, or of the study's own
    other: int


def cohorts_of(plan: Plan) -> tuple[Where, ...]:
    """Return a plan's conditions, each once, in order."""
    inputs = every_input(plan.study, len(plan.members))
    return tuple(dict.fromkeys(item.cells.where for item in inputs))


def pairs_of(plan: Plan, earlier: Sequence[Plan]) -> tuple[Pair, ...]:
    """Return what is compared: cohorts of the plan with one another, then with `earlier` ones."""
    return tuple(_pairs(plan, earlier))[:MOST_PAIRS]


def marks_of(source: Source, plan: Plan, secret: bytes) -> tuple[Marks, ...]:
    """Return the marks of this member's rows in each cohort. Raises `DataError`, `Unavailable`."""
    wheres = cohorts_of(plan)
    names = set().union(*map(columns_in, wheres))
    with scanned(source) as (database, scan):
        read = readings_of(scan, [c for c in plan.study.table.columns if c.name in names])
        check_rows(source, plan.study.max_rows, database, scan, read)
        found = [
            database.execute(marks_query(scan, read, where, secret.hex())).fetchnumpy()["mark"]
            for where in wheres
        ]
    return tuple(np.sort(np.asarray(marks, np.uint64)) for marks in found)


def difference(one: Marks, other: Marks) -> int:
    """Return how many rows are in one of two cohorts and not in the other."""
    both = np.concatenate([one, other])
    sides = np.concatenate([np.ones(len(one)), -np.ones(len(other))])
    _, place = np.unique(both, return_inverse=True)
    return int(np.abs(np.bincount(place, weights=sides)).sum()) if len(both) else 0


def _pairs(plan: Plan, earlier: Sequence[Plan]) -> Iterator[Pair]:
    own = cohorts_of(plan)
    for i in range(len(own)):
        yield from (Pair(i, plan.digest(), k) for k in range(i))
    for before in earlier:
        if before.study.table.name == plan.study.table.name:
            theirs = range(len(cohorts_of(before)))
            yield from (Pair(i, before.digest(), k) for i in range(len(own)) for k in theirs)
