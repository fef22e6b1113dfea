"""Reports are composed on their author's own node only, and nothing there tells of it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from quorate.node.quorum.client import QuorumClient
from tests.console.place import Browser, Place

TEXT = "The dose was doubled twice this week"


@pytest.fixture
def author(place: Place) -> Browser:
    """The only person of its node."""
    for person in place.staff.people():
        place.staff.remove(person.name)
    QuorumClient(place.node).unlock("correct horse battery")
    return place.signed_in("nina", "clinician")


def kept(folder: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "quorate.db")) as database:
        return database.execute(f"select * from {table}").fetchall()


def test_nothing_tells_that_a_report_was_composed(place: Place, author: Browser) -> None:
    log = place.home.log
    before = (place.events(), log.read_bytes(), kept(place.home.folder, "staff"))
    passkeys = kept(place.home.folder, "staff_credentials")
    assert "You would stand among" in author.get("/compose").text
    assert author.post("/compose/meter", {"feared": "south"}).ok
    answer = author.post("/compose", {"text": TEXT})
    assert answer.headers["location"] == "/compose"
    assert "wait for a run" in author.get("/compose").text
    assert (place.events(), log.read_bytes(), kept(place.home.folder, "staff")) == before
    assert kept(place.home.folder, "staff_credentials") == passkeys
    assert TEXT not in author.get("/board").text


def test_control_any_other_action_of_the_same_person_is_in_the_log(
    place: Place, author: Browser
) -> None:
    author.post("/orders/00000000/approve", {"reason": "checked"})
    assert any("asked by staff: nina, clinician" in line for line in place.events())


def test_where_others_are_enrolled_nobody_composes(place: Place, author: Browser) -> None:
    other = place.signed_in("olaf", "auditor")
    for answer in (
        author.get("/compose"),
        author.post("/compose", {"text": TEXT}),
        author.post("/compose/meter"),
    ):
        assert answer.status_code == 403
        assert "own node only" in answer.text
    assert other.get("/board").status_code == 403
    assert "Write a report" not in author.get("/board").text
