"""A node put together: links, desk and runs of one member, without process and API."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime

from quorate import __version__
from quorate.errors import NotFound, Party, Unavailable
from quorate.node.anonymous.reports import Reports, make_reports
from quorate.node.audit import AuditLog
from quorate.node.desk import Desk
from quorate.node.heads import Heads
from quorate.node.home import Home, split_address
from quorate.node.members.doorway import Doorway
from quorate.node.members.members import Members
from quorate.node.members.records import RosterRecords
from quorate.node.quorum.quorum import Quorum, make_quorum
from quorate.node.quorum.vault import Vault
from quorate.node.runs import Runs
from quorate.node.store import Store
from quorate.studies.group import RELAY, Group
from quorate.transport.dial import Seat
from quorate.transport.guests import Guests
from quorate.transport.peers import DEAD_AFTER_S, HEARTBEAT_S, Peers

EXPIRY_S = 60.0
SOFTWARE = f"quorate {__version__}"


@dataclass(frozen=True, slots=True)
class Node:
    """One member's node, at work."""

    home: Home
    desk: Desk
    runs: Runs
    heads: Heads
    quorum: Quorum
    reports: Reports
    members: Members
    doorway: Doorway


@contextlib.asynccontextmanager
async def running(
    home: Home,
    store: Store,
    now: Callable[[], datetime],
    on_epoch: Callable[[], None] = lambda: None,
    vault: Vault | None = None,
) -> AsyncGenerator[Node]:
    """Keep one member's node at work for the length of the block. Raises `Unavailable`.

    `on_epoch` is called when another roster holds: the block is to end then, and to
    begin anew, with the `vault` that was open. Raises `Refused` for a member that was removed.
    """
    group = home.group
    if group is None:
        raise Unavailable(
            "this node has not joined a group",
            hint=f"quorate group join GROUP.json --node {home.folder}",
        )
    rosters = RosterRecords(store)
    history = rosters.history(group)
    home.adopt(history.now)
    desk = Desk(home, history.now, store, AuditLog(store, now), now)
    async with asyncio.TaskGroup() as tasks:
        desk.tasks = tasks
        heads = Heads(desk)
        runs = Runs(desk, tasks, heads.check_past, on_end=lambda: _tell_heads(heads, tasks))
        quorum = make_quorum(desk, tasks, history.of, vault)
        members = Members(desk, rosters, history, tasks, on_epoch)
        reports = make_reports(desk, quorum.custody, tasks)
        node = Node(home, desk, runs, heads, quorum, reports, members, Doorway(members, now))
        runs.group_signer = node.quorum.group_signer
        desk.peers = _peers(history.now, node, tasks)
        runs.recover()
        desk.expire()
        quorum.keys.end_of_other_rosters()
        reports.runs.recover()
        by_the_clock = [tasks.create_task(_expire(node)), tasks.create_task(reports.keep_time())]
        try:
            async with _links(desk):
                yield node
        finally:
            for task in by_the_clock:
                task.cancel()
            runs.stop()
            reports.stop()
            node.quorum.stop()
            desk.stop()


async def _expire(node: Node) -> None:
    """End what is over, now and then, and try again what waits; a run looks for itself."""
    while True:
        node.desk.expire()
        node.quorum.look_again()
        node.reports.writer.seal_anew()
        await asyncio.sleep(EXPIRY_S)


def _tell_heads(heads: Heads, tasks: asyncio.TaskGroup) -> None:
    for party in heads.desk.peers.peers:
        tasks.create_task(heads.tell(party))


@contextlib.asynccontextmanager
async def _links(desk: Desk) -> AsyncGenerator[None]:
    """Keep the links to the other members up."""
    home = desk.home
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(desk.peers.running(home.listen_at))
        except OSError as e:
            raise Unavailable(
                f"cannot listen at {home.listen}: {e.strerror}",
                hint=f"does another program use the port? change listen in {home.folder}/node.toml",
            ) from e
        yield


def _peers(group: Group, node: Node, tasks: asyncio.TaskGroup) -> Peers:
    desk, runs, heads = node.desk, node.runs, node.heads
    answer = {
        "proposal": desk.on_proposal,
        "approval": desk.on_approval,
        "head": heads.on_head,
        "held": heads.on_held,
        "prepare": runs.on_prepare,
        "go": runs.on_go,
        "cancel": runs.on_cancel,
        "roster": node.members.on_roster,
        "change": node.members.on_change,
        **node.quorum.answers(),
        **node.reports.answers(),
    }

    async def handle(party: Party, topic: str, body: bytes) -> bytes:
        if topic not in answer:
            raise NotFound("this node does not know what is asked")
        return await answer[topic](party, body)

    def on_ready(party: Party) -> None:
        tasks.create_task(node.members.catch_up(party))
        tasks.create_task(desk.catch_up(party))
        tasks.create_task(heads.tell(party))
        tasks.create_task(node.quorum.catch_up(party))
        tasks.create_task(node.reports.catch_up(party))

    seats = tuple(
        Seat(m.name, *split_address(m.address), m.public_key, m.address.startswith(RELAY))
        for m in group.members
    )
    key, digest = desk.home.identity, group.digest()
    timeout_s = desk.home.timeout_s
    return Peers(
        desk.me,
        seats,
        key,
        digest,
        SOFTWARE,
        handle,
        desk.now,
        on_ready,
        on_other_roster=node.members.meet,
        guests=Guests(node.doorway.open_doors, node.doorway.on_guest),
        heartbeat_s=min(HEARTBEAT_S, timeout_s / 4),
        dead_after_s=min(DEAD_AFTER_S, timeout_s),
    )
