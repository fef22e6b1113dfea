"""What waits for this member, oldest deadline first."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from quorate.console.console import Console, Visitor
from quorate.console.guard import Anyone
from quorate.console.rights import Right
from quorate.node.quorum.views import RequestView


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits: its page, what it is, and until when (UTC; empty: no deadline)."""

    link: str
    kind: str
    title: str
    by: str
    until: str
    since: str


def add_inbox(app: FastAPI, console: Console) -> None:
    """Add the first page, and the part of it that a browser asks for again."""

    @app.get("/")
    def inbox(request: Request, visitor: Anyone) -> HTMLResponse:
        return console.page(request, "inbox.html", items=waiting(console, visitor))

    @app.get("/inbox/items")
    def items(request: Request, visitor: Anyone) -> HTMLResponse:
        return console.page(request, "inbox_items.html", items=waiting(console, visitor))


def waiting(console: Console, visitor: Visitor) -> list[Item]:
    """Return what waits for this member and is this visitor's work."""
    found = [*_studies(console, visitor), *_requests(console, visitor)]
    found += _reports(console, visitor)
    return sorted(found, key=lambda item: (item.until or "9", item.since))


def _studies(console: Console, visitor: Visitor) -> Iterator[Item]:
    if not visitor.may(Right.DECIDE_STUDIES):
        return
    for study in console.node(visitor).studies():
        link, title, by = f"/studies/{study.id}", study.title, study.proposer
        if study.state == "proposed" and console.home.name not in study.approved_by:
            yield Item(link, "study to approve", title, by, "", study.proposed_at)
        elif study.state == "approved":
            yield Item(link, "study to run", title, by, "", study.proposed_at)


def _requests(console: Console, visitor: Visitor) -> Iterator[Item]:
    quorum = console.quorum(visitor)
    if visitor.may(Right.SIGN_ORDERS):
        for order in quorum.orders():
            if _waits(console, order):
                yield _item(order, "/orders", "order to sign", order.words[0])
    if visitor.may(Right.OPEN_RECORDS):
        for request in quorum.unlocks():
            what = "whole key" if request.mode == "whole key" else "record to open"
            if _waits(console, request):
                yield _item(request, "/records", what, request.record)


def _reports(console: Console, visitor: Visitor) -> Iterator[Item]:
    if not visitor.may(Right.READ_REPORTS):
        return
    for thread in console.reports(visitor).inbox():
        sealed = [p for p in thread.posts if p.recipients and not p.text and not p.is_file]
        if any(console.home.name not in post.approved for post in sealed):
            yield Item(f"/board/{thread.id}", "report to open", f"report {thread.id}", "", "", "")


def _waits(console: Console, request: RequestView) -> bool:
    return request.state == "open" and console.home.name in request.waits_for


def _item(request: RequestView, place: str, kind: str, title: str) -> Item:
    link = f"{place}/{request.id}"
    return Item(link, kind, title, request.requester, request.expires, request.created)
