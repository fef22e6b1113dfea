"""What this member keeps of a released study so that an audit can trace who dealt what.

Its own opening, which tells its numbers and leaves only by its operator's hand; and, in the
committee, hashes of what all dealt, of which the audit log has a digest.
"""

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from quorate import wire
from quorate.errors import NotFound
from quorate.node.desk import Desk
from quorate.node.store import schema
from quorate.studies.dealings import Dealings, Kept, Opening, kept_to_json, opening_to_json
from quorate.studies.plan import Plan

dealings = sa.Table(
    "dealings",
    schema,
    sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
    sa.Column("opening", sa.LargeBinary, nullable=False),
    sa.Column("kept", sa.LargeBinary, nullable=True),
)


def keep_dealings(desk: Desk, plan: Plan, of_run: Dealings) -> None:
    """Keep what a run leaves, with a line in the audit log where it is of the committee."""
    kept = None if of_run.kept is None else wire.encode(of_run.kept)
    row = {"plan": plan.digest(), "opening": wire.encode(of_run.opening), "kept": kept}
    with desk.store.transaction() as db:
        db.execute(dealings.insert(), row)
        if of_run.kept is not None:
            desk.audit.append("dealt", f"{plan.short_id} {of_run.kept.digest().hex()}")


def add_dealings(app: FastAPI, desk: Desk) -> None:
    """Let the operator have what an audit needs as files."""

    @app.get("/studies/{prefix}/opening")
    async def opening(prefix: str) -> PlainTextResponse:
        return _file(opening_to_json(dealings_of(desk, prefix).opening))

    @app.get("/studies/{prefix}/dealt")
    async def dealt(prefix: str) -> PlainTextResponse:
        kept = dealings_of(desk, prefix).kept
        if kept is None:
            raise NotFound(
                "this member was not in the committee of that study",
                hint="ask the first three members for what they keep",
            )
        return _file(kept_to_json(kept))


def dealings_of(desk: Desk, prefix: str) -> Dealings:
    """Return what is kept of a released study. Raises `NotFound`."""
    plan = desk.store.find(prefix).plan
    with desk.store.transaction() as db:
        row = db.execute(sa.select(dealings).filter_by(plan=plan.digest())).first()
    if row is None:
        raise NotFound(
            f"nothing is kept of what was dealt in study {plan.short_id}",
            hint="it is kept of released studies whose small cells a committee decides",
        )
    kept = None if row.kept is None else wire.decode(row.kept, Kept)
    return Dealings(wire.decode(row.opening, Opening), kept)


def _file(text: str) -> PlainTextResponse:
    return PlainTextResponse(text, media_type="application/json")
