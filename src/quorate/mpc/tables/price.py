"""What a sort takes at most among parties some way apart, said before it: the rest is luck.

Up to 256 rows all are compared with all, at once. Beyond, rounds and bytes follow from the random
order that is revealed, and differ by a tenth or so from run to run; what is said here was measured
and lies above all of that. In a committee that checks, few ANDs are held against random triples,
and many are proved, which takes more rounds and far fewer bytes (`mpc.choice`).
"""

from math import ceil, log2

from quorate.mpc.cost import FREE, Cost
from quorate.mpc.replicated import Security
from quorate.mpc.tables.ranking import ALL_PAIRS, FEW_ROWS

PROVED = 1 << 14
"""Rows from which on most ANDs of a sort are proved."""


def sort_at_most(rows: int, lanes: int, security: Security) -> Cost:
    """Return a bound of what `sorting.sort` and its verifying take, of rows without numbers.

    Of a pace from `ranking.FAR_MS` on.
    """
    if not rows:
        return FREE
    checks, doublings = security == "malicious", log2(rows)
    if rows <= ALL_PAIRS:
        rounds, each = (21, 8000 + 170 * rows) if checks else (10, 400 + 20 * rows)
    else:
        steps = 14 * doublings - 50 if rows <= FEW_ROWS else 40 * doublings - 200
        rounds, each = ceil(steps), ceil(100 * doublings + 100)
        if checks:
            times, many = (1.5, 10) if rows < PROVED else (2.5, 3)
            rounds, each = ceil(times * steps), many * each
    sent = rows * ceil(each * lanes / 2)
    return Cost(rounds, (sent, sent, sent))
