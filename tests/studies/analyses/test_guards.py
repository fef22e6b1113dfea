"""What too few members or rows are behind is withheld, and nobody learns why."""

from pathlib import Path

import pytest

from quorate.errors import Abort, MalformedStudy
from quorate.studies.results import WITHHELD, Result
from quorate.studies.study import read_study
from tests.studies.analyses.test_degenerate import CHI, MEDIAN, ODDS, TEXT, Row, T, among
from tests.studies.trio import group_of, plan_of

FEW: list[Row] = [("a", 0, 10, 1), ("b", 1, 90, 1)]
MANY: list[Row] = [("a", 0, x, 1) for x in range(20)] + [("b", 1, x, 1) for x in range(40, 60)]
WHERE = 'where = "y = 1"\n'
ELSEWHERE: list[Row] = [("c", 0, 1, 0)]


def is_withheld(results: tuple[Result, ...]) -> bool:
    withheld = {result.value == WITHHELD for result in results}
    assert len(withheld) == 1  # all of it or nothing
    return withheld.pop()


@pytest.mark.parametrize("analysis", [CHI, T, MEDIAN], ids=["chi", "t", "median"])
def test_an_analysis_of_two_members_rows_is_withheld(tmp_path: Path, analysis: str) -> None:
    members = among(tmp_path, analysis + WHERE, MANY, MANY, ELSEWHERE, least=5)
    assert is_withheld(members.together())
    assert is_withheld(members.in_the_clear())


@pytest.mark.parametrize("analysis", [CHI, T, MEDIAN], ids=["chi", "t", "median"])
def test_an_analysis_of_three_members_rows_is_shown(tmp_path: Path, analysis: str) -> None:
    members = among(tmp_path, analysis + WHERE, MANY, MANY, MANY, least=5)
    assert not is_withheld(members.together())


@pytest.mark.parametrize("analysis", [CHI, T, MEDIAN], ids=["chi", "t", "median"])
def test_control_where_nothing_is_withheld_one_members_rows_are_told(
    tmp_path: Path, analysis: str
) -> None:
    members = among(tmp_path, analysis + WHERE, FEW * 2, ELSEWHERE, ELSEWHERE, least=1)
    assert not is_withheld(members.together())


def test_a_small_cell_of_a_two_by_two_table_withholds_its_odds(tmp_path: Path) -> None:
    both = [*MANY, ("a", 1, 1, 1)]
    assert is_withheld(among(tmp_path, ODDS, both, MANY, MANY, least=5).together())
    more = [*MANY, ("b", 0, 1, 1), ("a", 1, 1, 1)] * 2
    assert not is_withheld(among(tmp_path, ODDS, more, more, more, least=5).together())


def test_the_least_and_the_largest_row_are_not_told(tmp_path: Path) -> None:
    extreme = f"{MEDIAN}at = [0.5, 0.99]\n"
    assert is_withheld(among(tmp_path, extreme, MANY, MANY, MANY, least=5).together())
    assert not is_withheld(among(tmp_path, MEDIAN, MANY, MANY, MANY, least=5).together())


@pytest.mark.parametrize(
    "asked",
    [
        '[releases]\nr = "select min(x) as least from patients"\n',
        '[releases]\nr = "select arm, max(x) as most from patients group by arm"\n',
        f"[analyses.a]\n{MEDIAN}at = 0\n",
        f"[analyses.a]\n{MEDIAN}at = [0.5, 1]\n",
    ],
)
def test_no_study_asks_for_the_least_or_the_largest_value(asked: str) -> None:
    head, _ = TEXT.format(least=5).split("[analyses.a]")
    with pytest.raises(MalformedStudy):
        plan_of(read_study(head + asked), group_of("north", "south", "west"))


def test_table_one_has_no_least_and_no_largest_value() -> None:
    head, _ = TEXT.format(least=5).split("[analyses.a]")
    study = read_study(f'{head}[table_one.t]\narm = "arm"\ncolumns = ["x", "y", "out"]\n')
    asked = {output.statistic for query in study.releases for output in query.outputs}
    assert asked == {"count", "avg", "stddev"}
    assert {analysis.kind for analysis in study.analyses} == {"crosstab"}


def test_what_is_withheld_leaves_as_zeros_and_one_bit(tmp_path: Path) -> None:
    members = among(tmp_path, T + WHERE, MANY, MANY, ELSEWHERE, least=5)
    assert set(members.words_told()) == {0}


@pytest.mark.parametrize("place", [0, 3, 6])
def test_words_no_honest_members_reveal_end_the_run(tmp_path: Path, place: int) -> None:
    members = among(tmp_path, T, MANY, MANY, MANY, least=5)
    words = members.words_told()
    assert members.plan.results_revealed((), (), tuple(words))
    words[place] = 1 << 62
    with pytest.raises(Abort, match="impossible"):
        members.plan.results_revealed((), (), tuple(words))
