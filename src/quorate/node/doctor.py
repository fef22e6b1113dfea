"""What can be wrong with a node, looked at one by one, each with what to do about it.

Works whether or not the node runs, and changes nothing. What the other members'
nodes are like is known to a running node only.
"""

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quorate import __version__
from quorate.errors import Error, Unavailable
from quorate.node.client import Client
from quorate.node.home import Home, open_home
from quorate.node.views import PeerView, StatusView
from quorate.studies.group import RELAY
from quorate.studies.sources import open_source

CLOCK_WARN_S, CLOCK_FAIL_S = 30.0, 600.0  # a run refuses clocks further apart than the second
DISK_WARN_BYTES, DISK_FAIL_BYTES = 1 << 30, 50 << 20


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found and, unless it is ok, what to do."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    advice: str = ""


def examine(folder: Path) -> Iterator[Check]:
    """Yield every check of the node in `folder`; ends early where the rest makes no sense."""
    yield from _permissions(folder)
    yield _disk(folder)
    try:
        home = open_home(folder)
        group = home.group
    except Error as e:
        yield Check("settings", "fail", str(e), e.hint)
        return
    yield Check("settings", "ok", f"{home.name}, at {home.listen}")
    yield _roster(home)
    yield from _tables(home)
    with Client(home.socket, timeout_s=10) as client:
        try:
            status = client.status()
        except Unavailable as e:
            yield Check("node", "warn" if group else "ok", str(e), e.hint)
            yield _port(home)
            return
        yield _running(status)
        yield from _shares(status)
        yield _audit(client)
    yield from _relay(home, status)
    for peer in status.peers:
        yield from _peer(peer)


def _permissions(folder: Path) -> Iterator[Check]:
    for path in (folder, *sorted(folder.glob("*"))):
        if path.name.endswith(".card.json"):  # made to be given away
            continue
        try:
            mode = path.stat().st_mode & 0o777
        except OSError as e:
            yield Check("files", "fail", f"{path}: {e.strerror}")
            continue
        if mode & 0o077:
            advice = f"chmod go= {path}"
            yield Check("files", "fail", f"{path} is not private: mode {mode:o}", advice)
            return
    yield Check("files", "ok", f"{folder} is private")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    found = f"{free >> 20} MiB free"
    if free < DISK_FAIL_BYTES:
        return Check("disk", "fail", found, "make room: the audit log cannot be written without")
    return Check("disk", "warn" if free < DISK_WARN_BYTES else "ok", found)


def _roster(home: Home) -> Check:
    group, mine = home.group, home.member()
    if group is None:
        return Check("group", "warn", "in no group yet", "join with: quorate group join FILE")
    listed = {member.name: member for member in group.members}.get(mine.name)
    if listed is None or listed.public_key != mine.public_key:
        advice = "compare the keys (quorate group show), and make the group's file anew"
        return Check("group", "fail", f"{group.name} lists another key for {mine.name}", advice)
    if listed.address != mine.address:
        found = f"the others dial {listed.address}, and this node listens at {mine.address}"
        return Check("group", "warn", found, "right only if something forwards one to the other")
    return Check("group", "ok", f"{group.name} lists this member with this key")


def _tables(home: Home) -> Iterator[Check]:
    if not home.tables:
        yield Check("data", "warn", "no tables", "add one with: quorate data add TABLE FILE")
    for name, path in home.tables.items():
        try:
            with open_source(path).path.open("rb") as file:
                file.read(1)
        except Unavailable as e:
            yield Check("data", "fail", f"table {name}: {e}", e.hint)
        except OSError as e:
            advice = "let the user who runs the node read it"
            yield Check("data", "fail", f"table {name}: {path}: {e.strerror}", advice)
        else:
            yield Check("data", "ok", f"table {name} can be read")


def _port(home: Home) -> Check:
    host, port = home.listen_at
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as e:
        advice = "stop the program that uses it, or change `listen` and the card"
        return Check("port", "fail", f"cannot listen at {home.listen}: {e.strerror}", advice)
    return Check("port", "ok", f"{home.listen} is free")


def _running(status: StatusView) -> Check:
    found = f"running as process {status.pid}, version {status.version}"
    if status.version == __version__:
        return Check("node", "ok", found)
    return Check("node", "warn", found, f"this command is {__version__}: restart the node")


def _shares(status: StatusView) -> Iterator[Check]:
    if status.vault == "open":
        yield Check("shares", "ok", "the vault is open")
    elif status.vault == "locked":
        yield Check("shares", "warn", "locked: this node can sign nothing", "quorate node unlock")


def _audit(client: Client) -> Check:
    try:
        log = client.verify_audit()
    except Error as e:
        return Check("audit", "fail", str(e), e.hint or "keep a copy of quorate.db, and ask why")
    return Check("audit", "ok", f"{len(log.entries)} entries, the chain is whole")


def _relay(home: Home, status: StatusView) -> Iterator[Check]:
    if not home.member().address.startswith(RELAY):
        return
    if status.relay_trouble:
        advice = "is the relay running, with this roster, and may this machine dial out to it?"
        yield Check("relay", "fail", status.relay_trouble, advice)
    else:
        yield Check("relay", "ok", f"others can call this node at {home.member().address}")


def _peer(peer: PeerView) -> Iterator[Check]:
    name = f"peer {peer.name}"
    if not peer.connected:
        advice = f"ask {peer.name} whether its node runs and can be reached at {peer.address}"
        yield Check(name, "fail", peer.trouble or "not connected", advice)
        return
    yield Check(name, "ok", f"connected, {peer.software}")
    ahead = peer.clock_ahead_s
    if abs(ahead) >= CLOCK_WARN_S:
        state: Literal["warn", "fail"] = "fail" if abs(ahead) >= CLOCK_FAIL_S else "warn"
        found = f"its clock is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
        yield Check(name, state, found, "set both clocks, for instance by NTP")
