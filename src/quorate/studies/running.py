"""What each runner is given of a run: with whom, of which plan, with which numbers of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from quorate.algebra.ring import Words
from quorate.mpc.agreement import Agreement, Claim, Randomness, agree
from quorate.studies.plan import Plan
from quorate.transport.session import Session

Work = Callable[[], Words]
Aside = Callable[[Work], Awaitable[Words]]
"""Does long work so that this node answers others meanwhile: `asyncio.to_thread`."""


async def at_once(work: Work) -> Words:
    """Do the work here and now."""
    return work()


@dataclass(frozen=True, slots=True)
class Running:
    """One member's part in a run of a plan."""

    session: Session
    plan: Plan
    own: Words = field(repr=False)
    """What this member gives, as the plan's protocol has it."""
    context: bytes
    """What the run is for: it enters the session's identifier."""
    claim: Claim
    randomness: Randomness
    progress: Callable[[str], None] = lambda _: None
    aside: Aside = at_once

    async def keys(self) -> Agreement:
        """Agree with all members on the session's identifier, and on a key with each.

        Cost: that of `agree`
        """
        self.progress("keys")
        nothing = bytes(32)  # no value is committed to
        return await agree(self.session, self.context, nothing, self.claim, self.randomness)
