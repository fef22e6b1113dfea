"""`quorate doctor`: each trouble is found, with what to do about it."""

import json
import socket
from pathlib import Path

import pytest

from quorate.cli.ports import free_ports
from tests.cli.say import Shell


@pytest.fixture
def port(shell: Shell) -> int:
    """The port of a node `north` in a group of two, which has one table and does not run."""
    ports = free_ports(2)
    for name, port in zip(("north", "south"), ports, strict=True):
        shell("init", name, "--name", name, "--listen", f"127.0.0.1:{port}")
    cards = [f"{name}/{name}.card.json" for name in ("north", "south")]
    shell("group", "create", "duo", *cards, "--out", "duo.json")
    shell("group", "join", "duo.json", "--node", "north")
    table = Path("ages.csv").absolute()
    table.write_text("age\n40\n")
    Path("north/data.toml").write_text(f'[tables]\npatients = "{table}"\n')
    Path("north/data.toml").chmod(0o600)
    return ports[0]


def test_a_node_that_is_well_and_does_not_run(shell: Shell, port: int) -> None:
    said = shell("doctor", "--node", "north")
    assert said.code == 0
    assert "fail" not in said.out
    assert "warn  node: the node in " in said.out
    assert f"ok    port: 127.0.0.1:{port} is free" in said.out


def test_a_port_that_is_taken(shell: Shell, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        said = shell("doctor", "--node", "north")
    assert said.code == 1
    assert f"fail  port: cannot listen at 127.0.0.1:{port}" in said.out


def test_files_that_others_can_read(shell: Shell, port: int) -> None:
    Path("north/group.json").chmod(0o644)
    said = shell("doctor", "--node", "north")
    assert said.code == 1
    assert "group.json is not private: mode 644" in said.out
    assert "chmod go= " in said.out


def test_data_that_are_gone(shell: Shell, port: int) -> None:
    Path("ages.csv").unlink()
    said = shell("doctor", "--node", "north")
    assert said.code == 1
    assert "fail  data: table patients: ages.csv is not a file" in said.out


def test_a_roster_with_another_key(shell: Shell, port: int) -> None:
    shell("init", "again", "--name", "north", "--listen", f"127.0.0.1:{port}")
    Path("north/identity.key").write_bytes(Path("again/identity.key").read_bytes())
    said = shell("doctor", "--node", "north")
    assert said.code == 1
    assert "fail  group: duo lists another key for north" in said.out


def test_a_folder_that_is_no_nodes(shell: Shell) -> None:
    Path("empty").mkdir(mode=0o700)
    said = shell("doctor", "--node", "empty", "--format", "json")
    assert said.code == 1
    found = {check["name"]: check["state"] for check in json.loads(said.out)}
    assert found["settings"] == "fail"
