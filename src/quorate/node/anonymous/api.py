"""The routes of anonymous reports: this node's own staff, on the node's socket.

Nothing here is logged: that a report was written leaves no line anywhere.
"""

from base64 import b64encode

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from quorate.anonymous.attachments import Attachment
from quorate.anonymous.meter import Reading, own_gate
from quorate.anonymous.threads import Post
from quorate.errors import Refused
from quorate.node.anonymous.book import Waiting, is_agreed
from quorate.node.anonymous.certificates import filing_of
from quorate.node.anonymous.records import Held
from quorate.node.anonymous.reports import Reports
from quorate.node.anonymous.views import (
    FileNote,
    FileView,
    MeterBody,
    MeterView,
    PostView,
    RunView,
    ThreadView,
    WaitingView,
    WriteBody,
)

SHORT = 12
"""Hexadecimal digits by which people call a thread."""


def add_reports(app: FastAPI, reports: Reports) -> None:
    """Add all routes of reports."""
    _add_writing(app, reports)
    _add_threads(app, reports)
    _add_runs(app, reports)


def _add_writing(app: FastAPI, reports: Reports) -> None:
    writer = reports.writer

    @app.post("/reports/meter")
    async def meter(body: MeterBody) -> MeterView:
        thread = reports.find(body.thread) if body.thread else b""
        gate = own_gate(body.at_least, body.organisations)
        return _meter_view(reports, reports.reading(body.feared, thread, gate))

    @app.post("/reports")
    async def write(body: WriteBody) -> tuple[WaitingView, ...]:
        return _waiting_views(reports, _write(reports, body))

    @app.get("/reports/queue")
    async def queue() -> tuple[WaitingView, ...]:
        return _waiting_views(reports, writer.book().waiting)

    @app.post("/reports/queue/reseal")
    async def reseal() -> tuple[WaitingView, ...]:
        return _waiting_views(reports, reports.reseal())

    @app.post("/reports/threads/{prefix}/reply")
    async def reply(prefix: str, body: WriteBody) -> tuple[WaitingView, ...]:
        return _waiting_views(reports, _write(reports, body, to=reports.find(prefix)))

    @app.post("/reports/threads/{prefix}/claim")
    async def claim(prefix: str) -> ThreadView:
        thread = reports.find(prefix)
        return _thread_view(reports, thread, await reports.claim(thread))


def _add_threads(app: FastAPI, reports: Reports) -> None:
    @app.get("/reports")
    async def inbox() -> tuple[ThreadView, ...]:
        threads = dict.fromkeys(thread for thread, _ in reports.shelf().places())
        return tuple(_thread_view(reports, thread) for thread in threads)

    @app.get("/reports/threads/{prefix}")
    async def thread(prefix: str) -> ThreadView:
        found = reports.find(prefix)
        await reports.openings.look_again(found)
        return _thread_view(reports, found)

    @app.post("/reports/threads/{prefix}/open")
    async def open_thread(prefix: str) -> ThreadView:
        found = reports.find(prefix)
        await reports.openings.approve(found)
        return _thread_view(reports, found)

    @app.get("/reports/threads/{prefix}/files")
    async def files(prefix: str) -> tuple[FileView, ...]:
        found = reports.find(prefix)
        posts = (p for p in reports.shelf().posts if found in (p.thread, p.to))
        return tuple(view for post in posts if (view := _file_view(reports, post)))

    @app.get("/reports/threads/{prefix}/certificates")
    async def certificates(prefix: str) -> PlainTextResponse:
        text = filing_of(reports, reports.find(prefix))
        return PlainTextResponse(text, media_type="application/json")


def _add_runs(app: FastAPI, reports: Reports) -> None:
    @app.get("/reports/runs")
    async def runs() -> tuple[RunView, ...]:
        return tuple(_run_view(reports, held) for held in reports.records.runs(20))

    @app.post("/reports/runs")
    async def hold() -> RunView:
        return _run_view(reports, await reports.convening.hold())


def _write(reports: Reports, body: WriteBody, to: bytes = b"") -> tuple[Waiting, ...]:
    names = body.recipients
    if body.open_by and not names:
        raise Refused("how many open it is said of recipients", hint="name them with --to")
    sealing = reports.cards.sealing(names, body.open_by or len(names)) if names else None
    gate = own_gate(body.at_least, body.organisations)
    files = tuple(Attachment(file.kind, file.data) for file in body.files)
    return reports.writer.write(body.text, body.feared, to, sealing, gate, files)


def _meter_view(reports: Reports, reading: Reading) -> MeterView:
    last = reports.records.runs(1)
    behind = reports.runs.left_behind(last[0].run) if last else frozenset[str]()
    return MeterView(
        members=tuple(sorted(c.name for c in reading.crowd)),
        organisations=len(reading.organisations),
        lost=tuple(sorted(c.name for c in reading.lost)),
        lacking=reading.lacking,
        left_out=tuple(sorted(reports.silences.left_out())),
        left_behind=tuple(sorted(behind)),
    )


def _waiting_views(reports: Reports, posts: tuple[Waiting, ...]) -> tuple[WaitingView, ...]:
    return tuple(_waiting_view(reports, waiting) for waiting in posts)


def _waiting_view(reports: Reports, waiting: Waiting) -> WaitingView:
    return WaitingView(
        thread=waiting.thread.hex(),
        post=waiting.number,
        fragments=len(waiting.cells),
        outdated=not is_agreed(waiting, reports.cards.digest()),
        meter=_meter_view(reports, reports.reading((), waiting.thread)),
    )


def _thread_view(reports: Reports, thread: bytes, untold: tuple[str, ...] = ()) -> ThreadView:
    shelf = reports.shelf()
    claims = (c.bond for c in reports.records.claims())
    return ThreadView(
        id=thread.hex()[:SHORT],
        thread=thread.hex(),
        posts=tuple(_post_view(reports, p) for p in shelf.posts if p.thread == thread),
        answers=tuple(_post_view(reports, p) for p in shelf.posts if p.to == thread),
        arriving=tuple(
            f"post {u.number}: {u.arrived} of {u.count} fragments"
            for u in shelf.unfinished
            if u.thread == thread
        ),
        claimed_by=tuple(bond.member for bond in claims if bond.thread == thread),
        untold=untold,
    )


def _post_view(reports: Reports, post: Post) -> PostView:
    seen = reports.openings.seen(post) if post.sealed else None
    text = b"" if post.is_file else reports.body_of(post) or b""
    file = reports.file_of(post)
    name = "" if file is None else file.name(post.thread, post.number)
    return PostView(
        thread=post.thread.hex(),
        number=post.number,
        to=post.to.hex(),
        sealed=post.sealed,
        text=text.decode(errors="replace"),
        files=len(post.content.files),
        is_file=post.is_file,
        file=None if file is None else FileNote(name=name, size=len(file.data)),
        recipients=seen.recipients if seen else (),
        open_by=seen.min_recipients if seen else 0,
        approved=seen.approved if seen else (),
    )


def _file_view(reports: Reports, post: Post) -> FileView | None:
    file = reports.file_of(post)
    if file is None:
        return None
    data = b64encode(file.data)  # the model decodes what it is given
    return FileView(kind=file.shown_kind, data=data, name=file.name(post.thread, post.number))


def _run_view(reports: Reports, held: Held) -> RunView:
    shape, sid = held.shape, held.run.digest()
    return RunView(
        id=sid.hex()[:16],
        number=held.run.number,
        members=tuple(member.name for member in held.run.members),
        decision=held.decision,
        texts=0 if shape is None else shape.texts,
        bytes_sent=0 if shape is None else shape.bytes_sent,
        bytes_received=0 if shape is None else shape.bytes_received,
        parts=() if shape is None else tuple(part.hex() for part in shape.parts),
        cell="" if shape is None else shape.cell.hex(),
        failure=held.failure,
        culprits=reports.records.culprits_of(sid),
    )
