"""Ten rows or more for a coefficient, of every regression: decided on shares, and why is not said.

A model with as many parameters as patients is a list of the patients.
"""

from pathlib import Path

import pytest

from quorate.studies.results import WITHHELD
from tests.studies.analyses.together import Members, members_of, split
from tests.studies.test_runner_steps import (
    COX,
    LOGISTIC,
    POISSON,
    TEXT,
    files_of,
    plan_among,
    rows_of,
    stepped,
)

LINEAR = 'kind = "linear"\nformula = "years ~ age + C(arm)"\n'
AT_ONCE = [LINEAR, LOGISTIC, POISSON]
BY_STEPS = [LOGISTIC, POISSON, COX]
NAMES = ["linear", "logistic", "poisson"]
FEW = {LINEAR: 39, LOGISTIC: 39, POISSON: 39, COX: 29}
"""One less than ten for each coefficient."""


def among(folder: Path, text: str, count: int, least: int) -> Members:
    head = TEXT.replace("reveal_iterations = true\n", "").replace("= 400", "= 20")
    return members_of(folder, head.format(least=least) + text, *split(rows_of(count)))


def is_withheld(members: Members) -> bool:
    (told,) = {result.value == WITHHELD for result in members.in_the_clear()}
    return told


@pytest.mark.parametrize("text", AT_ONCE, ids=NAMES)
def test_fewer_than_ten_rows_a_coefficient_are_withheld(tmp_path: Path, text: str) -> None:
    members = among(tmp_path, text, FEW[text], 5)
    assert is_withheld(members)
    assert set(members.words_told()) == {0}  # so that nobody learns why
    assert not is_withheld(among(tmp_path, text, FEW[text] + 1, 5))


def test_the_committee_withholds_them_as_well(tmp_path: Path) -> None:
    assert {r.value for r in among(tmp_path, LINEAR, FEW[LINEAR], 5).together()} == {WITHHELD}


@pytest.mark.parametrize("text", AT_ONCE, ids=NAMES)
def test_control_coefficients_of_few_rows_are_told_where_nothing_is_withheld(
    tmp_path: Path, text: str
) -> None:
    assert not is_withheld(among(tmp_path, text, FEW[text], 1))


@pytest.mark.slow
@pytest.mark.parametrize("text", BY_STEPS, ids=["logistic", "poisson", "cox"])
def test_control_steps_of_few_rows_are_told_where_nothing_is_withheld(
    tmp_path: Path, text: str
) -> None:
    files = files_of(tmp_path, split(rows_of(FEW[text])))
    kept = stepped(plan_among(3, text, "semi-honest"), files)
    told = stepped(plan_among(3, text, "semi-honest", least=1), files)
    assert (kept.steps, kept.told[-1]) == ((), 0)
    assert len(told.steps) > 1
