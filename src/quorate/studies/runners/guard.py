"""Is a study about nearly the same rows as an earlier one? One bit, before anything is computed.

Each member counts by how many of its own rows two cohorts differ (`studies.cohorts`) and deals that
to the first three, who add up and compute on shares whether any sum is 1 to min_cell - 1. After
verifying they reveal to all whether there is such a pair, and neither which nor by how many.

It stops pairs: two studies whose cohorts differ by few patients. Three that differ by more each,
and tell of few together, pass: against these there is noise (`studies.noised`).

Adversary: that of `studies.committee`. A member that lies about its own rows can let a pair pass,
or stop a study. Unreviewed.
"""

from quorate.algebra import ring
from quorate.errors import Abort
from quorate.mpc.secret import SecretArray, promised
from quorate.studies.analyses.guards import all_of
from quorate.studies.plan import Plan
from quorate.studies.running import Running
from quorate.studies.turn import Turn

STAGE = "earlier releases"


async def refuse_near(running: Running) -> None:
    """Raise `Abort` if all members' differences, added up, are few but not none for any pair.

    `running.own` are this member's, one a pair.

    Cost: `studies.cost.guard_cost`; nothing where there is no pair
    """
    if not running.own.size:
        return
    running.progress(STAGE)
    turn = Turn(running, await running.keys())
    differences = ring.to_signed(running.own)
    (far,) = (await turn.take("differences", differences, far_or_same)).tolist()
    if far != 1:
        raise Abort(
            "this study is about nearly the same rows as one that was released: "
            "nothing was computed",
            hint="ask for rows that differ by more patients, or for a study under privacy",
        )


def far_or_same(plan: Plan, total: SecretArray) -> SecretArray:
    """Return 1 if every pair of cohorts is the same rows or differs by enough, else 0: a word."""
    counts = promised(total, 2 * len(plan.members) * plan.study.max_rows)
    few = (counts >= 1) & (counts < plan.study.min_cell)
    return all_of(~few).reshape(1)
