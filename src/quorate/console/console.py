"""What every page of the console shares: the node it asks, who asks, and how pages are written."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from quorate import __version__
from quorate.console.limits import Limit
from quorate.console.oidc import SignOn, make_sign_on
from quorate.console.once import Once
from quorate.console.passkeys import Passkeys
from quorate.console.rights import RIGHTS, Right
from quorate.console.sessions import Session, Sessions
from quorate.console.settings import Settings
from quorate.node.anonymous.client import ReportClient
from quorate.node.budgets.client import BudgetClient
from quorate.node.client import Client
from quorate.node.home import Home
from quorate.node.quorum.client import QuorumClient
from quorate.node.staff.client import StaffClient
from quorate.node.staff.views import Role

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, as what, and the session."""

    name: str
    role: Role
    session: Session

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]


@dataclass(frozen=True, slots=True)
class Console:
    """One node's console."""

    home: Home
    settings: Settings
    sessions: Sessions
    passkeys: Passkeys
    sign_on: SignOn | None
    for_strangers: Limit
    for_staff: Limit
    pages: Environment = field(repr=False)

    @property
    def cookie(self) -> str:
        """The session cookie's name: nodes of one machine share a browser's cookies."""
        name = f"quorate-{self.home.name}"
        return f"__Host-{name}" if self.settings.is_tls else name

    def node(self, visitor: Visitor | None = None) -> Client:
        """Return a connection to the node, in the name of who is signed in."""
        return Client(self.home.socket, staff="" if visitor is None else visitor.name)

    def quorum(self, visitor: Visitor) -> QuorumClient:
        return QuorumClient(self.node(visitor))

    def reports(self, visitor: Visitor) -> ReportClient:
        return ReportClient(self.node(visitor))

    def budgets(self, visitor: Visitor) -> BudgetClient:
        return BudgetClient(self.node(visitor))

    def staff(self, visitor: Visitor | None = None) -> StaffClient:
        return StaffClient(self.node(visitor))

    def page(
        self, request: Request, template: str, code: int = 200, /, **shown: object
    ) -> HTMLResponse:
        """Return a page, for whoever is signed in. Everything shown is escaped."""
        visitor: Visitor | None = getattr(request.state, "visitor", None)
        text = self.pages.get_template(template).render(
            visitor=visitor,
            member=self.home.name,
            version=__version__,
            path=request.url.path,
            Right=Right,
            **shown,
        )
        return HTMLResponse(text, code)


def make(home: Home, settings: Settings, clock: Callable[[], float] = time.monotonic) -> Console:
    """Return the console of a node."""
    pages = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    challenges: Once[str] = Once(clock)
    limit = partial(Limit, clock)
    return Console(
        home,
        settings,
        Sessions(clock, os.urandom),
        Passkeys(settings, home.name, challenges, os.urandom),
        make_sign_on(settings, clock, os.urandom) if settings.issuer else None,
        for_strangers=limit(30, 0.5),
        for_staff=limit(100, 10),
        pages=pages,
    )
