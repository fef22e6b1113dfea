"""How far the parties of a session are from one another: measured once, known to all alike.

On it depends which of two protocols for the same takes less time, and all have to choose the
same one: so what each has measured is told to all and compared. A party that lies makes things
slower, or ends the session.
"""

from collections.abc import Callable

import numpy as np

from quorate.mpc.cost import Pace
from quorate.transport.session import Session

MEASURED = 2
"""How often it is measured; the quickest counts, since a machine may be busy."""

LONGEST_MS = 10_000


async def measure(session: Session, clock: Callable[[], float]) -> Pace:
    """Return how long a message takes between those farthest apart, in whole milliseconds.

    Each time are two rounds: who is ahead in one waits in the other. `clock` says seconds.

    Cost: 6 rounds, 104 bytes a party
    """
    took = np.zeros(MEASURED, np.uint64)
    for i in range(MEASURED):
        started = clock()
        for _ in range(2):
            await session.exchange(b"?")
        took[i] = min(int((clock() - started) / 2 * 1000), LONGEST_MS)
    everyones = await session.broadcast(took)
    return Pace(min(int(np.max(everyones, axis=0).min()), LONGEST_MS))
