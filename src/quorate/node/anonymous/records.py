"""What a node keeps of anonymous runs, in the store's manner.

`claim` and `decide` are on the disk when they return: a node lets nothing out of
a run before. The share of the key and the seed are never written, so after a
crash a node can let out neither.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from quorate import wire
from quorate.anonymous.decision import Delivered
from quorate.anonymous.messages import Run
from quorate.anonymous.threads import Claim
from quorate.errors import NotFound, SessionReused
from quorate.node.anonymous.messages import Past, Standing, Told, age
from quorate.node.anonymous.tables import (
    report_cells,
    report_claims,
    report_culprits,
    report_evidence,
    report_runs,
    report_texts,
)
from quorate.node.store import Store

ABSENT = "this node was not in it"
SHOWN = 8
"""Bytes of a part that are kept to be looked at."""


_TIES = 16
"""Runs that may have had one number: parts of a group that did not reach each other."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a run that went well looked from here: bytes each member said, where a text came out.

    `parts` are the first bytes of what each member published in the slot of the first
    text, by seat, and `cell` those of their exclusive or: all empty where nothing was said.
    """

    texts: int
    bytes_sent: int
    bytes_received: int
    parts: tuple[bytes, ...]
    cell: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """One run as this node knows it: `past` and `shape` where it went well."""

    run: Run
    decision: str
    past: Past | None
    shape: Shape | None
    failure: str


@dataclass(frozen=True, slots=True)
class Records:
    """The runs of one node. Also the `RunStore` of a run."""

    store: Store

    def add(self, run: Run) -> None:
        """Keep a run that is about to be held."""
        with self.store.transaction() as db:
            db.execute(
                report_runs.insert().values(
                    sid=run.digest(),
                    number=run.number,
                    run=wire.encode(run),
                    claimed=False,
                    decision="",
                    failure="",
                )
            )

    def claim(self, run: bytes) -> None:
        """Record that this node takes part in a run. Raises `SessionReused` the second time."""
        self._once(run, report_runs.c.claimed.is_(False), claimed=True)

    def decide(self, run: bytes, decision: str) -> None:
        """Record what this node lets out. Raises `SessionReused` if anything is recorded."""
        self._once(run, report_runs.c.decision == "", decision=decision)

    def _once(self, sid: bytes, still: sa.ColumnElement[bool], **values: object) -> None:
        with self.store.transaction() as db:
            change = report_runs.update().where(report_runs.c.sid == sid, still).values(**values)
            if db.execute(change).rowcount != 1:
                raise SessionReused(
                    "this node took its part in this run already",
                    hint="was the node's folder restored from a copy? the next run is a new one",
                )

    def run(self, sid: bytes) -> Held:
        """Return one run. Raises `NotFound`."""
        with self.store.transaction() as db:
            row = db.execute(sa.select(report_runs).filter_by(sid=sid)).first()
        if row is None:
            raise NotFound("this node took no part in that run")
        return _held(row)

    def runs(self, at_most: int) -> tuple[Held, ...]:
        """Return the last runs, newest first."""
        last = sa.select(report_runs).order_by(report_runs.c.number.desc()).limit(at_most)
        with self.store.transaction() as db:
            return tuple(map(_held, db.execute(last).all()))

    def standing(self) -> Standing:
        """Return how far this node's runs have come."""
        went_well = sa.select(report_runs.c.past).where(report_runs.c.past.is_not(None))
        with self.store.transaction() as db:
            number = db.scalar(sa.select(sa.func.max(report_runs.c.number))) or 0
            last = db.scalars(went_well.order_by(report_runs.c.number.desc()).limit(_TIES)).all()
        pasts = [wire.decode(past, Past) for past in last]
        return Standing(number, max(pasts, key=age, default=None))

    def keep(self, delivered: Delivered, shape: Shape) -> None:
        """Keep what a run brought. The cells, where they said something."""
        run, sid = delivered.run, delivered.run.digest()
        past = wire.encode(Past(run, delivered.vote, delivered.votes))
        with self.store.transaction() as db:
            where = report_runs.c.sid == sid
            values = {"past": past, "shape": wire.encode(shape)}
            db.execute(report_runs.update().where(where).values(**values, failure=""))
            if not delivered.texts:
                return
            cells, secret = b"".join(delivered.cells), delivered.joint_secret
            db.execute(report_cells.insert().values(sid=sid, cells=cells, joint_secret=secret))
            for place, text in enumerate(delivered.texts):
                db.execute(report_texts.insert().values(sid=sid, place=place, text=text))

    def fail(self, sid: bytes, why: str) -> None:
        """Keep why a run brought nothing."""
        with self.store.transaction() as db:
            db.execute(report_runs.update().where(report_runs.c.sid == sid).values(failure=why))

    def broken_off(self) -> tuple[Run, ...]:
        """Return the runs that have no end: this node stopped during them."""
        open_ended = sa.and_(report_runs.c.past.is_(None), report_runs.c.failure == "")
        with self.store.transaction() as db:
            rows = db.execute(sa.select(report_runs).where(open_ended)).all()
        return tuple(_held(row).run for row in rows)

    # What members tell each other of later

    def add_missed(self, run: Run) -> None:
        """Keep a run in which this node had no part, unless it is here.

        Its place in the order is the next that is free.
        """
        sid, number = run.digest(), run.number
        taken = sa.select(report_runs.c.number).where(report_runs.c.number >= number)
        with self.store.transaction() as db:
            if db.execute(sa.select(report_runs.c.sid).filter_by(sid=sid)).first():
                return
            full = set(db.scalars(taken.limit(_TIES)))
            free = next(n for n in range(number, number + _TIES + 1) if n not in full)
            values = {"sid": sid, "number": free, "run": wire.encode(run), "claimed": True}
            db.execute(report_runs.insert().values(**values, decision="absent", failure=ABSENT))

    def has_texts(self, sid: bytes) -> bool:
        kept = sa.select(report_texts.c.place).filter_by(sid=sid)
        with self.store.transaction() as db:
            return db.execute(kept.limit(1)).first() is not None

    def told_of(self, after: int, at_most: int) -> tuple[Told, ...]:
        """Return runs that brought texts or were spoilt, in the order of numbers."""
        sids = sa.select(report_texts.c.sid).union(sa.select(report_evidence.c.sid))
        wanted = (
            sa.select(report_runs.c.number, report_runs.c.sid, report_runs.c.past)
            .where(report_runs.c.sid.in_(sids), report_runs.c.number > after)
            .order_by(report_runs.c.number)
            .limit(at_most)
        )
        with self.store.transaction() as db:
            rows = db.execute(wanted).all()
        return tuple(Told(row.number, row.sid, row.past is None) for row in rows)

    def texts(self) -> tuple[bytes, ...]:
        """Return all texts, in the order of runs."""
        ordered = (
            sa.select(report_texts.c.text)
            .join(report_runs, report_runs.c.sid == report_texts.c.sid)
            .order_by(report_runs.c.number, report_texts.c.place)
        )
        with self.store.transaction() as db:
            return tuple(db.scalars(ordered).all())

    def delivered(self, text: bytes) -> Delivered:
        """Return what is kept of the run that first brought `text`. Raises `NotFound`."""
        first = (
            sa.select(report_texts.c.sid)
            .join(report_runs, report_runs.c.sid == report_texts.c.sid)
            .where(report_texts.c.text == text)
            .order_by(report_runs.c.number)
        )
        with self.store.transaction() as db:
            sid = db.scalar(first.limit(1))
        return self.delivered_by(b"" if sid is None else sid)

    def delivered_by(self, sid: bytes) -> Delivered:
        """Return what is kept of a run that brought texts. Raises `NotFound`."""
        wanted = (
            sa.select(report_runs.c.past, report_cells.c.cells, report_cells.c.joint_secret)
            .join(report_cells, report_cells.c.sid == report_runs.c.sid)
            .where(report_runs.c.sid == sid)
        )
        texts = sa.select(report_texts.c.text).filter_by(sid=sid).order_by(report_texts.c.place)
        with self.store.transaction() as db:
            row = db.execute(wanted).first()
            found = tuple(db.scalars(texts))
        if row is None:
            raise NotFound("that run brought no text to this node")
        past = wire.decode(row.past, Past)
        size = past.run.sealed_bytes
        cells = tuple(row.cells[at : at + size] for at in range(0, len(row.cells), size))
        return Delivered(past.run, found, past.vote, past.votes, cells, row.joint_secret, ())

    # Who spoilt a run

    def add_evidence(self, run: Run, records: tuple[bytes, ...], culprits: frozenset[int]) -> bool:
        """Keep verified evidence; return whether it is the first of its run."""
        sid = run.digest()
        with self.store.transaction() as db:
            if self.evidence(sid):
                return False
            for place, record in enumerate(records):
                db.execute(report_evidence.insert().values(sid=sid, place=place, record=record))
            for party in culprits:
                name = run.members[party].name
                db.execute(report_culprits.insert().values(sid=sid, member=name, number=run.number))
        return True

    def evidence(self, sid: bytes) -> tuple[bytes, ...]:
        """Return the evidence of a run, or nothing."""
        kept = sa.select(report_evidence.c.record).filter_by(sid=sid)
        with self.store.transaction() as db:
            return tuple(db.scalars(kept.order_by(report_evidence.c.place)).all())

    def culprits(self, since: int) -> frozenset[str]:
        """Return who is proven to have spoilt a run of number `since` or later."""
        recent = sa.select(report_culprits.c.member).where(report_culprits.c.number >= since)
        with self.store.transaction() as db:
            return frozenset(db.scalars(recent).all())

    def culprits_of(self, sid: bytes) -> tuple[str, ...]:
        named = sa.select(report_culprits.c.member).filter_by(sid=sid)
        with self.store.transaction() as db:
            return tuple(sorted(db.scalars(named).all()))

    # Who says that a thread is its own

    def add_claim(self, claim: Claim) -> bool:
        """Keep a verified claim; return whether it is new here."""
        key = {"thread": claim.bond.thread, "member": claim.bond.member}
        with self.store.transaction() as db:
            if db.execute(sa.select(report_claims).filter_by(**key)).first():
                return False
            db.execute(report_claims.insert().values(**key, claim=wire.encode(claim)))
        return True

    def claims(self) -> tuple[Claim, ...]:
        with self.store.transaction() as db:
            rows = db.scalars(sa.select(report_claims.c.claim)).all()
        return tuple(wire.decode(row, Claim) for row in rows)


def _held(row: sa.Row[tuple[object, ...]]) -> Held:
    return Held(
        wire.decode(row.run, Run),
        row.decision,
        None if row.past is None else wire.decode(row.past, Past),
        None if row.shape is None else wire.decode(row.shape, Shape),
        row.failure,
    )
