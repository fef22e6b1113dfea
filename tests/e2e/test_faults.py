"""What goes wrong between hospitals, with real nodes: one line, the next run works, it is told.

That all nodes are ready for the next run is asserted after each test, by the fixture.
"""

import signal
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from quorate.errors import Abort, DataError, Refused
from quorate.node import daemon, home
from quorate.node.client import Client
from quorate.node.home import Home
from quorate.studies.group import Group
from tests.e2e.nodes import AGES, MEAN, NAMES, Nodes, quorate, start, study_text, wait, write_ages

OTHERS = ("north", "south")

BAD_ROWS = {
    "empty": ([], "west.csv has no rows"),
    "not a number": (["60", "sixty", "72"], "row 2 (line 3), column age: not of the declared kind"),
    "no value": (["60", "64", '""'], "row 3 (line 4), column age: no value"),
    "out of bounds": (["60", "64", "121"], "row 3 (line 4), column age: out of bounds"),
}


@pytest.mark.slow
def test_a_member_that_is_killed_in_a_run_is_named_and_the_study_runs_again(nodes: Nodes) -> None:
    id_ = nodes.approved()
    nodes.signal("west", signal.SIGSTOP)  # so that the run cannot end before the blow
    killed: list[str] = []

    def kill(stage: str) -> None:
        if not killed:
            nodes.kill("west")
            killed.append(stage)

    with pytest.raises(Abort, match=r"^west did not answer") as aborted:
        nodes.run(id_, at=lambda event: kill(event.stage))
    assert killed == ["own rows"]
    assert aborted.value.exit_code == 3
    for name in OTHERS:
        wait(partial(_is_told, nodes, name, f"aborted: {id_}"))
    assert f"aborted: {id_}: west did not answer" in nodes.told("north")
    nodes.start("west")
    nodes.works(id_)


def test_a_member_that_stops_answering_is_named_in_one_line(nodes: Nodes) -> None:
    id_ = nodes.approved()
    nodes.signal("west", signal.SIGSTOP)
    try:
        said = quorate("study", "run", id_, node=nodes.homes["north"].folder)
    finally:
        nodes.signal("west", signal.SIGCONT)
    assert said.returncode == 3
    assert "quorate: aborted: west did not answer" in said.stderr
    assert "Traceback" not in said.stderr
    assert f"aborted: {id_}: west did not answer" in nodes.told("north")
    nodes.works(id_)


@pytest.mark.slow
def test_somebody_else_under_a_members_name_and_address_is_not_believed(nodes: Nodes) -> None:
    id_ = nodes.approved()
    daemon.stop(nodes.homes["north"])
    impostor = _impostor(nodes, "north", nodes.folder / "impostor")
    start(impostor)
    try:
        for name in ("south", "west"):
            wait(partial(_is_trouble, nodes, name, "north", "TLS key is not the one in the roster"))
        failure = nodes.failure(id_, by="south")
        assert isinstance(failure, Abort)
        assert str(failure).startswith("north did not answer")
        assert "TLS key" in str(failure)
        seen = quorate("doctor", node=nodes.homes["south"].folder)
        assert (seen.returncode, "fail  peer north:" in seen.stdout) == (1, True)
        with Client(impostor.socket) as client:
            assert not any(peer.connected for peer in client.status().peers)
    finally:
        daemon.stop(impostor)
        nodes.start("north")
    assert f"aborted: {id_}: north did not answer" in nodes.told("south")
    nodes.works(id_)


def test_two_runs_at_once_do_not_disturb_each_other(nodes: Nodes) -> None:
    ids = [nodes.approved() for _ in range(4)]
    starters = ["north", "south", "west", "north"]
    with ThreadPoolExecutor() as pool:
        released = list(pool.map(nodes.run, ids, starters))
    assert {study.results[1].exact for study in released} == {MEAN}
    assert len({study.session for study in released}) == len(ids)


def test_one_study_run_by_two_members_at_once_is_released_once(nodes: Nodes) -> None:
    id_ = nodes.approved()
    with ThreadPoolExecutor() as pool:
        tries = list(pool.map(lambda by: _outcome(nodes, id_, by), OTHERS))
    assert set(tries) <= {MEAN, "refused", "aborted"}
    if MEAN not in tries:  # each called the other's run off
        nodes.works(id_)


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_bad_rows_are_refused_at_home_with_their_place(nodes: Nodes, kind: str) -> None:
    rows, place = BAD_ROWS[kind]
    id_ = nodes.proposed()
    with _west_rows(nodes, rows):
        said = quorate("study", "approve", id_, "--yes", node=nodes.homes["west"].folder)
    assert said.returncode == 1
    assert place in said.stderr
    assert not any(value in said.stderr for value in rows if value not in place)


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_rows_that_go_bad_after_approval_stop_the_run_and_stay_at_home(
    nodes: Nodes, kind: str
) -> None:
    rows, place = BAD_ROWS[kind]
    id_ = nodes.approved()
    with _west_rows(nodes, rows):
        failure = nodes.failure(id_)
        at_home = nodes.failure(id_, by="west")
    assert isinstance(failure, Abort)
    assert str(failure) == "west: its own rows cannot be used as the study declares"
    assert isinstance(at_home, DataError)
    assert place in str(at_home)
    for name in OTHERS:
        told = nodes.told(name) + nodes.homes[name].log.read_text()
        assert f"aborted: {id_}" in told
        assert place not in told
    assert place in nodes.told("west")
    nodes.works(id_)


def test_an_overflow_is_refused_before_anybody_is_asked(nodes: Nodes) -> None:
    with nodes.client("north") as client:
        before = len(client.studies())
        with pytest.raises(Refused, match="could overflow") as refused:
            client.propose(study_text(bounds="0..999999999999999", max_rows=10_000))
        assert len(client.studies()) == before
    assert refused.value.exit_code == 5
    assert "max_rows" in refused.value.hint


def test_a_declined_study_never_runs(nodes: Nodes) -> None:
    id_ = nodes.proposed()
    with nodes.client("west") as client:
        assert client.decline(id_).state == "refused"
    for name in NAMES:
        wait(partial(_is_told, nodes, name, f"declined: {id_} by west"))
    assert isinstance(nodes.failure(id_), Refused)


def test_a_study_that_one_member_has_not_approved_does_not_run(nodes: Nodes) -> None:
    id_ = nodes.proposed()
    with nodes.client("south") as client:
        client.approve(id_)
    assert isinstance(nodes.failure(id_), Refused)
    with nodes.client("west") as client:
        client.approve(id_)
    nodes.works(id_)


def _is_told(nodes: Nodes, name: str, text: str) -> bool:
    return text in nodes.told(name)


def _is_trouble(nodes: Nodes, name: str, peer: str, text: str) -> bool:
    with nodes.client(name) as client:
        return any(p.name == peer and text in p.trouble for p in client.status().peers)


def _impostor(nodes: Nodes, name: str, folder: Path) -> Home:
    """Return a node with a member's name and address, and a key and roster of its own."""
    true = nodes.homes[name]
    impostor = home.create(folder, name, true.listen, true.reached_at)
    members = (impostor.member() if m.name == name else m for m in nodes.group.members)
    impostor.join(Group(nodes.group.name, tuple(members)))
    return impostor


def _outcome(nodes: Nodes, id_: str, by: str) -> str:
    try:
        return nodes.run(id_, by).results[1].exact
    except Refused:
        return "refused"
    except Abort:
        return "aborted"


@contextmanager
def _west_rows(nodes: Nodes, rows: list[str]) -> Generator[None]:
    """Replace the rows of west's file for the length of the block."""
    path = write_ages(nodes.folder / "west.csv", rows)
    try:
        yield
    finally:
        write_ages(path, AGES["west"].split())
