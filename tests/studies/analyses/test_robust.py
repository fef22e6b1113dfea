"""Coefficients by median or trimmed mean in a study: no minority moves them far."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from quorate.errors import MalformedStudy
from quorate.mpc import secret
from quorate.mpc.engine import Oracle, in_the_clear
from quorate.poisoning import secure
from quorate.poisoning.learners import fitted
from quorate.poisoning.rows import Rows
from quorate.studies.analyses.asked import Value
from quorate.studies.analyses.kinds import every_value
from quorate.studies.results import WITHHELD
from tests.studies.analyses.gbsg2 import TABLE, patients
from tests.studies.analyses.together import Members, members_of, split

ROBUST = """\
[analyses.relapse]
kind = "robust"
formula = "cens ~ age + pnodes + C(horTh)"
middle = [53, 5]
"""
TRIMMED = ROBUST + 'by = "trimmed mean"\n'
NUMBERS = 4


def members(folder: Path, rows: pd.DataFrame, text: str = ROBUST, hospitals: int = 3) -> Members:
    parts = split(rows.to_dict("records"), hospitals)
    return members_of(folder, TABLE.format(min_cell=5) + text, *parts)


def lying(found: Members, *words: int, member: int = 0) -> Members:
    """Return the members, of whom one deals these as its coefficients, and that they are some."""
    own = [*found.vectors[member][: -NUMBERS - 1], *words]
    vectors = [*found.vectors]
    vectors[member] = tuple(own)
    return replace(found, vectors=tuple(vectors))


def numbers(found: Members) -> list[float]:
    return [float(result.value) for result in found.in_the_clear()]


@pytest.mark.parametrize("text", [ROBUST, TRIMMED])
@pytest.mark.parametrize("hospitals", [3, 4, 5])
def test_says_what_the_plain_way_says(tmp_path: Path, text: str, hospitals: int) -> None:
    found = members(tmp_path, patients(), text, hospitals)
    assert_allclose(numbers(found), np.array(found.plain(), float), atol=1e-6)


def test_is_the_median_of_what_each_learns_alone(tmp_path: Path) -> None:
    rows = patients()
    found = numbers(members(tmp_path, rows))
    models = [
        fitted(
            Rows(
                np.column_stack([part.age - 53, part.pnodes - 5, part.horTh == "yes"]).astype(
                    float
                ),
                part.cens.to_numpy(float),
            )
        ).coefficients
        for part in (rows[i::3] for i in range(3))
    ]
    assert_allclose(found, np.median(models, axis=0), atol=1e-4)


def test_a_committee_says_what_one_who_sees_all_says(tmp_path: Path) -> None:
    found = members(tmp_path, patients()[:90], TRIMMED)
    for mine, right in zip(found.together(), found.in_the_clear(), strict=True):
        assert mine.label == right.label
        assert_allclose(float(mine.value), float(right.value), atol=1e-6)


@pytest.mark.parametrize("text", [ROBUST, TRIMMED])
@pytest.mark.parametrize("word", [1 << 30, -(1 << 30), (1 << 30) + 1, (1 << 63) - 1, -(1 << 63)])
def test_whatever_one_of_three_deals_the_middle_is_between_the_others(
    tmp_path: Path, text: str, word: int
) -> None:
    found = members(tmp_path, patients(), text)
    units = [float(value.over) / 2**20 for value in _values(found)]
    others = np.array([v[-NUMBERS - 1 : -1] for v in found.vectors[1:]]) / 2**20 / units
    told = np.array(numbers(lying(found, *[word] * NUMBERS, 1)))
    low, high = np.minimum(others.min(axis=0), 0), np.maximum(others.max(axis=0), 0)
    assert (told >= low - 1e-6).all()
    assert (told <= high + 1e-6).all()


def _values(found: Members) -> list[Value]:
    return [value for _, value in every_value(found.plan.study, len(found.vectors))]


def test_control_a_mean_goes_where_one_of_three_wants(tmp_path: Path) -> None:
    found = members(tmp_path, patients())
    honest = np.array([vector[-NUMBERS - 1 : -1] for vector in found.vectors], float)
    lied = honest.copy()
    lied[0] = 1 << 30
    assert (lied.mean(axis=0) > honest.max(axis=0)).all()


def test_control_words_out_of_range_break_a_median_that_takes_them() -> None:
    words = np.array([[-(1 << 63) + 5], [1 << 62], [5 << 20]], np.int64)
    engine = Oracle()
    array = secret.held(engine, words.astype(np.uint64), shape=(3, 1), limit=1 << 60)
    (taken,) = in_the_clear([secure.median(array).node])
    assert np.asarray(taken).astype(np.int64)[0] not in np.sort(words, axis=0)[1]


def test_nothing_is_said_where_more_are_none_than_may_lie(tmp_path: Path) -> None:
    found = members(tmp_path, patients())
    one = lying(found, *[0] * NUMBERS, 0)
    assert WITHHELD not in {result.value for result in one.in_the_clear()}
    two = lying(one, *[0] * NUMBERS, 0, member=1)
    assert {result.value for result in two.in_the_clear()} == {WITHHELD}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("liars = 2\n", "2 lying of 3 hospitals are not fewer than half"),
        ("liars = 0\n", "not a whole number from 1"),
        ('by = "mean"\n', "neither median nor trimmed mean"),
    ],
)
def test_refuses_what_it_is_not_for(tmp_path: Path, more: str, message: str) -> None:
    with pytest.raises(MalformedStudy, match=message):
        members(tmp_path, patients(), ROBUST + more)
