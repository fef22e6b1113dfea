"""What the node's HTTP API says of the roster and its changes, in the manner of `node.views`."""

from typing import Annotated, Literal

from pydantic import Field

from quorate.node.views import View

Reason = Annotated[str, Field(min_length=1, max_length=1000)]


class InviteBody(View):
    hours: Annotated[float, Field(gt=0, le=30 * 24)]


class InvitationView(View):
    """A word for one newcomer; who reads it can apply in its stead."""

    token: Annotated[str, Field(repr=False)]
    expires: str


class RemoveBody(View):
    name: Annotated[str, Field(min_length=1, max_length=63)]
    reason: Reason
    for_cause: bool = False


class RotateBody(View):
    """Nothing but why: this member's next key is made by its own node."""

    reason: Reason


class RosterVoteBody(View):
    word: Literal["approve", "decline"]
    reason: Reason


class ChangeView(View):
    """A change of the roster that waits for votes, or holds."""

    id: str
    digest: str
    kind: Literal["join", "remove", "rotate"]
    member: str
    address: str
    public_key: str
    for_cause: bool
    reason: str
    proposer: str
    expires: str
    approved: tuple[str, ...]
    declined: tuple[str, ...]
    needed: int
    holds: bool  # this node has the roster it makes
    untold: tuple[str, ...] = ()


class RosterView(View):
    """Which roster holds, and what led to it."""

    epoch: int
    digest: str
    changes: tuple[ChangeView, ...]  # since the first roster, oldest first
