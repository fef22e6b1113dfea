"""A member's own part of a score: the published table on its own rows, for an agreed list."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.errors import DataError, MalformedStudy, Refused, VerificationFailed
from quorate.studies.document import read, write
from quorate.studies.patients import (
    check_listed,
    list_digest,
    listed_patients,
    own_points,
    told,
)
from quorate.studies.plan import Plan
from quorate.studies.points import Range
from quorate.studies.sources import open_source
from quorate.studies.study import read_study
from tests.studies.scoring import SCORE, score_plan, score_text
from tests.studies.trio import write_csv

LOGISTIC = """
[score]
name = "Odds"
source = "nobody, 2027"
link = "logistic"
start = -4.25
shows = "points"
[[score.items]]
column = "age"
weight = 0.0475
[[score.items]]
column = "sugar"
weight = -0.125
[[score.items]]
column = "drug"
points = [0, 0.693147]
"""


def listing(folder: Path, *names: str) -> Path:
    return write_csv(folder / "invited.csv", "patient", list(names))


def parts(folder: Path, column: str, rows: dict[str, str]) -> Path:
    return write_csv(
        folder / f"{column}.csv", f"patient,{column}", [f"{k},{v}" for k, v in rows.items()]
    )


def plan_for(text: str, names: tuple[str, ...], folder: Path) -> Plan:
    found = listed_patients(open_source(listing(folder, *names)), "patient")
    blank = score_text(patients=5)
    whole = score_text(patients=len(found), digest=list_digest(found).hex())
    return score_plan(
        3, text.replace(blank[: blank.index("[score]")], whole[: whole.index("[score]")])
    )


AGES = {"c": "64.0", "a": "44", "b": "45", "zz": "65", "unlisted": "99"}


def test_points_are_by_the_table_for_the_listed_in_their_order(tmp_path: Path) -> None:
    plan = plan_for(score_text(), ("zz", "a", "b", "c"), tmp_path)
    names = listed_patients(open_source(listing(tmp_path, "c", "b", "zz", "a")), "patient")
    check_listed(plan.study.scoring.record, names)
    assert names.tolist() == ["a", "b", "c", "zz"]
    source = open_source(parts(tmp_path, "age", AGES))
    assert own_points(source, plan, "north", names).tolist() == [0, 2, 2, 4]
    sugar = dict.fromkeys("abc", "6.999999999") | {"zz": "7"}
    source = open_source(parts(tmp_path, "sugar", sugar))
    assert own_points(source, plan, "south", names).tolist() == [-1, -1, -1, 5]
    source = open_source(parts(tmp_path, "drug", {"a": "no", "b": "yes", "c": "no", "zz": "yes"}))
    assert own_points(source, plan, "west", names).tolist() == [0, 3, 0, 3]


@settings(max_examples=10)
@given(st.lists(st.integers(0, 120), min_size=1, max_size=8))
def test_a_weight_times_a_number_is_exact_in_millionths(
    tmp_path_factory: pytest.TempPathFactory, ages: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("logistic")
    rows = {f"p{i}": str(age) for i, age in enumerate(ages)}
    plan = plan_for(score_text().split("[score]")[0] + LOGISTIC, tuple(rows), folder)
    names = listed_patients(open_source(listing(folder, *rows)), "patient")
    found = own_points(open_source(parts(folder, "age", rows)), plan, "north", names)
    assert found.tolist() == [47_500 * age for age in ages]
    table, scoring = plan.study.table, plan.study.scoring
    assert scoring.range_of("north", table) == Range(0, 47_500 * 120)
    assert scoring.range_of("south", table) == Range(-125_000 * 50, 0)
    assert scoring.range_of("east", table) == Range(0, 0)


def test_a_list_with_one_patient_more_or_another_is_not_the_plans(tmp_path: Path) -> None:
    record = plan_for(score_text(), ("a", "b", "c"), tmp_path).study.scoring.record
    for other in (("a", "b", "c", "victim"), ("a", "b", "victim"), ("a", "b")):
        names = listed_patients(open_source(listing(tmp_path, *other)), "patient")
        with pytest.raises(Refused, match="are not those of the study"):
            check_listed(record, names)


def test_control_without_the_check_points_of_another_patient_are_given(tmp_path: Path) -> None:
    plan = plan_for(score_text(), ("a", "unlisted"), tmp_path)
    asked = listed_patients(open_source(listing(tmp_path, "a", "unlisted")), "patient")
    source = open_source(parts(tmp_path, "age", AGES))
    assert own_points(source, plan, "north", asked).tolist() == [0, 4]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ({"a": "1", "b": "2"}, "no row of a patient on the list"),
        ({"a": "1", "b": "2", "c": "121"}, "row 3 .* out of bounds"),
        ({"a": "1", "b": "2", "c": ""}, "no value"),
        ({"a": "1", "b": "2", "c": "3", "": "4"}, "pseudonym"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused_without_a_name(
    tmp_path: Path, rows: dict[str, str], why: str
) -> None:
    plan = plan_for(score_text(), ("a", "b", "c"), tmp_path)
    names = listed_patients(open_source(listing(tmp_path, "a", "b", "c")), "patient")
    with pytest.raises(DataError, match=why) as error:
        own_points(open_source(parts(tmp_path, "age", rows)), plan, "north", names)
    assert "121" not in str(error.value)


def test_a_patient_is_listed_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two rows of one patient"):
        listed_patients(open_source(listing(tmp_path, "a", "b", "a")), "patient")


def test_what_a_word_says(tmp_path: Path) -> None:
    points = read_study(score_text()).scoring.score
    assert told(points, -3) == "-3"
    bands = read_study(score_text(shows="band")).scoring.score
    assert [told(bands, word) for word in range(3)] == ["low", "middle", "high"]
    with pytest.raises(VerificationFailed):
        told(bands, 3)
    odds = plan_for(score_text().split("[score]")[0] + LOGISTIC, ("a",), tmp_path)
    assert told(odds.study.scoring.score, 0) == "0.500000"
    assert told(odds.study.scoring.score, -(1 << 50)) == "0.000000"


def test_a_risk_is_in_its_band_from_the_edge_on() -> None:
    banded = LOGISTIC.replace(
        'shows = "points"', 'shows = "band"\nbands = ["a", "b"]\nedges = [0.2]'
    )
    score = read_study(score_text().split("[score]")[0] + banded).scoring.score
    (edge,) = score.edge_words
    assert edge == -1_386_294  # ln(1/4) = -1.3862943...
    assert told_risk(edge) >= 0.2 > told_risk(edge - 1)


def told_risk(word: int) -> float:
    return float(1 / (1 + np.exp(-word / 1e6)))


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ('link = "points"', 'link = "probit"', "score.link"),
        ("points = [0, 2, 4]", "points = [0, 2]", "edges, and points"),
        ("points = [0, 2, 4]", "points = [0, 2.5, 4]", "not a plain decimal|decimals"),
        ("edges = [45, 65]", "edges = [65, 45]", "edges rise"),
        ("points = [0, 3]", "points = [0, 3, 4]", "one for each value"),
        ("points = [0, 3]", "weight = 1", "a category has points"),
        ('column = "drug"', 'column = "name"', "no column name"),
        ('column = "drug"', 'column = "drug"\nonly = { sugar = "1" }', "has no value"),
        ('column = "sugar"', 'column = "sugar"\nonly = { drug = "yes" }', "belong to two members"),
        ('south = ["sugar"]', 'south = ["sugar", "age"]', "in one part"),
        ('west = ["drug"]', "", "in one part"),
        ('treating = "north"', 'treating = "nobody"', "is no member"),
        ("patients = 5", "patients = 131_073", "1 to 131072"),
        ('digest = "00', 'digest = "zz', "not hexadecimal"),
        ('digest = "00', 'digest = "', "not the digest"),
        ('pseudonym = "patient"', 'pseudonym = "age"', "no column of the record"),
        ("start = 1", "start = 1\nsize = 2", "unknown key size"),
        ('shows = "points"', 'shows = "all"', "score.shows"),
        ('shows = "points"', 'shows = "band"', "score.bands"),
        (
            "[record]",
            '[releases]\nr = "select count(*) as n from records"\n[record]',
            "stands alone",
        ),
        ("[0, 2, 4]", "[0, 2, 999_999_999_999_999]", "too large"),
    ],
)
def test_a_score_that_makes_no_sense_is_refused(was: str, now: str, why: str) -> None:
    text = score_text()
    assert was in text
    with pytest.raises(MalformedStudy, match=why):
        score_plan(3, text.replace(was, now, 1))


def test_the_score_is_in_the_plans_digest_and_survives_a_file() -> None:
    plan = score_plan()
    assert read("plan", write("plan", plan), Plan) == plan
    other = score_plan(3, score_text().replace("points = [0, 3]", "points = [0, 4]"))
    assert other.digest() != plan.digest()
    assert SCORE.count("[[score.items]]") == len(plan.study.scoring.score.items)
