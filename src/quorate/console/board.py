"""The board of anonymous reports, and writing one.

Nothing here leaves a line anywhere: no log, no audit entry, no session that
was touched. A report is composed only where the node is its author's own: one
person is enrolled, and nobody else operates it. Elsewhere whoever runs the
console could tell who wrote.
"""

from typing import Annotated

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from quorate.console.console import Console, Visitor
from quorate.console.guard import ReadsReports, WritesReports
from quorate.console.orders import download
from quorate.errors import NotFound, Refused
from quorate.node.anonymous.views import MeterBody, WriteBody

Text = Annotated[str, Form(min_length=1, max_length=100_000)]
Names = Annotated[tuple[str, ...], Form(max_length=1000)]
Count = Annotated[int, Form(ge=0, le=1000)]


def add_board(app: FastAPI, console: Console) -> None:
    """Add the pages of reports."""
    _add_reading(app, console)
    _add_writing(app, console)


def _add_reading(app: FastAPI, console: Console) -> None:
    @app.get("/board")
    def board(request: Request, visitor: ReadsReports) -> HTMLResponse:
        reports = console.reports(visitor)
        return console.page(
            request,
            "board.html",
            threads=reports.inbox(),
            runs=reports.runs(),
            is_own=is_own(console, visitor),
        )

    @app.get("/board/{id_}")
    def thread(request: Request, id_: str, visitor: ReadsReports) -> HTMLResponse:
        found = console.reports(visitor).thread(id_)
        return console.page(
            request,
            "thread.html",
            thread=found,
            me=console.home.name,
            is_own=is_own(console, visitor),
        )

    @app.post("/board/{id_}/open")
    def open_(id_: str, visitor: ReadsReports) -> RedirectResponse:
        console.reports(visitor).open(id_)
        return RedirectResponse(f"/board/{id_}", 303)

    @app.get("/board/{id_}/files/{number}")
    def file(id_: str, number: int, visitor: ReadsReports) -> Response:
        files = console.reports(visitor).files(id_)
        if not 0 <= number < len(files):
            raise NotFound("this report has no such file")
        return download(files[number].data, files[number].name, "")


def _add_writing(app: FastAPI, console: Console) -> None:
    @app.get("/compose")
    def compose(request: Request, visitor: WritesReports, thread: str = "") -> HTMLResponse:
        check_own(console, visitor)
        reports = console.reports(visitor)
        peers = console.node(visitor).status().peers
        return console.page(
            request,
            "compose.html",
            meter=reports.meter(MeterBody()),
            queue=reports.queue(),
            members=[peer.name for peer in peers],
            thread=thread,
        )

    @app.post("/compose/meter")
    def meter(
        request: Request,
        visitor: WritesReports,
        feared: Names = (),
        at_least: Count = 0,
    ) -> HTMLResponse:
        check_own(console, visitor)
        body = MeterBody(feared=tuple(feared), at_least=at_least)
        return console.page(request, "meter.html", meter=console.reports(visitor).meter(body))

    @app.post("/compose")
    def write(
        text: Text,
        visitor: WritesReports,
        feared: Names = (),
        recipients: Names = (),
        open_by: Count = 0,
        at_least: Count = 0,
        thread: Annotated[str, Form(max_length=100)] = "",
    ) -> RedirectResponse:
        check_own(console, visitor)
        body = WriteBody(
            text=text.replace("\r\n", "\n"),
            feared=tuple(feared),
            recipients=tuple(recipients),
            open_by=open_by,
            at_least=at_least,
        )
        reports = console.reports(visitor)
        if thread:
            reports.reply(thread, body)
        else:
            reports.write(body)
        return RedirectResponse("/compose", 303)


def is_own(console: Console, visitor: Visitor) -> bool:
    """Return whether this node is this visitor's own, and nobody else's."""
    alone = [person.name for person in console.staff(visitor).people()] == [visitor.name]
    return alone and not console.home.operator


def check_own(console: Console, visitor: Visitor) -> None:
    """Raise `Refused` unless this node is this visitor's own."""
    if not is_own(console, visitor):
        raise Refused(
            "reports are written on their author's own node only",
            hint="here others are enrolled too, or operate the node: they could tell who wrote",
        )
