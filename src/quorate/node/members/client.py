"""Talks to a node about its group's roster: one method for each route."""

from dataclasses import dataclass

from quorate.node.client import Client
from quorate.node.local import route
from quorate.node.members.views import (
    ChangeView,
    InvitationView,
    InviteBody,
    RemoveBody,
    RosterView,
    RosterVoteBody,
    RotateBody,
)
from quorate.quorum.roster import Word


@dataclass(frozen=True, slots=True)
class MembersClient:
    """What one may ask of a node over `client`. Every method raises what the node raised."""

    client: Client

    def roster(self) -> RosterView:
        return self.client.get("/roster", RosterView)

    def invite(self, hours: float) -> InvitationView:
        return self.client.post("/roster/invitations", InvitationView, InviteBody(hours=hours))

    def changes(self) -> tuple[ChangeView, ...]:
        return self.client.get("/roster/changes", tuple[ChangeView, ...])

    def remove(self, name: str, reason: str, *, for_cause: bool) -> ChangeView:
        body = RemoveBody(name=name, reason=reason, for_cause=for_cause)
        return self.client.post("/roster/changes/remove", ChangeView, body)

    def rotate(self, reason: str) -> ChangeView:
        return self.client.post("/roster/changes/rotate", ChangeView, RotateBody(reason=reason))

    def vote(self, prefix: str, word: Word, reason: str) -> ChangeView:
        body = RosterVoteBody(word=word, reason=reason)
        return self.client.post(route("roster/changes", prefix, "votes"), ChangeView, body)
