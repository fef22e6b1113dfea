"""A run between its preparation and its end."""

import asyncio
from dataclasses import dataclass, field

from quorate.anonymous.messages import Run
from quorate.errors import Party
from quorate.transport.channel import LinkChannel


@dataclass(slots=True)
class Convened:
    """A run this node is prepared for, or takes part in."""

    run: Run
    session: int
    starter: Party
    channel: LinkChannel
    begin: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def give_up(self) -> None:
        """End a run that has not begun."""
        if not self.begin.is_set():
            self.given_up = True
            self.begin.set()
