"""Talks to a node about its staff: one method for each route."""

from dataclasses import dataclass

from quorate.node.client import Client
from quorate.node.local import route
from quorate.node.staff.views import (
    CredentialView,
    EnrolBody,
    InvitationView,
    InviteBody,
    InvitedView,
    PersonView,
    Role,
    TokenBody,
    UsedBody,
)


@dataclass(frozen=True, slots=True)
class StaffClient:
    """What one may ask of a node over `client`. Every method raises what the node raised."""

    client: Client

    def people(self) -> tuple[PersonView, ...]:
        return self.client.get("/staff", tuple[PersonView, ...])

    def person(self, name: str) -> PersonView:
        return self.client.get(route("staff/people", name), PersonView)

    def invite(self, name: str, role: Role) -> InvitationView:
        """Make a link that works once; the answer is the only copy of its secret part."""
        body = InviteBody(name=name, role=role)
        return self.client.post("/staff/invitations", InvitationView, body)

    def invited(self, token: str) -> InvitedView:
        return self.client.post("/staff/invitations/look", InvitedView, TokenBody(token=token))

    def enrol(self, body: EnrolBody) -> PersonView:
        return self.client.post("/staff/invitations/enrol", PersonView, body)

    def credential(self, id_: bytes) -> CredentialView:
        return self.client.get(route("staff/credentials", id_.hex()), CredentialView)

    def signed_in(self, id_: bytes, uses: int = 0) -> PersonView:
        """Record that somebody signed in with this."""
        path = route("staff/credentials", id_.hex(), "used")
        return self.client.post(path, PersonView, UsedBody(uses=uses))

    def remove(self, name: str) -> tuple[PersonView, ...]:
        path = route("staff/people", name, "remove")
        return self.client.post(path, tuple[PersonView, ...])
