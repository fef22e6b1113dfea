"""One of the three changes what it sends of a count of persons: the right count, or an abort."""

from functools import partial

import numpy as np

from quorate.algebra.ring import Words
from quorate.mpc.replicated import Committee, Share, public
from quorate.mpc.tables.table import Table
from quorate.studies.relational.counting import counted, own_table
from quorate.studies.relational.reader import read_count
from tests.mpc.cheating import Program, assert_right_or_blameless, flipped, honest, messages
from tests.mpc.tables.test_cheating import only
from tests.parties import run_parties
from tests.studies.relational.test_counting import MAX_ROWS, SPREAD, TABLES, TREATED, own_keys

QUERY = read_count("r", TREATED, TABLES)
OWN = [own_table(QUERY, own_keys(QUERY, member), MAX_ROWS) for member in SPREAD]
BITS = np.concatenate([one.bits for one in OWN])
MARKS = np.concatenate([one.numbers for one in OWN])
EVERY = 5
"""Of the messages one in so many is changed, in a run of its own."""


async def count(committee: Committee, marks: Share) -> Share:
    return await counted(QUERY, 2, committee, [Table(public(committee, BITS), marks)])


def is_right(found: Words) -> bool:
    return np.array_equal(found, [2, 1])


COUNT = Program(count, (MARKS,), is_right)


def test_one_of_the_three_that_deviates_ends_the_run_and_bends_no_count() -> None:
    targets = messages(COUNT)[::EVERY]
    ended = 0
    for target in targets:
        fault = only(target, partial(flipped, bit=0))
        ended += assert_right_or_blameless(COUNT, fault, target.sender, COUNT)
    assert ended > len(targets) // 2


def test_control_where_nothing_is_checked_a_count_is_bent_unnoticed() -> None:
    run = partial(COUNT, security="semi-honest")
    wrong = 0
    for target in messages(run):
        outcomes = run_parties(run, 3, only(target, partial(flipped, bit=0)))
        found = honest(outcomes, target.sender)
        wrong += any(isinstance(one, np.ndarray) and not is_right(one) for one in found)
    assert wrong
