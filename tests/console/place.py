"""Nodes with their consoles as processes of this machine, and people who use them."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from quorate.cli.ports import free_ports
from quorate.console import settings
from quorate.console.settings import Settings
from quorate.node import daemon, home
from quorate.node.client import Client
from quorate.node.home import Home
from quorate.node.staff.client import StaffClient
from quorate.node.staff.views import Role
from quorate.studies.group import Group
from tests.console.authenticator import Authenticator
from tests.e2e.nodes import start, wait


@dataclass(slots=True)
class Browser:
    """A browser as far as HTTP goes: cookies, the origin of what it posts, its session's word."""

    origin: str
    http: requests.Session
    csrf: str = ""

    def get(self, place: str, *, html: bool = True) -> requests.Response:
        accept = {"accept": "text/html"} if html else {}
        return self.http.get(self.origin + place, headers=accept, allow_redirects=False, timeout=60)

    def post(
        self,
        place: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a form as a page of the console does, or as `form` and `headers` say otherwise."""
        return self.http.post(
            self.origin + place,
            data={"csrf": self.csrf, **(form or {})},
            headers={"origin": self.origin, "accept": "text/html", **(headers or {})},
            allow_redirects=False,
            timeout=60,
        )

    def ask(self, place: str, body: dict[str, Any]) -> requests.Response:
        """Post as the console's own script does."""
        headers = {"origin": self.origin, "accept": "application/json"}
        return self.http.post(self.origin + place, json=body, headers=headers, timeout=60)

    def enrol(self, token: str, passkey: Authenticator) -> requests.Response:
        options = self.ask("/invitation/options", {"token": token})
        if not options.ok:
            return options
        return self.ask("/invitation/finish", {"credential": passkey.made(options.json())})

    def sign_in(self, passkey: Authenticator) -> requests.Response:
        options = self.ask("/sign-in/options", {}).json()
        return self.ask("/sign-in/finish", {"credential": passkey.signed(options)})

    def open_inbox(self) -> None:
        """Load a page, and take the word from it that forms must hold."""
        found = re.search(r'name="csrf" value="(\w+)"', self.get("/").text)
        assert found, "not signed in"
        self.csrf = found[1]


_addresses = count(2)


class From(HTTPAdapter):
    """Calls from one address."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__()

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named, source_address=(self.source, 0))


@dataclass(frozen=True, slots=True)
class Place:
    """One node's console, and its node."""

    home: Home
    settings: Settings

    @property
    def node(self) -> Client:
        return Client(self.home.socket)

    @property
    def staff(self) -> StaffClient:
        return StaffClient(self.node)

    def browser(self) -> Browser:
        """Return a browser that calls from an address of its own, of this machine's many."""
        http = requests.Session()
        http.mount("http://", From(f"127.0.0.{next(_addresses)}"))
        return Browser(self.settings.origin, http)

    def passkey(self) -> Authenticator:
        return Authenticator(self.settings.origin)

    def signed_in(self, name: str, role: Role) -> Browser:
        """Invite somebody who makes a passkey, and loads a page."""
        browser = self.browser()
        invited = self.staff.invite(name, role)
        assert browser.enrol(invited.token, self.passkey()).ok
        browser.open_inbox()
        return browser

    def events(self) -> list[str]:
        """Return the audit log, a line for each entry."""
        return [f"{one.event}: {one.details}" for one in self.node.audit().entries]


@contextmanager
def lonely() -> Generator[Place]:
    """Run one node, whose group's other member is away, with a console that it starts itself."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        ports = free_ports(3)
        homes = [
            home.create(Path(name) / one, one, f"127.0.0.1:{port}")
            for one, port in zip(("north", "south"), ports, strict=False)
        ]
        homes[0].join(Group("two", tuple(one.member() for one in homes)))
        chosen = settings.local(ports[2])
        settings.write(homes[0].folder, chosen)
        start(homes[0])
        try:
            place = Place(homes[0], chosen)
            answers(chosen)
            yield place
        finally:
            daemon.stop(homes[0])


@contextmanager
def console_of(node: Home, chosen: Settings | None = None) -> Generator[Place]:
    """Run a console for a node that runs already."""
    chosen = chosen or settings.local(free_ports(1)[0])
    settings.write(node.folder, chosen)
    log = node.folder / "console.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "quorate.console", str(node.folder)],
            stdout=output,
            stderr=output,
        )
    try:
        answers(chosen)
        yield Place(node, chosen)
    finally:
        process.terminate()
        process.wait()
        assert "Traceback" not in log.read_text(), log.read_text()


def answers(chosen: Settings) -> None:
    """Wait until a console answers."""

    def is_up() -> bool:
        with suppress(requests.ConnectionError):
            return requests.get(f"{chosen.origin}/health", timeout=5).ok
        return False

    wait(is_up)
