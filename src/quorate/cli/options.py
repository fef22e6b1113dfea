"""The options many commands share, and how they become a node or the text of a file."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.output import Format
from quorate.errors import Unavailable

if TYPE_CHECKING:
    from quorate.node.anonymous.client import ReportClient
    from quorate.node.client import Client
    from quorate.node.home import Home
    from quorate.node.quorum.client import QuorumClient

StudyId = Annotated[
    str, typer.Argument(metavar="ID", help="The study's identifier, or its beginning.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="Text for people, or JSON.")]
NodeOption = Annotated[
    Path | None,
    typer.Option(
        "--node",
        envvar="QUORATE_NODE",
        metavar="FOLDER",
        help="The node's folder; if not given, the current one.",
        show_default=False,
    ),
]


def utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the edge: everything below takes `now`


def open_home(node: Path | None) -> "Home":
    """Return the node folder a command is about. Raises `NotFound`."""
    from quorate.node import home

    return home.open_home(node or Path.cwd())


def connect(node: Path | None) -> "Client":
    """Return a client of the node a command is about."""
    from quorate.node.client import Client

    return Client(open_home(node).socket)


@contextmanager
def quorum_of(node: Path | None) -> Generator["QuorumClient"]:
    """Connect to what a node says about keys and orders, for the length of the block."""
    from quorate.node.quorum.client import QuorumClient

    with connect(node) as client:
        yield QuorumClient(client)


@contextmanager
def reports_of(node: Path | None) -> Generator["ReportClient"]:
    """Connect to what a node says about anonymous reports, for the length of the block."""
    from quorate.node.anonymous.client import ReportClient

    with connect(node) as client:
        yield ReportClient(client)


def read_file(path: Path) -> str:
    """Return the text of a file a person named, or of stdin for `-`; line ends as they are."""
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_bytes().decode()
    except OSError as e:
        raise Unavailable(f"{path} cannot be read: {e.strerror}", hint="check the path") from None
    except UnicodeDecodeError:
        raise Unavailable(f"{path} is not text in UTF-8", hint="check the path") from None


def write_file(path: Path, text: str) -> None:
    """Write a file a person asked for. Raises `Unavailable`."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as e:
        raise Unavailable(f"{path} cannot be written: {e.strerror}") from None


def names_in(text: str) -> tuple[str, ...]:
    """Return names that are given with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
