"""What the guard against differencing keeps on this node: marks of rows that took part, and asks.

Every guarded study that was released leaves the marks of its cohorts. A run of the next one has
the earlier plans it is compared with named by its starter; a member that knows others refuses, so
nobody can leave one out. Each comparison is a question whose answer tells a bit: they are counted
by the day, and told in the audit log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import sqlalchemy as sa

from quorate import wire
from quorate.errors import Refused
from quorate.node.audit import AuditLog
from quorate.node.home import Home
from quorate.node.own import source_of
from quorate.node.store import Store, schema
from quorate.studies.cohorts import Marks, difference, marks_of, pairs_of
from quorate.studies.plan import Plan
from quorate.studies.times import utc_text

MOST_PLANS = 64
A_DAY = 24
DAY = timedelta(days=1)

cohorts = sa.Table(
    "cohorts",
    schema,
    sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("marks", sa.LargeBinary, nullable=False),
)
guard_questions = sa.Table(
    "guard_questions",
    schema,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("time", sa.String(20), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The cohorts of released studies on this node."""

    home: Home
    store: Store
    audit: AuditLog
    now: Callable[[], datetime]

    def earlier(self, plan: Plan) -> tuple[bytes, ...]:
        """Return which plans a run of `plan` is compared with: the newest, by their digests."""
        if not plan.study.is_guarded:
            return ()
        query = sa.select(cohorts.c.plan).distinct().where(cohorts.c.plan != plan.digest())
        with self.store.joined() as db:
            known = set(db.scalars(query).all())
        kept = (entry.plan for entry in self.store.all_studies())
        name = plan.study.table.name
        same = [one for one in kept if one.digest() in known and one.study.table.name == name]
        newest = sorted(same, key=lambda one: (one.proposed_at, one.digest()), reverse=True)
        return tuple(one.digest() for one in newest[:MOST_PLANS])

    def ask(self, plan: Plan, earlier: tuple[bytes, ...], most: int) -> None:
        """Count a question. Raises `Refused` if it leaves out a release, or was asked too often."""
        if earlier != self.earlier(plan):
            raise Refused(
                "this node and the starter's do not know the same earlier releases",
                hint="let every member take in the releases it missed: quorate study resume ID",
            )
        if not pairs_of(plan, self._plans(earlier)):
            return
        since = utc_text(self.now() - DAY)
        asked = sa.select(sa.func.count()).where(guard_questions.c.time >= since)
        with self.store.transaction() as db:
            if (db.scalar(asked) or 0) >= most:
                raise Refused(
                    f"this node compares studies with earlier ones {most} times a day at most",
                    hint="try again tomorrow; guards_a_day in policy.toml is the operator's",
                )
            db.execute(guard_questions.insert().values(time=utc_text(self.now())))
            self.audit.append("guard asked", f"{plan.short_id} beside {len(earlier)} releases")

    def marks(self, plan: Plan) -> tuple[Marks, ...]:
        """Return the marks of this member's own rows; reads the file."""
        secret = wire.digest("marks", self.home.identity.private_bytes_raw())
        return marks_of(source_of(self.home, plan.study.table.name), plan, secret)

    def differences(
        self, plan: Plan, earlier: tuple[bytes, ...], own: tuple[Marks, ...]
    ) -> tuple[int, ...]:
        """Return by how many of this member's rows each pair of cohorts differs."""
        found = []
        for pair in pairs_of(plan, self._plans(earlier)):
            within = pair.plan == plan.digest()
            other = own[pair.other] if within else self._kept(pair.plan, pair.other)
            found.append(difference(own[pair.own], other))
        return tuple(found)

    def keep(self, plan: Plan, own: tuple[Marks, ...]) -> None:
        """Keep the marks of a study that was released."""
        with self.store.joined() as db:
            for number, marks in enumerate(own):
                frame = bytes(wire.array_frame(marks))
                values = {"plan": plan.digest(), "number": number, "marks": frame}
                db.execute(cohorts.insert().values(values))

    def _plans(self, digests: tuple[bytes, ...]) -> list[Plan]:
        return [self.store.study(digest).plan for digest in digests]

    def _kept(self, digest: bytes, number: int) -> Marks:
        with self.store.joined() as db:
            query = sa.select(cohorts.c.marks).filter_by(plan=digest, number=number)
            frame = db.execute(query).scalar_one()
        return wire.array_from_frame(frame, np.zeros(len(frame) // 8, np.uint64))
