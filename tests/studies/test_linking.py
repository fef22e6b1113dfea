"""Persons at several hospitals are counted once, as DuckDB counts them on all rows in one place."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from quorate.algebra.ring import Words
from quorate.errors import Abort, DataError, Error, MalformedStudy, Refused
from quorate.studies.cost import SIGNATURE_BYTES, run_cost
from quorate.studies.disclosure import disclose
from quorate.studies.results import WITHHELD
from quorate.studies.runners.tables import Tabled
from quorate.studies.study import read_study
from quorate.transport.memory import Envelope
from tests.parties import TIMEOUT_S, measure, names_of, run_parties
from tests.studies.linking import (
    BY_NAME,
    EVENT,
    HEAD,
    Rows,
    linking,
    own_words,
    plan_among,
    row,
    told,
)
from tests.studies.trio import plan_of


def hospitals(n: int) -> list[Rows]:
    """Return rows of 30 persons a hospital, a third of them at the next one, some twice at one."""
    parts: list[Rows] = []
    for i in range(n):
        here = [row(20 * i + j, event=(i + j) % 3 == 0) for j in range(30)]
        parts.append([*here, row(20 * i, event=True), row(20 * i + 1)])
    return parts


def pooled(folder: Path, members: int) -> dict[str, str]:
    """Return what DuckDB counts of all files in one place."""
    files = [str(folder / f"{name}.csv") for name in names_of(members)]
    persons, events, here = duckdb.sql(
        "select count(distinct p), count(distinct p) filter (infarction = 'yes'), "
        "count(distinct (p, filename)) from (select (given, family, born) as p, "
        f"infarction, filename from read_csv({files}, all_varchar = true, filename = true))"
    ).fetchall()[0]
    return {"persons": str(persons), "duplicates": str(here - persons), "events": str(events)}


@pytest.mark.parametrize(("n", "accept"), [(3, ()), (3, ("semi-honest",)), (5, ("semi-honest",))])
def test_persons_are_counted_as_on_pooled_rows(
    tmp_path: Path, n: int, accept: tuple[str, ...]
) -> None:
    plan = plan_among(n, BY_NAME + EVENT, *accept)
    own = own_words(plan, tmp_path, hospitals(n))
    found = told(run_parties(linking(plan, own), n))
    assert found == pooled(tmp_path, n)
    assert int(found["duplicates"]) == 10 * (n - 1)


@pytest.mark.parametrize(
    ("events", "persons", "at_two"),
    [(4, 40, 10), (36, 40, 10), (12, 40, 4), (1, 40, 10), (39, 40, 10), (12, 40, 1)],
)
def test_small_numbers_of_persons_are_withheld_with_all_others(
    tmp_path: Path, events: int, persons: int, at_two: int
) -> None:
    plan = plan_among(3, BY_NAME + EVENT, "semi-honest")
    own = own_words(plan, tmp_path, _parts(events, persons, at_two))
    found = told(run_parties(linking(plan, own), 3))
    assert set(found.values()) == {WITHHELD}


@pytest.mark.parametrize("events", [0, 5, 35, 40])
def test_no_persons_or_enough_of_them_are_shown(tmp_path: Path, events: int) -> None:
    plan = plan_among(3, BY_NAME + EVENT, "semi-honest")
    own = own_words(plan, tmp_path, _parts(events, 40, 5))
    found = told(run_parties(linking(plan, own), 3))
    assert found == {"persons": "40", "duplicates": "5", "events": str(events)}


def test_control_where_nothing_is_withheld_one_persons_event_is_told(tmp_path: Path) -> None:
    plan = plan_among(3, BY_NAME + EVENT, "semi-honest", least=1)
    own = own_words(plan, tmp_path, _parts(1, 40, 10))
    assert told(run_parties(linking(plan, own), 3))["events"] == "1"


def test_persons_of_two_members_are_withheld(tmp_path: Path) -> None:
    where = 'where = "age >= 21"\n'
    plan = plan_among(3, BY_NAME + EVENT + where, "semi-honest")
    parts = _parts(12, 40, 10)
    parts[2] = [row(0)]  # of age 20
    found = told(run_parties(linking(plan, own_words(plan, tmp_path, parts)), 3))
    assert set(found.values()) == {WITHHELD}


def _parts(events: int, persons: int, at_two: int) -> list[Rows]:
    """Return so many persons at three hospitals, some of them at two, some with the event."""
    rows = [row(i, event=i < events) for i in range(persons)]
    return [rows[0::3], [*rows[1::3], *rows[0 : 3 * at_two : 3]], rows[2::3]]


@pytest.mark.parametrize("most", [40, 150, 400])
@pytest.mark.parametrize("accept", [(), ("semi-honest",)])
def test_a_run_costs_at_most_what_the_plan_says(
    tmp_path: Path, most: int, accept: tuple[str, ...]
) -> None:
    plan = plan_among(3, BY_NAME + EVENT, *accept, most=most)
    own = own_words(plan, tmp_path, hospitals(3))
    _, rounds, sent = measure(linking(plan, own), 3)
    cost, signing = run_cost(plan), 2 * SIGNATURE_BYTES
    assert cost.at_most
    assert cost.rounds / 3 < rounds + 1 <= cost.rounds
    for party in range(3):
        assert cost.bytes_sent[party] / 2 < sent[party] + signing <= cost.bytes_sent[party]


def test_who_is_outside_deals_as_much_as_the_plan_says(tmp_path: Path) -> None:
    plan = plan_among(4, BY_NAME, "semi-honest")
    own = own_words(plan, tmp_path, hospitals(4))
    outcomes, time, sent = measure(linking(plan, own), 4)
    assert isinstance(outcomes[3], Tabled)
    assert time > TIMEOUT_S, "who is outside waits longer for the three than for a message"
    assert sent[3] + 3 * SIGNATURE_BYTES == run_cost(plan).bytes_sent[3]


def test_who_says_neither_that_it_computes_nor_that_it_is_done_ends_the_run(tmp_path: Path) -> None:
    plan = plan_among(4, BY_NAME, "semi-honest")
    own = own_words(plan, tmp_path, hospitals(4))

    def seven(e: Envelope) -> list[Envelope]:
        is_beat = e.sender == 1 and e.label.startswith("/from 1/")
        return [replace(e, payload=b"\7") if is_beat else e]

    outcome = run_parties(linking(plan, own), 4, seven)[3]
    assert isinstance(outcome, Abort)
    assert "south says neither" in str(outcome)


def test_neither_rounds_nor_bytes_depend_on_the_rows(tmp_path: Path) -> None:
    plan = plan_among(3, BY_NAME + EVENT, most=40)
    one = own_words(plan, tmp_path, hospitals(3))
    other = own_words(plan, tmp_path, [[row(0)], [row(0)], [row(0, event=True)]])
    assert measure(linking(plan, one), 3)[1:] == measure(linking(plan, other), 3)[1:]


def test_the_disclosure_says_what_is_told_and_that_costs_follow_from_luck() -> None:
    lines = "\n".join(disclose(plan_among(3)).lines())
    assert "reveals  persons, duplicates, events of all members together" in lines
    assert "every member's table is filled up to 40 rows" in lines
    assert "implies  beyond its results a run tells nothing" in lines
    assert "costs    at most" in lines
    assert "random order of a sort" in lines


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has 1 to 8 parts"),
        ('key = ["family"]\n', "no part of a key"),
        (BY_NAME + 'method = "guess"\n', "no method guess"),
        (BY_NAME + 'method = "keyed hash"\n', "reads off who is there"),
        (BY_NAME + 'event = "yes"\n', "names the category"),
        (BY_NAME + 'outcome = "infarction"\nevent = "perhaps"\n', "no value perhaps"),
        (BY_NAME + 'outcome = "age"\nevent = "yes"\n', "no category"),
        (BY_NAME + '[releases]\nr = "select count(*) as n from patients"\n', "stands alone"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, why: str) -> None:
    with pytest.raises((MalformedStudy, Refused), match=why):
        plan_among(3, text)


def test_nobody_who_sees_rows_links_them() -> None:
    text = 'trust = "third-party"\nthird_party = "north"\n' + HEAD.format(most=40, least=5)
    with pytest.raises(MalformedStudy, match="computed by three members"):
        plan_of(read_study(text + BY_NAME))


def test_two_members_cannot_link() -> None:
    with pytest.raises(Refused, match="computed by three members"):
        plan_among(2, BY_NAME, "two-members")


def test_a_file_without_a_column_of_the_key_is_refused(tmp_path: Path) -> None:
    plan = plan_among(3, 'key = ["text passport"]\n')
    with pytest.raises(DataError, match="no column passport"):
        own_words(plan, tmp_path, hospitals(3))


CHEAT = 1
EXPECTED = {"persons": "24", "duplicates": "12", "events": "12"}


def with_flips(own: Sequence[Words], label: str, *accept: str) -> list[Tabled | Error]:
    """Return what the honest end with where the cheat changes a bit of all it sends in a step."""

    def flip(e: Envelope) -> list[Envelope]:
        if e.sender != CHEAT or e.label != label:
            return [e]
        return [replace(e, payload=e.payload[:-8] + bytes([e.payload[-8] ^ 1]) + e.payload[-7:])]

    plan = plan_among(3, BY_NAME + EVENT, *accept, most=16)
    outcomes = run_parties(linking(plan, own), 3, flip)
    return [outcome for party, outcome in outcomes.items() if party != CHEAT]


def steps_of(own: Sequence[Words], *accept: str) -> list[str]:
    """Return the steps in which the cheat sends something after it has dealt."""
    labels: dict[str, None] = {}

    def note(e: Envelope) -> list[Envelope]:
        if e.sender == CHEAT and e.label.startswith("/committee/") and "/of " not in e.label:
            labels.setdefault(e.label)
        return [e]

    plan = plan_among(3, BY_NAME + EVENT, *accept, most=16)
    assert told(run_parties(linking(plan, own), 3, note)) == EXPECTED
    return list(labels)


def small_hospitals(tmp_path: Path) -> list[Words]:
    parts = [[row(6 * i + j, event=j % 2 == 0) for j in range(12)] for i in range(3)]
    return own_words(plan_among(3, most=16), tmp_path, parts)


def test_one_of_the_three_that_deviates_ends_the_run_and_bends_no_count(tmp_path: Path) -> None:
    own = small_hospitals(tmp_path)
    steps = steps_of(own)
    assert len(steps) > 30
    ended = 0
    for label in steps[::3]:
        for outcome in with_flips(own, label):
            if isinstance(outcome, Tabled):
                assert told({0: outcome}) == EXPECTED, label
            else:
                assert isinstance(outcome, Abort)
                assert not outcome.culprits
                ended += 1
    assert ended > len(steps[::3])


def test_control_in_a_semi_honest_committee_counts_are_bent_unnoticed(tmp_path: Path) -> None:
    own = small_hospitals(tmp_path)
    bent = 0
    for label in steps_of(own, "semi-honest"):
        for outcome in with_flips(own, label, "semi-honest"):
            bent += isinstance(outcome, Tabled) and told({0: outcome}) != EXPECTED
    assert bent > 0
