"""What this member heard in a run that was aborted, kept so that it can be shown to others.

Of each study the last such run, where its members sign what they say.
"""

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from quorate import wire
from quorate.errors import NotFound
from quorate.node.desk import Desk
from quorate.node.run import Run
from quorate.node.store import Store, schema
from quorate.studies.evidence import RunEvidence, to_json
from quorate.transport.signed import Heard

evidence = sa.Table(
    "evidence",
    schema,
    sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("record", sa.LargeBinary, nullable=False),
)
"""Of each plan what the run was, as record 0, and a record of each statement."""


def keep_evidence(desk: Desk, run: Run, heard: tuple[bytes, ...]) -> None:
    """Keep the statements of an aborted run, in place of those of one before."""
    plan = run.plan.digest()
    which = RunEvidence(desk.group, run.plan, run.approvals, run.time)
    records = (wire.encode(which), *heard)
    with desk.store.transaction() as db:
        db.execute(evidence.delete().where(evidence.c.plan == plan))
        db.execute(
            evidence.insert(),
            [{"plan": plan, "number": i, "record": record} for i, record in enumerate(records)],
        )


def evidence_of(store: Store, plan: bytes) -> RunEvidence | None:
    """Return what is kept of a study's last aborted run."""
    with store.transaction() as db:
        query = sa.select(evidence.c.record).filter_by(plan=plan).order_by(evidence.c.number)
        records = db.scalars(query).all()
    if not records:
        return None
    which = wire.decode(records[0], RunEvidence)
    heard = tuple(wire.decode(record, Heard) for record in records[1:])
    return RunEvidence(which.group, which.plan, which.approvals, which.time, heard)


def add_evidence(app: FastAPI, desk: Desk) -> None:
    """Let the operator have the evidence of a study as a file."""

    @app.get("/studies/{prefix}/evidence")
    async def of_study(prefix: str) -> PlainTextResponse:
        plan = desk.store.find(prefix).plan
        found = evidence_of(desk.store, plan.digest())
        if found is None:
            raise NotFound(
                f"no run of study {plan.short_id} ended here with signed messages",
                hint=f"quorate study show {plan.short_id}",
            )
        return PlainTextResponse(to_json(found), media_type="application/json")
