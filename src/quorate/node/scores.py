"""Scores on this node: which runs this member gave points to, and what it alone learned of its own.

A row is written before this member's points leave it, so that its rule of how many scores a member
gets in a month counts runs that failed, too: whoever treats the patients may have learned theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import sqlalchemy as sa

from quorate import wire
from quorate.errors import NotFound, Refused
from quorate.node.store import Store, schema
from quorate.studies.plan import Plan
from quorate.studies.times import utc_text

MONTH = timedelta(days=30)

scores = sa.Table(
    "scores",
    schema,
    sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
    sa.Column("treating", sa.String(32), nullable=False),
    sa.Column("time", sa.String(20), nullable=False),
    sa.Column("words", sa.LargeBinary, nullable=True),
)


@dataclass(frozen=True, slots=True)
class Scores:
    """What this node remembers of scores."""

    store: Store
    now: Callable[[], datetime]

    def check(self, plan: Plan, most: int | None) -> None:
        """Raise `Refused` if the treating member had `most` other scores in a month already."""
        if most is None:
            return
        treating, since = plan.study.scoring.record.treating, utc_text(self.now() - MONTH)
        query = sa.select(sa.func.count()).where(
            scores.c.treating == treating,
            scores.c.time >= since,
            scores.c.plan != plan.digest(),
        )
        with self.store.joined() as db:
            had = db.scalar(query) or 0
        if had >= most:
            raise Refused(
                f"this node's policy allows {treating} {most} scores in 30 days, and it had {had}",
                hint="the node's operator changes max_scores in policy.toml",
            )

    def begin(self, plan: Plan) -> None:
        """Remember that this member gives its points to a run."""
        digest, treating = plan.digest(), plan.study.scoring.record.treating
        with self.store.transaction() as db:
            db.execute(scores.delete().where(scores.c.plan == digest))
            values = {"plan": digest, "treating": treating, "time": utc_text(self.now())}
            db.execute(scores.insert().values(values))

    def keep(self, plan: Plan, words: tuple[int, ...]) -> None:
        """Keep what this member alone learned of its patients, in the order of the list."""
        frame = bytes(wire.array_frame(np.array(words, np.int64)))
        with self.store.joined() as db:
            where = scores.c.plan == plan.digest()
            db.execute(scores.update().where(where).values(words=frame))

    def of(self, plan: Plan) -> tuple[int, ...]:
        """Return what this member learned. Raises `NotFound`."""
        with self.store.joined() as db:
            found = db.scalar(sa.select(scores.c.words).filter_by(plan=plan.digest()))
        if found is None:
            raise NotFound(
                f"this node has no scores of study {plan.short_id}",
                hint="they are told to the member that treats the patients, when it has run",
            )
        like = np.zeros(plan.numbers, np.int64)
        return tuple(wire.array_from_frame(found, like).tolist())
