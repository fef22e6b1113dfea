"""The routes of the staff, and the line of the audit log that says who of it asked for what."""

import re

from fastapi import FastAPI, Request

from quorate.errors import Refused
from quorate.node.staff.people import Person, Staff
from quorate.node.staff.views import (
    CredentialView,
    EnrolBody,
    InvitationView,
    InviteBody,
    InvitedView,
    PersonView,
    TokenBody,
    UsedBody,
)

ASKED_BY = "Quorate-Staff"
"""The header in which the console says for whom it asks."""

COMPOSING = frozenset(
    {
        "/reports",
        "/reports/meter",
        "/reports/queue/reseal",
        "/reports/threads/{prefix}/reply",
        "/reports/threads/{prefix}/claim",
    }
)
"""Routes of which no log ever has a line: that a report was written is nobody's to know."""


class Asked:
    """Writes down who of the staff asks for something, before it is done."""

    def __init__(self, staff: Staff) -> None:
        self.staff = staff

    async def __call__(self, request: Request) -> None:
        name = request.headers.get(ASKED_BY, "")
        if not name or request.method == "GET":
            return
        if request.scope["route"].path in COMPOSING:
            return
        person = self.staff.person(name)
        done = f"{person.name}, {person.role}: {request.method} {request.url.path}"
        self.staff.audit.append("asked by staff", done)


def add_staff(app: FastAPI, staff: Staff) -> None:
    """Add all routes of the staff."""
    _add_people(app, staff)
    _add_invitations(app, staff)
    _add_credentials(app, staff)


def _add_people(app: FastAPI, staff: Staff) -> None:
    @app.get("/staff")
    async def people() -> tuple[PersonView, ...]:
        return tuple(_person_view(staff, person) for person in staff.people())

    @app.get("/staff/people/{name}")
    async def person(name: str) -> PersonView:
        return _person_view(staff, staff.person(name))

    @app.post("/staff/people/{name}/remove")
    async def remove(name: str) -> tuple[PersonView, ...]:
        staff.remove(name)
        return tuple(_person_view(staff, person) for person in staff.people())


def _add_invitations(app: FastAPI, staff: Staff) -> None:
    @app.post("/staff/invitations")
    async def invite(body: InviteBody) -> InvitationView:
        invited, token = staff.invite(body.name, body.role)
        return InvitationView(
            name=invited.name, role=invited.role, until=invited.until, token=token
        )

    @app.post("/staff/invitations/look")
    async def look(body: TokenBody) -> InvitedView:
        invited = staff.invitation(body.token)
        return InvitedView(name=invited.name, role=invited.role, until=invited.until)

    @app.post("/staff/invitations/enrol")
    async def enrol(body: EnrolBody) -> PersonView:
        key = bytes.fromhex(body.public_key) if _is_hex(body.public_key) else b""
        if body.kind == "passkey" and not key:
            raise Refused("a passkey without its public key")
        person = staff.enrol(body.token, body.kind, bytes.fromhex(body.id), key, body.uses)
        return _person_view(staff, person)


def _add_credentials(app: FastAPI, staff: Staff) -> None:
    @app.get("/staff/credentials/{id_}")
    async def credential(id_: str) -> CredentialView:
        known = staff.credential(_id(id_))
        person = staff.person(known.person)
        return CredentialView(
            id=known.id.hex(),
            kind=known.kind,
            person=person.name,
            role=person.role,
            public_key=known.public_key.hex(),
            uses=known.uses,
        )

    @app.post("/staff/credentials/{id_}/used")
    async def used(id_: str, body: UsedBody) -> PersonView:
        return _person_view(staff, staff.signed_in(_id(id_), body.uses))


def _person_view(staff: Staff, person: Person) -> PersonView:
    kinds = staff.credentials_of(person.name)
    return PersonView(
        name=person.name,
        role=person.role,
        since=person.since,
        passkeys=kinds.count("passkey"),
        sign_ons=kinds.count("single sign-on"),
    )


def _is_hex(text: str) -> bool:
    return re.fullmatch("([0-9a-f]{2}){1,1024}", text) is not None


def _id(text: str) -> bytes:
    return bytes.fromhex(text) if _is_hex(text) else b""
