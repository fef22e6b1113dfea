"""Getting in: the sign-in page, links that work once, and the hospital's single sign-on."""

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import Body, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from quorate.console.console import Console
from quorate.console.guard import Anyone
from quorate.console.oidc import SignOn
from quorate.console.sessions import SESSION_S
from quorate.errors import NotFound, VerificationFailed
from quorate.node.staff.views import EnrolBody, PersonView

Credential = Annotated[dict[str, Any], Body(embed=True)]
Link = Annotated[str, Body(embed=True, min_length=20, max_length=100)]


def add_sign_in(app: FastAPI, console: Console, now: Callable[[], datetime]) -> None:
    """Add the routes that lead in and out."""
    _add_passkeys(app, console)
    _add_invitations(app, console)
    _add_sign_on(app, console, now)


def _add_passkeys(app: FastAPI, console: Console) -> None:
    passkeys = console.passkeys

    @app.get("/health")
    def health() -> dict[str, str]:
        return {}

    @app.get("/sign-in")
    def sign_in(request: Request) -> HTMLResponse:
        return console.page(request, "sign_in.html", has_sign_on=console.sign_on is not None)

    @app.post("/sign-in/options")
    def options() -> dict[str, object]:
        return passkeys.to_sign_in()

    @app.post("/sign-in/finish")
    def finish(credential: Credential, response: Response) -> dict[str, str]:
        return _begin(console, response, passkeys.sign_in(console.staff(), credential))

    @app.post("/sign-out")
    def sign_out(request: Request, _: Anyone) -> RedirectResponse:
        console.sessions.end(request.cookies.get(console.cookie, ""))
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(console.cookie, secure=console.settings.is_tls, httponly=True)
        return answer


def _add_invitations(app: FastAPI, console: Console) -> None:
    passkeys = console.passkeys

    @app.get("/invitation")
    def invitation(request: Request) -> HTMLResponse:
        return console.page(request, "invitation.html", has_sign_on=console.sign_on is not None)

    @app.post("/invitation/options")
    def options(token: Link) -> dict[str, object]:
        invited = console.staff().invited(token)
        return passkeys.to_enrol(invited, token)

    @app.post("/invitation/finish")
    def finish(credential: Credential, response: Response) -> dict[str, str]:
        return _begin(console, response, passkeys.enrol(console.staff(), credential))

    @app.post("/invitation/sign-on")
    def sign_on(token: Link, response: Response) -> dict[str, str]:
        console.staff().invited(token)
        url, state = _sign_on(console).begin(token)
        _remember(console, response, state)
        return {"location": url}


def _add_sign_on(app: FastAPI, console: Console, now: Callable[[], datetime]) -> None:
    @app.get("/oidc/start")
    def start() -> RedirectResponse:
        url, state = _sign_on(console).begin()
        answer = RedirectResponse(url, 303)
        _remember(console, answer, state)
        return answer

    @app.get("/oidc/back")
    def back(request: Request, state: str = "", code: str = "") -> HTMLResponse:
        kept = request.cookies.get(f"{console.cookie}-oidc", "")
        if not state or not hmac.compare_digest(kept.encode(), state.encode()):
            raise VerificationFailed("this sign-on was begun elsewhere", hint="sign in again")
        account = _sign_on(console).end(state, code, int(now().timestamp()))
        staff = console.staff()
        if account.token:
            staff.enrol(
                EnrolBody(token=account.token, kind="single sign-on", id=account.id().hex())
            )
        # A strict cookie is not sent along a chain that began elsewhere: the page goes on itself.
        answer = console.page(request, "signed_in.html")
        _begin(console, answer, staff.signed_in(account.id()))
        return answer


def _begin(console: Console, response: Response, person: PersonView) -> dict[str, str]:
    """Give the browser a session."""
    response.set_cookie(
        console.cookie,
        console.sessions.begin(person.name),
        max_age=int(SESSION_S),
        secure=console.settings.is_tls,
        httponly=True,
        samesite="strict",
    )
    return {"location": "/"}


def _remember(console: Console, response: Response, state: str) -> None:
    """Bind a sign-on to the browser that began it."""
    response.set_cookie(
        f"{console.cookie}-oidc",
        state,
        max_age=300,
        secure=console.settings.is_tls,
        httponly=True,
        samesite="lax",
    )


def _sign_on(console: Console) -> SignOn:
    if console.sign_on is None:
        raise NotFound("this console has no single sign-on", hint="sign in with a passkey")
    return console.sign_on
