"""The pages of studies: what approving means, the run as it goes, what came out."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from quorate.console.console import Console, Visitor
from quorate.console.guard import DecidesStudies, SeesStudies
from quorate.console.orders import download
from quorate.console.released import Released, chart_svg, released
from quorate.console.report import report
from quorate.errors import Error, NotFound
from quorate.node.views import EventView, StudyView

Text = Annotated[str, Form(min_length=1, max_length=200_000)]


def add_studies(app: FastAPI, console: Console) -> None:
    """Add the pages of studies."""
    _add_reading(app, console)
    _add_deciding(app, console)
    _add_running(app, console)
    _add_files(app, console)


def _add_reading(app: FastAPI, console: Console) -> None:
    @app.get("/studies")
    def studies(request: Request, visitor: SeesStudies) -> HTMLResponse:
        found = sorted(console.node(visitor).studies(), key=lambda s: s.proposed_at, reverse=True)
        return console.page(request, "studies.html", studies=found)

    @app.get("/studies/{id_}")
    def study(request: Request, id_: str, visitor: SeesStudies) -> HTMLResponse:
        found = console.node(visitor).study(id_)
        return console.page(
            request,
            "study.html",
            study=found,
            certified=_released(console, visitor, found) if found.state == "released" else None,
            me=console.home.name,
        )


def _add_deciding(app: FastAPI, console: Console) -> None:
    @app.post("/studies")
    def propose(text: Text, visitor: DecidesStudies) -> RedirectResponse:
        proposed = console.node(visitor).propose(text.replace("\r\n", "\n"))
        return RedirectResponse(f"/studies/{proposed.id}", 303)

    @app.post("/studies/{id_}/approve")
    def approve(id_: str, visitor: DecidesStudies) -> RedirectResponse:
        console.node(visitor).approve(id_)
        return RedirectResponse(f"/studies/{id_}", 303)

    @app.post("/studies/{id_}/decline")
    def decline(id_: str, visitor: DecidesStudies) -> RedirectResponse:
        console.node(visitor).decline(id_)
        return RedirectResponse(f"/studies/{id_}", 303)

    @app.post("/studies/{id_}/revoke")
    def revoke(id_: str, visitor: DecidesStudies) -> RedirectResponse:
        console.node(visitor).revoke(id_)
        return RedirectResponse(f"/studies/{id_}", 303)


def _add_running(app: FastAPI, console: Console) -> None:
    @app.post("/studies/{id_}/run")
    def run(id_: str, visitor: DecidesStudies) -> RedirectResponse:
        """Begin a run; the node conducts it whether or not anybody looks on."""
        node = console.node(visitor)
        begun = node.resume(id_) if node.study(id_).state == "failed" else node.run(id_)
        next(begun, None)
        return RedirectResponse(f"/studies/{id_}", 303)

    @app.get("/studies/{id_}/progress")
    def progress(id_: str, visitor: SeesStudies) -> StreamingResponse:
        lines = _lines(console, visitor, id_)
        return StreamingResponse(lines, media_type="text/event-stream")


def _lines(console: Console, visitor: Visitor, id_: str) -> Iterator[str]:
    """Yield the progress of a run as server-sent events; the last is `end`."""
    try:
        for event in console.node(visitor).progress(id_):
            yield f"data: {_told(event)}\n\n"
        ended = "the run has ended"
    except NotFound:
        ended = "no run is under way"
    except Error as e:
        ended = str(e).replace("\n", " ")
    yield f"event: end\ndata: {ended}\n\n"


def _told(event: EventView) -> str:
    step = f"step {min(event.step + 1, event.steps)} of {event.steps}: {event.stage}"
    return f"{step}; {event.rounds} rounds, {event.bytes_sent} bytes sent"


def _add_files(app: FastAPI, console: Console) -> None:
    @app.get("/studies/{id_}/release.json")
    def as_json(id_: str, visitor: SeesStudies) -> Response:
        text = console.node(visitor).release(id_)
        return download(text.encode(), f"release-{_plain(id_)}.json", "application/json")

    @app.get("/studies/{id_}/results.csv")
    def as_csv(id_: str, visitor: SeesStudies) -> Response:
        found = console.node(visitor).study(id_)
        return download(_csv(found).encode(), f"results-{_plain(id_)}.csv", "text/csv")

    @app.get("/studies/{id_}/report.pdf")
    def as_pdf(id_: str, visitor: SeesStudies) -> Response:
        found = console.node(visitor).study(id_)
        pages = report(found, _released(console, visitor, found))
        return download(pages, f"report-{_plain(id_)}.pdf", "application/pdf")

    @app.get("/studies/{id_}/pictures/{number}.svg")
    def picture(id_: str, number: int, visitor: SeesStudies) -> Response:
        charts = _released(console, visitor, console.node(visitor).study(id_)).charts
        if not 0 <= number < len(charts):
            raise NotFound("this release has no such picture", hint="see the study's page")
        # A picture styles itself, and can do nothing else, also where it is opened alone.
        alone = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(chart_svg(charts[number]), media_type="image/svg+xml", headers=alone)


def _released(console: Console, visitor: Visitor, study: StudyView) -> Released:
    return released(console.node(visitor).release(study.id), console.home.group)


def _csv(study: StudyView) -> str:
    """Return results as CSV; nothing in it is a formula to a spreadsheet."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(("name", "analysis", "number", "cell", "formula", "value", "exact", "unit"))
    for one in study.results:
        row = (one.name, one.analysis, one.number, one.cell, one.formula)
        rows.writerow((*map(_inert, row), one.value, one.exact, _inert(one.unit)))
    return out.getvalue()


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _plain(id_: str) -> str:
    return "".join(c for c in id_ if c.isalnum())[:16]
