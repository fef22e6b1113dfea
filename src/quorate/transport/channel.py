"""One session's use of the node's links: the `Channel` that `Session` talks through."""

import asyncio
from dataclasses import dataclass

from quorate.errors import Abort, Party
from quorate.transport.link import EARLY, Link, Stop
from quorate.transport.session import Buffer, StoppedByPeer


@dataclass(slots=True)
class LinkChannel:
    """The links of one session, as they were when it was opened.

    A link that is lost and dialled again belongs to later sessions only: a
    session never goes on over a connection it did not begin with.
    """

    session: int
    links: dict[Party, Link]
    early: int = EARLY
    """Bytes that a party may be ahead of another on one link: all that the run sends is enough."""

    def __post_init__(self) -> None:
        for link in self.links.values():
            link.open_session(self.session, self._stopped, self.early)

    async def send(self, to: Party, label: str, total: int, piece: Buffer) -> None:
        await self.links[to].send(self.session, label, total, piece)

    def expect(self, sender: Party, label: str, at_most: int) -> asyncio.Future[Buffer]:
        return self.links[sender].expect(self.session, label, at_most)

    def last_heard(self, sender: Party) -> float:
        return self.links[sender].session_heard(self.session)

    def close(self, error: BaseException | None) -> None:
        stop = None
        if error is not None:
            named = tuple(sorted(error.suspects)) if isinstance(error, Abort) else ()
            reason = str(error) if isinstance(error, Abort) else "it failed there"
            stop = Stop(reason[:500], named)
        for link in self.links.values():
            link.close_session(self.session, stop)

    def _stopped(self, error: StoppedByPeer) -> None:
        """Whoever ends a session ends it for all: wake what is awaited from anybody."""
        for link in self.links.values():
            link.fail_session(self.session, error)
