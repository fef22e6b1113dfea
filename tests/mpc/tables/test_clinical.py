"""The three clinical queries against DuckDB over the pooled rows, over all rows and pushed down."""

from dataclasses import dataclass

import numpy as np
import pytest

from quorate.algebra.ring import Words
from quorate.mpc.replicated import Committee, Security, deal, public
from quorate.mpc.tables import clinical
from quorate.mpc.tables.clinical import COHORT, EPISODES, EVENTS, Diagnoses
from quorate.mpc.tables.match import Sides
from tests.mpc.tables.sharing import (
    SECURITIES,
    Draws,
    Ints,
    column_words,
    dealt_table,
    same_for_all,
    shown_bits,
    shown_numbers,
)
from tests.mpc.tables.test_groups import sql

C_DIFF, HEART, ASPIRIN = 8, 414, 1191

RECURRENT = """
WITH d AS (SELECT pid, day, lag(day) OVER (PARTITION BY pid ORDER BY day) AS last
           FROM diagnosis WHERE code = 8)
SELECT count(DISTINCT pid) FROM d WHERE day - last BETWEEN 15 AND 56"""
TREATED = """
SELECT count(DISTINCT d.pid) FROM diagnosis d JOIN medication m USING (pid)
WHERE d.day <= m.day AND d.code = 414 AND m.code = 1191"""
COMMONEST = """
SELECT code, count(*) AS n FROM diagnosis WHERE pid IN (SELECT pid FROM cohort)
GROUP BY code ORDER BY n DESC, code LIMIT 3"""


@dataclass(frozen=True, slots=True)
class Rows:
    """Generated rows: patient, day and code, of two tables; and a cohort."""

    pid: Ints
    day: Ints
    code: Ints
    cohort: Ints


def generated(seed: int, rows: int = 40, codes: tuple[int, ...] = (C_DIFF, HEART, 5)) -> Rows:
    rng = Draws(seed)
    return Rows(
        rng.integers(0, 9, rows),
        rng.integers(0, 120, rows),
        rng.choice(codes, rows),
        rng.permutation(9)[:4],
    )


def expected(query: str, rows: Rows, other: Rows) -> list[tuple[int, ...]]:
    return sql(
        query,
        diagnosis={"pid": rows.pid, "day": rows.day, "code": rows.code},
        medication={"pid": other.pid, "day": other.day, "code": other.code},
        cohort={"pid": rows.cohort},
    )


def recurrent(rows: Rows, *, pushed_down: bool, security: Security = "semi-honest") -> int:
    here = rows.code == C_DIFF if pushed_down else np.ones(rows.pid.size, np.bool_)
    bits = EPISODES.packed([rows.pid[here], rows.day[here]])
    filled = np.concatenate((bits, EPISODES.padding(3)))
    days = column_words(np.concatenate((rows.day[here], np.zeros(3, np.int64))))
    codes = np.concatenate((rows.code[here], np.zeros(3, np.int64))).view(np.uint64)

    async def protocol(committee: Committee) -> Words:
        table = await dealt_table(committee, filled, days)
        if not pushed_down:
            secret = await deal(committee, 2, codes, np.bitwise_xor)
            wanted = np.full(codes.size, C_DIFF, np.uint64)
            table = await clinical.chosen(committee, table, secret, wanted)
        return await shown_numbers(committee, await clinical.recurrent(committee, table))

    return int(same_for_all(protocol, security)[0])


@pytest.mark.parametrize("seed", range(12))
def test_recurrent_infections(seed: int) -> None:
    rows = generated(seed)
    ((count,),) = expected(RECURRENT, rows, rows)
    assert recurrent(rows, pushed_down=True) == count
    assert recurrent(rows, pushed_down=False) == count


def treated(
    rows: Rows, other: Rows, *, pushed_down: bool, security: Security = "semi-honest"
) -> int:
    if pushed_down:  # of each patient the first diagnosis and the last aspirin
        patients = [
            np.unique(rows.pid[rows.code == HEART]),
            np.unique(other.pid[other.code == ASPIRIN]),
        ]
        heart, aspirin = rows.code == HEART, other.code == ASPIRIN
        days = [
            np.array([rows.day[heart & (rows.pid == p)].min() for p in patients[0]], np.int64),
            np.array([other.day[aspirin & (other.pid == p)].max() for p in patients[1]], np.int64),
        ]
    else:
        patients, days = [rows.pid, other.pid], [rows.day, other.day]
    pid, day = np.concatenate(patients), np.concatenate(days)
    side = np.repeat([0, 1], [len(one) for one in patients])
    bits = EVENTS.packed([pid, day, side])
    codes = np.concatenate((rows.code, other.code)).view(np.uint64)

    async def protocol(committee: Committee) -> Words:
        table = await dealt_table(committee, bits, np.zeros((len(bits), 0), np.uint64))
        if not pushed_down:
            wanted = np.where(side == 1, ASPIRIN, HEART).astype(np.uint64)
            secret = await deal(committee, 2, codes, np.bitwise_xor)
            table = await clinical.chosen(committee, table, secret, wanted)
        return await shown_numbers(committee, await clinical.treated_after(committee, table))

    return int(same_for_all(protocol, security)[0])


@pytest.mark.parametrize("seed", range(12))
def test_aspirin_after_a_diagnosis(seed: int) -> None:
    rows, other = generated(seed), generated(seed + 100, 20, (ASPIRIN, 7))
    ((count,),) = expected(TREATED, rows, other)
    assert treated(rows, other, pushed_down=True) == count
    assert treated(rows, other, pushed_down=False) == count


def commonest(rows: Rows, security: Security = "semi-honest") -> list[tuple[int, int]]:
    cohort = COHORT.packed([rows.cohort, np.zeros(4, np.int64)])
    cohort_bits = np.concatenate((cohort, np.zeros((4, 1), np.uint64)), axis=1)
    diagnoses = COHORT.packed([rows.pid, np.ones(rows.pid.size, np.int64)])
    bits = np.concatenate((diagnoses, rows.code.view(np.uint64).reshape(-1, 1)), axis=1)

    async def protocol(committee: Committee) -> tuple[Words, Words]:
        left = await dealt_table(committee, cohort_bits, np.ones((4, 1), np.uint64))
        right = await dealt_table(committee, bits, np.ones((len(bits), 1), np.uint64))
        found = await clinical.commonest(committee, left, right, 3)
        return await shown_bits(committee, found.codes), await shown_bits(committee, found.counts)

    codes, counts = same_for_all(protocol, security)
    return [(c, n) for c, n in zip(codes.tolist(), counts.tolist(), strict=True) if n]


@pytest.mark.parametrize("seed", range(6))
def test_the_commonest_diagnoses_of_a_cohort(seed: int) -> None:
    rows = generated(seed, codes=(3, 9, 500, 77, 1023))
    assert commonest(rows) == expected(COMMONEST, rows, rows)


def commonest_pushed_down(rows: Rows) -> list[tuple[int, int]]:
    """One member owns the diagnoses and one the cohort; they match patients through the third."""
    patients, of = np.unique(rows.pid, return_inverse=True)
    own = Diagnoses(patients.view(np.uint64), of, rows.code)
    sides, cohort = Sides(2, 0, patients.size, rows.cohort.size, 0), rows.cohort.view(np.uint64)

    async def protocol(committee: Committee) -> tuple[Words, Words]:
        diagnoses = own if committee.me == sides.receiver else None
        others = cohort if committee.me == sides.provider else None
        counts = await clinical.counts_of_cohort(
            committee, sides, rows.code.size, diagnoses, others
        )
        codes = public(committee, np.arange(1024, dtype=np.uint64))
        found = await clinical.largest(committee, codes, counts, 3)
        return await shown_bits(committee, found.codes), await shown_bits(committee, found.counts)

    codes, counts = same_for_all(protocol)
    return [(c, n) for c, n in zip(codes.tolist(), counts.tolist(), strict=True) if n]


@pytest.mark.parametrize("seed", range(6))
def test_a_cohort_pushed_down_gives_the_same(seed: int) -> None:
    rows = generated(seed, codes=(3, 9, 500, 77, 1023))
    assert commonest_pushed_down(rows) == expected(COMMONEST, rows, rows)


@pytest.mark.parametrize("security", SECURITIES)
def test_each_query_once_under_each_security(security: Security) -> None:
    rows, other = generated(7), generated(107, 20, (ASPIRIN, 7))
    ((count,),) = expected(RECURRENT, rows, other)
    assert recurrent(rows, pushed_down=False, security=security) == count
    ((count,),) = expected(TREATED, rows, other)
    assert treated(rows, other, pushed_down=False, security=security) == count
    assert commonest(rows, security) == expected(COMMONEST, rows, other)
