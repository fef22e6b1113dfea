"""Logrank test and survival curves in a study: what lifelines says of all rows in one place."""

from pathlib import Path

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from numpy.testing import assert_allclose

from quorate.errors import MalformedStudy
from quorate.studies.analyses.following import follows
from quorate.studies.results import NONE
from quorate.studies.statistics import from_exact
from tests.studies.analyses.gbsg2 import TABLE, patients
from tests.studies.analyses.together import Members, members_of, split

LOG_RANK = """\
[analyses.therapy]
kind = "logrank"
time = "time"
event = "cens"
happened = 1
width = {width}
group = "horTh"
"""
CURVES = LOG_RANK.replace("logrank", "kaplan_meier")


def members(folder: Path, analysis: str, width: int = 60, min_cell: int = 5) -> Members:
    text = TABLE.format(min_cell=min_cell) + analysis.format(width=width)
    return members_of(folder, text, *split(patients().to_dict("records")))


@pytest.mark.parametrize("width", [30, 365])
def test_logrank_says_what_lifelines_says(tmp_path: Path, width: int) -> None:
    found = members(tmp_path, LOG_RANK, width)
    (result,) = found.in_the_clear()
    rows = patients()
    bins, yes = rows.time // width, rows.horTh == "yes"
    right = logrank_test(bins[yes], bins[~yes], rows.cens[yes], rows.cens[~yes])
    exact = from_exact(result.exact)
    assert exact is not None
    assert_allclose(float(exact[0]), right.test_statistic, rtol=1e-4)
    (p,) = follows(found.plan, [result])
    assert_allclose(float(p.value), right.p_value, rtol=1e-3)
    assert_allclose(float(exact[0]), np.array(found.plain(), float)[0], rtol=1e-4)


def test_a_committee_says_what_one_who_sees_all_says(tmp_path: Path) -> None:
    found = members(tmp_path, LOG_RANK, width=365)
    (mine,), (right,) = found.together(), found.in_the_clear()
    assert_allclose(float(mine.value), float(right.value), rtol=1e-5)


def test_curves_say_what_lifelines_says(tmp_path: Path) -> None:
    found = members(tmp_path, CURVES, width=90)
    rows = patients()
    told = {r.label: r for r in found.in_the_clear()}
    for therapy in ("no", "yes"):
        mine = rows[rows.horTh == therapy]
        right = KaplanMeierFitter().fit(mine.time // 90, mine.cens)
        height = right.survival_function_.iloc[:, 0]
        for at in range(3000 // 90 + 1):
            result = told[f"therapy survival, horTh = {therapy}, time from {90 * at}"]
            if result.value != NONE:
                assert_allclose(float(result.value), height[at], atol=1e-5)
    shown = [r for r in told.values() if r.value != NONE]
    assert len(shown) > 60
    assert min(float(r.value) for r in shown if " at risk" in r.label) >= 5


def test_the_plain_way_shows_the_same_bins(tmp_path: Path) -> None:
    found = members(tmp_path, CURVES, width=90)
    for result, right in zip(found.in_the_clear(), found.plain(), strict=True):
        assert (result.value == NONE) == (right is None)
        if right is not None:
            assert_allclose(float(result.value), right, atol=1e-5)


def test_intervals_of_a_curve_hold_it(tmp_path: Path) -> None:
    found = members(tmp_path, CURVES, width=365)
    told = {one.name: float(one.value) for one in follows(found.plan, found.in_the_clear())}
    cell = "horTh = yes, time from 730"
    height = next(
        float(r.value) for r in found.in_the_clear() if r.label == f"therapy survival, {cell}"
    )
    assert told[f"therapy low, {cell}"] < height < told[f"therapy high, {cell}"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("happened = 1", "happened = 7"), "is no value of cens"),
        (("width = {width}", "width = 0"), "must be above 0"),
        (("width = {width}", "width = 1"), "more than 400 bins"),
        (('"horTh"', '"tgrade"'), "must have two values"),
        (('time = "time"', 'time = "cens"'), "is no integer or number"),
    ],
)
def test_refuses_what_is_not_followed(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(MalformedStudy, match=message):
        members(tmp_path, LOG_RANK.replace(*change))
