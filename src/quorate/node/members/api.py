"""The routes of the roster: this node's own staff, on the node's socket."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import FastAPI

from quorate.node.members.doorway import Doorway
from quorate.node.members.members import Members
from quorate.node.members.views import (
    ChangeView,
    InvitationView,
    InviteBody,
    RemoveBody,
    RosterView,
    RosterVoteBody,
    RotateBody,
)
from quorate.quorum.invitation import token_to_text
from quorate.quorum.roster import Change, SignedVote, needed, successor
from quorate.studies.group import Group


def add_members(app: FastAPI, members: Members, doorway: Doorway) -> None:
    """Add all routes of the roster."""

    @app.get("/roster")
    async def roster() -> RosterView:
        return _roster_view(members)

    @app.post("/roster/invitations")
    async def invite(body: InviteBody) -> InvitationView:
        token = doorway.invite(timedelta(hours=body.hours))
        expires = token.invited.invitation.expires
        return InvitationView(token=token_to_text(token), expires=expires)

    @app.get("/roster/changes")
    async def waiting() -> tuple[ChangeView, ...]:
        return tuple(_waiting_view(members, one.change) for one in members.waiting())

    @app.post("/roster/changes/remove")
    async def remove(body: RemoveBody) -> ChangeView:
        change, untold = await members.remove(body.name, body.reason, for_cause=body.for_cause)
        return _waiting_view(members, change, untold)

    @app.post("/roster/changes/rotate")
    async def rotate(body: RotateBody) -> ChangeView:
        change, untold = await members.rotate_key(body.reason)
        return _waiting_view(members, change, untold)

    @app.post("/roster/changes/{prefix}/votes")
    async def vote(prefix: str, body: RosterVoteBody) -> ChangeView:
        change, untold = await members.vote(prefix, body.word, body.reason)
        return _waiting_view(members, change, untold)


def _roster_view(members: Members) -> RosterView:
    history = members.history
    # Each change with the roster it was voted on by: the first, then what the one before made.
    rosters = [history.first]
    for step in history.steps:
        rosters.append(successor(rosters[-1], step.change))
    steps = zip(history.steps, rosters, strict=False)
    return RosterView(
        epoch=history.now.epoch,
        digest=history.now.digest().hex(),
        changes=tuple(
            _view(group, step.change, step.approvals, holds=True) for step, group in steps
        ),
    )


def _waiting_view(members: Members, change: Change, untold: tuple[str, ...] = ()) -> ChangeView:
    votes = members.records.votes_on(change.digest())
    holds = change in members.history.changes()
    return _view(members.desk.group, change, votes, holds=holds, untold=untold)


def _view(
    group: Group,
    change: Change,
    votes: Sequence[SignedVote],
    *,
    holds: bool,
    untold: tuple[str, ...] = (),
) -> ChangeView:
    return ChangeView(
        id=change.short_id,
        digest=change.digest().hex(),
        kind=change.kind,
        member=change.member.name,
        address=change.member.address,
        public_key=change.member.public_key.hex(),
        for_cause=change.for_cause,
        reason=change.reason,
        proposer=change.proposer,
        expires=change.expires,
        approved=tuple(one.vote.member for one in votes if one.vote.word == "approve"),
        declined=tuple(one.vote.member for one in votes if one.vote.word == "decline"),
        needed=needed(group, change),
        holds=holds,
        untold=untold,
    )
