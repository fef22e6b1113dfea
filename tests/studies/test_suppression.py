"""Small cells: withheld, and not given away by what is released beside them."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.studies.inputs import Axis
from quorate.studies.results import WITHHELD
from quorate.studies.study import Study, read_study
from quorate.studies.suppression import layout_of, withheld
from tests.studies.trio import plan_of

HEAD = """
title = "t"
purpose = "p"
max_rows = 1000
[tables.people]
age = "integer 0..120 years"
sex = "category F M"
ward = "category a b c"
[releases]
"""
BY_SEX = 'by_sex = "select sex, count(*) as n, sum(age) as s from people group by sex"\n'
BY_WARD = 'by_ward = "select ward, count(*) as n from people group by ward"\n'
BY_BOTH = 'both = "select sex, ward, count(*) as n from people group by sex, ward"\n'
TOTAL = 'total = "select count(*) as n from people"\n'
SEX, WARD = Axis("sex", ()), Axis("ward", ())
Axes = tuple[Axis, ...]


def study(*releases: str) -> Study:
    return read_study(HEAD + "".join(releases))


def hidden(made: Study, counts: dict[Axes, list[int]]) -> dict[Axes, set[int]]:
    tables = [cells.axes for cells in layout_of(made).tables]
    found = withheld(made, [counts[axes] for axes in tables])
    return {axes: set(np.flatnonzero(bits)) for axes, bits in zip(tables, found, strict=True)}


@pytest.mark.parametrize(
    ("counts", "gone"),
    [([4, 40], {0}), ([5, 40], set()), ([0, 40], set()), ([1, 4], {0, 1}), ([0, 0], set())],
)
def test_a_cell_of_one_to_four_rows_is_withheld(counts: list[int], gone: set[int]) -> None:
    assert hidden(study(BY_SEX), {(SEX,): counts}) == {(SEX,): gone}


def test_a_released_total_would_give_a_single_cell_away() -> None:
    found = hidden(study(BY_WARD, TOTAL), {(WARD,): [3, 90, 20], (): [113]})
    assert found == {(WARD,): {0, 2}, (): set()}


def test_cells_withheld_together_have_rows_enough() -> None:
    found = hidden(study(BY_WARD, TOTAL), {(WARD,): [1, 2, 50], (): [53]})
    assert found == {(WARD,): {0, 1, 2}, (): set()}


def test_a_cell_of_no_rows_hides_nothing() -> None:
    found = hidden(study(BY_WARD, TOTAL), {(WARD,): [0, 3, 50], (): [53]})
    assert found == {(WARD,): {1, 2}, (): set()}


def test_a_withheld_total_is_not_the_sum_of_released_cells() -> None:
    counts = {(SEX, WARD): [9, 9, 9, 1, 0, 0], (SEX,): [27, 1], (): [28]}
    found = hidden(study(BY_BOTH, BY_SEX, TOTAL), counts)
    assert found[SEX,] == {0, 1}
    assert found[SEX, WARD] & {0, 1, 2}


def test_the_whole_line_of_a_result_is_withheld() -> None:
    plan = plan_of(study(BY_SEX, TOTAL))
    results = plan.results((3, 30, 90, 900, 33))
    assert [(r.release, r.name, r.value) for r in results] == [
        ("by_sex", "n", WITHHELD),
        ("by_sex", "n", WITHHELD),
        ("by_sex", "s", WITHHELD),
        ("by_sex", "s", WITHHELD),
        ("total", "n", "33"),
    ]
    assert all((r.exact == "") == (r.value == WITHHELD) for r in results)


def test_min_cell_1_withholds_nothing() -> None:
    made = read_study(HEAD.replace("max_rows", "min_cell = 1\nmax_rows") + BY_SEX)
    assert [r.value for r in plan_of(made).results((1, 30, 90, 900))] == ["1", "30", "90", "900"]


def pooled(rows: list[int]) -> dict[Axes, list[int]]:
    """Return the counts of both groupings, of each alone, and of all, from the product's."""
    return {
        (SEX, WARD): rows,
        (SEX,): [sum(rows[:3]), sum(rows[3:])],
        (WARD,): [rows[i] + rows[i + 3] for i in range(3)],
        (): [sum(rows)],
    }


def lines() -> Iterator[tuple[Axes, int, Axes, list[int]]]:
    """Yield each total (axes, cell) with the cells (axes, cells) that add up to it."""
    both = list(product(range(2), range(3)))
    for i in range(2):
        yield (SEX,), i, (SEX, WARD), [k for k, at in enumerate(both) if at[0] == i]
    for i in range(3):
        yield (WARD,), i, (SEX, WARD), [k for k, at in enumerate(both) if at[1] == i]
    yield (), 0, (SEX, WARD), list(range(6))
    yield (), 0, (SEX,), [0, 1]
    yield (), 0, (WARD,), [0, 1, 2]


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=6, max_size=6))
def test_no_line_gives_a_small_cell_away(rows: list[int]) -> None:
    counts = pooled(rows)
    found = hidden(study(BY_BOTH, BY_SEX, BY_WARD, TOTAL), counts)
    for axes, values in counts.items():
        assert found[axes] >= {i for i, n in enumerate(values) if 0 < n < 5}
    for total, at, cells, line in lines():
        gone = [i for i in line if i in found[cells]]
        rest = [i for i in line if i not in found[cells] and counts[cells][i]]
        if at in found[total]:
            assert gone or not rest
        elif gone and rest:
            assert len(gone) > 1
            assert sum(counts[cells][i] for i in gone) >= 5
