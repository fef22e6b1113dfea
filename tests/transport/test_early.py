"""How much a party may be ahead of another is the run's to say."""

import asyncio

from quorate.errors import Abort
from quorate.transport.link import EARLY
from quorate.transport.session import PIECE
from tests.transport.mesh import mesh

TOTAL = EARLY + PIECE


async def ahead(early: int) -> int | Abort:
    """Send a whole long message before anybody asks for it; return what arrives, or why not."""
    async with mesh(2) as (one, other):
        sender, receiver = one.channel(1, early), other.channel(1, early)
        piece = bytes(PIECE)
        try:
            for _ in range(TOTAL // PIECE):
                await sender.send(1, "/1", TOTAL, piece)
            return len(await receiver.expect(0, "/1", TOTAL))
        except Abort as e:
            return e


def test_a_run_that_says_so_may_be_far_ahead() -> None:
    assert asyncio.run(ahead(TOTAL + PIECE)) == TOTAL


def test_otherwise_it_ends() -> None:
    assert isinstance(asyncio.run(ahead(EARLY)), Abort)
