"""Three members' nodes as processes of this machine, and what is done to them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

from quorate.cli.ports import free_ports
from quorate.errors import Error, Unavailable
from quorate.node import daemon, home
from quorate.node.client import Client
from quorate.node.home import Home
from quorate.node.views import EventView, StudyView
from quorate.studies.group import Group

NAMES = ("north", "south", "west")
AGES = {"north": "23 25 30", "south": "40 35", "west": "60 64 72"}
MEAN = "349/8"
WAIT_S = 30.0

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of one group, all in one folder."""

    folder: Path
    group: Group
    homes: dict[str, Home]

    def client(self, name: str) -> Client:
        return Client(self.homes[name].socket)

    def approved(self, text: str = "") -> str:
        """Return the identifier of a new study that every member has approved."""
        id_ = self.proposed(text)
        for name in list(self.homes)[1:]:
            with self.client(name) as client:
                client.approve(id_)
        return id_

    def proposed(self, text: str = "") -> str:
        with self.client("north") as client:
            return client.propose(text or study_text()).id

    def run(
        self, id_: str, by: str = "north", at: Callable[[EventView], None] = lambda _: None
    ) -> StudyView:
        """Run a study to its end, and call `at` for every event on the way."""
        with self.client(by) as client:
            for event in client.run(id_):
                at(event)
                if event.study is not None:
                    return event.study
        raise AssertionError("the run has no end")

    def failure(self, id_: str, by: str = "north") -> Error:
        """Return the error with which a run of a study ends."""
        try:
            self.run(id_, by)
        except Error as e:
            return e
        raise AssertionError("the run succeeded")

    def works(self, id_: str = "") -> None:
        """Assert that every node is ready for the next run, and that it is right."""
        self.connected(NAMES)
        released = self.run(id_ or self.approved())
        assert released.results[1].exact == MEAN
        self.released(released.id)

    def released(self, id_: str) -> None:
        """Wait until every node has the release of a study."""
        for name in self.homes:
            wait(partial(self._has_released, name, id_))

    def connected(self, names: Iterable[str]) -> None:
        """Wait until these nodes are connected to all others."""
        for name in names:
            wait(partial(self._is_connected, name))

    def told(self, name: str) -> str:
        """Return the audit log of a node as text, its chain verified."""
        with self.client(name) as client:
            entries = client.audit().entries  # asks nobody: others may be stopped
        return "\n".join(f"{entry.event}: {entry.details}" for entry in entries)

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(int(self.homes[name].pid_file.read_text()), number)

    def start(self, name: str) -> None:
        start(self.homes[name])

    def kill(self, name: str) -> None:
        """Kill a node's process as a power cut would, and wait until it is gone."""
        self.signal(name, signal.SIGKILL)
        wait(partial(self._is_gone, name))

    def stop_all(self) -> None:
        for one in self.homes.values():
            with suppress(Unavailable):
                daemon.stop(one)

    def _is_gone(self, name: str) -> bool:
        with self.client(name) as client:
            return not client.is_healthy()

    def _is_connected(self, name: str) -> bool:
        with self.client(name) as client:
            return all(peer.connected for peer in client.status().peers)

    def _has_released(self, name: str, id_: str) -> bool:
        with self.client(name) as client:
            return client.study(id_).state == "released"


@contextmanager
def three_nodes(
    timeout_s: float, reached_at: dict[str, str] | None = None, ports: list[int] | None = None
) -> Generator[Nodes]:
    """Run three nodes with their ages as table `patients`; stop them at the end."""
    tables = {name: "\n".join(["age", *ages.split()]) for name, ages in AGES.items()}
    with some_nodes(tables, timeout_s, reached_at, ports) as nodes:
        yield nodes


@contextmanager
def some_nodes(
    tables: dict[str, str],
    timeout_s: float,
    reached_at: dict[str, str] | None = None,
    ports: list[int] | None = None,
) -> Generator[Nodes]:
    """Run a node for each member named, with this CSV as its table `patients`."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        folder = Path(name)
        homes = {
            member: _home(folder / member, port, timeout_s, (reached_at or {}).get(member, ""))
            for member, port in zip(tables, ports or free_ports(len(tables)), strict=True)
        }
        group = Group("some", tuple(one.member() for one in homes.values()))
        for member, one in homes.items():
            one.join(group)
            path = folder / f"{member}.csv"
            path.write_text(tables[member] + "\n")
            one.add_table("patients", path)
        nodes = Nodes(folder, group, homes)
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(start, homes.values()))
            nodes.connected(tables)
            yield nodes
        finally:
            nodes.stop_all()


def start(node: Home) -> None:
    """Start a node as a person would: its parent is gone when this returns."""
    said = quorate("node", "start", node=node.folder)
    assert said.returncode == 0, said.stderr


def write_ages(path: Path, ages: Iterable[str]) -> Path:
    path.write_text("\n".join(["age", *ages]) + "\n")
    return path


def study_text(bounds: str = "0..120", max_rows: int = 1000) -> str:
    """Return a study nobody has proposed before."""
    return (
        f'title = "Average age, number {next(_numbers)}"\npurpose = "a test"\n'
        f'max_rows = {max_rows}\n[tables.patients]\nage = "integer {bounds} years"\n'
        "[releases]\n"
        'age = "select count(*) as patients, avg(age) as mean_age from patients"\n'
    )


def quorate(
    *arguments: str | Path, cwd: Path | None = None, node: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Type one command, as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "quorate.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={k: v for k, v in os.environ.items() if k != "QUORATE_NODE"}
        | ({"QUORATE_NODE": str(node)} if node else {}),
    )


def wait(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    until = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < until, "it never became so"
        time.sleep(0.02)


def _home(folder: Path, port: int, timeout_s: float, reached_at: str) -> Home:
    one = home.create(folder, folder.name, f"127.0.0.1:{port}", reached_at)
    settings = folder / "node.toml"
    text = settings.read_text().replace(f"timeout_s = {home.TIMEOUT_S}", f"timeout_s = {timeout_s}")
    home.write_file(settings, text)
    return replace(one, timeout_s=timeout_s)
