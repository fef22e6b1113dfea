"""Small cells: withheld, and not given away by what is released beside them."""

from itertools import product
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.studies.inputs import Axis
from quorate.studies.lines import layout_of
from quorate.studies.results import WITHHELD
from quorate.studies.study import Study, read_study
from quorate.studies.suppression import judge, nothing, one_pass, withheld
from tests.studies.trio import plan_of

if TYPE_CHECKING:
    from quorate.mpc.secret import SecretArray

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
    tables = [cells.axes for cells in layout_of(made).counted]
    bits = iter(withheld(made, [n for axes in tables for n in counts[axes]]))
    return {axes: {i for i, _ in enumerate(counts[axes]) if next(bits)} for axes in tables}


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


PARTS: dict[Axes, list[set[int]]] = {
    (SEX, WARD): [{i} for i in range(6)],
    (SEX,): [{0, 1, 2}, {3, 4, 5}],
    (WARD,): [{0, 3}, {1, 4}, {2, 5}],
    (): [set(range(6))],
}
"""Which cells of the product each cell is made of."""

RELEASES = {(SEX, WARD): BY_BOTH, (SEX,): BY_SEX, (WARD,): BY_WARD, (): TOTAL}
SOME = st.lists(st.sampled_from(list(RELEASES)), min_size=1, max_size=4, unique=True)
ROWS = st.lists(st.integers(0, 12), min_size=6, max_size=6)


def by_the_words(counts: dict[Axes, list[int]], released: list[Axes]) -> dict[Axes, set[int]]:
    """Return what is withheld, by the rule's words alone: sets, and loops until nothing changes."""
    known = [*released]
    if {(SEX,), (WARD,)} <= set(known) and () not in known:
        known.append(())
    gone = {axes: {i for i, n in enumerate(counts[axes]) if 0 < n < 5} for axes in known}
    while True:
        more: list[tuple[Axes, int]] = []
        for cells, total in product(known, known):
            if not set(total) < set(cells):
                continue
            for at, whole in enumerate(PARTS[total]):
                line = [i for i, part in enumerate(PARTS[cells]) if part <= whole]
                away = [i for i in line if i in gone[cells]]
                rows = sum(counts[cells][i] for i in away)
                shown = [i for i in line if i not in away and counts[cells][i]]
                enough = away if at in gone[total] else not away or (len(away) > 1 and rows >= 5)
                if shown and not enough:
                    more.append((cells, min(shown, key=counts[cells].__getitem__)))
                elif not enough and len(away) == 1 and rows >= 5:
                    more.append((total, at))
        if not more:
            return {axes: gone[axes] for axes in released}
        for axes, i in more:
            gone[axes].add(i)


@settings(deadline=None, max_examples=120)
@given(ROWS, SOME)
def test_the_rule_withholds_what_its_words_say(rows: list[int], released: list[Axes]) -> None:
    counts = pooled(rows)
    made = study(*(RELEASES[axes] for axes in released))
    assert hidden(made, counts) == by_the_words(counts, released)


def solves_for_a_small_cell(
    counts: dict[Axes, list[int]], released: list[Axes], gone: dict[Axes, set[int]]
) -> bool:
    """Return whether the values shown, cells of no rows among them, determine a small one."""
    cells = [(axes, i) for axes in released for i in range(len(counts[axes]))]

    def equation(axes: Axes, i: int) -> list[int]:
        return [int(k in PARTS[axes][i]) for k in range(6)]

    told = [equation(axes, i) for axes, i in cells if i not in gone[axes]]
    for axes, i in cells:
        if i not in gone[axes] and counts[axes][i] == 0:  # and so is all it is made of
            told += [equation((SEX, WARD), k) for k in PARTS[axes][i]]
    known = np.linalg.matrix_rank(np.array(told)) if told else 0
    return any(
        np.linalg.matrix_rank(np.array([*told, equation(axes, i)])) == known
        for axes, i in cells
        if 0 < counts[axes][i] < 5
    )


@settings(deadline=None, max_examples=120)
@given(ROWS, SOME)
def test_no_equations_over_what_is_shown_give_a_small_cell_away(
    rows: list[int], released: list[Axes]
) -> None:
    counts = pooled(rows)
    gone = hidden(study(*(RELEASES[axes] for axes in released)), counts)
    assert not solves_for_a_small_cell(counts, released, gone)


@pytest.mark.parametrize("released", [[(SEX,), ()], [(SEX,), (WARD,)]])
def test_control_where_only_small_cells_are_withheld_a_total_gives_them_away(
    released: list[Axes],
) -> None:
    counts = pooled([1, 1, 1, 9, 9, 9])
    small = {axes: {i for i, n in enumerate(counts[axes]) if 0 < n < 5} for axes in released}
    assert solves_for_a_small_cell(counts, released, small)


def test_where_no_other_cell_has_rows_the_total_is_withheld() -> None:
    """F has rows in ward c only, which ward c withholds beside the one row of M."""
    found = hidden(study(BY_BOTH, BY_SEX, BY_WARD), pooled([0, 0, 5, 0, 5, 1]))
    assert 0 in found[SEX,]


def test_a_total_that_two_groupings_tell_is_as_good_as_released() -> None:
    found = hidden(study(BY_SEX, BY_WARD), {(SEX,): [3, 90], (WARD,): [31, 31, 31]})
    assert found == {(SEX,): {0, 1}, (WARD,): set()}


def test_a_histogram_that_leaves_rows_out_tells_no_total() -> None:
    some = 'h = "select histogram(age, 0, 50, 60) as n from people"\n'
    every = 'h = "select histogram(age, 0, 50, 120) as n from people"\n'
    assert len(layout_of(study(BY_SEX, some)).margins) == 0
    assert len(layout_of(study(BY_SEX, every)).margins) == 1


def test_what_two_tables_share_may_add_up_to_more_that_is_shared() -> None:
    """Of tables by (a, b), (b, c) and (c, a), those by a, b, c and the number of all rows."""
    pairs = [("sex", "ward"), ("sex", "unit"), ("ward", "unit")]
    text = HEAD.replace("[releases]", 'unit = "category 1 2"\n[releases]')
    releases = [
        f'r{i} = "select {a}, {b}, count(*) as n from people group by {a}, {b}"\n'
        for i, (a, b) in enumerate(pairs)
    ]
    layout = layout_of(read_study(text + "".join(releases)))
    assert [index.shape for index in layout.margins] == [(2, 3), (3, 2), (2, 2), (1, 6)]


WIDE = HEAD.replace("category a b c", "category " + " ".join("abcdefgh"))


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=16, max_size=16))
def test_after_the_last_pass_nothing_changes_any_more(rows: list[int]) -> None:
    made = read_study(WIDE + BY_BOTH + BY_SEX + BY_WARD + TOTAL)
    layout, table = layout_of(made), np.array(rows).reshape(2, 8)
    parts = [table.reshape(-1), table.sum(axis=1), table.sum(axis=0), [table.sum()]]
    counts = cast("SecretArray", np.concatenate(parts))
    judged = judge(layout, counts, made.min_cell)
    more = nothing(judged)
    for _ in range(layout.passes):
        more = one_pass(layout, judged, more)
    again = one_pass(layout, judged, more)
    assert np.array_equal(np.asarray(again), np.asarray(more))


def test_passes_are_few_where_few_lines_depend_on_one_another() -> None:
    assert layout_of(study(BY_WARD)).passes == 0
    assert layout_of(study(BY_WARD, TOTAL)).passes == 1
    assert layout_of(study(BY_BOTH, BY_WARD)).passes == 1
    assert layout_of(study(BY_BOTH, BY_WARD, TOTAL)).passes == 5
    assert layout_of(read_study(WIDE + BY_BOTH + BY_SEX + BY_WARD + TOTAL)).passes == 11


def test_tables_over_different_conditions_are_not_compared() -> None:
    adults = TOTAL.replace("people", "people where age >= 18")
    assert layout_of(study(BY_WARD, adults)).lines == ()
