"""Seven real nodes, two of them behind a relay: one key in five hands, then in seven."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from quorate.cli.ports import free_ports
from quorate.cli.stage import examples
from quorate.errors import Unavailable
from quorate.node import daemon, home
from quorate.node.client import Client
from quorate.node.home import Home
from quorate.node.quorum.client import QuorumClient
from quorate.node.quorum.views import KeyView
from quorate.studies.group import Group, group_to_json
from quorate.threshold.keys import Purpose
from tests.e2e.nodes import quorate, start, wait
from tests.e2e.ward import PASSPHRASE, environment

SEVEN = ("ada", "ben", "cleo", "dan", "eva", "finn", "gwen")
FIVE, BEHIND = SEVEN[:5], SEVEN[5:]
DOCUMENT = (examples() / "medication-order.json").read_text()

Clients = dict[str, QuorumClient]


@contextmanager
def seven_nodes(folder: Path) -> Generator[tuple[Clients, dict[str, Home]]]:
    """Run seven nodes, of which two wait at a relay; stop all at the end."""
    at_relay, *ports = free_ports(8)
    reached = dict.fromkeys(BEHIND, f"relay:127.0.0.1:{at_relay}")
    homes = {
        name: home.create(folder / name, name, f"127.0.0.1:{port}", reached.get(name, ""))
        for name, port in zip(SEVEN, ports, strict=True)
    }
    group = Group("seven", tuple(one.member() for one in homes.values()))
    (folder / "group.json").write_text(group_to_json(group))
    for one in homes.values():
        one.join(group)
    command = ["relay", "--group", folder / "group.json", "--listen", f"127.0.0.1:{at_relay}"]
    relay = subprocess.Popen([sys.executable, "-m", "quorate.cli.main", *map(str, command)])
    clients = {name: Client(one.socket) for name, one in homes.items()}
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(start, homes.values()))
        for client in clients.values():
            wait(partial(_is_connected, client))
        quorums = {name: QuorumClient(client) for name, client in clients.items()}
        for quorum in quorums.values():
            quorum.unlock(PASSPHRASE)
        yield quorums, homes
    finally:
        for one in homes.values():
            with suppress(Unavailable):
                daemon.stop(one)
        for client in clients.values():
            client.__exit__()
        relay.terminate()
        relay.wait()


def _is_connected(client: Client) -> bool:
    return all(peer.connected for peer in client.status().peers)


def made(seven: Clients, name: str, holders: tuple[str, ...], purpose: Purpose) -> KeyView:
    seven[holders[0]].propose_key(name, holders, "majority", "of the group", purpose)
    for holder in holders[1:]:
        seven[holder].answer_key(name, "approve", "agreed")
    return ready(seven, name, len(holders))


def ready(seven: Clients, name: str, holders: int) -> KeyView:
    """Wait until all nodes have a key in so many hands."""

    def there(one: QuorumClient) -> bool:
        keys = [k for k in one.keys() if k.name == name and k.state == "ready"]  # noqa: SIM118 - a route
        return any(len(key.holders) == holders for key in keys)

    for one in seven.values():
        wait(partial(there, one))
    return seven["ada"].key(name)


def ordered(seven: Clients, key: str, by: tuple[str, ...]) -> str:
    """Have an order proposed and approved, and return its file."""
    id_ = seven[by[0]].propose_order(DOCUMENT, key, "pain after surgery").id
    for name in by[1:]:
        seven[name].answer_order(id_, "approve", "checked")
    signed(seven, by[0], id_)
    return seven[by[0]].order_file(id_)


def signed(seven: Clients, at: str, id_: str) -> None:
    wait(lambda: seven[at].order(id_).state == "signed")


def said(homes: dict[str, Home], name: str, *arguments: str | Path) -> str:
    told = subprocess.run(
        [sys.executable, "-m", "quorate.cli.main", *map(str, arguments)],
        capture_output=True, text=True, check=False, env=environment(homes[name]),
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.mark.slow
def test_a_key_of_five_becomes_one_of_seven_and_gives_way_when_one_is_removed() -> None:
    with tempfile.TemporaryDirectory(prefix="q-") as place:
        folder = Path(place)
        with seven_nodes(folder) as (seven, homes):
            follow_two_keys(seven, homes, folder)


def follow_two_keys(seven: Clients, homes: dict[str, Home], folder: Path) -> None:
    signing, sealing = made(seven, "orders", FIVE, "sign"), made(seven, "records", FIVE, "unlock")
    assert (signing.rule, sealing.rule) == ("3 of 5", "3 of 5")
    before = ordered(seven, "orders", ("ada", "ben", "cleo"))
    letter, sealed, opened = (folder / name for name in ("letter", "letter.age", "opened"))
    letter.write_bytes(b"an old record")
    said(homes, "eva", "seal", letter, "--key", "records", "--record", "r-17", "--out", sealed)

    for name, old in (("orders", signing), ("records", sealing)):
        said(
            homes, "ada", "key", "reshare", name,
            "--members", ",".join(SEVEN), "--min-signers", "majority",
        )  # fmt: skip
        for holder in SEVEN[1:]:
            seven[holder].answer_key(name, "approve", "welcome")
        new = ready(seven, name, 7)
        assert (new.rule, new.public_key) == ("4 of 7", old.public_key)

    open_old_record(seven, homes, sealed, opened)
    assert opened.read_bytes() == b"an old record"
    after = ordered(seven, "orders", ("finn", "gwen", "ada", "dan"))
    for text in (before, after):
        (folder / "order.json").write_text(text)
        told = quorate("verify", folder / "order.json", "--group", folder / "group.json")
        assert told.returncode == 0, told.stderr
    remove_ben(seven, homes, folder, signing)


def open_old_record(seven: Clients, homes: dict[str, Home], sealed: Path, opened: Path) -> None:
    command = ["unlock", sealed, "--record", "r-17", "--reason", "acute care", "--out", opened]
    asking = subprocess.Popen(
        [sys.executable, "-m", "quorate.cli.main", *map(str, command)],
        env=environment(homes["gwen"]),
    )
    wait(lambda: bool(seven["finn"].unlocks()))
    id_ = seven["finn"].unlocks()[0].id
    for name in ("finn", "ada", "ben"):  # with gwen's own these are four
        wait(partial(_knows, seven[name], id_))
        seven[name].answer_unlock(id_, "approve", "agreed")
    assert asking.wait(60) == 0


def _knows(one: QuorumClient, id_: str) -> bool:
    return any(request.id == id_ for request in one.unlocks())


def remove_ben(seven: Clients, homes: dict[str, Home], folder: Path, signing: KeyView) -> None:
    """Make a key without ben, have the old one name it, and verify what they say."""
    staying = tuple(name for name in SEVEN if name != "ben")
    new = made(seven, "orders-2", staying, "sign")
    told = said(
        homes, "ada", "key", "succeed", "orders", "orders-2", "--reason", "ben sold a share",
        "--format", "json",
    )  # fmt: skip
    for order in json.loads(told):
        for name in ("cleo", "dan", "finn"):
            seven[name].answer_order(order["id"], "approve", "agreed")
        signed(seven, "ada", order["id"])
    said(homes, "ada", "key", "succession", "orders", "--out", folder / "succession.json")
    verified = quorate("verify", folder / "succession.json", "--format", "json")
    assert verified.returncode == 0, verified.stderr
    report = json.loads(verified.stdout)
    assert (report["old"], report["new"]) == (signing.public_key, new.public_key)
    wait(lambda: seven["gwen"].key("orders").state == "succeeded")
