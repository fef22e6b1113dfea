"""A browser of the system, people with passkeys at it, and what is asked of every page."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from quorate.node.staff.views import Role
from tests.console.place import Place

CHROMIUM = shutil.which("chromium")
AXE = Path(os.environ.get("QUORATE_AXE", "build/axe/node_modules/axe-core/axe.min.js"))
PICTURES = os.environ.get("QUORATE_PICTURES", "")
"""A folder for pictures of the pages: the documents' are made so."""

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1200, "height": 900}
PASSKEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
SERIOUS = ("serious", "critical")


@contextmanager
def chromium() -> Generator[Browser]:
    """Start the system's browser, or skip loudly where there is none."""
    if CHROMIUM is None:
        pytest.skip("SKIPPED: there is no chromium on this machine")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []  # it refuses its sandbox to root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=root)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(slots=True)
class Person:
    """Somebody with a passkey at a browser of its own; `wrong` is what its pages complained of."""

    place: Place
    page: Page
    wrong: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.place.settings.origin + path)

    def sign_in(self) -> None:
        self.go("/sign-in")
        self.page.get_by_role("button", name="Sign in with a passkey").click()
        self.page.wait_for_url(f"{self.place.settings.origin}/")

    def said(self) -> str:
        return self.page.locator("main").inner_text()

    def press(self, button: str) -> None:
        """Press a button, and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button).click()

    def picture(self, name: str) -> None:
        if PICTURES:
            self.page.screenshot(path=Path(PICTURES) / f"console-{name}.png")


def enrolled(
    browser: Browser, place: Place, name: str, role: Role, size: ViewportSize = DESK
) -> Person:
    """Invite somebody, who makes a passkey in the browser and is in."""
    page = browser.new_context(viewport=size).new_page()
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": PASSKEY})
    person = Person(place, page)
    page.on("pageerror", lambda error: person.wrong.append(str(error)))
    page.on(
        "console", lambda line: person.wrong.append(line.text) if line.type == "error" else None
    )
    person.go(f"/invitation#{place.staff.invite(name, role).token}")
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url(f"{place.settings.origin}/")
    return person


def check_page(person: Person) -> None:
    """Assert that a page serves people: in light and dark, on a phone, and by axe's rules."""
    page, size = person.page, person.page.viewport_size
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], f"{page.url} is {width} wide on a phone"
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        assert not (found := serious(page)), f"{page.url}, {scheme}: {found}"
    page.emulate_media(color_scheme="light")
    if size is not None:
        page.set_viewport_size(size)


def serious(page: Page) -> list[str]:
    """Return what axe finds serious on a page, in every rule it has."""
    if not AXE.is_file():
        pytest.skip(f"SKIPPED: there is no axe-core at {AXE}: make test-system brings it")
    # Not as a script of the page, whose policy would rightly refuse it.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run().then(found => found.violations)")
    return [f"{one['id']}: {one['help']}" for one in found if one["impact"] in SERIOUS]
