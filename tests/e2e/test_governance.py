"""What a member's staff decides, typed as commands, between real nodes."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from quorate.node.home import write_file
from tests.e2e.nodes import NAMES, Nodes, quorate, study_text, wait


def typed(nodes: Nodes, name: str, *command: str) -> tuple[int, str]:
    """Return exit code and everything printed."""
    said = quorate(*command, node=nodes.homes[name].folder)
    return said.returncode, said.stdout + said.stderr


def state_of(nodes: Nodes, name: str, id_: str) -> str:
    with nodes.client(name) as client:
        return client.study(id_).state


def test_an_approval_taken_back_stops_the_run(nodes: Nodes) -> None:
    id_ = nodes.approved()
    code, said = typed(nodes, "south", "study", "revoke", id_)
    assert (code, "is revoked: revoked by south" in said) == (0, True), said
    for name in NAMES:
        assert state_of(nodes, name, id_) == "revoked"
        code, said = typed(nodes, name, "study", "run", id_)
        assert code == 5
        assert "quorate: refused: the study is revoked" in said


def test_a_policy_refuses_in_so_many_words(nodes: Nodes) -> None:
    id_ = nodes.proposed()
    policy = nodes.homes["south"].folder / "policy.toml"
    write_file(policy, 'recipients = ["north"]')
    try:
        code, said = typed(nodes, "south", "study", "approve", id_, "--yes")
        assert code == 5
        assert "quorate: refused: this node's policy allows recipients north only" in said
        code, said = typed(nodes, "south", "policy", "show")
        assert code == 0
        assert "results  to north" in said
    finally:
        policy.unlink()
    assert typed(nodes, "south", "study", "approve", id_, "--yes")[0] == 0


def test_only_a_failed_run_is_resumed(nodes: Nodes) -> None:
    id_ = nodes.approved()
    code, said = typed(nodes, "north", "study", "resume", id_)
    assert code == 5
    assert "only a failed run is resumed" in said
    nodes.works(id_)
    code, said = typed(nodes, "north", "study", "resume", id_)
    assert (code, "is released: only a failed run" in said) == (5, True)


def test_members_witness_each_others_audit_logs(nodes: Nodes) -> None:
    nodes.works()

    def is_witnessed(name: str) -> bool:
        code, said = typed(nodes, name, "audit", "verify")
        assert code == 0, said
        return said.count("which is in this chain") == 2

    for name in NAMES:
        wait(partial(is_witnessed, name))


def test_a_changed_byte_in_a_study_is_another_study_that_nobody_approved(nodes: Nodes) -> None:
    text = study_text()
    id_ = nodes.proposed(text)
    for name in NAMES[1:]:
        assert typed(nodes, name, "study", "approve", id_, "--yes")[0] == 0
    changed = nodes.proposed(text.replace("0..120", "0..121"))
    assert changed != id_
    code, said = typed(nodes, "north", "study", "run", changed)
    assert code == 5
    assert f"study {changed} lacks the approval of south, west" in said
    nodes.works(id_)


@pytest.mark.slow
def test_a_changed_byte_in_a_nodes_database_is_noticed(nodes: Nodes) -> None:
    id_ = nodes.approved()
    home = nodes.homes["west"]
    assert typed(nodes, "west", "node", "stop")[0] == 0
    flip(home.database, id_)
    code, said = typed(nodes, "west", "node", "start")
    assert code == 1
    assert "a study in this node's database is not the one that was kept there" in said
    flip(home.database, id_)
    nodes.start("west")
    nodes.works(id_)


def flip(database: Path, id_: str) -> None:
    """Change one letter of the title of a stored study; the second time, back."""
    with closing(sqlite3.connect(database)) as db, db:
        found = db.execute("SELECT digest, plan FROM studies").fetchall()
        digest, plan = next(row for row in found if row[0].hex().startswith(id_.replace("-", "")))
        at = plan.index(b"erage age") - 1
        changed = plan[:at] + bytes([plan[at] ^ 1]) + plan[at + 1 :]
        db.execute("UPDATE studies SET plan = ? WHERE digest = ?", (changed, digest))
