"""A hospital's single sign-on, against a provider that speaks the real protocol."""

import time
from collections.abc import Generator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwk

from quorate.cli.ports import free_ports
from quorate.console import settings
from tests.console.place import Browser, Place, console_of
from tests.console.provider import CLIENT, SECRET, Provider, provider


@pytest.fixture(scope="module")
def hospital() -> Generator[Provider]:
    with provider(int(time.time())) as hospital:  # noqa: TID251 - the console's clock is real
        yield hospital


@pytest.fixture(scope="module")
def second(place: Place, hospital: Provider) -> Generator[Place]:
    """Another console of the same node, with single sign-on."""
    secret = place.home.folder / "oidc.secret"
    secret.write_text(SECRET + "\n")
    chosen = replace(
        settings.local(free_ports(1)[0]),
        issuer=hospital.issuer,
        client_id=CLIENT,
        secret_file=str(secret),
    )
    with console_of(place.home, chosen) as second:
        yield second


@pytest.fixture
def provided(hospital: Provider) -> Generator[Provider]:
    """The provider, which is itself again after a test."""
    yield hospital
    hospital.claims, hospital.signed_with, hospital.subject = {}, None, "kurt@hospital"


def away_and_back(browser: Browser, start: str) -> requests.Response:
    """Follow a browser to the provider, and back to the console."""
    sent = requests.get(start, allow_redirects=False, timeout=10).headers["location"]
    assert sent.startswith(browser.origin)
    return browser.get(sent.removeprefix(browser.origin))


def signed_on(browser: Browser) -> requests.Response:
    return away_and_back(browser, browser.get("/oidc/start").headers["location"])


def bound(place: Place, name: str) -> Browser:
    """Invite somebody, who binds the account to the link."""
    browser, token = place.browser(), place.staff.invite(name, "auditor").token
    start = browser.ask("/invitation/sign-on", {"token": token}).json()["location"]
    answer = away_and_back(browser, start)
    assert answer.ok, answer.text
    return browser


def test_an_account_is_bound_by_a_link_and_signs_in_from_then_on(
    second: Place, provided: Provider
) -> None:
    assert "kurt, auditor" in bound(second, "kurt").get("/").text
    again = second.browser()
    answer = signed_on(again)
    assert answer.ok
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert again.get("/audit").status_code == 200
    assert "signed in: kurt, auditor, by single sign-on" in second.events()


def test_an_account_that_nobody_bound_is_let_in_nowhere(second: Place, provided: Provider) -> None:
    provided.subject = "stranger@hospital"
    browser = second.browser()
    assert signed_on(browser).status_code == 404
    assert browser.get("/audit").status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another-client"},
        {"iss": "https://evil.example"},
        {"exp": 1},
    ],
    ids=["nonce", "audience", "issuer", "over"],
)
def test_an_id_token_that_is_not_for_this_sign_on_is_refused(
    second: Place, provided: Provider, claims: dict[str, object]
) -> None:
    provided.subject = f"claimant-{next(iter(claims))}"
    bound(second, f"claimant-{next(iter(claims))}")
    provided.claims = claims
    browser = second.browser()
    assert signed_on(browser).status_code == 400
    assert browser.get("/audit").status_code == 303


def test_control_the_same_account_with_an_honest_token_is_let_in(
    second: Place, provided: Provider
) -> None:
    provided.subject = "honest@hospital"
    bound(second, "honest")
    browser = second.browser()
    assert signed_on(browser).ok
    assert browser.get("/audit").status_code == 200


def test_a_token_that_another_key_signed_is_refused(second: Place, provided: Provider) -> None:
    provided.subject = "signed@hospital"
    bound(second, "signed")
    provided.signed_with = jwk.RSAKey.generate_key(2048, {"kid": "1"})
    assert signed_on(second.browser()).status_code == 400


def test_a_sign_on_ends_in_the_browser_that_began_it(second: Place, provided: Provider) -> None:
    """An attacker's own sign-on, finished in somebody else's browser, is refused."""
    attacker, victim = second.browser(), second.browser()
    start = attacker.get("/oidc/start").headers["location"]
    assert away_and_back(victim, start).status_code == 400
    assert parse_qs(urlsplit(start).query)["state"][0] not in victim.http.cookies.values()
