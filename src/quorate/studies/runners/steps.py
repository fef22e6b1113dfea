"""Go from coefficients to better ones that everybody sees, until they are the likeliest.

    once       members deal how many rows they have; revealed is one bit: are there enough
    each step  all know coefficients b; each deals what it adds up of its own rows at b; the first
               three compute the step, verify, and reveal it to all: nothing of the sums
    the last   the same, for standard errors

Who holds what: each member its own rows; the three shares of every sum; everybody each step.
Rounds and messages depend on the study and on how many steps there were, which all see.

Adversary: one of the three, which may do anything, with any of those outside (`studies.committee`).
What a member deals in a step may be of other rows than in the step before. From [NW72], [Cox72].
Unreviewed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Party
from quorate.models.newton import (
    Search,
    improved,
    improvement,
    likeliest,
    start,
    uncertainty,
)
from quorate.models.outputs import Degenerate, Floats
from quorate.models.products import read, within
from quorate.models.solving import SOLUTION_BITS
from quorate.models.whitening import GRAM_BITS
from quorate.mpc import secret
from quorate.mpc.secret import SecretArray
from quorate.studies.analyses.kinds import all_asked, is_allowed
from quorate.studies.analyses.linear import ROWS_A_COEFFICIENT
from quorate.studies.analyses.stepped import Rows, columns_of
from quorate.studies.plan import Plan
from quorate.studies.running import Running
from quorate.studies.turn import Turn

STAGES = ("keys", "steps", "errors")


@dataclass(frozen=True, slots=True)
class Stepped:
    """What a run ends with: words as `kinds.told_of` gives them of an analysis."""

    told: tuple[int, ...]
    session_id: bytes
    seen: dict[Party, Words]
    steps: tuple[tuple[float, ...], ...]
    """The coefficients after each step, as everybody saw them."""


async def reveal_steps(running: Running) -> Stepped:
    """Find the likeliest coefficients of everybody's rows: own ones as `own_rows` gives them, flat.

    Raises `Abort`, `SessionReused`.

    Cost: that of `studies.cost.steps_cost`, without the round of signatures
    """
    session, plan = running.session, running.plan
    (asked,) = all_asked(plan.study, session.n)
    stepping = plan.stepping
    width = len(columns_of(asked))
    rows = Rows(asked, ring.to_signed(running.own).reshape(-1, width))
    turn = Turn(running, await running.keys())
    count = np.array([len(rows.numbers), len(rows.numbers) > 0], np.int64)
    running.progress("steps")
    (allowed,) = (await turn.take("rows", count, permission)).tolist()
    search: Search | Degenerate = start(len(stepping.terms))
    seen: list[tuple[float, ...]] = []
    while allowed and isinstance(search, Search) and not search.is_over:
        sums = _encoded(stepping.sums(rows, search.estimates))
        words = await turn.take(f"step {len(seen)}", sums, next_step)
        search = improved(search, words)
        seen.append(tuple(search.estimates) if isinstance(search, Search) else ())
    running.progress("errors")
    told = _not_told(plan, search)
    if allowed and isinstance(search, Search):
        sums = _encoded(stepping.sums(rows, search.estimates))
        words = await turn.take("errors", sums, last_step)
        told = _told(plan, search, words)
    return Stepped((*told, allowed), turn.bond.session_id, turn.seen or {}, tuple(seen))


def permission(plan: Plan, total: SecretArray) -> SecretArray:
    """Return 1 where there are enough rows of enough members, else 0: a word."""
    rows, members = (secret.promised(total[i : i + 1], _most(plan)) for i in range(2))
    enough = (rows >= ROWS_A_COEFFICIENT * len(plan.stepping.terms)) + 0
    return is_allowed(plan.study, enough, rows, members)


def next_step(plan: Plan, total: SecretArray) -> SecretArray:
    return improvement(_equations(plan, total))


def last_step(plan: Plan, total: SecretArray) -> SecretArray:
    return uncertainty(_equations(plan, total))


def _equations(plan: Plan, total: SecretArray) -> SecretArray:
    sums = within(read(secret.promised(total, 1 << GRAM_BITS), GRAM_BITS), 1)
    return plan.stepping.equations(sums.reshape(*plan.stepping.size))


def _encoded(sums: Floats) -> NDArray[np.int64]:
    return np.rint(sums * 2.0**GRAM_BITS).astype(np.int64)


def _most(plan: Plan) -> int:
    return len(plan.members) * plan.study.max_rows


def _told(plan: Plan, search: Search, words: NDArray[np.int64]) -> tuple[int, ...]:
    found = likeliest(search, words, 1.0)
    if isinstance(found, Degenerate):
        return _not_told(plan, found)
    numbers = np.concatenate([found.estimates, found.standard_errors]) * 2.0**SOLUTION_BITS
    return (*np.rint(numbers).astype(np.int64).tolist(), 1, *[1] * (len(numbers) + 1))


def _not_told(plan: Plan, found: Search | Degenerate) -> tuple[int, ...]:
    """Return the words where nothing was found: only whether columns are independent, if so."""
    p = 2 * len(plan.stepping.terms)
    independent = int(found is not Degenerate.COLLINEAR)
    said = not isinstance(found, Search)
    return (*[0] * p, independent * said, *[0] * p, int(said))
