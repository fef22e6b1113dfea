"""The lives of a request and of a key on one node: enums and tables.

`docs/spec/orders.md` draws them; a test compares the drawings with the tables.
"""

from enum import Enum
from typing import TypeVar

from quorate.errors import Refused


class RequestState(Enum):
    """Where a request is."""

    OPEN = "open"
    APPROVED = "approved"
    SIGNED = "signed"
    UNLOCKED = "unlocked"
    RECOVERED = "recovered"
    DECLINED = "declined"
    EXPIRED = "expired"


class RequestEvent(Enum):
    """What moves a request on."""

    QUORUM = "enough holders approved"
    NO_QUORUM = "too many holders declined"
    EXPIRED = "its time is over"
    SIGNED = "the group signed"
    UNLOCKED = "the file key is with the requester"
    RECOVERED = "the whole key is with the requester"


class KeyState(Enum):
    """Where a key is."""

    PROPOSED = "proposed"
    GENERATING = "generating"
    READY = "ready"
    REFUSED = "refused"
    EXPIRED = "expired"
    FAILED = "failed"
    RENEWED = "renewed"
    SUCCEEDED = "succeeded"


class KeyEvent(Enum):
    """What moves a key on."""

    ALL_APPROVED = "all holders approved"
    DECLINED = "a holder declined"
    EXPIRED = "its time is over"
    CERTIFIED = "all holders certified the same key"
    ABORTED = "a holder cheated"
    WITHDRAWN = "a new holder withdrew"
    SUCCEEDED = "another key takes its place"
    HANDED_OVER = "it is in other hands"


REQUEST_OPEN = (RequestState.OPEN, RequestState.APPROVED)
REQUEST_DONE = (RequestState.SIGNED, RequestState.UNLOCKED, RequestState.RECOVERED)
KEY_OPEN = (KeyState.PROPOSED, KeyState.GENERATING)

REQUESTS: dict[tuple[RequestState, RequestEvent], RequestState] = {
    (RequestState.OPEN, RequestEvent.QUORUM): RequestState.APPROVED,
    (RequestState.OPEN, RequestEvent.NO_QUORUM): RequestState.DECLINED,
    (RequestState.OPEN, RequestEvent.EXPIRED): RequestState.EXPIRED,
    (RequestState.APPROVED, RequestEvent.EXPIRED): RequestState.EXPIRED,
    # what came of it may arrive before the answers under which it was made, and after the hour
    **{
        (state, event): done
        for event, done in (
            (RequestEvent.SIGNED, RequestState.SIGNED),
            (RequestEvent.UNLOCKED, RequestState.UNLOCKED),
            (RequestEvent.RECOVERED, RequestState.RECOVERED),
        )
        for state in RequestState
        if state not in REQUEST_DONE
    },
}

KEYS: dict[tuple[KeyState, KeyEvent], KeyState] = {
    (KeyState.PROPOSED, KeyEvent.ALL_APPROVED): KeyState.GENERATING,
    (KeyState.PROPOSED, KeyEvent.DECLINED): KeyState.REFUSED,
    (KeyState.PROPOSED, KeyEvent.EXPIRED): KeyState.EXPIRED,
    (KeyState.GENERATING, KeyEvent.EXPIRED): KeyState.EXPIRED,
    (KeyState.GENERATING, KeyEvent.ABORTED): KeyState.FAILED,
    (KeyState.GENERATING, KeyEvent.CERTIFIED): KeyState.READY,
    (KeyState.GENERATING, KeyEvent.WITHDRAWN): KeyState.REFUSED,
    (KeyState.READY, KeyEvent.HANDED_OVER): KeyState.RENEWED,
    (KeyState.READY, KeyEvent.SUCCEEDED): KeyState.SUCCEEDED,
}

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


def after(table: dict[tuple[S, E], S], what: str, state: S, event: E) -> S:
    """Return the state that follows. Raises `Refused` where nothing does."""
    following = table.get((state, event))
    if following is None:
        raise Refused(f"{what} is {state.value}: {_WHY_NOT[state]}")
    return following


_WHY_NOT: dict[Enum, str] = {
    RequestState.OPEN: "it waits for answers",
    RequestState.APPROVED: "enough holders approved it already",
    RequestState.SIGNED: "its signature is out",
    RequestState.UNLOCKED: "its requester has the file key",
    RequestState.RECOVERED: "its requester has the whole key",
    RequestState.DECLINED: "too many holders declined it; propose another",
    RequestState.EXPIRED: "its time is over; propose it again",
    KeyState.PROPOSED: "not every holder has approved it yet",
    KeyState.GENERATING: "its holders are generating it",
    KeyState.READY: "it exists",
    KeyState.REFUSED: "a holder declined it; propose another",
    KeyState.EXPIRED: "its time is over; propose it again",
    KeyState.RENEWED: "its holders have new shares of it: use the newer one of its name",
    KeyState.SUCCEEDED: "it named another key as its successor: use that one",
    KeyState.FAILED: "a holder cheated in its generation; propose another, without that holder",
}
