"""Who gets through: before any route, in one place.

Nobody without a session gets anywhere but `OPEN`. Everything that changes
something must come from a page of this console (its origin, and a word that
only its forms know). What a role may not do is refused with 403 by `Needs`, a
part of every other route's signature.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from quorate.console.console import Console, Visitor
from quorate.console.rights import Right
from quorate.console.sessions import Session, is_form_of
from quorate.errors import NotFound

OPEN = frozenset(
    {
        "/health",
        "/sign-in",
        "/sign-in/options",
        "/sign-in/finish",
        "/invitation",
        "/invitation/options",
        "/invitation/finish",
        "/invitation/sign-on",
        "/oidc/start",
        "/oidc/back",
    }
)
"""Routes without a session: health, and ways to get one."""

SAFE = frozenset({"GET", "HEAD"})

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """Looks at every request before its route does."""

    console: Console

    async def __call__(self, request: Request) -> None:
        console = self.console
        is_open = request.scope["route"].path in OPEN
        if request.method not in SAFE and request.headers.get("origin") != console.settings.origin:
            raise HTTPException(403, "this did not come from a page of this console")
        session = console.sessions.of(request.cookies.get(console.cookie, ""))
        visitor = None if session is None else await run_in_threadpool(self._visitor, session)
        request.state.visitor = visitor
        if not self._is_slow_enough(request, visitor):
            raise HTTPException(429, "too many requests: wait a little", {"retry-after": "10"})
        if is_open:
            return
        if visitor is None:
            headers = {"location": "/sign-in", "hx-redirect": "/sign-in"}
            raise HTTPException(303 if request.method in SAFE else 401, "sign in first", headers)
        if request.method not in SAFE and not await _is_ours(request, visitor.session):
            raise HTTPException(403, "this form is not of your session: load the page again")

    def _is_slow_enough(self, request: Request, visitor: Visitor | None) -> bool:
        """Return whether to go on: attempts to get in are counted by address, staff by name."""
        if visitor is not None:
            return self.console.for_staff.allows(visitor.name)
        path = request.scope["route"].path
        if path not in OPEN or (request.method in SAFE and not path.startswith("/oidc")):
            return True  # a redirect, or a page that is the same for everybody
        return self.console.for_strangers.allows(request.client.host if request.client else "")

    def _visitor(self, session: Session) -> Visitor | None:
        """Return whose session this is, if that person is of the staff still."""
        try:
            person = self.console.staff().person(session.name)
        except NotFound:
            return None
        return Visitor(person.name, person.role, session)


@dataclass(frozen=True, slots=True)
class Needs:
    """The right that a route takes; None for what all of the staff may do."""

    right: Right | None

    def __call__(self, request: Request) -> Visitor:
        visitor: Visitor = request.state.visitor
        if self.right is not None and not visitor.may(self.right):
            raise HTTPException(403, f"this is not for the role {visitor.role}: {self.right.value}")
        return visitor


Anyone = Annotated[Visitor, Depends(Needs(None))]
SeesStudies = Annotated[Visitor, Depends(Needs(Right.SEE_STUDIES))]
DecidesStudies = Annotated[Visitor, Depends(Needs(Right.DECIDE_STUDIES))]
SignsOrders = Annotated[Visitor, Depends(Needs(Right.SIGN_ORDERS))]
OpensRecords = Annotated[Visitor, Depends(Needs(Right.OPEN_RECORDS))]
ReadsReports = Annotated[Visitor, Depends(Needs(Right.READ_REPORTS))]
WritesReports = Annotated[Visitor, Depends(Needs(Right.WRITE_REPORTS))]
SeesBudgets = Annotated[Visitor, Depends(Needs(Right.SEE_BUDGETS))]
SeesAudit = Annotated[Visitor, Depends(Needs(Right.SEE_AUDIT))]
SeesGroup = Annotated[Visitor, Depends(Needs(Right.SEE_GROUP))]
KeepsStaff = Annotated[Visitor, Depends(Needs(Right.KEEP_STAFF))]


@dataclass(frozen=True, slots=True)
class Headed:
    """Puts the headers on every answer that tell a browser to trust nothing else."""

    app: App
    is_tls: bool

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        async def headed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                has = {name for name, _ in message["headers"]}
                tls = {"strict-transport-security": "max-age=31536000"} if self.is_tls else {}
                for name, value in (_HEADERS | tls).items():
                    if name.encode() not in has:
                        message["headers"].append((name.encode(), value.encode()))
            await send(message)

        await self.app(scope, receive, headed)


async def _is_ours(request: Request, session: Session) -> bool:
    told = request.headers.get("x-csrf-token", "")
    if not told and request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        told = str((await request.form()).get("csrf", ""))
    return is_form_of(session, told)
