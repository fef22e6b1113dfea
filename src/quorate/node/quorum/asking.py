"""What asks a node to unlock one thing: all that age's plugin needs, and quick to import.

The records are those of the API's own that matter here; `QuorumClient` has the
whole of them, for people.
"""

import base64
from dataclasses import dataclass

from quorate.node.local import Local, read, route
from quorate.threshold.answers import Sought


@dataclass(frozen=True, slots=True)
class UnlockAsked:
    """What the API takes as a request to unlock."""

    mode: str
    content: str  # base64
    record: str
    reason: str
    hours: float
    key: str
    opener: str


@dataclass(frozen=True, slots=True)
class Answered:
    member: str
    word: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a request to unlock is."""

    id: str
    state: str
    note: str
    needed: int
    opener: str
    answers: tuple[Answered, ...]
    waits_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _FileKey:
    file_key: str


@dataclass(frozen=True, slots=True)
class Asking:
    """What one may ask of a node about one request. Every method raises what the node raised."""

    local: Local

    def ask(
        self, sought: Sought, reason: str, *, hours: float = 24, key: str = "", opener: str = ""
    ) -> str:
        """Ask the holders; return the request as the node tells it."""
        content = base64.b64encode(sought.content).decode()
        asked = UnlockAsked(sought.mode, content, sought.record, reason, hours, key, opener)
        return self.local.ask("POST", "/unlocks", asked)

    def progress(self, id_: str) -> Progress:
        return read(self.local.ask("GET", route("unlocks", id_)), Progress)

    def file_key(self, id_: str) -> bytes:
        """Return the file key that a request of this member opened."""
        told = self.local.ask("GET", route("unlocks", id_, "key"))
        return bytes.fromhex(read(told, _FileKey).file_key)
