"""Three members' desks and runs in one process: real folders, databases, sockets and TLS."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from quorate.cli.ports import free_ports
from quorate.errors import Error
from quorate.node.anonymous.reports import Reports
from quorate.node.desk import Desk
from quorate.node.heads import Heads
from quorate.node.home import Home, create
from quorate.node.lifecycle import State
from quorate.node.node import running
from quorate.node.quorum.quorum import Quorum
from quorate.node.run import Progress
from quorate.node.runs import Runs
from quorate.node.store import Entry, Store
from quorate.studies.group import Group
from quorate.studies.release import Certificate, verify_release

_ROOT = tempfile.TemporaryDirectory(prefix="q-")  # a short path, for sockets; gone at the end
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
NAMES = ("north", "south", "west")
AGES = {"north": ["65", "67", "70"], "south": ["60", "64"], "west": ["72", "74"]}
STUDY = """
title = "Average age"
purpose = "a test"
max_rows = 1000

[tables.patients]
age = "integer 0..120 years"

[releases]
age = "select count(*) as patients, avg(age) as mean_age from patients"
"""


def write_ages(home: Home, ages: list[str]) -> None:
    """Give a member a table of ages."""
    path = home.folder / "ages.csv"
    path.write_text("\n".join(["age", *ages]) + "\n")
    home.add_table("patients", path)


@dataclass(slots=True)
class Hospital:
    """One member as the tests see it."""

    home: Home
    desk: Desk
    runs: Runs
    heads: Heads
    quorum: Quorum
    reports: Reports

    def events(self) -> list[str]:
        """What happened, but for the heads of others' logs: they come when they come."""
        events = [item.entry.event for item in self.desk.audit.verified()]
        return [event for event in events if event != "head held"]

    def details(self) -> str:
        return "\n".join(item.entry.details for item in self.desk.audit.verified())

    async def run(self, digest: bytes) -> list[Progress]:
        """Start a run and follow it to its end."""
        return [progress async for progress in self.runs.start(digest).follow()]


def make_homes(names: tuple[str, ...] = NAMES, timeout_s: float = 3.0) -> list[Home]:
    """Make the folders of a group's members, joined, with their tables."""
    folder = Path(tempfile.mkdtemp(dir=_ROOT.name))
    ports = free_ports(len(names))
    homes = [
        create(folder / name, name, f"127.0.0.1:{port}")
        for name, port in zip(names, ports, strict=True)
    ]
    group = Group("hospitals", tuple(home.member() for home in homes))
    for home in homes:
        home.timeout_s = timeout_s
        home.join(group)
        write_ages(home, AGES.get(home.name, ["50", "60"]))
    return homes


@contextlib.asynccontextmanager
async def up(home: Home, clock_off: timedelta = timedelta()) -> AsyncGenerator[Hospital]:
    """One member's node, without its process and its API."""
    store = Store(home.database)
    try:
        async with running(home, store, lambda: NOW + clock_off) as node:
            yield Hospital(home, node.desk, node.runs, node.heads, node.quorum, node.reports)
    finally:
        store.close()


@contextlib.asynccontextmanager
async def connected(
    *homes: Home, clock_off: timedelta = timedelta()
) -> AsyncGenerator[list[Hospital]]:
    """These members up, and connected to each other."""
    async with contextlib.AsyncExitStack() as stack:
        hospitals = [await stack.enter_async_context(up(home, clock_off)) for home in homes]
        for hospital in hospitals:
            await hospital.desk.peers.wait_ready(10)
        yield hospitals


async def until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Let the others work until `condition()` holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - it is in another node's database
            await asyncio.sleep(0.01)


async def approved_by_all(hospitals: list[Hospital], text: str = STUDY) -> Entry:
    """Propose a study by the first member and have everybody approve it."""
    entry, untold = await hospitals[0].desk.propose(text, ())
    assert not untold
    for hospital in hospitals[1:]:
        entry, _ = await hospital.desk.approve(entry.plan.digest())
    return entry


async def released_by_all(hospitals: list[Hospital], text: str) -> Certificate:
    """Run a study that all approve; return the certificate of the one release all have."""
    digest = (await approved_by_all(hospitals, text)).plan.digest()
    progress = await hospitals[2].run(digest)
    assert progress[-1].done, progress[-1].error
    await until(
        lambda: all(one.desk.store.study(digest).state is State.RELEASED for one in hospitals)
    )
    releases = [one.desk.store.study(digest).release for one in hospitals]
    assert releases[0] == releases[1] == releases[2]
    assert releases[0] is not None
    return verify_release(releases[0], group=hospitals[0].desk.group).certificate


def error_of(progress: list[Progress]) -> Error:
    error = progress[-1].error
    assert error is not None, progress[-1]
    return error
