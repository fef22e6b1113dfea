"""A group that changes, as people type it: one is invited and joins, one is removed for cause."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from quorate.cli.ports import free_ports
from quorate.node import home
from quorate.node.client import Client
from quorate.node.quorum.client import QuorumClient
from tests.e2e.nodes import AGES, Nodes, quorate, some_nodes, start, study_text, wait
from tests.e2e.prompt import typed
from tests.e2e.ward import PASSPHRASE

STAYING = ("north", "south", "coast")


def said(nodes: Nodes, name: str, *arguments: str | Path) -> Any:
    answer = typed(nodes, name, *arguments, "--format", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def voted(nodes: Nodes, id_: str, *names: str) -> None:
    """Have these vote for a change, each as soon as it has heard of it."""
    for name in names:
        wait(partial(_has_heard, nodes, id_, name))
        said(nodes, name, "group", "approve", id_)


def _has_heard(nodes: Nodes, id_: str, name: str) -> bool:
    return any(change["id"] == id_ for change in said(nodes, name, "group", "changes"))


def is_at(nodes: Nodes, epoch: int, name: str) -> bool:
    answer = typed(nodes, name, "group", "show", "--format", "json")
    return answer.returncode == 0 and json.loads(answer.stdout)["epoch"] == epoch


def all_at(nodes: Nodes, epoch: int, *names: str) -> None:
    for name in names:
        wait(partial(is_at, nodes, epoch, name))
        wait(partial(_is_linked, nodes, name))


def _is_linked(nodes: Nodes, name: str) -> bool:
    with nodes.client(name) as client:
        return client.is_healthy() and all(peer.connected for peer in client.status().peers)


def quorum(nodes: Nodes, name: str) -> QuorumClient:
    return QuorumClient(Client(nodes.homes[name].socket))


def key_of(nodes: Nodes, name: str, holders: int) -> Any:
    """Wait until a node has the key in so many hands; return what it says of it."""

    def there() -> bool:
        keys = [key for key in quorum(nodes, name).keys() if key.state == "ready"]  # noqa: SIM118
        return any(key.name == "orders" and len(key.holders) == holders for key in keys)

    wait(there)
    return quorum(nodes, name).key("orders")


@pytest.mark.slow
def test_one_joins_by_a_word_and_one_is_removed_for_cause() -> None:
    tables = {name: "\n".join(["age", *ages.split()]) for name, ages in AGES.items()}
    with some_nodes(tables, 5.0) as nodes:
        for name in tables:
            quorum(nodes, name).unlock(PASSPHRASE)
        quorum(nodes, "north").propose_key("orders", (), "majority", "of the group", "sign")
        for name in ("south", "west"):
            quorum(nodes, name).answer_key("orders", "approve", "agreed")
        old = key_of(nodes, "north", 3)
        assert old.rule == "2 of 3"

        coast_joins(nodes)
        new = key_of(nodes, "coast", 4)
        assert (new.rule, new.public_key) == ("3 of 4", old.public_key)
        released = nodes.run(nodes.approved(study_text()))
        assert released.results[0].exact == str(sum(len(a.split()) for a in AGES.values()) + 2)

        west_goes(nodes)
        assert len(quorum(nodes, "north").key("orders").holders) == 4  # it is not handed on
        (line,) = [
            line
            for line in nodes.homes["north"].log.read_text().splitlines()
            if "does not follow the roster" in line
        ][:1]
        assert "west was removed for cause" in line


def coast_joins(nodes: Nodes) -> None:
    (port,) = free_ports(1)
    coast = home.create(nodes.folder / "coast", "coast", f"127.0.0.1:{port}")
    coast.timeout_s = 5.0
    nodes.homes["coast"] = coast
    path = nodes.folder / "coast.csv"
    path.write_text("age\n50\n60\n")
    coast.add_table("patients", path)
    word = said(nodes, "north", "group", "invite")["token"]
    assert said(nodes, "coast", "group", "join", word) == ["south", "west"]
    (change,) = said(nodes, "south", "group", "changes")
    assert (change["kind"], change["member"]) == ("join", "coast")
    assert change["public_key"] == coast.member().public_key.hex()
    voted(nodes, change["id"], "south")
    for name in ("north", "south", "west"):
        wait(partial(is_at, nodes, 1, name))
    said(nodes, "coast", "group", "join", word)
    start(coast)
    quorum(nodes, "coast").unlock(PASSPHRASE)
    all_at(nodes, 1, *nodes.homes)
    refused = quorate("group", "join", word, node=other(nodes))
    assert "used already" in refused.stderr
    wait(lambda: any(k.state != "ready" for k in quorum(nodes, "coast").keys()))  # noqa: SIM118
    for name in ("south", "west", "coast"):
        quorum(nodes, name).answer_key("orders", "approve", "welcome")


def other(nodes: Nodes) -> Path:
    """Return the folder of a node that the word was not for."""
    (port,) = free_ports(1)
    folder = nodes.folder / "other"
    home.create(folder, "other", f"127.0.0.1:{port}")
    return folder


def west_goes(nodes: Nodes) -> None:
    told = typed(nodes, "north", "group", "remove", "west", "--reason", "sold", "--for-cause")
    assert "quorate key succeed" in told.stdout, told.stderr
    (change,) = said(nodes, "north", "group", "changes")
    assert change["for_cause"]
    voted(nodes, change["id"], "south", "coast")
    for name in STAYING:
        wait(partial(is_at, nodes, 2, name))
    wait(lambda: not nodes.homes["west"].pid_file.exists())
    again = typed(nodes, "west", "node", "start")
    assert "is no member" in again.stderr
