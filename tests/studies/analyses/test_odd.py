"""Flags: whose rows move a mean too far, and whose model does not fit the others' rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from quorate.errors import MalformedStudy
from quorate.studies.analyses.following import follows
from quorate.studies.results import NONE, WITHHELD
from tests.models.data import wisconsin
from tests.studies.analyses.gbsg2 import TABLE, patients
from tests.studies.analyses.together import Members, Rows, members_of, split

MEAN = """\
[analyses.age]
kind = "robust-mean"
column = "age"
"""
FLAGGED = MEAN + "limit = 3\n"
BIOPSIES = """\
title = "t"
purpose = "p"
max_rows = 200
min_cell = 5

[tables.patients]
radius = "number 0..30 mm"
texture = "number 0..40 1"
cancer = "category no yes"

[analyses.fit]
kind = "odd"
formula = "cancer ~ radius + texture"
"""


def members(folder: Path, text: str, *parts: Rows) -> Members:
    return members_of(folder, TABLE.format(min_cell=5) + text, *parts)


def hospitals(count: int = 3) -> list[Rows]:
    return split(patients().to_dict("records"), count)


def numbers(found: Members) -> list[float]:
    return [float(result.value) for result in found.in_the_clear()]


def lying(found: Members, *words: int) -> Members:
    first, *others = found.vectors
    return replace(found, vectors=((*first[: -len(words)], *words), *others))


def older(rows: Rows) -> Rows:
    return [dict(row, age=90) for row in rows]


@pytest.mark.parametrize("more", ["", 'by = "trimmed mean"\n', "limit = 3\n"])
@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_robust_mean_is_that_of_the_plain_way(tmp_path: Path, more: str, count: int) -> None:
    found = members(tmp_path, MEAN + more, *hospitals(count))
    assert_allclose(numbers(found), np.array(found.plain(), float), atol=1e-6)
    means = sorted(pd.DataFrame(rows).age.mean() for rows in hospitals(count))
    away = (count - 1) // 2 if more.startswith("by") else 0
    right = np.mean(means[away : count - away]) if away else np.median(means)
    (followed,) = follows(found.plan, found.in_the_clear())
    assert float(followed.value) == pytest.approx(right, abs=1e-3)


def test_one_of_three_cannot_move_it_beyond_the_others(tmp_path: Path) -> None:
    first, *others = hospitals()
    found = members(tmp_path, MEAN, first, *others)
    low, *_, high = sorted(vector[-1] for vector in found.vectors[1:])
    for lie in (1 << 30, -(1 << 30)):
        told = numbers(lying(found, lie))[0] / 35 * (1 << 30)
        assert low - 100 <= told <= high + 100  # results have six digits


def test_control_one_of_three_moves_the_plain_mean(tmp_path: Path) -> None:
    first, *others = hospitals()
    honest, lied = (
        pd.concat(map(pd.DataFrame, rows)).age
        for rows in ((first, *others), (older(first), *others))
    )
    assert lied.mean() - honest.mean() > 10
    found = members(tmp_path, MEAN, older(first), *others)
    assert abs(numbers(found)[0] - numbers(members(tmp_path, MEAN, first, *others))[0]) < 1.5


@pytest.mark.parametrize("words", [(400, 0, 1 << 40), (401, 0, 0), (-1, 0, 0), (10, 1 << 30, 0)])
def test_what_no_rows_can_have_is_the_middle(tmp_path: Path, words: tuple[int, ...]) -> None:
    found = members(tmp_path, MEAN, *hospitals())
    assert numbers(lying(found, *words)) == numbers(lying(found, 0, 0, 0))


def test_a_member_whose_rows_move_the_mean_is_flagged(tmp_path: Path) -> None:
    first, *others = hospitals()
    assert numbers(members(tmp_path, FLAGGED, first, *others))[1:] == [0, 0, 0]
    assert numbers(members(tmp_path, FLAGGED, older(first), *others))[1:] == [1, 1, 1]
    less = FLAGGED.replace("limit = 3", "limit = 10")
    assert numbers(members(tmp_path, less, older(first), *others))[1:] == [1, 0, 0]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("liars = 2\n", "not fewer than half"),
        ("limit = 0\n", "must be above 0"),
        ("limit = 36\n", "at most 35"),
        ('by = "mode"\n', "neither median nor trimmed mean"),
    ],
)
def test_a_robust_mean_refuses_what_it_is_not_for(tmp_path: Path, more: str, message: str) -> None:
    with pytest.raises(MalformedStudy, match=message):
        members(tmp_path, MEAN + more, *hospitals())


def biopsies(folder: Path, *, flipped: float = 0, prevalence: bool = False) -> Members:
    columns, benign = wisconsin()
    rows = pd.DataFrame(
        {
            "radius": columns[:, 0],
            "texture": columns[:, 1],
            "cancer": np.where(benign, "no", "yes"),
        }
    )
    first, *others = (rows[i::3].copy() for i in range(3))
    if prevalence:
        few = first.cancer == "no"
        first = pd.concat([first[~few], first[few][:8]])
    turned = first.index[: round(flipped * len(first))]
    first.loc[turned, "cancer"] = first.loc[turned, "cancer"].map({"no": "yes", "yes": "no"})
    parts: list[Rows] = [part.to_dict("records") for part in (first, *others)]
    return members_of(folder, BIOPSIES, *parts)


@pytest.mark.parametrize("flipped", [0, 1])
def test_a_model_that_says_the_opposite_is_odd_and_nobody_else(
    tmp_path: Path, flipped: int
) -> None:
    found = biopsies(tmp_path, flipped=flipped)
    assert numbers(found) == found.plain() == [flipped, 0, 0]


def test_an_honest_hospital_of_another_prevalence_is_not_odd(tmp_path: Path) -> None:
    found = biopsies(tmp_path, prevalence=True)
    assert numbers(found) == found.plain() == [0, 0, 0]


def test_nothing_is_judged_where_one_has_no_model(tmp_path: Path) -> None:
    found = biopsies(tmp_path)
    spoilt = lying(found, *[0] * 99)
    assert WITHHELD not in {one.value for one in spoilt.in_the_clear()}
    far = lying(found, 1 << 40)
    assert {one.value for one in far.in_the_clear()} == {NONE}


def test_a_committee_finds_the_same(tmp_path: Path) -> None:
    found = biopsies(tmp_path, flipped=1)
    assert found.together("semi-honest") == found.in_the_clear()
    mean = members(tmp_path, FLAGGED, *hospitals(4))
    assert mean.together() == mean.in_the_clear()
