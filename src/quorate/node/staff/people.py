"""The people who may use this member's console: invited once, known by passkey from then on.

An invitation is a random link that works once, within a day; the node keeps its
digest. Who is removed loses everything at once: the console asks here who
somebody is with every request.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

import sqlalchemy as sa

from quorate import wire
from quorate.errors import NotFound, Refused, VerificationFailed
from quorate.node.audit import AuditLog
from quorate.node.staff.tables import credentials, invitations, staff
from quorate.node.staff.views import ROLES, Kind, Role
from quorate.node.store import Store
from quorate.studies.times import utc_text

INVITED_FOR = timedelta(days=1)
TOKEN_BYTES = 24
MAX_INVITATIONS = 1000


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the staff."""

    name: str
    role: Role
    since: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who a link is for, and until when it works."""

    name: str
    role: Role
    until: str


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody signs in with; `uses` is the counter a passkey showed last."""

    id: bytes
    kind: Kind
    person: str
    public_key: bytes
    uses: int


@dataclass(frozen=True, slots=True)
class Staff:
    """The staff of one node. `randomness` makes the secret parts of links."""

    store: Store
    audit: AuditLog
    now: Callable[[], datetime]
    randomness: Callable[[int], bytes] = field(repr=False)

    def people(self) -> tuple[Person, ...]:
        with self.store.transaction() as db:
            rows = db.execute(sa.select(staff).order_by(staff.c.name)).all()
        return tuple(Person(row.name, _role(row.role), row.since) for row in rows)

    def person(self, name: str) -> Person:
        """Return a person. Raises `NotFound`."""
        with self.store.transaction() as db:
            row = db.execute(sa.select(staff).filter_by(name=name)).first()
        if row is None:
            raise NotFound(
                "nobody of this staff has that name",
                hint="invite somebody with: quorate console invite NAME --role ROLE",
            )
        return Person(row.name, _role(row.role), row.since)

    def invite(self, name: str, role: Role) -> tuple[Invitation, str]:
        """Make a link for a person, or one more for the same person; return its secret part.

        Raises `Refused` for somebody who has another role.
        """
        has = {person.name: person.role for person in self.people()}.get(name, role)
        if has != role:
            raise Refused(
                f"{name} is {has} already",
                hint=f"to change that, first: quorate console remove {name}",
            )
        token = self.randomness(TOKEN_BYTES).hex()
        invitation = Invitation(name, role, utc_text(self.now() + INVITED_FOR))
        with self.store.transaction() as db:
            over = invitations.c.until < utc_text(self.now())
            db.execute(invitations.delete().where(over))
            waiting = db.scalar(sa.select(sa.func.count()).select_from(invitations))
            if (waiting or 0) >= MAX_INVITATIONS:
                raise Refused("too many invitations wait", hint="each ends within a day")
            digest = _digest(token)
            row = {"name": name, "role": role, "until": invitation.until}
            db.execute(invitations.insert().values(digest=digest, **row))
            self.audit.append("staff invited", f"{name}, {role}")
        return invitation, token

    def invitation(self, token: str) -> Invitation:
        """Return who a link is for. Raises `NotFound` once it is used or over."""
        with self.store.transaction() as db:
            row = db.execute(sa.select(invitations).filter_by(digest=_digest(token))).first()
        if row is None or row.until < utc_text(self.now()):
            raise NotFound(
                "this link was used already, or is over", hint="ask for another invitation"
            )
        return Invitation(row.name, _role(row.role), row.until)

    def enrol(self, token: str, kind: Kind, id_: bytes, public_key: bytes, uses: int) -> Person:
        """Use a link up: its person signs in with this now. Raises `NotFound`, `Refused`."""
        with self.store.transaction() as db:
            invited = self.invitation(token)
            db.execute(invitations.delete().filter_by(digest=_digest(token)))
            if db.execute(sa.select(credentials).filter_by(id=id_)).first() is not None:
                raise Refused(f"this {kind} is somebody's already", hint="use another one")
            if all(person.name != invited.name for person in self.people()):
                since = utc_text(self.now())
                db.execute(staff.insert().values(name=invited.name, role=invited.role, since=since))
            row = {"kind": kind, "person": invited.name, "public_key": public_key, "uses": uses}
            db.execute(credentials.insert().values(id=id_, **row))
            self.audit.append("staff enrolled", f"{invited.name}, {invited.role}, by {kind}")
        return self.person(invited.name)

    def credential(self, id_: bytes) -> Credential:
        """Return what somebody signs in with. Raises `NotFound`."""
        with self.store.transaction() as db:
            row = db.execute(sa.select(credentials).filter_by(id=id_)).first()
        if row is None:
            raise NotFound("nobody signs in with this here", hint="ask for an invitation")
        kind = next(one for one in get_args(Kind) if one == row.kind)
        return Credential(row.id, kind, row.person, row.public_key, row.uses)

    def credentials_of(self, name: str) -> tuple[Kind, ...]:
        """Return what kinds of things a person signs in with, one for each."""
        with self.store.transaction() as db:
            rows = db.execute(sa.select(credentials.c.kind).filter_by(person=name)).all()
        return tuple(one for row in rows for one in get_args(Kind) if one == row.kind)

    def signed_in(self, id_: bytes, uses: int) -> Person:
        """Record that somebody signed in. A passkey's counter that went back is a copy's.

        Raises `VerificationFailed` then [WebAuthn21].
        """
        known = self.credential(id_)
        if (known.uses or uses) and uses <= known.uses:
            self.audit.append("sign-in refused", f"{known.person}: a passkey counted back")
            raise VerificationFailed(
                "this passkey counts back: there may be a copy of it",
                hint="have it removed, and be invited anew",
            )
        person = self.person(known.person)
        with self.store.transaction() as db:
            db.execute(credentials.update().filter_by(id=id_).values(uses=uses))
            self.audit.append("signed in", f"{person.name}, {person.role}, by {known.kind}")
        return person

    def remove(self, name: str) -> None:
        """Let a person in no more. Raises `NotFound`."""
        person = self.person(name)
        with self.store.transaction() as db:
            db.execute(credentials.delete().filter_by(person=name))
            db.execute(invitations.delete().filter_by(name=name))
            db.execute(staff.delete().filter_by(name=name))
            self.audit.append("staff removed", f"{name}, {person.role}")


def _role(text: str) -> Role:
    return next(role for role in ROLES if role == text)


def _digest(token: str) -> bytes:
    return wire.digest("staff invitation", token)
