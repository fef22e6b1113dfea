"""What peers needed, and the engine beside them in the same run: kept in a file.

Peers take minutes and hundreds of megabytes, so the page is written from the last run.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

PATH = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True)
class Row:
    """Seconds for one work of one size, medians of five; both over plain sockets.

    What the processors of all three parties worked changes less than what passed,
    where others use the machine.
    """

    work: str
    size: int
    cold_s: float
    warm_s: float
    cpu_s: float
    ours_s: float
    ours_cpu_s: float
    remark: str


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    version: str
    rows: tuple[Row, ...]
    others: float
    """The share of all cores that others used meanwhile."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A peer that could not be installed or run."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Results:
    date: str
    machine: str
    peers: tuple[Peer, ...]
    missing: tuple[Missing, ...]


def write(results: Results, path: Path = PATH) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")


def read(path: Path = PATH) -> Results:
    return msgspec.json.decode(path.read_bytes(), type=Results)
