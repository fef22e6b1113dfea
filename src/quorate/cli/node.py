"""`quorate node`: start, stop and look at the process one member runs."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.options import FormatOption, NodeOption, connect, open_home
from quorate.cli.output import aligned, grouped, say, show
from quorate.errors import Unavailable
from quorate.node.views import PeerView, StatusView

app = typer.Typer(help="The process one member runs.")

LOOK_AGAIN_S = 0.3


@app.command("start")
def start(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Start the node in the background."""
    from quorate.node import daemon

    home = open_home(node)
    pid = daemon.start(home)
    with connect(home.folder) as client:
        status = client.status()
    show(status, [f"{home.name} runs as process {pid}, and listens at {home.listen}"], form)


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


def _lines(status: StatusView) -> list[str]:
    group = f"{status.group}, digest {grouped(status.group_digest)}" if status.group else "none yet"
    return [
        f"node     {status.name}, process {status.pid}, version {status.version}",
        f"listens  {status.listen}",
        f"group    {group}",
        *aligned([_peer(peer) for peer in status.peers], indent="  "),
        f"tables   {', '.join(table.name for table in status.tables) or 'none yet'}",
        f"studies  {status.studies}",
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
