"""The consoles of a demo's nodes: open in the browser until Ctrl-C."""

import os
import sys
import threading
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from quorate.cli.console import installed, link_of
from quorate.cli.output import say
from quorate.node.client import Client
from quorate.node.home import Home

if TYPE_CHECKING:
    from quorate.node.staff.views import Role

ROLES: "tuple[Role, ...]" = ("data officer", "clinician")

_wanted: ContextVar[bool] = ContextVar("consoles wanted", default=False)


def want() -> None:
    """Let the nodes of the story that follows have consoles. Raises `Unavailable`."""
    installed()
    _wanted.set(True)


def are_wanted() -> bool:
    return _wanted.get()


def set_up(homes: Sequence[Home], ports: Sequence[int]) -> None:
    """Give each node that is about to start a console of its own."""
    from quorate.console import settings

    for home, port in zip(homes, ports, strict=True):
        settings.write(home.folder, settings.local(port))


def hold_open(homes: Sequence[Home]) -> None:
    """Show invitations to each console, open the first of each, and wait for Ctrl-C."""
    say("", "the consoles: each link makes a passkey for one person of that member", style="bold")
    links = [(home.name, role, _link(home, role)) for home in homes for role in ROLES]
    say(*(f"  {name}, {role}: {link}" for name, role, link in links))
    for _, role, link in links:
        if role == ROLES[0] and _has_screen():
            webbrowser.open(link)
    say("", "the nodes run until Ctrl-C")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _link(home: Home, role: "Role") -> str:
    from quorate.console import settings
    from quorate.node.staff.client import StaffClient

    with Client(home.socket) as client:
        invited = StaffClient(client).invite(role.replace(" ", "-"), role)
    return link_of(settings.read(home.folder), invited.token)


def _has_screen() -> bool:
    """Return whether a browser would open beside this terminal, not in it."""
    shown = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or any(name in os.environ for name in shown)
