"""The console under load: staff of one hospital load pages while a study runs among three."""

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from quorate.cli.stage import examples
from tests.console.place import Browser, console_of
from tests.e2e.nodes import Nodes, some_nodes

STAFF, THINK_S, LASTS_S, STUDIES = 50, 5.0, 20.0, 12
GOAL_MS = 200

PAGE = """\
## The console

{staff} people of one member's staff, each with a session of its own, load the inbox, the studies and one
study's page in turn, {think:g} s after each answer, as the pages that look again by themselves do;
meanwhile studies of three members, regression and survival, run one after another on the same cores. Milliseconds until the
page is whole, over {asked} pages. Goal: {goal} ms for 95 of 100.

| | median | 95 of 100 | slowest |
|---|---|---|---|
| while nothing runs | {quiet} |
| while studies run | {busy} |
"""


@dataclass(slots=True)
class Load:
    """What all saw."""

    taken_ms: list[float]
    failed: int = 0

    def cells(self) -> str:
        """Return the numbers of a row of the table."""
        ordered = sorted(self.taken_ms)
        most = ordered[int(len(ordered) * 0.95)]
        return f"{statistics.median(ordered):.0f} | {most:.0f} | {ordered[-1]:.0f}"


def section() -> str:
    """Return the section of the page."""
    rows = (examples() / "data" / "gbsg2.csv").read_text().splitlines()
    names = ("north", "south", "west")
    tables = {name: "\n".join([rows[0], *rows[1 + i :: 3]]) for i, name in enumerate(names)}
    with some_nodes(tables, timeout_s=20) as nodes, console_of(nodes.homes["north"]) as place:
        id_ = nodes.approved((examples() / "cancer.toml").read_text())
        nodes.run(id_)
        staff = [place.signed_in(f"person-{i}", "data officer") for i in range(STAFF)]
        staff[0].get(f"/studies/{id_}")  # verified once, then remembered
        quiet = load(staff, id_)
        text, stop = (examples() / "cancer.toml").read_text(), threading.Event()
        others = [text.replace("Quality of care", f"Quality of care {i}") for i in range(STUDIES)]
        waiting = [nodes.approved(one) for one in others]
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(_run_all, nodes, waiting, stop)
            busy = load(staff, id_)
            stop.set()
            running.result()
    if quiet.failed or busy.failed:
        raise AssertionError("pages were refused")
    return PAGE.format(
        staff=STAFF,
        think=THINK_S,
        goal=GOAL_MS,
        asked=len(quiet.taken_ms) + len(busy.taken_ms),
        quiet=quiet.cells(),
        busy=busy.cells(),
    )


def load(staff: list[Browser], id_: str) -> Load:
    """Have all of the staff load pages for a while."""
    until, seen = time.monotonic() + LASTS_S, Load([])

    def one(number: int, browser: Browser) -> None:
        time.sleep(THINK_S * number / STAFF)  # people do not click together
        places = ("/inbox/items", "/studies", f"/studies/{id_}")
        while time.monotonic() < until:
            for place in places:
                began = time.perf_counter()
                answer = browser.get(place)
                seen.taken_ms.append((time.perf_counter() - began) * 1e3)
                seen.failed += not answer.ok
                time.sleep(THINK_S)

    with ThreadPoolExecutor(STAFF) as pool:
        list(pool.map(one, range(STAFF), staff))
    return seen


def _run_all(nodes: Nodes, waiting: list[str], stop: threading.Event) -> None:
    """Run one study after another, as long as there is load."""
    for id_ in waiting:
        if stop.is_set():
            return
        nodes.run(id_)
    if not stop.is_set():
        raise AssertionError("the studies were over before the load was")
