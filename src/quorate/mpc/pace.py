"""How far the parties of a session are from one another: measured once, known to all alike.

On it depends which of two protocols for the same takes less time, and all have to choose the
same one: so what each has measured is told to all and compared. A party that lies makes things
slower, or ends the session.
"""

from collections.abc import Callable

import numpy as np

from quorate.algebra.ring import Words
from quorate.mpc.cost import BULK, BYTES_PER_S, Pace
from quorate.transport.session import Session

MEASURED = 2
"""How often it is measured; the quickest counts, since a machine may be busy."""

LONGEST_MS = 10_000
LONGEST_US = 1000 * LONGEST_MS


async def measure(session: Session, clock: Callable[[], float]) -> Pace:
    """Return how long a message takes between those farthest apart, and what a line carries.

    Each time are two rounds: who is ahead in one waits in the other. Then 256 KiB go around
    the ring; what they take longer than a message is what they take on the line. `clock` says
    seconds.

    Cost: 8 rounds, 524424 bytes a party
    """
    took = np.zeros((2, MEASURED), np.uint64)
    for i in range(MEASURED):
        started = clock()
        for _ in range(2):
            await session.exchange(b"?")
        journey = (clock() - started) / 2
        started = clock()
        await session.shift(bytes(BULK), by=-1)
        took[0, i] = min(int(journey * 1000), LONGEST_MS)
        took[1, i] = min(int(max(clock() - started - journey, 0) * 1e6), LONGEST_US)
    slowest = np.max(await session.broadcast(took), axis=0).min(axis=1)
    return Pace(min(int(slowest[0]), LONGEST_MS), _bytes_per_s(slowest))


def _bytes_per_s(slowest: Words) -> int:
    """Return what a line carries in a second; more than a gigabit is not told apart."""
    return min(BULK * 1_000_000 // max(min(int(slowest[1]), LONGEST_US), 1), BYTES_PER_S)
