"""One's own node, from Python: its tables and its studies."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from quorate.cli.options import connect as client_of
from quorate.cli.options import open_home, read_file
from quorate.errors import Usage
from quorate.notebook.frames import frame_of
from quorate.notebook.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from quorate.node.client import Client
    from quorate.node.home import Home

TABLES = "tables"


class Node:
    """A running node, by its folder. Every method raises what the node raises, as `quorate.errors`.

    node.add_table("patients", frame)
    study = node.study("cancer.toml")     # proposes it; the others approve it, each for itself
    study.run().results
    """

    def __init__(self, folder: str | os.PathLike[str] = ".") -> None:
        self._home: Home = open_home(Path(folder))
        self._client: Client = client_of(Path(folder))
        self._status = self._client.status()

    @property
    def name(self) -> str:
        return self._status.name

    @property
    def peers(self) -> "pd.DataFrame":
        """Return the other members as this node sees them now, a row for each."""
        return frame_of(peer.model_dump() for peer in self._client.status().peers)

    @property
    def tables(self) -> "pd.DataFrame":
        """Return the tables this member has registered: name and path."""
        return frame_of(table.model_dump() for table in self._client.tables())

    @property
    def studies(self) -> "pd.DataFrame":
        """Return the studies this node knows, a row for each."""
        kept = ("id", "state", "proposer", "title")
        return frame_of({key: getattr(one, key) for key in kept} for one in self._client.studies())

    def add_table(self, name: str, data: "str | os.PathLike[str] | pd.DataFrame") -> Self:
        """Register a file, CSV or Parquet, or a frame, which is written into the node's folder.

        A frame's file is readable by its operator only. Raises `Refused`, `Unavailable`.
        """
        if isinstance(data, str | os.PathLike):
            self._client.add_table(name, Path(data))
        else:
            self._client.add_table(name, self._write(name, data))
        return self

    def study(self, text: str | os.PathLike[str], *, accept: tuple[str, ...] = ()) -> Study:
        """Propose a study, the path of a TOML file or its text, and approve it for this member.

        Raises `MalformedStudy`, `Refused`.
        """
        given = os.fspath(text)
        toml = given if "\n" in given else read_file(Path(given))
        return Study(self._client, self._client.propose(toml, accept))

    def find(self, study: str) -> Study:
        """Return a study by its identifier, or the beginning of it. Raises `NotFound`."""
        return Study(self._client, self._client.study(study))

    def __repr__(self) -> str:
        return f"Node({str(self._home.folder)!r}, member {self.name} of {self._status.group})"

    def _write(self, name: str, frame: "pd.DataFrame") -> Path:
        """Write a frame as a file of the node. Raises `Usage` for what is no frame."""
        if not hasattr(frame, "to_csv"):
            raise Usage("a table is a path or a pandas frame", hint="read it with pandas first")
        if not name.isidentifier():  # the node says what is wrong with it; no path comes of it
            return Path(name)
        folder = self._home.folder / TABLES
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{name}.csv"
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600, exist_ok=False)
        frame.to_csv(part, index=False)
        part.replace(path)
        return path


def connect(folder: str | os.PathLike[str] = ".") -> Node:
    """Return the running node whose folder this is. Raises `NotFound`, `Unavailable`."""
    return Node(folder)
