"""One turn of the three: all deal numbers, these compute on the sums, verify, and reveal to all.

What several turns of a run share is the keys: each has a session of its own within the run's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
from numpy.typing import NDArray

from quorate.algebra import ring
from quorate.algebra.ring import Words
from quorate.errors import Party
from quorate.mpc import expression, owners, secret
from quorate.mpc.agreement import Agreement
from quorate.mpc.engine import Oracle, Secure
from quorate.mpc.replicated import SEATS, Share, convened, refuse_unverified
from quorate.mpc.secret import SecretArray
from quorate.studies.committee import PACE, dealt, noise_seen, tick, wait_for
from quorate.studies.plan import Plan
from quorate.studies.running import Running

Build = Callable[[Plan, SecretArray], SecretArray]


@dataclass(slots=True)
class Turn:
    """One member's way through a run: deal, let the three compute, hear what they reveal."""

    running: Running
    bond: Agreement
    seen: dict[Party, Words] | None = None

    async def take(self, name: str, own: NDArray[np.int64], build: Build) -> NDArray[np.int64]:
        """Return what is revealed of everybody's `own` numbers."""
        running, words = self.running, ring.from_signed(own.reshape(-1))
        session, plan = running.session.at(name), running.plan
        zeros = nothing_of(words.size, Oracle(plan.security))
        node = build(plan, zeros).node
        ticks = [session.at(f"tick {i}") for i in range(len(list(expression.steps([node]))))]
        like = np.zeros(node.shape, np.uint64)
        if session.me >= SEATS:
            place = session.at(f"of {session.me}")
            await owners.deal_to_committee(place, session.me, words, running.randomness)
            await wait_for(ticks)
            told = await owners.reveal_to_all(session.at("reveal"), None, like)
            return ring.to_signed(told)
        committee = convened(session.among(SEATS, "committee"), self.bond, plan.security)
        shares = await dealt(session, committee, words, running.randomness)
        self.seen = self.seen or noise_seen(session.me, shares)
        total = Share(
            reduce(np.add, (one.own for one in shares)),
            reduce(np.add, (one.next for one in shares)),
        )
        engine = Secure(committee, PACE)
        array = secret.held(engine, total, shape=words.shape, limit=expression.RANGE - 1)
        each = partial(tick, iter(ticks), range(SEATS, session.n))
        (value,) = await engine.compute([build(plan, array).node], each_depth=each)
        await engine.verify()
        refuse_unverified(committee)
        if not isinstance(value, Share):
            raise TypeError("what is revealed of a step are words")
        return ring.to_signed(await owners.reveal_to_all(session.at("reveal"), value, like))


def nothing_of(size: int, engine: Oracle) -> SecretArray:
    """Return zeros for what all dealt, for what is said of a step before it."""
    zeros = np.zeros(size, np.uint64)
    return secret.held(engine, zeros, shape=zeros.shape, limit=expression.RANGE - 1)
