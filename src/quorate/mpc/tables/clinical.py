"""Three queries over hospitals' rows that the literature measures [BEEKR17] [ORQ25].

Recurrent C. diff: patients with two consecutive diagnoses 15 to 56 days apart. Aspirin: patients
with a heart disease who were given aspirin on the day of a diagnosis or after it. Comorbidity: the
commonest diagnoses among a cohort's patients. Each can be run over all rows, which code is in
which row staying secret, or over what members have chosen and grouped among their own.

What is public: how many rows there are, which members fill up, and the result.
Adversary: as in `mpc.replicated`. Unreviewed.
"""

from dataclasses import dataclass, field

import numpy as np

from quorate.algebra.ring import Words
from quorate.mpc import comparison
from quorate.mpc.boolean import BitShare, both, invert
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.replicated import Committee, Share, local, public
from quorate.mpc.tables import groups
from quorate.mpc.tables.equality import is_new, is_zero, joined
from quorate.mpc.tables.joins import by_key, join
from quorate.mpc.tables.keys import (
    Column,
    Layout,
    column_of,
    in_bits,
    is_set,
    only_masked,
    written,
)
from quorate.mpc.tables.match import Sides, match
from quorate.mpc.tables.owned import repeated, sums_by_code
from quorate.mpc.tables.permutations import Places, inverse
from quorate.mpc.tables.sorting import sort
from quorate.mpc.tables.table import Table, column, settled, take

PATIENT, DAY, SIDE, CODE, COUNT = (
    Column(24),
    Column(14),
    Column(1),
    Column(10),
    Column(20, descending=True),
)
EPISODES = Layout((PATIENT, DAY))
EVENTS = Layout((PATIENT, DAY, SIDE))
"""Diagnoses are of side 0 and medications of side 1: on one day the diagnosis is first."""

COHORT = by_key((PATIENT,))
CODES = Layout((CODE,))
LARGEST = Layout((COUNT, CODE))
LEAST_DAYS, MOST_DAYS = 15, 56


@dataclass(frozen=True, slots=True)
class Top:
    """The commonest codes, the first the commonest: numbers, XOR-shared."""

    codes: Share = field(repr=False)
    counts: Share = field(repr=False)


async def chosen(committee: Committee, table: Table, codes: Share, wanted: Words) -> Table:
    """Return the rows, invalid but where their code is the one that is wanted of them."""
    others = local(np.bitwise_xor, codes, public(committee, wanted))
    found = await is_zero(committee, local(lambda part: part[:, None], others))
    valid = groups.is_valid(committee, table.bits)
    marks = await both(committee, found, valid)
    return Table(groups.valid_where(committee, table.bits, marks), table.numbers)


async def recurrent(committee: Committee, episodes: Table, pace: Pace = NEAR) -> Share:
    """Return how many patients had two consecutive episodes 15 to 56 days apart.

    Rows are written by `EPISODES`, and the day is their number.
    """
    rows = await sort(committee, episodes, EPISODES, pace)
    patient = EPISODES.mask(0)
    days = column(rows.numbers, 0)
    apart = local(lambda part: np.diff(part, prepend=part[:1]), days)
    size = rows.rows
    least, most = (public(committee, np.full(size, n, np.uint64)) for n in (LEAST_DAYS, MOST_DAYS))
    outside = local(lambda d, a, b: np.concatenate((d - a, b - d)), apart, least, most)
    is_outside = await comparison.is_negative(committee, settled(outside))
    inside = invert(committee, is_outside)
    new = await is_new(committee, only_masked(rows.bits, patient))
    again = invert(committee, new)
    pair = joined(again, groups.is_valid(committee, rows.bits))
    met = await both(committee, pair, inside)
    marks = await both(committee, *_halves(met))
    return await groups.distinct(committee, rows, marks, patient, pace)


async def treated_after(committee: Committee, events: Table, pace: Pace = NEAR) -> Share:
    """Return how many patients have a row of side 1 on the day of one of side 0, or later.

    Rows are written by `EVENTS`. If there are two such rows, some two neighbours are such.
    """
    rows = await sort(committee, events, EVENTS, pace)
    patient = EVENTS.mask(0)
    side = is_set(column_of(committee, rows.bits, EVENTS, 2))
    before = BitShare(*(np.concatenate((part[:1], part[:-1])) for part in (side.own, side.next)))
    new = await is_new(committee, only_masked(rows.bits, patient))
    again = invert(committee, new)
    pair = joined(again, side)
    other = joined(groups.is_valid(committee, rows.bits), invert(committee, before))
    marks = await both(committee, *_halves(await both(committee, pair, other)))
    return await groups.distinct(committee, rows, marks, patient, pace)


async def commonest(
    committee: Committee, cohort: Table, diagnoses: Table, top: int, pace: Pace = NEAR
) -> Top:
    """Return the commonest codes of the diagnoses of a cohort's patients, each in it once.

    Rows are written by `COHORT`, with a second lane for the code, 0 in the cohort's;
    their number is 1, in padding 0.
    """
    met = await join(committee, cohort, diagnoses, COHORT, pace)
    codes = column(met.bits, COHORT.lanes)
    table = Table(written(committee, CODES, [codes]), local(lambda part: part[:, None], met.met))
    rows = await sort(committee, table, CODES, pace)
    found = await groups.sums(committee, rows, CODES.mask(0), 1 << CODE.bits, pace)
    return await largest(
        committee, column_of(committee, found.bits, CODES, 0), column(found.numbers, 0), top, pace
    )


@dataclass(frozen=True, slots=True)
class Diagnoses:
    """A member's own rows: its distinct patients; of each row the patient's place, and a code."""

    patients: Words = field(repr=False)
    of: Places = field(repr=False)
    codes: Places = field(repr=False)


async def counts_of_cohort(
    committee: Committee,
    sides: Sides,
    rows: int,
    diagnoses: Diagnoses | None = None,
    cohort: Words | None = None,
) -> Share:
    """Return for each code how many of the receiver's rows are of a patient in the cohort, (1024,).

    The receiver gives its diagnoses, the provider the cohort's numbers. The third party sees how
    many patients are in both. Every patient has a row. A committee that checks is refused.

    Cost: `match` of patients, `owned.repeated` and `owned.sums_by_code` of rows: 9 rounds
    """
    nothing = np.zeros((sides.provided, 0), np.uint64)
    ids = cohort if diagnoses is None else diagnoses.patients
    met = await match(committee, sides, ids, nothing)
    of, codes = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    if diagnoses is not None:
        places = inverse(met.order)[diagnoses.of]
        by_patient = np.argsort(places, kind="stable")
        of, codes = places[by_patient], diagnoses.codes[by_patient]
    hits = await repeated(committee, sides.receiver, met.met, of)
    sums = await sums_by_code(committee, sides.receiver, hits, codes, 1 << CODE.bits)
    return column(sums, 0)


async def largest(
    committee: Committee, codes: Share, counts: Share, top: int, pace: Pace = NEAR
) -> Top:
    """Return the codes with the largest counts, below 2^20; where equal, the least code first."""
    words = await in_bits(committee, counts, COUNT.bits)
    table = written(committee, LARGEST, [words, codes])
    nothing = local(lambda part: part[:, :0], table)
    rows = take(await sort(committee, Table(table, nothing), LARGEST, pace), slice(top))
    found = (column_of(committee, rows.bits, LARGEST, i) for i in (1, 0))
    return Top(*found)


def _halves(x: BitShare) -> tuple[BitShare, BitShare]:
    half = x.own.size // 2
    first, second = (slice(half), slice(half, None))
    return BitShare(x.own[first], x.next[first]), BitShare(x.own[second], x.next[second])
