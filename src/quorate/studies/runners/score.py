"""Score patients of whose records each member holds a part: only who treats them learns it.

Every member deals the points of its own part (`patients`), in one order of patients, to the first
three. On shares these check that each member's points are as the table allows, add them up, put
them in bands where the plan says so, and verify all of it. Then is revealed to all, for each
member, whether its points are possible, and, if all are, to one member alone what it asked for.

Who holds what: each member its own part; the three shares of everything; the treating member the
points or bands, and in points less its own what the others gave together. Rounds and messages
depend on how many patients there are, and on nothing of them.

Adversary: one of the three, which may do anything, with any of those outside (`studies.committee`);
two of the three read every part. A member may lie within its range. Unreviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Abort, Party
from quorate.mpc import expression, owners, secret
from quorate.mpc.engine import Oracle, Secure
from quorate.mpc.replicated import SEATS, Committee, Share, convened, refuse_unverified
from quorate.mpc.secret import SecretArray
from quorate.mpc.selection import concatenate
from quorate.studies.committee import PACE, dealt, noise_seen, tick, wait_for
from quorate.studies.plan import Plan
from quorate.studies.points import Range, banded, scored, within_table
from quorate.studies.running import Running
from quorate.transport.session import Session

STAGES = ("keys", "shares", "scores", "reveal")


@dataclass(frozen=True, slots=True)
class Scored:
    """What a run ends with: the words of every patient, at who treats them; None elsewhere."""

    words: tuple[int, ...] | None = field(repr=False)
    session_id: bytes
    seen: dict[Party, Words]


async def reveal_scores(running: Running) -> Scored:
    """Add up everyone's points, in order of patients; reveal what is asked for to one.

    Raises `Abort`, with the member as culprit whose points no row gives; `SessionReused`.

    Cost: that of `studies.cost.run_cost`, without the round of signatures
    """
    session, plan, progress = running.session, running.plan, running.progress
    bond = await running.keys()
    ticks = [session.at(f"step {i}") for i in range(steps_of(plan))]
    treating = plan.members.index(plan.study.scoring.record.treating)
    possible = np.zeros(session.n, np.uint64)
    both: tuple[Share | None, Share | None] = None, None
    seen: dict[Party, Words] = {}
    progress("shares")
    if session.me >= SEATS:
        place = session.at(f"of {session.me}")
        await owners.deal_to_committee(place, session.me, running.own, running.randomness)
        progress("scores")
        await wait_for(ticks)
    else:
        committee = convened(session.among(SEATS, "committee"), bond, plan.security)
        shares = await dealt(session, committee, running.own, running.randomness)
        seen = noise_seen(session.me, shares)
        progress("scores")
        both = await _together(committee, ticks, plan, shares)
        refuse_unverified(committee)
    progress("reveal")
    checked = await owners.reveal_to_all(session.at("possible"), both[0], possible)
    _refuse_impossible(session, checked)
    words = await owners.reveal_to_one(session.at("scores"), treating, both[1], running.own)
    told = None if words is None else tuple(ring.to_signed(words).tolist())
    return Scored(told, bond.session_id, seen)


def computed(plan: Plan, parts: Sequence[SecretArray]) -> SecretArray:
    """Return whether each member's points are possible, then what is shown of each patient."""
    scoring, table = plan.study.scoring, plan.study.table
    ranges: list[Range] = [scoring.range_of(name, table) for name in plan.members]
    points = scored(parts, ranges, scoring.score.start_word)
    if scoring.score.shows == "band":
        points = banded(points, scoring.score.edge_words)
    return concatenate([within_table(parts, ranges), points])


def steps_of(plan: Plan) -> int:
    """Return in how many steps scores are computed, known from the plan alone."""
    return len(list(expression.steps([computed(plan, nothing_of(plan, Oracle())).node])))


def nothing_of(plan: Plan, engine: Oracle) -> list[SecretArray]:
    """Return zeros for each member's points, for what is said of a run before it."""
    zeros = np.broadcast_to(np.zeros((), np.uint64), (plan.numbers,))
    one = secret.held(engine, zeros, shape=zeros.shape, limit=expression.RANGE - 1)
    return [one] * len(plan.members)


async def _together(
    committee: Committee, ticks: Sequence[Session], plan: Plan, shares: Sequence[Share]
) -> tuple[Share, Share]:
    """Return the shares of what is revealed to all, and to one; both are verified."""
    engine, n = Secure(committee, PACE), len(shares)
    parts = [
        secret.held(engine, share, shape=share.shape, limit=expression.RANGE - 1)
        for share in shares
    ]
    each = partial(tick, iter(ticks), range(SEATS, n))
    (value,) = await engine.compute([computed(plan, parts).node], each_depth=each)
    await engine.verify()
    if not isinstance(value, Share):
        raise TypeError("what is computed of a score are words")
    return Share(value.own[:n], value.next[:n]), Share(value.own[n:], value.next[n:])


def _refuse_impossible(session: Session, checked: Words) -> None:
    """Raise `Abort` unless all members' points are possible; what is not 0 or 1 is nobody's."""
    wrong = [party for party in range(session.n) if checked[party] != 1]
    if wrong:
        names = ", ".join(session.names[party] for party in wrong)
        raise Abort(
            f"{names} gave points that no row has under the score's table: nothing was revealed",
            culprits=wrong,
        )
