"""A study's life on one node: one enum, one table. `docs/spec/study-lifecycle.md` draws it."""

from enum import Enum

from quorate.errors import Refused


class State(Enum):
    """Where a study is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    RUNNING = "running"
    RELEASED = "released"
    FAILED = "failed"
    REFUSED = "refused"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Event(Enum):
    """What moves it on."""

    ALL_APPROVED = "all members approved"
    DECLINED = "a member declined"
    REVOKED = "a member took its approval back"
    EXPIRED = "an approval is over"
    STARTED = "a run started"
    ABORTED = "the run aborted"
    CERTIFIED = "every member signed the result"


OPEN = (State.PROPOSED, State.APPROVED, State.FAILED)
"""Where a study waits: for approvals, for a run, or for another run."""

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.PROPOSED, Event.ALL_APPROVED): State.APPROVED,
    (State.APPROVED, Event.STARTED): State.RUNNING,
    (State.FAILED, Event.STARTED): State.RUNNING,
    (State.RUNNING, Event.ABORTED): State.FAILED,
    (State.RUNNING, Event.CERTIFIED): State.RELEASED,
    # this node aborted after the others had finished: it takes over their release
    (State.APPROVED, Event.CERTIFIED): State.RELEASED,
    (State.FAILED, Event.CERTIFIED): State.RELEASED,
    **{(state, Event.DECLINED): State.REFUSED for state in OPEN},
    **{(state, Event.REVOKED): State.REVOKED for state in OPEN},
    **{(state, Event.EXPIRED): State.EXPIRED for state in OPEN},
}


def after(state: State, event: Event) -> State:
    """Return the state that follows. Raises `Refused` where nothing does."""
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise Refused(f"the study is {state.value}: {_WHY_NOT[state]}")
    return following


_WHY_NOT = {
    State.PROPOSED: "not every member has approved it yet",
    State.APPROVED: "it waits to be run",
    State.RUNNING: "a run is under way",
    State.RELEASED: "its result is out, and it runs once",
    State.FAILED: "its last run failed; it can be run again",
    State.REFUSED: "a member declined it; propose another study",
    State.REVOKED: "a member took its approval back; propose another study",
    State.EXPIRED: "an approval of it is over; propose it again",
}
