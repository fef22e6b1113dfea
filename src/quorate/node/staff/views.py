"""What the node's HTTP API says of its staff, in the manner of `node.views`."""

from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints

from quorate.node.views import View

Role = Literal["data officer", "clinician", "auditor", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,62}$")]
"""Of a person: it stands in headers, links and the audit log."""

Token = Annotated[str, Field(repr=False, min_length=20, max_length=100)]
Hex = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}){1,1024}$")]
Kind = Literal["passkey", "single sign-on"]


class PersonView(View):
    """One person of this member's staff."""

    name: str
    role: Role
    since: str
    passkeys: int
    sign_ons: int  # accounts of the hospital's single sign-on


class InviteBody(View):
    """Whom to let in, and as what."""

    name: Name
    role: Role


class InvitationView(View):
    """A link's secret part, told once: the node keeps its digest."""

    name: str
    role: Role
    until: str
    token: Token


class TokenBody(View):
    """The secret part of a link."""

    token: Token


class InvitedView(View):
    """Who a link is for."""

    name: str
    role: Role
    until: str


class EnrolBody(View):
    """What a person will sign in with: the link is used up."""

    token: Token
    kind: Kind
    id: Hex
    public_key: str = ""  # hexadecimal, of a passkey
    uses: int = Field(default=0, ge=0, lt=1 << 32)


class CredentialView(View):
    """One thing that somebody signs in with."""

    id: str
    kind: Kind
    person: str
    role: Role
    public_key: str
    uses: int  # the counter of a passkey that counts


class UsedBody(View):
    """The counter a passkey shows now."""

    uses: int = Field(ge=0, lt=1 << 32)
