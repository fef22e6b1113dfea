"""`quorate node`: start, stop and look at the process one member runs."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import passphrase
from quorate.cli.options import FormatOption, NodeOption, connect, open_home, quorum_of
from quorate.cli.output import aligned, grouped, say, show
from quorate.errors import Unavailable
from quorate.node.views import PeerView, StatusView

if TYPE_CHECKING:
    from quorate.node.client import Client

app = typer.Typer(help="The process one member runs.")

LOOK_AGAIN_S = 0.3

_ENCLAVES = {
    "confined": "SIMULATED, in a sandbox of its own",
    "not confined": "SIMULATED, in no sandbox: install bubblewrap",
}
_SHARES = {
    "none": "none: this node has no passphrase yet",
    "locked": "locked: quorate node unlock",
    "open": "open",
}


@app.command("start")
def start(
    passphrase_fd: passphrase.DescriptorOption = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Start the node in the background; with a passphrase, its shares can be used."""
    from quorate.node import daemon

    home = open_home(node)
    words = passphrase.given(passphrase_fd, str(home.folder))
    pid = daemon.start(home)
    with connect(home.folder) as client:
        shares = _unlock(client, words)
        status = client.status()
    lines = [f"{home.name} runs as process {pid}, and listens at {home.listen}", *shares]
    show(status, lines, form)


@app.command("unlock")
def unlock(
    passphrase_fd: passphrase.DescriptorOption = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Open this node's vault, where its shares of keys lie; the first passphrase makes it."""
    home = open_home(node)
    with quorum_of(home.folder) as client:
        is_new = client.vault().vault == "none"
        what = "new passphrase" if is_new else "passphrase"
        words = passphrase.asked(passphrase_fd, str(home.folder), what, twice=is_new)
        vault = client.unlock(words)
    show(vault, [f"the vault of {home.name} is {vault.vault}"], form)


@app.command("passphrase")
def change_passphrase(
    passphrase_fd: passphrase.DescriptorOption = None,
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Give the open vault of a running node another passphrase."""
    home = open_home(node)
    words = passphrase.asked(passphrase_fd, str(home.folder), "new passphrase", twice=True)
    with quorum_of(home.folder) as client:
        vault = client.change_passphrase(words)
    show(vault, [f"the vault of {home.name} has a new passphrase"], form)


@app.command("stop")
def stop(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Stop the node; a run under way is aborted."""
    from quorate.node import daemon

    home = open_home(node)
    daemon.stop(home)
    show({"stopped": home.name}, [f"{home.name} is stopped"], form)


@app.command("status")
def status(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show the node, and which other members it is connected to."""
    with connect(node) as client:
        seen = client.status()
    show(seen, _lines(seen), form)


@app.command("logs")
def logs(
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    node: NodeOption = None,
) -> None:
    """Print what the node wrote since it was last started."""
    for line in _read(open_home(node).log, follow=follow):
        say(line)


def _unlock(client: "Client", words: str) -> list[str]:
    """Open the vault if there is a passphrase, and say so where its shares stay locked."""
    from quorate.node.quorum.client import QuorumClient

    quorum = QuorumClient(client)
    if words:
        quorum.unlock(words)
    elif quorum.vault().vault == "locked":
        return ["its shares are locked: quorate node unlock"]
    return []


def _lines(status: StatusView) -> list[str]:
    group = f"{status.group}, digest {grouped(status.group_digest)}" if status.group else "none yet"
    return [
        f"node     {status.name}, process {status.pid}, version {status.version}",
        f"listens  {status.listen}",
        f"group    {group}",
        *([f"relay    {status.relay_trouble}"] if status.relay_trouble else []),
        *aligned([_peer(peer) for peer in status.peers], indent="  "),
        f"tables   {', '.join(table.name for table in status.tables) or 'none yet'}",
        f"studies  {status.studies}",
        f"shares   {_SHARES[status.vault]}",
        *([] if status.enclave == "none" else [f"enclave  {_ENCLAVES[status.enclave]}"]),
    ]


def _peer(peer: PeerView) -> tuple[str, str, str]:
    state = "connected" if peer.connected else f"not connected: {peer.trouble}"
    return peer.name, peer.address, state


def _read(log: Path, *, follow: bool) -> Iterator[str]:
    """Yield the lines of a log, and wait for more if told to."""
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            part = ""
            while True:
                part += file.readline()
                if part.endswith("\n"):
                    yield part[:-1]
                    part = ""
                elif follow:
                    time.sleep(LOOK_AGAIN_S)
                else:
                    break
            if part:
                yield part
    except FileNotFoundError:
        raise Unavailable(
            "this node has no log: it was never started", hint="start it with: quorate node start"
        ) from None
