"""What a signer keeps between its commitment and its share: in memory only, and taken once.

Nothing of it reaches a disk, so that neither a restart nor an old copy of the
database brings a nonce back. The session's identifier is claimed in the
database as well before a share is computed: it outlives the process.
"""

from dataclasses import dataclass, field

from quorate.errors import Party, Refused
from quorate.threshold.frost import Nonces

MAX_WAITING = 32
"""Sessions that one coordinator may have waiting here; the oldest gives way."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session in which this node has committed and not signed."""

    request: bytes  # digest
    coordinator: Party
    nonces: Nonces = field(repr=False)


@dataclass(slots=True)
class WaitingSessions:
    """The sessions in which this node has committed and not signed."""

    _by_id: dict[bytes, Waiting] = field(default_factory=dict, repr=False)

    def put(self, session: bytes, waiting: Waiting) -> None:
        """Keep the nonces of a session. Raises `Refused` for an identifier that is in use."""
        if len(session) != 32 or session in self._by_id:
            raise Refused("the session's identifier cannot be used")
        same = [id_ for id_, w in self._by_id.items() if w.coordinator == waiting.coordinator]
        if len(same) >= MAX_WAITING:
            del self._by_id[same[0]]
        self._by_id[session] = waiting

    def take(self, session: bytes, coordinator: Party) -> Waiting:
        """Return the nonces of a session and forget them, whatever then becomes of them."""
        waiting = self._by_id.pop(session, None)
        if waiting is None or waiting.coordinator != coordinator:
            raise Refused("no such session of signing waits here", hint="ask for a new commitment")
        return waiting
