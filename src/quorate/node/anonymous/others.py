"""A run in which this node had no part, as others tell of it: whether it can have been one."""

from quorate.anonymous import meter
from quorate.anonymous.messages import Identity, Run
from quorate.anonymous.meter import Candidate
from quorate.errors import Refused
from quorate.node.desk import Desk
from quorate.node.runs import CLOCK_S


def identities(desk: Desk) -> tuple[Identity, ...]:
    """Return the group's members as runs know them."""
    return tuple(Identity(m.name, m.public_key) for m in desk.group.members)


def crowd(desk: Desk, names: tuple[str, ...]) -> meter.Crowd:
    """Return those members as the meter counts them."""
    return frozenset(Candidate(m.name, m.run_by) for m in desk.group.members if m.name in names)


def check_others_run(desk: Desk, run: Run) -> None:
    """Raise `Refused` for what honest nodes hold no run of: few, strangers, or the future."""
    names = tuple(member.name for member in run.members)
    if run.group != desk.group.digest() or not set(run.members) <= set(identities(desk)):
        raise Refused("the run is of other members than the group's")
    if lacking := meter.lacking(crowd(desk, names)):
        raise Refused(f"a run of {' and '.join(lacking)}")
    if run.number > int(desk.now().timestamp()) + CLOCK_S:
        raise Refused("the run is of the future", hint="set the clocks")
