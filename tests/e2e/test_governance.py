"""What a member's staff decides, typed as commands, between real nodes."""

from functools import partial

from quorate.node.home import write_file
from tests.e2e.nodes import NAMES, Nodes, quorate, wait


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
