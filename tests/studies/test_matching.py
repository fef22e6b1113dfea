"""Persons of three members, counted by pairwise match: the same counts, and a leak that is told."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from quorate.algebra.ring import Words
from quorate.errors import MalformedStudy, Party, Refused
from quorate.studies.cost import SIGNATURE_BYTES, run_cost
from quorate.studies.disclosure import disclose
from quorate.studies.plan import Plan
from quorate.studies.results import WITHHELD
from quorate.transport.memory import Envelope
from tests.parties import measure, run_parties
from tests.studies.linking import BY_NAME, EVENT, Rows, linking, own_words, plan_among, row, told

MATCH = BY_NAME + 'method = "match"\n'


def hospitals() -> list[Rows]:
    """Return rows of persons of whom some are at two hospitals, some at all, some twice at one."""
    return [
        [row(i, event=(i + at) % 3 == 0) for i in (*range(8 * at, 8 * at + 20), 30, 31, 8 * at)]
        for at in range(3)
    ]


@pytest.mark.parametrize("event", ["", EVENT])
def test_the_counts_are_those_of_exact_keys(tmp_path: Path, event: str) -> None:
    found = [
        told(run_parties(linking(plan, own_words(plan, tmp_path, hospitals())), 3))
        for plan in (
            plan_among(3, text + event, "semi-honest", least=1) for text in (MATCH, BY_NAME)
        )
    ]
    assert found[0] == found[1]
    assert found[0]["persons"] == "36"


def test_small_numbers_are_withheld_from_the_release(tmp_path: Path) -> None:
    plan = plan_among(3, MATCH, "semi-honest")
    parts = [[row(20 * at + i) for i in range(10)] for at in range(3)]
    parts[1].append(row(0))
    found = told(run_parties(linking(plan, own_words(plan, tmp_path, parts)), 3))
    assert set(found.values()) == {WITHHELD}


@pytest.mark.parametrize("event", ["", EVENT])
def test_a_run_costs_what_the_plan_says(tmp_path: Path, event: str) -> None:
    plan = plan_among(3, MATCH + event, "semi-honest")
    own = own_words(plan, tmp_path, hospitals())
    _, rounds, sent = measure(linking(plan, own), 3)
    cost, signing = run_cost(plan), 2 * SIGNATURE_BYTES
    assert not cost.at_most
    assert cost.rounds / 2 < rounds + 1 <= cost.rounds  # one may wait for less than all
    assert tuple(sent[party] + signing for party in range(3)) == cost.bytes_sent


def test_it_is_refused_where_members_did_not_accept_that_nothing_is_verified() -> None:
    with pytest.raises(Refused, match="only looks") as found:
        plan_among(3, MATCH)
    assert "--accept semi-honest" in found.value.hint


def test_it_is_of_three_members() -> None:
    with pytest.raises(MalformedStudy, match="of three members"):
        plan_among(4, MATCH, "semi-honest")


def test_the_disclosure_prints_what_the_third_member_learns() -> None:
    lines = "\n".join(disclose(plan_among(3, MATCH, "semi-honest")).lines())
    assert "implies  beyond its results a run tells how many persons two members have in" in lines
    assert "withheld or not" in lines
    assert "beyond its results a run tells nothing" not in lines


def tags_told(plan: Plan, own: Sequence[Words]) -> dict[Party, set[bytes]]:
    """Return the rows of two words that member 0 is sent in steps beside others, by sender."""
    rows: dict[Party, set[bytes]] = {1: set(), 2: set()}

    def note(e: Envelope) -> list[Envelope]:
        if e.to == 0 and e.sender in rows and "beside" in e.label and len(e.payload) == 640:
            rows[e.sender] |= {e.payload[at : at + 16] for at in range(0, 640, 16)}
        return [e]

    told(run_parties(linking(plan, own), 3, note))
    return rows


def test_exact_keys_tell_no_member_how_many_persons_two_others_have_in_common(
    tmp_path: Path,
) -> None:
    plan = plan_among(3, BY_NAME, "semi-honest")
    sent = tags_told(plan, own_words(plan, tmp_path, hospitals()))
    assert not sent[1] & sent[2]


def test_control_the_third_member_of_a_match_counts_them(tmp_path: Path) -> None:
    plan = plan_among(3, MATCH, "semi-honest")
    sent = tags_told(plan, own_words(plan, tmp_path, hospitals()))
    assert len(sent[1] & sent[2]) == 14  # 16 ... 27, 30 and 31
