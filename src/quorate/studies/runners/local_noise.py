"""Noise on each record: members tell one another what their perturbed records add up to.

Who holds what: everybody the sums of everybody's perturbed records, and nobody another's record.
No cryptography protects them, and none is needed: each record is private by itself, against
all other members together and whoever reads the result (`dp.local`, `studies.records`). All confirm
that they were told the same sums. A liar moves an estimate by more than its records are worth.
Unreviewed.
"""

from functools import reduce

import numpy as np

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Party
from quorate.studies.running import Running

STAGES = ("ledgers", "keys", "perturbed sums", "confirmation")
FIRST = 4  # words kept of what each member sent


async def tell_sums(running: Running) -> tuple[tuple[int, ...], bytes, dict[Party, Words]]:
    """Return the sums of all members, the session's identifier, and what each was seen to send.

    Cost, m numbers: 4 rounds, (n - 1) * (8 * m + 195) bytes a party
    """
    session = running.session
    bond = await running.keys()
    running.progress("perturbed sums")
    everyones = await session.exchange(running.own)
    running.progress("confirmation")
    await session.confirm(*everyones)
    total = reduce(np.add, everyones)
    seen = {party: everyones[party][:FIRST].copy() for party in session.others}
    return tuple(ring.to_signed(total).tolist()), bond.session_id, seen
