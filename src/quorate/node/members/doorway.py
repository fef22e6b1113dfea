"""Invitations of this member, and newcomers who knock with them."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from quorate import wire
from quorate.errors import Refused
from quorate.node.members.members import Members
from quorate.node.members.messages import Welcome
from quorate.quorum.history import door_of
from quorate.quorum.invitation import Application, Token, invite, verify_application
from quorate.quorum.request import is_over
from quorate.studies.group import RELAY


@dataclass(frozen=True, slots=True)
class Doorway:
    """Who was invited by this member."""

    members: Members
    now: Callable[[], datetime]

    def invite(self, lasts: timedelta) -> Token:
        """Return a new token, and open its door. Raises `Refused`."""
        desk, history = self.members.desk, self.members.history
        if desk.home.reached_at.startswith(RELAY):
            raise Refused(
                "a newcomer cannot call a node that waits at a relay",
                hint="have a member invite it whose node is reached directly",
            )
        first, me = history.first.digest(), desk.home.name
        token = invite(desk.group, first, me, desk.home.identity, self.now(), lasts, os.urandom)
        invitation = token.invited.invitation
        with desk.store.transaction():
            self.members.records.add_invitation(invitation)
            desk.audit.append("invited", f"a newcomer, until {invitation.expires}")
        desk.peers.open_door(invitation.door)
        return token

    def open_doors(self) -> Iterable[bytes]:
        """Return the doors of the invitations that are not over."""
        invited = self.members.records.invitations()
        return [i.invitation.door for i in invited if not is_over(i.invitation.expires, self.now())]

    async def on_guest(self, door: bytes, body: bytes) -> bytes:
        """Take in an application, propose the newcomer, and tell it how far that has come."""
        application = wire.decode(body, Application)
        invitation, group = application.invited.invitation, self.members.desk.group
        if invitation.door != door or invitation.inviter != self.members.desk.home.name:
            raise Refused("the application came by another invitation")
        verify_application(application, group.members[self.members.desk.me], self.now())
        self.members.records.use_invitation(door, application)
        history = self.members.history
        if door in map(door_of, history.changes()):
            return wire.encode(Welcome(history.first, history.steps, ()))
        open_ = [w.change for w in self.members.waiting() if door_of(w.change) == door]
        if not open_:
            change, _ = await self.members.admit(application)
            open_ = [change]
        return wire.encode(Welcome(history.first, history.steps, self._silent(open_[-1].digest())))

    def _silent(self, change: bytes) -> tuple[str, ...]:
        spoken = {v.vote.member for v in self.members.records.votes_on(change)}
        return tuple(name for name in self.members.desk.group.names if name not in spoken)
