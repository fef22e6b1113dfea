"""Orders, records and reports in the browser, among five people with a node each."""

from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from quorate.node.anonymous.client import ReportClient
from tests.console.place import Place, console_of
from tests.e2e.nodes import quorate, wait
from tests.e2e.ward import Ward, five_nodes
from tests.system.console.browsing import PHONE, Person, check_page, enrolled

pytestmark = pytest.mark.system

RECORD = "Patient 4711: allergic to penicillin; takes warfarin.\n"
REPORT = "The dose was doubled twice this week"


@pytest.fixture(scope="module")
def ward() -> Generator[Ward]:
    with five_nodes() as ward:
        yield ward


def test_a_pharmacist_signs_an_order_as_the_second_of_three(browser: Browser, ward: Ward) -> None:
    order = ward.propose()
    wait(lambda: any(one.id == order.id for one in ward["pharmacist"].orders()))
    with console_of(ward.homes["pharmacist"]) as place:
        person = enrolled(browser, place, "petra", "clinician", PHONE)
        page = person.page
        expect(page.get_by_text("order to sign")).to_be_visible()
        page.locator(".cards a").first.click()
        expect(page.get_by_role("heading", name="What it says")).to_be_visible()
        expect(page.get_by_text("doctor approved")).to_be_visible()
        check_page(person)
        person.picture("order")
        page.get_by_label("Why, for all members to read").fill("checked against the allergies")
        person.press("Approve and sign")
        expect(page.get_by_role("heading", name="Signed", exact=True)).to_be_visible()
        check_page(person)
        assert not person.wrong
    ward.signed_everywhere(order.id)
    (signed,) = (one for one in ward["doctor"].orders() if one.id == order.id)
    assert {answer.member for answer in signed.answers} == {"doctor", "pharmacist"}
    line = f"asked by staff: petra, clinician: POST /orders/{order.id}/approve"
    with console_of(ward.homes["pharmacist"]) as place:
        assert line in place.events()


def test_two_doctors_are_refused_and_the_third_opens_the_record(
    browser: Browser, ward: Ward
) -> None:
    ward.make_key("records", "3 of 3", purpose="unlock")
    sealed = _sealed(ward)
    with (
        console_of(ward.homes["doctor"]) as first,
        console_of(ward.homes["nurse"]) as third,
    ):
        asking = enrolled(browser, first, "dora", "clinician", PHONE)
        asking.go("/records")
        check_page(asking)
        asking.page.get_by_label("The sealed file").set_input_files(sealed)
        asking.page.get_by_label("Why, for all holders").fill("unconscious, before surgery")
        asking.press("Ask the holders")
        (request,) = ward["doctor"].unlocks()
        wait(lambda: any(one.id == request.id for one in ward["pharmacist"].unlocks()))
        ward["pharmacist"].answer_unlock(request.id, "approve", "I saw the patient")
        wait(lambda: len(ward["doctor"].unlock_request(request.id).answers) == 2)
        _refused(asking, request.id, sealed)
        helping = enrolled(browser, third, "nora", "clinician", PHONE)
        helping.page.locator(".cards a").first.click()
        check_page(helping)
        helping.picture("record")
        helping.page.get_by_label("Why, for all members to read").fill("agreed by telephone")
        helping.press("Approve")
        wait(lambda: ward["doctor"].unlock_request(request.id).state == "unlocked")
        asking.go(f"/records/{request.id}")
        asking.page.get_by_label("The sealed file again").set_input_files(sealed)
        with asking.page.expect_download() as opened:
            asking.page.get_by_role("button", name="Open the record").click()
        assert opened.value.path().read_text() == RECORD
        assert not asking.wrong


def _refused(asking: Person, id_: str, sealed: Path) -> None:
    """Two have agreed: the page says one is missing, and the file does not open."""
    asking.go(f"/records/{id_}")
    expect(asking.page.locator("#missing")).to_contain_text("1 more of 3 must agree")
    assert asking.page.get_by_role("button", name="Open the record").count() == 0
    csrf = asking.page.locator("input[name=csrf]").first.input_value()
    origin = asking.place.settings.origin
    answer = asking.page.request.post(
        f"{origin}/records/{id_}/open",
        headers={"origin": origin},
        multipart={
            "csrf": csrf,
            "sealed": {"name": "r", "mimeType": "text/plain", "buffer": sealed.read_bytes()},
        },
    )
    assert answer.status == 404, answer.text()
    assert RECORD not in answer.text()


def _sealed(ward: Ward) -> Path:
    (key,) = (one for one in ward["doctor"].keys() if one.name == "records")  # noqa: SIM118 - a route
    (ward.folder / "record.txt").write_text(RECORD)
    arguments = ("seal", "record.txt", "--to", key.recipient, "--record", "patient-4711")
    said = quorate(*arguments, cwd=ward.folder)
    assert said.returncode == 0, said.stderr
    return ward.folder / "record.txt.age"


def test_a_report_is_written_and_read_and_nothing_tells_who_wrote(
    browser: Browser, ward: Ward
) -> None:
    with (
        console_of(ward.homes["nurse"]) as own,
        console_of(ward.homes["doctor"]) as other,
    ):
        writer = _back(browser, own, "nina")
        _writes(writer, own)
        run = ReportClient(ward.clients["doctor"]).hold()
        assert not run.failure
        for name in ward.homes:
            wait(partial(_has_text, ReportClient(ward.clients[name]), run.id))
        reader = _back(browser, other, "dirk")
        reader.page.get_by_role("link", name="Board").click()
        assert reader.page.get_by_role("link", name="Write a report").count() == 1
        reader.page.locator(".cards a").first.click()
        expect(reader.page.get_by_text(REPORT)).to_be_visible()
        check_page(reader)
        reader.picture("board")
        assert not reader.wrong


def _back(browser: Browser, place: Place, name: str) -> Person:
    """Return the only person of a place, whoever was there before."""
    for person in place.staff.people():
        place.staff.remove(person.name)
    return enrolled(browser, place, name, "clinician", PHONE)


def _writes(writer: Person, own: Place) -> None:
    before, log = own.events(), (own.home.folder / "console.log").read_bytes()
    writer.page.get_by_role("link", name="Board").click()
    writer.page.get_by_role("link", name="Write a report").click()
    expect(writer.page.get_by_text("You would stand among")).to_be_visible()
    check_page(writer)
    writer.picture("compose")
    writer.page.get_by_label("The report", exact=True).fill(REPORT)
    writer.press("Put it in the queue")
    expect(writer.page.get_by_text("fragments wait for a run")).to_be_visible()
    assert own.events() == before
    assert (own.home.folder / "console.log").read_bytes() == log
    assert not writer.wrong


def _has_text(node: ReportClient, id_: str) -> bool:
    return any(run.id == id_ and run.texts == 1 for run in node.runs())
