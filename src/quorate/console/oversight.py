"""What the member watches over: budgets, the audit log, the group, its own staff."""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from quorate.console.console import Console
from quorate.console.guard import KeepsStaff, SeesAudit, SeesBudgets, SeesGroup
from quorate.console.rights import RIGHTS
from quorate.node.staff.views import Name, Role

SHOWN = 200
"""Entries of the audit log on one page, the newest."""


def add_oversight(app: FastAPI, console: Console) -> None:
    """Add the pages of budgets, audit, group and settings."""
    _add_budgets(app, console)
    _add_audit(app, console)
    _add_group(app, console)
    _add_staff(app, console)


def _add_budgets(app: FastAPI, console: Console) -> None:
    @app.get("/budgets")
    def budgets(request: Request, visitor: SeesBudgets) -> HTMLResponse:
        client = console.budgets(visitor)
        found = [(one, client.history(one.dataset)) for one in client.all()]
        return console.page(request, "budgets.html", budgets=found)


def _add_audit(app: FastAPI, console: Console) -> None:
    @app.get("/audit")
    def audit(request: Request, visitor: SeesAudit) -> HTMLResponse:
        log = console.node(visitor).audit()
        return console.page(request, "audit.html", log=log, shown=log.entries[: -SHOWN - 1 : -1])

    @app.post("/audit/verify")
    def verify(request: Request, visitor: SeesAudit) -> HTMLResponse:
        log = console.node(visitor).verify_audit()
        return console.page(request, "audit_verified.html", log=log)


def _add_group(app: FastAPI, console: Console) -> None:
    @app.get("/group")
    def group(request: Request, visitor: SeesGroup) -> HTMLResponse:
        return console.page(
            request,
            "group.html",
            status=console.node(visitor).status(),
            group=console.home.group,
            keys=console.quorum(visitor).keys(),
        )


def _add_staff(app: FastAPI, console: Console) -> None:
    @app.get("/settings")
    def settings(request: Request, visitor: KeepsStaff) -> HTMLResponse:
        return console.page(
            request,
            "settings.html",
            people=console.staff(visitor).people(),
            rights=RIGHTS,
            settings=console.settings,
            link="",
            invited="",
        )

    @app.post("/settings/invite")
    def invite(
        request: Request,
        name: Annotated[Name, Form()],
        role: Annotated[Role, Form()],
        visitor: KeepsStaff,
    ) -> HTMLResponse:
        staff = console.staff(visitor)
        invited = staff.invite(name, role)
        return console.page(
            request,
            "settings.html",
            people=staff.people(),
            rights=RIGHTS,
            settings=console.settings,
            link=f"{console.settings.origin}/invitation#{invited.token}",
            invited=invited.name,
        )

    @app.post("/settings/people/{name}/remove")
    def remove(name: str, visitor: KeepsStaff) -> RedirectResponse:
        console.staff(visitor).remove(name)
        return RedirectResponse("/settings", 303)
