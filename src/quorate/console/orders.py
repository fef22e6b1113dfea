"""Orders to sign and records to open: pages that fit a phone, each with two buttons."""

import io
from typing import Annotated

from fastapi import FastAPI, File, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from quorate.console.console import Console
from quorate.console.guard import OpensRecords, SignsOrders
from quorate.errors import DataError, Refused
from quorate.node.quorum.seeking import ask_to_open
from quorate.node.quorum.views import UnlockView
from quorate.threshold.age import payload
from quorate.threshold.age.header import read_header

Reason = Annotated[str, Form(min_length=1, max_length=500)]
Sealed = Annotated[bytes, File()]
Said = Annotated[bool, Form()]
RecordName = Annotated[str, Form(max_length=200)]

MAX_FILE = 20 << 20


def add_orders(app: FastAPI, console: Console) -> None:
    """Add the pages of orders."""

    @app.get("/orders")
    def orders(request: Request, visitor: SignsOrders) -> HTMLResponse:
        found = console.quorum(visitor).orders()
        return console.page(request, "orders.html", orders=found)

    @app.get("/orders/{id_}")
    def order(request: Request, id_: str, visitor: SignsOrders) -> HTMLResponse:
        return console.page(request, "order.html", order=console.quorum(visitor).order(id_))

    @app.post("/orders/{id_}/approve")
    def approve(id_: str, reason: Reason, visitor: SignsOrders) -> RedirectResponse:
        console.quorum(visitor).answer_order(id_, "approve", reason)
        return RedirectResponse(f"/orders/{id_}", 303)

    @app.post("/orders/{id_}/decline")
    def decline(id_: str, reason: Reason, visitor: SignsOrders) -> RedirectResponse:
        console.quorum(visitor).answer_order(id_, "decline", reason)
        return RedirectResponse(f"/orders/{id_}", 303)

    @app.get("/orders/{id_}/file")
    def file(id_: str, visitor: SignsOrders) -> Response:
        text = console.quorum(visitor).order_file(id_)
        return download(text.encode(), "order.json", "application/json")


def add_records(app: FastAPI, console: Console) -> None:
    """Add the pages of requests to unlock."""
    _add_asking(app, console)
    _add_answering(app, console)


def _add_asking(app: FastAPI, console: Console) -> None:
    @app.get("/records")
    def records(request: Request, visitor: OpensRecords) -> HTMLResponse:
        found = console.quorum(visitor).unlocks()
        return console.page(request, "records.html", requests=found)

    @app.post("/records")
    def ask(
        sealed: Sealed, reason: Reason, visitor: OpensRecords, record: RecordName = ""
    ) -> RedirectResponse:
        header = read_header(_file(sealed).readline)
        asked = ask_to_open(console.quorum(visitor), header, reason, record=record)
        return RedirectResponse(f"/records/{asked.id}", 303)

    @app.post("/records/{id_}/open")
    def open_(id_: str, sealed: Sealed, visitor: OpensRecords) -> Response:
        """Open the file here, and keep nothing of it."""
        source = _file(sealed)
        header = read_header(source.readline)
        file_key = console.quorum(visitor).file_key(id_)
        header.verify(file_key)
        return download(b"".join(payload.unseal(file_key, source.read)), "record", "")


def _add_answering(app: FastAPI, console: Console) -> None:
    @app.get("/records/{id_}")
    def record(request: Request, id_: str, visitor: OpensRecords) -> HTMLResponse:
        found = console.quorum(visitor).unlock_request(id_)
        return console.page(
            request, "record.html", asked=found, missing=_missing(found), me=console.home.name
        )

    @app.post("/records/{id_}/approve")
    def approve(
        id_: str, reason: Reason, visitor: OpensRecords, whole_key: Said = False
    ) -> RedirectResponse:
        quorum = console.quorum(visitor)
        quorum.answer_unlock(id_, "approve", reason, whole_key=whole_key)
        return RedirectResponse(f"/records/{id_}", 303)

    @app.post("/records/{id_}/decline")
    def decline(id_: str, reason: Reason, visitor: OpensRecords) -> RedirectResponse:
        console.quorum(visitor).answer_unlock(id_, "decline", reason)
        return RedirectResponse(f"/records/{id_}", 303)


def download(content: bytes, name: str, kind: str) -> Response:
    """Return a file that a browser keeps, and never shows as a page of this console."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind or "application/octet-stream", headers=headers)


def _missing(request: UnlockView) -> int:
    """Return how many approvals are missing still."""
    given = sum(answer.word == "approve" for answer in request.answers)
    return max(request.needed - given, 0)


def _file(sealed: bytes) -> io.BytesIO:
    if not sealed:
        raise DataError("no file was chosen", hint="choose the sealed file, which ends in .age")
    if len(sealed) > MAX_FILE:
        raise Refused(
            "this file is too large for a browser", hint="open it with: quorate unlock FILE"
        )
    return io.BytesIO(sealed)
