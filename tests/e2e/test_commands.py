"""Commands of a running node that the tutorial does not type, for people and for programs."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quorate.errors import Abort, NotFound, Refused, Unavailable
from quorate.node.client import Client
from quorate.node.views import EventView
from tests.e2e.nodes import MEAN, Nodes, quorate, study_text, wait


def said(nodes: Nodes, name: str, *arguments: str | Path) -> Any:
    """Return what a command says as JSON, on whichever side it says it."""
    node = nodes.homes[name].folder
    answer = quorate(*arguments, "--format", "json", node=node)
    return json.loads(answer.stdout if answer.returncode == 0 else answer.stderr)


def test_a_study_from_proposal_to_release_as_json(nodes: Nodes) -> None:
    file = nodes.folder / "study.toml"
    file.write_text(study_text())
    study = said(nodes, "south", "study", "propose", file)
    assert (study["state"], study["approved_by"]) == ("proposed", ["south"])
    for name in ("north", "west"):
        study = said(nodes, name, "study", "approve", study["digest"][:10], "--yes")
    assert study["state"] == "approved"
    released = said(nodes, "west", "study", "run", study["id"])
    assert released["results"][1]["exact"] == MEAN
    assert {seen["sender"] for seen in released["seen"]} == {"north", "south"}
    release = said(nodes, "west", "study", "release", study["id"])
    assert release["quorate"] == "release 4"
    assert [s["member"] for s in release["signatures"]] == ["north", "south", "west"]
    again = said(nodes, "west", "study", "run", study["id"])
    assert (again["kind"], again["exit_code"]) == ("Refused", 5)


def test_lists_status_and_logs(nodes: Nodes) -> None:
    id_ = nodes.approved()
    assert id_ in [study["id"] for study in said(nodes, "west", "study", "list")]
    assert said(nodes, "west", "study", "show", id_)["proposer"] == "north"
    assert [table["name"] for table in said(nodes, "west", "data", "list")] == ["patients"]
    status = said(nodes, "west", "node", "status")
    assert [peer["connected"] for peer in status["peers"]] == [True, True]
    head = said(nodes, "west", "audit", "verify")["head"]
    assert said(nodes, "west", "audit", "show")["head"] == head
    assert all(check["state"] == "ok" for check in said(nodes, "west", "doctor"))
    west = nodes.homes["west"].folder
    assert "link up" in quorate("node", "logs", node=west).stdout
    listed = quorate("study", "list", node=west).stdout
    assert any(line.startswith(f"{id_}  approved") for line in listed.splitlines())
    shown = quorate("group", "show", node=west).stdout
    assert shown.count("connected") == 2


def test_approving_is_never_by_accident(nodes: Nodes) -> None:
    id_ = nodes.proposed()
    answer = quorate("study", "approve", id_, node=nodes.homes["south"].folder)
    assert answer.returncode == 2
    assert "decide with --yes" in answer.stderr
    assert "reveals  sum of age" in answer.stderr
    with nodes.client("south") as client:
        assert client.study(id_).approved_by == ("north",)


def test_a_person_at_a_terminal_is_asked(nodes: Nodes) -> None:
    id_ = nodes.proposed()
    south = nodes.homes["south"].folder
    for answer, code, approved_by in (("n", 1, ("north",)), ("y", 0, ("north", "south"))):
        asked = at_a_terminal(answer, "study", "approve", id_, "--node", south)
        assert asked.returncode == code
        assert "reveals  sum of age" in asked.stderr
        assert "approve exactly this? [y/N]" in asked.stderr
        with nodes.client("south") as client:
            assert client.study(id_).approved_by == approved_by
    made = at_a_terminal("east", "init", nodes.folder / "new")
    assert made.returncode == 0
    assert (nodes.folder / "new/east.card.json").exists()


def at_a_terminal(answer: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Type a command, and the answer to what it asks."""
    keyboard, stdin = pty.openpty()
    try:
        os.write(keyboard, f"{answer}\n".encode())
        return subprocess.run(
            [sys.executable, "-m", "quorate.cli.main", *map(str, arguments)],
            stdin=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(keyboard)
        os.close(stdin)


def test_what_the_node_refuses_is_raised_as_what_it_was(nodes: Nodes) -> None:
    with nodes.client("north") as client:
        for id_ in ("0000-0000", "not hexadecimal", "../audit", ""):
            with pytest.raises(NotFound):
                client.study(id_)
        with pytest.raises(NotFound):
            client.release(nodes.proposed())
        with pytest.raises(Unavailable, match=r"missing\.csv is not a file"):
            client.add_table("patients", nodes.folder / "missing.csv")
        with pytest.raises(Refused):
            client.add_table("no name", nodes.folder / "north.csv")


def test_a_node_is_started_once(nodes: Nodes) -> None:
    answer = quorate("node", "start", node=nodes.homes["north"].folder)
    assert (answer.returncode, "is running already" in answer.stderr) == (5, True)


def test_a_node_that_dies_while_it_answers_is_said_so(nodes: Nodes) -> None:
    id_ = nodes.approved()

    def kill_north(_: EventView) -> None:
        wait(lambda: f"run started: {id_} by north" in nodes.told("south"))
        nodes.kill("north")

    nodes.signal("west", signal.SIGSTOP)  # so that the run cannot end before the blow
    try:
        with pytest.raises(Unavailable, match="stopped before it had answered"):
            nodes.run(id_, at=kill_north)
    finally:
        nodes.signal("west", signal.SIGCONT)
        nodes.start("north")
    assert f"aborted: {id_}: this node stopped during the run" in nodes.told("north")
    wait(lambda: f"aborted: {id_}" in nodes.told("south"))
    nodes.works(id_)


def test_a_node_that_does_not_answer_in_time_is_said_so(nodes: Nodes) -> None:
    nodes.signal("west", signal.SIGSTOP)
    try:
        with (
            Client(nodes.homes["west"].socket, timeout_s=0.2) as client,
            pytest.raises(Unavailable, match="did not answer in time"),
        ):
            client.status()
    finally:
        nodes.signal("west", signal.SIGCONT)


def test_members_that_are_away_hear_of_a_study_when_they_are_back(nodes: Nodes) -> None:
    nodes.kill("west")
    with nodes.client("north") as client:
        study = client.propose(study_text())
    assert study.untold == ("west",)
    assert isinstance(nodes.failure(study.id), Abort | Refused)
    nodes.start("west")
    nodes.connected(["west"])
    wait(lambda: _knows(nodes, "west", study.id))
    for name in ("south", "west"):
        with nodes.client(name) as client:
            client.approve(study.id)
    nodes.works(study.id)


def _knows(nodes: Nodes, name: str, id_: str) -> bool:
    with nodes.client(name) as client:
        return any(study.id == id_ for study in client.studies())
