"""Who gets through: every route without a session, and every route with every role."""

import pytest
import requests
from fastapi.routing import APIRoute

from quorate.console.app import make_app
from quorate.console.console import make
from quorate.console.guard import OPEN, Needs
from quorate.console.rights import RIGHTS, Right
from quorate.node.staff.views import ROLES, Role
from tests.console.place import Browser, Place
from tests.node.three import NOW

ID = "0" * 8


@pytest.fixture(scope="module")
def staff(place: Place) -> dict[Role, Browser]:
    """One person of each role, each at a browser."""
    return {role: place.signed_in(role.replace(" ", "-"), role) for role in ROLES}


@pytest.fixture(scope="module")
def routes(place: Place) -> list[APIRoute]:
    """Every route of the console but those that lead in."""
    app = make_app(make(place.home, place.settings), lambda: NOW)
    found = [route for route in app.routes if isinstance(route, APIRoute)]
    assert {route.path for route in found} > OPEN
    return [route for route in found if route.path not in OPEN]


def right_of(route: APIRoute) -> Right | None:
    """Return the right that a route takes, as its signature says: each says one."""
    (needs,) = [one.call for one in route.dependant.dependencies if isinstance(one.call, Needs)]
    return needs.right


def asked(browser: Browser, route: APIRoute) -> requests.Response:
    place = route.path.format(id_=ID, number=0, name="nobody")
    method = next(iter(route.methods or {"GET"}))
    return browser.get(place) if method == "GET" else browser.post(place)


def test_an_anonymous_visitor_reaches_the_sign_in_page_and_the_health_check_only(
    place: Place, routes: list[APIRoute]
) -> None:
    anonymous = place.browser()
    assert anonymous.get("/health").json() == {}
    assert "Sign in" in anonymous.get("/sign-in").text
    assert len(routes) > 30
    for route in routes:
        answer = asked(anonymous, route)
        assert answer.status_code in (303, 401), route.path
        assert answer.headers["location"] == "/sign-in"
    assert anonymous.get("/docs").status_code == anonymous.get("/openapi.json").status_code == 404
    assert anonymous.get("/static/../app.py").status_code == 404


@pytest.mark.parametrize("role", ROLES)
def test_whoever_has_not_the_right_gets_403(
    place: Place, staff: dict[Role, Browser], routes: list[APIRoute], role: Role
) -> None:
    refused = 0
    before = len(place.events())
    for route in routes:
        right = right_of(route)
        if right is not None and right not in RIGHTS[role]:
            assert asked(staff[role], route).status_code == 403, route.path
            refused += 1
    assert refused > 5
    assert len(place.events()) == before  # the node was not even asked


@pytest.mark.parametrize("role", ROLES)
def test_whoever_has_the_right_gets_in(
    staff: dict[Role, Browser], routes: list[APIRoute], role: Role
) -> None:
    for route in routes:
        right = right_of(route)
        if route.methods == {"GET"} and (right is None or right in RIGHTS[role]):
            own = {"/compose"}  # refused by the node it is, not by the role
            expected = {403} if route.path in own else {200, 404}
            assert asked(staff[role], route).status_code in expected, route.path


def test_a_form_of_another_page_or_session_is_refused(
    place: Place, staff: dict[Role, Browser]
) -> None:
    administrator = staff["administrator"]
    invite = {"name": "mallory", "role": "administrator"}
    elsewhere = {"origin": "https://evil.example"}
    assert administrator.post("/settings/invite", invite, elsewhere).status_code == 403
    assert administrator.post("/settings/invite", invite | {"csrf": ""}).status_code == 403
    others = {"csrf": staff["auditor"].csrf}
    assert administrator.post("/settings/invite", invite | others).status_code == 403
    assert not [line for line in place.events() if "mallory" in line]


def test_control_without_the_guard_a_forged_form_invites_somebody(
    place: Place, staff: dict[Role, Browser]
) -> None:
    """The forged request is whole otherwise: with what a page of ours holds, it works."""
    mallory = {"name": "mallory", "role": "administrator"}
    answer = staff["administrator"].post("/settings/invite", mallory)
    assert answer.status_code == 200
    assert "staff invited: mallory, administrator" in place.events()


def test_what_is_removed_is_gone_at_once(place: Place) -> None:
    browser = place.signed_in("temporary", "auditor")
    assert browser.get("/audit").status_code == 200
    place.staff.remove("temporary")
    assert browser.get("/audit").status_code == 303


def test_a_session_ends_with_sign_out(place: Place) -> None:
    browser = place.signed_in("leaver", "auditor")
    copied = browser.http.cookies.copy()
    assert browser.post("/sign-out").headers["location"] == "/sign-in"
    again = place.browser()
    again.http.cookies.update(copied)
    assert again.get("/").status_code == 303


def test_cookies_and_headers_leave_a_page_nothing_to_do_but_its_own(
    place: Place, staff: dict[Role, Browser]
) -> None:
    browser = place.browser()
    invited = place.staff.invite("headed", "auditor")
    answer = browser.enrol(invited.token, place.passkey())
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    for page in (staff["auditor"].get("/audit"), place.browser().get("/nowhere")):
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"
    text = staff["auditor"].get("/audit").text
    assert "<script>" not in text
    assert " style=" not in text
    assert "//" not in text.replace("http://localhost", "")  # nothing from elsewhere


def test_the_audit_log_says_who_asked_for_what(place: Place, staff: dict[Role, Browser]) -> None:
    staff["administrator"].post("/settings/people/nobody/remove")
    line = "asked by staff: administrator, administrator: POST /staff/people/nobody/remove"
    assert line in place.events()


def test_too_many_attempts_to_sign_in_are_refused_and_disturb_nobody_who_is_in(
    place: Place, staff: dict[Role, Browser]
) -> None:
    anybody = place.browser()
    statuses = [anybody.ask("/sign-in/options", {}).status_code for _ in range(40)]
    assert statuses[-1] == 429
    assert staff["auditor"].get("/audit").status_code == 200
