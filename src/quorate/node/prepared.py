"""What a node makes before a run under privacy, so that it does not take of the run's time."""

import asyncio

from quorate.node.malloc import make_room
from quorate.studies.cost import room_of
from quorate.studies.noise_checks import make_tables
from quorate.studies.plan import Plan
from quorate.studies.protocols import JOINT_NOISE


async def prepare_noise(plan: Plan, me: str) -> None:
    """Make the tables of noise in shares; where noise is drawn jointly here, room for it."""
    await asyncio.to_thread(make_tables, plan.study, len(plan.members))
    if plan.protocol == JOINT_NOISE and me in plan.computes:
        await make_room(room_of(plan))
