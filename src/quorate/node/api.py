"""The HTTP API for this node's own staff, on a Unix socket only its operator can open.

The CLI uses it, and whatever else the operator runs; there are no private
doors. Every answer is a model of `views`; every error is a `ProblemView`.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from functools import lru_cache
from pathlib import Path

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

from quorate import __version__
from quorate.errors import (
    Error,
    NotFound,
    Refused,
    Unavailable,
)
from quorate.node.anonymous.api import add_reports
from quorate.node.audit_api import add_audit
from quorate.node.budgets.api import add_budgets
from quorate.node.dealings import add_dealings
from quorate.node.desk import Desk
from quorate.node.enclosure import hosting
from quorate.node.evidence import add_evidence
from quorate.node.lifecycle import State
from quorate.node.members.api import add_members
from quorate.node.node import Node
from quorate.node.own import scores_of
from quorate.node.problems import problem, status_of
from quorate.node.quorum.api import add_quorum
from quorate.node.run import Progress, Run
from quorate.node.runs import Runs
from quorate.node.staff.api import Asked, add_staff
from quorate.node.staff.people import Staff
from quorate.node.store import Entry
from quorate.node.views import (
    CostView,
    DataBody,
    EventView,
    PeerView,
    ProposeBody,
    ResultView,
    ScoresView,
    SeenView,
    StatusView,
    StudyView,
    TableView,
)
from quorate.studies.analyses.following import follows
from quorate.studies.analyses.kinds import every_value
from quorate.studies.approval import bundle_digest
from quorate.studies.disclosure import disclose
from quorate.studies.plan import short_id
from quorate.studies.release import Release, to_json
from quorate.studies.results import slots
from quorate.studies.trust_words import who_sees
from quorate.transport.peers import Peer

log = structlog.get_logger()


def make_app(node: Node, stop: Callable[[], None]) -> FastAPI:
    """Return the API over one node."""
    staff = Staff(node.desk.store, node.desk.audit, node.desk.now, os.urandom)
    app = FastAPI(
        title="quorate node",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(Asked(staff))],
    )
    _add_errors(app)
    _add_node(app, node, stop)
    _add_studies(app, node.desk)
    add_evidence(app, node.desk)
    add_dealings(app, node.desk)
    _add_runs(app, node.desk, node.runs)
    add_audit(app, node.desk, node.heads)
    add_quorum(app, node.quorum)
    add_reports(app, node.reports)
    add_budgets(app, node.desk)
    add_members(app, node.members, node.doorway)
    add_staff(app, staff)
    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Error)
    async def refused(_: Request, error: Error) -> JSONResponse:
        return JSONResponse(problem(error).model_dump(), status_code=status_of(error))

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        view = problem(Error(f"the request is not understood at {place}"))
        return JSONResponse(view.model_dump(), status_code=422)


def _add_node(app: FastAPI, node: Node, stop: Callable[[], None]) -> None:
    desk = node.desk

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {}

    @app.post("/stop")
    async def stop_node() -> dict[str, str]:
        stop()
        return {}

    @app.get("/status")
    async def status() -> StatusView:
        return StatusView(
            name=desk.home.name,
            version=__version__,
            pid=os.getpid(),
            listen=desk.home.listen,
            group=desk.group.name,
            group_digest=desk.group.digest().hex(),
            relay_trouble=desk.peers.relay_trouble,
            peers=tuple(_peer_view(peer) for peer in desk.peers.peers.values()),
            tables=_table_views(desk),
            studies=desk.store.count_studies(),
            vault=node.quorum.custody.state,
            enclave=hosting(desk.home),
        )

    @app.get("/data")
    async def tables() -> tuple[TableView, ...]:
        return _table_views(desk)

    @app.post("/data")
    async def add_table(body: DataBody) -> TableView:
        desk.home.add_table(body.name, Path(body.path), body.data_class)
        desk.audit.append("table registered", f"{body.name}, {body.data_class}")
        return next(view for view in _table_views(desk) if view.name == body.name)


def _add_studies(app: FastAPI, desk: Desk) -> None:
    @app.get("/studies")
    async def studies() -> tuple[StudyView, ...]:
        return tuple(_study_view(desk, entry) for entry in desk.store.all_studies())

    @app.post("/studies")
    async def propose(body: ProposeBody) -> StudyView:
        entry, untold = await desk.propose(body.study, body.accept)
        return _study_view(desk, entry, untold)

    @app.get("/studies/{prefix}")
    async def study(prefix: str) -> StudyView:
        return _study_view(desk, desk.store.find(prefix))

    @app.post("/studies/{prefix}/approve")
    async def approve(prefix: str) -> StudyView:
        entry, untold = await desk.approve(desk.store.find(prefix).plan.digest())
        return _study_view(desk, entry, untold)

    @app.post("/studies/{prefix}/decline")
    async def decline(prefix: str) -> StudyView:
        entry, untold = await desk.decline(desk.store.find(prefix).plan.digest())
        return _study_view(desk, entry, untold)

    @app.post("/studies/{prefix}/revoke")
    async def revoke(prefix: str) -> StudyView:
        entry, untold = await desk.revoke(desk.store.find(prefix).plan.digest())
        return _study_view(desk, entry, untold)

    @app.get("/studies/{prefix}/scores")
    async def scores(prefix: str) -> ScoresView:
        plan = desk.store.find(prefix).plan
        return await asyncio.to_thread(scores_of, desk.home, plan, desk.scores.of(plan))

    @app.get("/studies/{prefix}/release")
    async def release(prefix: str) -> PlainTextResponse:
        entry = desk.store.find(prefix)
        if entry.release is None:
            raise NotFound(
                f"study {entry.plan.short_id} is {entry.state.value}: it has no release",
                hint=f"run it with: quorate study run {entry.plan.short_id}",
            )
        return PlainTextResponse(to_json(entry.release), media_type="application/json")


def _add_runs(app: FastAPI, desk: Desk, runs: Runs) -> None:
    @app.post("/studies/{prefix}/run")
    async def run(prefix: str) -> StreamingResponse:
        return begin(desk.store.find(prefix))

    @app.post("/studies/{prefix}/resume")
    async def resume(prefix: str) -> StreamingResponse:
        entry = desk.store.find(prefix)
        if entry.state is not State.FAILED:
            raise Refused(
                f"study {entry.plan.short_id} is {entry.state.value}: only a failed run is resumed",
                hint=f"quorate study show {entry.plan.short_id}",
            )
        return begin(entry)

    @app.get("/studies/{prefix}/progress")
    async def progress(prefix: str) -> StreamingResponse:
        entry = desk.store.find(prefix)
        under_way = [run for run in runs.current.values() if run.plan == entry.plan]
        if not under_way:
            raise NotFound(
                f"no run of study {entry.plan.short_id} is under way",
                hint=f"quorate study show {entry.plan.short_id}",
            )
        return follow(under_way[-1])

    def begin(entry: Entry) -> StreamingResponse:
        return follow(runs.start(entry.plan.digest()))

    def follow(run: Run) -> StreamingResponse:
        return StreamingResponse(_events(desk, run), media_type="application/x-ndjson")


async def _events(desk: Desk, run: Run) -> AsyncGenerator[str]:
    async for progress in run.follow():
        yield _event_view(desk, run, progress).model_dump_json() + "\n"


def _event_view(desk: Desk, run: Run, progress: Progress) -> EventView:
    entry = desk.store.study(run.plan.digest()) if progress.done else None
    return EventView(
        stage=progress.stage,
        step=progress.step,
        steps=len(run.steps),
        rounds=progress.rounds,
        bytes_sent=progress.bytes_sent,
        study=None if entry is None else _study_view(desk, entry),
        problem=None if progress.error is None else problem(progress.error),
    )


def _peer_view(peer: Peer) -> PeerView:
    return PeerView(
        name=peer.seat.name,
        address=str(peer.seat),
        connected=peer.ready.is_set(),
        trouble=peer.trouble,
        software=peer.greeting.software if peer.greeting else "",
        clock_ahead_s=round(peer.clock_ahead_s, 1),
    )


def _table_views(desk: Desk) -> tuple[TableView, ...]:
    home = desk.home
    return tuple(
        TableView(name=name, path=str(path), data_class=home.data_class(name))
        for name, path in sorted(home.tables.items())
    )


def _study_view(desk: Desk, entry: Entry, untold: tuple[str, ...] = ()) -> StudyView:
    plan, release, outcome = entry.plan, entry.release, entry.outcome
    following, hindered = ((), ()) if release is None else _following(release)
    words = desk.words(entry.digest)
    proposed = words.get(plan.proposer)
    digests = (entry.digest,) if proposed is None else proposed.approval.plans
    return StudyView(
        id=short_id(entry.digest),
        digest=entry.digest.hex(),
        title=plan.study.title,
        purpose=plan.study.purpose,
        table=plan.study.table.name,
        proposer=plan.proposer,
        proposed_at=plan.proposed_at,
        state=entry.state.value,
        note=entry.note,
        members=plan.members,
        approved_by=tuple(words),
        disclosure=disclose(plan).lines(),
        data=tuple(f"{name}: {word.approval.data}" for name, word in words.items()),
        trust=plan.trust_model,
        protocol=plan.protocol,
        is_noised=plan.privacy != "none",
        who_sees=who_sees(plan),
        bundle=tuple(digest.hex() for digest in digests),
        bundle_digest=bundle_digest(digests).hex(),
        results=() if release is None else (*_result_views(release), *following),
        session="" if release is None else release.certificate.session.hex(),
        cost=None
        if outcome is None
        else CostView(
            rounds=outcome.rounds,
            bytes_sent=outcome.bytes_sent,
            bytes_received=outcome.bytes_received,
            seconds=outcome.microseconds / 1e6,
        ),
        seen=()
        if outcome is None
        else tuple(
            SeenView(sender=seen.member, words=tuple(f"{word:016x}" for word in seen.words))
            for seen in outcome.seen
        ),
        notices=(*(() if outcome is None else outcome.notices), *hindered),
        untold=untold,
    )


@lru_cache(maxsize=256)  # these never change, and every page asks for them
def _result_views(release: Release) -> tuple[ResultView, ...]:
    study = release.plan.study
    formulas = [
        *(slot.output.formula for slot in slots(study)),
        *(asked.analysis.text for asked, _ in every_value(study, len(release.plan.members))),
    ]
    releases = {query.name for query in study.releases}
    return tuple(
        ResultView(
            name=result.label,
            analysis="" if result.release in releases else result.release,
            number=result.number,
            cell=", ".join(result.cell),
            formula=formula,
            value=result.value,
            exact=result.exact,
            unit=result.unit if result.exact else "",
        )
        for formula, result in zip(formulas, release.certificate.results, strict=True)
    )


@lru_cache(maxsize=256)
def _following(release: Release) -> tuple[tuple[ResultView, ...], tuple[str, ...]]:
    """Return what follows from the results, and what hinders that."""
    try:
        found = follows(release.plan, release.certificate.results)
    except Unavailable as e:
        return (), (f"{e}: {e.hint}",)
    views = [
        ResultView(
            name=one.name,
            analysis=one.analysis,
            number=one.number,
            cell=", ".join(one.cell),
            formula=one.formula,
            value=one.value,
            exact="",
            unit=one.unit,
        )
        for one in found
    ]
    return tuple(views), ()
