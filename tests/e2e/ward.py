"""Five members' nodes as processes of this machine; doctor, pharmacist and nurse hold a key."""

import os
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from quorate.cli.ports import free_ports
from quorate.cli.stage import examples
from quorate.errors import Unavailable
from quorate.node import daemon, home
from quorate.node.client import Client
from quorate.node.home import Home
from quorate.node.quorum.client import QuorumClient
from quorate.node.quorum.views import OrderView
from quorate.studies.group import Group
from quorate.threshold.keys import Purpose
from tests.e2e.nodes import start, wait
from tests.quorum.dealt import ROLES, WARD

PASSPHRASE = "correct horse battery"  # noqa: S105 - of a test
DOCUMENT = (examples() / "medication-order.json").read_text()


@dataclass(frozen=True, slots=True)
class Ward:
    folder: Path
    group: Group
    homes: dict[str, Home]
    clients: dict[str, Client]

    def __getitem__(self, name: str) -> QuorumClient:
        return QuorumClient(self.clients[name])

    def propose(self, by: str = "doctor", reason: str = "pain after surgery") -> OrderView:
        return self[by].propose_order(DOCUMENT, "medication", reason)

    def approve(self, by: str, id_: str, reason: str = "checked") -> OrderView:
        return self[by].answer_order(id_, "approve", reason)

    def make_key(
        self,
        name: str,
        rule: str = "2 of 3",
        holders: tuple[str, ...] = ROLES,
        purpose: Purpose = "sign",
        witnesses: tuple[str, ...] = (),
    ) -> None:
        self[holders[0]].propose_key(name, holders, rule, "orders", purpose, witnesses=witnesses)
        for holder in holders[1:]:
            self[holder].answer_key(name, "approve", "agreed")
        for one in WARD:
            wait(partial(self._is_ready, one, name))

    def signed_everywhere(self, id_: str) -> None:
        for name in WARD:
            wait(partial(self._is_signed, name, id_))

    def _is_ready(self, node: str, name: str) -> bool:
        return any(k.name == name and k.state == "ready" for k in self[node].keys())  # noqa: SIM118 - a route

    def _is_signed(self, node: str, id_: str) -> bool:
        return any(o.id == id_ and o.state == "signed" for o in self[node].orders())

    def is_connected(self, name: str) -> bool:
        return all(peer.connected for peer in self.clients[name].status().peers)


@contextmanager
def five_nodes() -> Generator[Ward]:
    """Run five nodes whose vaults are open, with the key `medication`; stop them at the end."""
    with tempfile.TemporaryDirectory(prefix="q-") as place:
        folder = Path(place)
        ports = dict(zip(WARD, free_ports(len(WARD)), strict=True))
        homes = {one: home.create(folder / one, one, f"127.0.0.1:{ports[one]}") for one in WARD}
        group = Group("ward", tuple(one.member() for one in homes.values()))
        for one in homes.values():
            one.join(group)
        ward = Ward(folder, group, homes, {n: Client(one.socket) for n, one in homes.items()})
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(start, homes.values()))
            for name in WARD:
                wait(partial(ward.is_connected, name))
                ward[name].unlock(PASSPHRASE)
            ward.make_key("medication")
            yield ward
        finally:
            for one in homes.values():
                with suppress(Unavailable):
                    daemon.stop(one)
            for client in ward.clients.values():
                client.__exit__()


def environment(node: Home) -> dict[str, str]:
    """Return the environment of a command of one node, with its passphrase."""
    return os.environ | {"QUORATE_NODE": str(node.folder), "QUORATE_PASSPHRASE": PASSPHRASE}
