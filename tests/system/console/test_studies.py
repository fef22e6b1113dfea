"""A study in the browser: read, approved, run with live progress, and what came out."""

import csv
import io
import json
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, expect

from quorate.cli.stage import examples
from quorate.cli.verify import report_on
from tests.console.place import Place, console_of
from tests.e2e.nodes import Nodes, some_nodes, wait
from tests.system.console.browsing import check_page, enrolled

pytestmark = pytest.mark.system

STUDY = examples() / "cancer.toml"
ROWS = (examples() / "data" / "gbsg2.csv").read_text().splitlines()
PARTS = {
    name: "\n".join([ROWS[0], *ROWS[1 + i :: 3]])
    for i, name in enumerate(("north", "south", "west"))
}


@pytest.fixture(scope="module")
def nodes() -> Generator[Nodes]:
    with some_nodes(PARTS, timeout_s=10) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def north(nodes: Nodes) -> Generator[Place]:
    with console_of(nodes.homes["north"]) as place:
        yield place


def watch(page: Page) -> None:
    """Note all that the progress of a run says, however short."""
    page.add_init_script(
        """
        addEventListener("DOMContentLoaded", () => {
          const told = document.querySelector("[data-events]");
          const note = () => sessionStorage.setItem(
            "told", (sessionStorage.getItem("told") || "") + told.textContent + "\\n");
          if (told) new MutationObserver(note).observe(told, { childList: true });
        });
        """
    )


def test_a_data_officer_approves_and_runs_a_study_and_follows_it(
    browser: Browser, nodes: Nodes, north: Place
) -> None:
    with nodes.client("south") as south:
        id_ = south.propose(STUDY.read_text()).id
    with nodes.client("west") as west:
        west.approve(id_)
    officer = enrolled(browser, north, "olga", "data officer")
    page = officer.page
    expect(page.get_by_text("study to approve")).to_be_visible()
    check_page(officer)
    officer.picture("inbox")
    page.get_by_role("link", name="Hormone therapy after breast cancer").click()
    expect(page.get_by_role("heading", name="What it reveals")).to_be_visible()
    check_page(officer)
    officer.picture("study")
    officer.press("Approve")
    watch(page)
    officer.press("Run")
    expect(page.get_by_role("heading", name="Certificate")).to_be_visible(timeout=60_000)
    told = page.evaluate("sessionStorage.getItem('told')")
    assert "step" in told
    assert "bytes sent" in told
    assert len(set(told.splitlines())) > 2
    expect(page.get_by_text("signed by north, south, west")).to_be_visible()
    wait(lambda: bool(page.evaluate("[...document.images].every(one => one.naturalWidth)")))
    assert page.locator("figure img").count() >= 2
    check_page(officer)
    officer.picture("results")
    assert not officer.wrong
    _downloads(page, nodes, id_)
    line = f"asked by staff: olga, data officer: POST /studies/{id_.replace('-', '')}/approve"
    assert line in nodes.told("north")


def _downloads(page: Page, nodes: Nodes, id_: str) -> None:
    with nodes.client("north") as client:
        results = client.study(id_).results
    rows = list(csv.DictReader(io.StringIO(_file(page, "CSV").decode())))
    assert [row["value"] for row in rows] == [one.value for one in results]
    text = _file(page, "JSON, with the certificate").decode()
    assert report_on(text, nodes.group).roster_known
    assert json.loads(text)
    pdf = _file(page, "PDF report")
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Subtype /Image") >= 2


def _file(page: Page, link: str) -> bytes:
    with page.expect_download() as started:
        page.get_by_role("link", name=link, exact=True).click()
    return started.value.path().read_bytes()


def test_a_member_without_the_right_gets_403(browser: Browser, north: Place) -> None:
    auditor = enrolled(browser, north, "aron", "auditor")
    assert auditor.page.get_by_role("link", name="Settings").count() == 0
    answer = auditor.page.goto(f"{north.settings.origin}/settings")
    assert answer is not None
    assert answer.status == 403
    expect(auditor.page.get_by_role("alert")).to_contain_text("this is not for the role auditor")
    check_page(auditor)


def test_an_auditor_verifies_the_log_and_sees_who_is_reachable(
    browser: Browser, north: Place
) -> None:
    auditor = enrolled(browser, north, "anton", "auditor")
    page = auditor.page
    page.get_by_role("link", name="Audit").click()
    page.get_by_role("button", name="Verify, and ask the other members").click()
    expect(page.get_by_text("and it is the same").first).to_be_visible()
    check_page(auditor)
    auditor.picture("audit")
    page.get_by_role("link", name="Group").click()
    expect(page.get_by_role("row", name="south")).to_contain_text("yes")
    check_page(auditor)
    auditor.picture("group")
    page.get_by_role("link", name="Budget").click()
    check_page(auditor)
    assert not auditor.wrong


def test_all_is_done_by_keyboard(browser: Browser, nodes: Nodes, north: Place) -> None:
    with nodes.client("south") as south:
        id_ = south.propose(STUDY.read_text().replace("after breast", "in breast")).id
    officer = enrolled(browser, north, "otto", "data officer")
    page = officer.page
    officer.go("/")
    for button in ("link", "button"):
        name = "Hormone therapy in breast cancer" if button == "link" else "Approve"
        wanted = page.get_by_role(button, name=name)
        for _ in range(40):
            page.keyboard.press("Tab")
            if wanted.evaluate("one => one === document.activeElement"):
                break
        with page.expect_navigation():
            page.keyboard.press("Enter")
    with nodes.client("north") as client:
        assert "north" in client.study(id_).approved_by


def test_an_administrator_invites_and_removes(browser: Browser, north: Place) -> None:
    administrator = enrolled(browser, north, "ada", "administrator")
    page = administrator.page
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Name", exact=True).fill("newcomer")
    page.get_by_label("Role", exact=True).select_option("auditor")
    administrator.press("Make a link")
    link = page.locator("#link").inner_text()
    check_page(administrator)
    newcomer = browser.new_context().new_page()
    newcomer.goto(link)
    expect(newcomer.get_by_role("heading", name="You are invited")).to_be_visible()
    assert north.staff.invited(link.partition("#")[2]).name == "newcomer"
    administrator.go("/settings")
    administrator.picture("settings")
    administrator.press("remove ada")
    assert page.url.endswith("/sign-in")
