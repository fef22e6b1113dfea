"""One run of a study on this node, as those who follow it see it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quorate.errors import Error, Party
from quorate.studies.approval import SignedApproval
from quorate.studies.cohorts import Marks
from quorate.studies.plan import Plan
from quorate.studies.runners.noise import Standing
from quorate.studies.runners.run import NO_LEDGER, stages_of
from quorate.transport.channel import LinkChannel

OWN_ROWS = "own rows"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is: `step` of `Run.steps` begins. `error` ends it, as does `done`."""

    stage: str
    step: int
    rounds: int = 0
    bytes_sent: int = 0
    done: bool = False
    error: Error | None = None


@dataclass(slots=True)
class Run:
    """One run on this node."""

    plan: Plan
    session: int
    time: str
    starter: Party
    approvals: tuple[SignedApproval, ...]
    own: tuple[int, ...] | NDArray[np.int64] = field(default=(), repr=False)
    earlier: tuple[bytes, ...] = ()
    marks: tuple[Marks, ...] = field(default=(), repr=False)
    differences: tuple[int, ...] = field(default=(), repr=False)
    standing: Standing = NO_LEDGER
    notices: tuple[str, ...] = ()
    channel: LinkChannel | None = None
    begin: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: Error | None = None
    progress: list[Progress] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the stages of this run, in order."""
        stages = stages_of(
            self.plan.protocol,
            guarded=bool(self.differences),
            under_privacy=self.plan.study.privacy is not None,
        )
        return (OWN_ROWS, *stages)

    def tell(self, progress: Progress) -> None:
        """Add to what followers see."""
        self.progress.append(progress)
        self.changed.set()
        self.changed = asyncio.Event()

    def give_up(self, error: Error) -> None:
        """End a run that has not begun."""
        if not self.begin.is_set():
            self.cancelled = error
            self.begin.set()

    async def follow(self) -> AsyncGenerator[Progress]:
        """Yield all progress, from the beginning to the end."""
        at = 0
        while True:
            changed = self.changed
            for item in self.progress[at:]:
                yield item
                at += 1
                if item.done or item.error:
                    return
            await changed.wait()
