"""Links that work once and passkeys: what lets somebody in, and what does not."""

from dataclasses import replace

import pytest

from quorate.console.once import Once
from quorate.console.passkeys import Passkeys
from quorate.console.settings import local
from quorate.errors import Refused, VerificationFailed
from tests.console.authenticator import PRESENT, Authenticator
from tests.console.place import Browser, Place


@pytest.fixture
def console(place: Place) -> Passkeys:
    """The ceremonies without HTTP, and without its limits."""
    challenges: Once[str] = Once(lambda: 0.0)
    return Passkeys(place.settings, "north", challenges, lambda n: bytes(range(1, n + 1)))


def enrolled(place: Place, console: Passkeys, name: str) -> Authenticator:
    passkey, staff = place.passkey(), place.staff
    token = staff.invite(name, "auditor").token
    console.enrol(staff, passkey.made(console.to_enrol(staff.invited(token), token)))
    return passkey


def test_a_person_enrols_once_and_signs_in_from_then_on(place: Place) -> None:
    passkey, browser = place.passkey(), place.browser()
    token = place.staff.invite("anna", "auditor").token
    assert browser.enrol(token, passkey).ok
    assert "anna, auditor" in browser.get("/").text
    again = place.browser()
    assert again.sign_in(passkey).ok
    assert "anna, auditor" in again.get("/").text
    told = [line for line in place.events() if "anna" in line]
    assert told == [
        "staff invited: anna, auditor",
        "staff enrolled: anna, auditor, by passkey",
        "signed in: anna, auditor, by passkey",
    ]


def test_a_link_works_once_and_a_wrong_one_never(place: Place) -> None:
    token = place.staff.invite("bert", "auditor").token
    first: Browser = place.browser()
    assert first.enrol(token, place.passkey()).ok
    assert place.browser().enrol(token, place.passkey()).status_code == 404
    assert place.browser().enrol("0" * 48, place.passkey()).status_code == 404
    assert [one.passkeys for one in place.staff.people() if one.name == "bert"] == [1]


def test_an_answer_is_taken_once(place: Place, console: Passkeys) -> None:
    passkey = enrolled(place, console, "carl")
    sent = passkey.signed(console.to_sign_in())
    assert console.sign_in(place.staff, sent).name == "carl"
    with pytest.raises(VerificationFailed, match="sent twice"):
        console.sign_in(place.staff, sent)


def test_an_answer_that_comes_late_is_refused(place: Place, console: Passkeys) -> None:
    passkey = enrolled(place, console, "dora")
    clock = iter([0.0, 301.0])
    slow = replace(console, challenges=Once(lambda: next(clock)))
    with pytest.raises(VerificationFailed, match="too long"):
        slow.sign_in(place.staff, passkey.signed(slow.to_sign_in()))


def test_what_was_signed_for_another_page_lets_nobody_in(place: Place, console: Passkeys) -> None:
    passkey = enrolled(place, console, "emma")
    passkey.origin = "https://localhost.evil.example"
    with pytest.raises(VerificationFailed, match="origin"):
        console.sign_in(place.staff, passkey.signed(console.to_sign_in()))


def test_control_the_same_answer_lets_in_where_that_page_is_ours(
    place: Place, console: Passkeys
) -> None:
    passkey = enrolled(place, console, "fred")
    passkey.origin = "https://localhost.evil.example"
    theirs = replace(console, settings=replace(place.settings, origin=passkey.origin))
    theirs = replace(theirs, settings=replace(theirs.settings, listen=local(1).listen))
    passkey.host = theirs.settings.host
    with pytest.raises(VerificationFailed):
        console.sign_in(place.staff, passkey.signed(console.to_sign_in()))
    assert theirs.sign_in(place.staff, passkey.signed(theirs.to_sign_in())).name == "fred"


def test_a_passkey_that_was_merely_found_signs_nobody_in(place: Place, console: Passkeys) -> None:
    passkey = enrolled(place, console, "gina")
    passkey.flags = PRESENT
    with pytest.raises(VerificationFailed, match="erif"):
        console.sign_in(place.staff, passkey.signed(console.to_sign_in()))


def test_another_key_under_the_same_name_does_not_verify(place: Place, console: Passkeys) -> None:
    passkey = enrolled(place, console, "hans")
    forged = Authenticator(passkey.origin, id=passkey.id, uses=10)
    with pytest.raises(VerificationFailed, match="signature"):
        console.sign_in(place.staff, forged.signed(console.to_sign_in()))


def test_a_copy_of_a_passkey_is_found_out_by_its_counter(place: Place, console: Passkeys) -> None:
    passkey = enrolled(place, console, "ines")
    copy = replace(passkey)
    assert console.sign_in(place.staff, passkey.signed(console.to_sign_in())).name == "ines"
    with pytest.raises(VerificationFailed, match="counts back"):
        console.sign_in(place.staff, copy.signed(console.to_sign_in()))
    assert "sign-in refused: ines: a passkey counted back" in place.events()


def test_somebody_else_cannot_take_a_passkey_over(place: Place, console: Passkeys) -> None:
    passkey = enrolled(place, console, "jana")
    staff = place.staff
    token = staff.invite("mallory", "administrator").token
    made = passkey.made(console.to_enrol(staff.invited(token), token))
    with pytest.raises(Refused, match="somebody's already"):
        console.enrol(staff, made)
    assert staff.credential(passkey.id).person == "jana"
    assert staff.invited(token).name == "mallory"  # nothing was half done
