"""A vote of members' own models in a study: what most say, whatever fewer than half deal."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from quorate.errors import MalformedStudy
from quorate.studies.analyses.following import follows
from quorate.studies.disclosure import disclose
from quorate.studies.results import NONE, WITHHELD
from tests.studies.analyses.gbsg2 import TABLE, patients
from tests.studies.analyses.together import Members, members_of, split

FORMULA = "cens ~ age + pnodes + C(horTh)"
ASKED = ("age = 50, pnodes = 1, horTh = no", "age = 61, pnodes = 30, horTh = no")
VOTE = f"""\
[analyses.relapse]
kind = "vote"
formula = "{FORMULA}"
ask = {list(ASKED)}
"""
HELD = f"""\
[analyses.relapse]
kind = "vote"
formula = "{FORMULA}"
held_out = "menostat"
"""


def members(folder: Path, rows: pd.DataFrame, text: str = VOTE, hospitals: int = 3) -> Members:
    parts = split(rows.to_dict("records"), hospitals)
    return members_of(folder, TABLE.format(min_cell=5) + text, *parts)


def lying(found: Members, *words: int, member: int = 0) -> Members:
    """Return the members, of whom one deals other words first."""
    vectors = list(found.vectors)
    own = list(vectors[member])
    at = len(own) - len(words) if len(words) == len(own) else _place(found)
    own[at : at + len(words)] = words
    vectors[member] = tuple(own)
    return replace(found, vectors=tuple(vectors))


def model_of(found: Members, member: int = 0) -> list[int]:
    """Return the coefficients, and 1, that a member deals: after how many rows it has, and 1."""
    at = _place(found)
    return list(found.vectors[member][at : at + 5])


def _place(found: Members) -> int:
    places = [item.amount for item in found.plan.inputs]
    return places.index("alone")  # before it there are inputs of one number each


def numbers(found: Members) -> list[str]:
    return [result.value for result in found.in_the_clear()]


@pytest.mark.parametrize("text", [VOTE, HELD, VOTE + 'held_out = "menostat"\n'])
@pytest.mark.parametrize("hospitals", [3, 5])
def test_says_what_the_plain_way_says(tmp_path: Path, text: str, hospitals: int) -> None:
    found = members(tmp_path, patients(), text, hospitals)
    assert [float(value) for value in numbers(found)] == found.plain()


def test_a_committee_says_what_one_who_sees_all_says(tmp_path: Path) -> None:
    found = members(tmp_path, patients()[:90], hospitals=4)
    assert found.together() == found.in_the_clear()


def test_one_of_three_changes_no_answer_that_withstands_one(tmp_path: Path) -> None:
    found = members(tmp_path, patients())
    *answers, one, other = numbers(found)
    assert (one, other) == ("1", "1")
    turned = [-word for word in model_of(found)[:4]]
    for lie in (turned, [1, 0, 0, 0], [-1 << 30] * 4, [1 << 62] * 4, [-(1 << 63)] * 4):
        assert numbers(lying(found, *lie))[:2] == answers
        assert numbers(lying(found, *lie, 7))[:2] == answers


def test_control_two_of_three_change_it(tmp_path: Path) -> None:
    found = members(tmp_path, patients())
    turned = [-word for word in model_of(found)[:4]]
    both = lying(lying(found, *turned), *turned, member=1)
    assert numbers(both)[:2] != numbers(found)[:2]


def test_a_model_out_of_range_has_no_vote(tmp_path: Path) -> None:
    found = members(tmp_path, patients(), hospitals=4)
    for lie in ((1 << 30) + 1, (1 << 63) - 1, -(1 << 63), -(1 << 30) - 1):
        assert numbers(lying(found, lie)) == numbers(lying(found, 0, 0, 0, 0, 0))
    assert numbers(lying(found, 1 << 30)) != []


def test_nothing_is_said_where_more_have_no_model_than_may_lie(tmp_path: Path) -> None:
    found = members(tmp_path, patients())
    one = lying(found, 0, 0, 0, 0, 0)
    assert WITHHELD not in numbers(one)
    assert set(numbers(lying(one, 0, 0, 0, 0, 0, member=1))) == {WITHHELD}


def test_rows_held_out_are_told_as_often_as_is_certified(tmp_path: Path) -> None:
    rows = patients()
    parts = [rows[i::3] for i in range(3)]
    found = members(tmp_path, rows, HELD)
    tested, right, sure = (float(value) for value in numbers(found))
    assert tested == sum(min((part.menostat == "Post").sum(), 128) for part in parts)
    assert sure <= right
    followed = {one.name: float(one.value) for one in follows(found.plan, found.in_the_clear())}
    assert followed["relapse accuracy"] == pytest.approx(right / tested, abs=1e-6)
    for words in ([-word for word in model_of(found)[:4]], [1 << 30, 0, 0, 0]):
        assert float(numbers(lying(found, *words))[1]) >= sure


def test_rows_held_out_that_are_out_of_range_are_none(tmp_path: Path) -> None:
    found = members(tmp_path, patients(), HELD)
    own = list(found.vectors[0])
    first = _place(found) + 5
    own[first] = 1 << 40
    spoilt = replace(found, vectors=(tuple(own), *found.vectors[1:]))
    assert float(numbers(spoilt)[0]) == float(numbers(found)[0]) - 1


def test_too_few_rows_held_out_say_nothing(tmp_path: Path) -> None:
    rows = patients()
    rows["menostat"] = "Pre"
    assert set(numbers(members(tmp_path, rows, HELD))) == {NONE}


def test_a_hospital_of_one_class_has_no_model(tmp_path: Path) -> None:
    rows = patients()
    rows.loc[rows.index % 4 == 0, "cens"] = 1
    found = members(tmp_path, rows, hospitals=4)
    assert model_of(found) == [0] * 5
    assert [float(value) for value in numbers(found)] == found.plain()


def test_the_disclosure_says_what_is_defended(tmp_path: Path) -> None:
    plan = members(tmp_path, patients()).plan
    assert "up to 1 of 3 members may deal any model" in str(disclose(plan))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (FORMULA, "age ~ pnodes", "must be a category of two values"),
        (f"ask = {list(ASKED)}", "", "asks for nothing"),
        ("age = 50, ", "", "does not say each column once"),
        ("age = 50, ", "age = 50, age = 51, ", "does not say each column once"),
        ("age = 50", "age = 91", "91 is no age"),
        ("age = 50", "age = x", "not a plain decimal"),
        ("horTh = no", "horTh = maybe", "has no value maybe"),
        ('kind = "vote"', 'kind = "vote"\nmiddle = 3', "must have 2 numbers, of age, pnodes"),
        ('kind = "vote"', 'kind = "vote"\nmiddle = [3, 3]', "3 is no age"),
        ('kind = "vote"', 'kind = "vote"\nheld_out = "tgrade"', "category of two values"),
        ('kind = "vote"', 'kind = "vote"\nheld_out = "horTh"', "is learnt from"),
    ],
)
def test_refuses_what_it_is_not_for(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(MalformedStudy, match=message):
        members(tmp_path, patients(), VOTE.replace(old, new))
