"""The node's database: SQLAlchemy Core over SQLite, schema in numbered migrations.

Records are stored as the bytes of their canonical encoding and decoded when
read, so that the database can hold nothing the wire would refuse; what the same
bytes said is remembered, since every page of the console asks for it again. One
connection, used by the node's event loop only; every write is one transaction,
on disk when it returns (WAL, synchronous = FULL).
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic.command import upgrade
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError

from quorate import wire
from quorate.errors import NotFound, SessionReused, Unavailable, VerificationFailed
from quorate.node.lifecycle import State
from quorate.studies.approval import SignedApproval
from quorate.studies.plan import Plan
from quorate.studies.release import Release

schema = sa.MetaData()

studies = sa.Table(
    "studies",
    schema,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("plan", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("release", sa.LargeBinary, nullable=True),
    sa.Column("outcome", sa.LargeBinary, nullable=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
)
approvals = sa.Table(
    "approvals",
    schema,
    sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
    sa.Column("member", sa.String(32), primary_key=True),
    sa.Column("approval", sa.LargeBinary, nullable=False),
)
sessions = sa.Table(
    "sessions",
    schema,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("plan", sa.LargeBinary, nullable=False),
)
heads = sa.Table(
    "heads",
    schema,
    sa.Column("member", sa.String(32), primary_key=True),
    sa.Column("head", sa.LargeBinary, nullable=False),
)
snapshots = sa.Table(
    "snapshots",
    schema,
    sa.Column("plan", sa.LargeBinary, sa.ForeignKey("studies.digest"), primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
)
audit = sa.Table(
    "audit",
    schema,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("entry", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The first words of what one member sent in a run."""

    member: str
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What this node remembers of a run that ended well, beside the release."""

    session: bytes
    rounds: int
    bytes_sent: int
    bytes_received: int
    microseconds: int
    seen: tuple[Seen, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One study as the store has it."""

    digest: bytes  # of the plan
    plan: Plan
    state: State
    note: str
    release: Release | None
    outcome: Outcome | None


class Store:
    """An open database. `Store(":memory:")` forgets, for tests."""

    def __init__(self, path: Path | str) -> None:
        self._engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.StaticPool)
        event.listen(self._engine, "connect", _set_up)
        event.listen(self._engine, "begin", _begin)
        self._connection = self._engine.connect()
        try:
            _migrate(self._connection)
        except Unavailable:
            self.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Generator[sa.Connection]:
        """All of the block, or none of it."""
        nested = self._connection.in_transaction()
        try:
            with self._connection.begin_nested() if nested else self._connection.begin():
                yield self._connection
        except OperationalError as e:  # a full disk, a file that was taken away
            raise Unavailable(
                f"the node's database cannot be written: {e.orig}",
                hint="make room on the disk, then do it again: nothing was half done",
            ) from e

    @contextmanager
    def joined(self) -> Generator[sa.Connection]:
        """Take part in the transaction that is open, without one within it; or in one's own."""
        if self._connection.in_transaction():
            yield self._connection
            return
        with self.transaction() as db:
            yield db

    # Studies

    def add_study(self, plan: Plan) -> bool:
        """Keep a plan as proposed; return whether it is new here."""
        with self.transaction() as db:
            digest = plan.digest()
            if db.execute(sa.select(studies.c.digest).filter_by(digest=digest)).first():
                return False
            last = db.scalar(sa.select(sa.func.max(studies.c.number))) or 0
            db.execute(
                studies.insert().values(
                    digest=digest,
                    plan=wire.encode(plan),
                    state=State.PROPOSED.value,
                    note="",
                    number=last + 1,
                )
            )
            return True

    def study(self, digest: bytes) -> Entry:
        """Return one study. Raises `NotFound`."""
        with self.transaction() as db:
            row = db.execute(sa.select(studies).filter_by(digest=digest)).first()
        if row is None:
            raise NotFound("no such study on this node", hint="list them with: quorate study list")
        return _entry(row)

    def all_studies(self) -> tuple[Entry, ...]:
        """Return every study, oldest first."""
        with self.transaction() as db:
            rows = db.execute(sa.select(studies).order_by(studies.c.number)).all()
        return tuple(map(_entry, rows))

    def find(self, prefix: str) -> Entry:
        """Return the study whose digest begins with `prefix` (hex, dashes ignored)."""
        wanted = prefix.replace("-", "").lower()
        with self.transaction() as db:
            digests = db.scalars(sa.select(studies.c.digest)).all()
        found = [digest for digest in digests if digest.hex().startswith(wanted)]
        if len(found) != 1 or not wanted:
            what = "more than one study" if found and wanted else "no study"
            raise NotFound(
                f"{what} on this node has an identifier beginning with {prefix[:64]!r}",
                hint="list them with: quorate study list",
            )
        return self.study(found[0])

    def count_studies(self) -> int:
        """Return how many studies there are."""
        with self.transaction() as db:
            return db.scalar(sa.select(sa.func.count()).select_from(studies)) or 0

    def set_state(self, digest: bytes, state: State, note: str) -> None:
        """Record where a study is in its life."""
        with self.transaction() as db:
            where = studies.c.digest == digest
            db.execute(studies.update().where(where).values(state=state.value, note=note))

    def set_release(self, digest: bytes, release: Release, outcome: Outcome | None) -> None:
        """Keep what came out of a study."""
        with self.transaction() as db:
            db.execute(
                studies.update()
                .where(studies.c.digest == digest)
                .values(
                    release=wire.encode(release),
                    outcome=None if outcome is None else wire.encode(outcome),
                )
            )

    # Approvals

    def add_approval(self, signed: SignedApproval) -> bool:
        """Keep a verified approval; return whether it is new here."""
        member, word = signed.approval.member, wire.encode(signed)
        new = False
        with self.transaction() as db:
            for plan in signed.approval.plans:
                known = sa.select(approvals.c.plan).filter_by(plan=plan, member=member)
                if not db.execute(known).first():
                    db.execute(approvals.insert().values(plan=plan, member=member, approval=word))
                    new = True
        return new

    def approvals(self, digest: bytes) -> tuple[SignedApproval, ...]:
        """Return the approvals of one study."""
        with self.transaction() as db:
            rows = db.scalars(sa.select(approvals.c.approval).filter_by(plan=digest)).all()
        return tuple(map(_approval, rows))

    # Sessions

    def claim_session(self, session_id: bytes, digest: bytes) -> None:
        """Record a session identifier for good. Raises `SessionReused` the second time."""
        try:
            with self.transaction() as db:
                db.execute(sessions.insert().values(id=session_id, plan=digest))
        except IntegrityError:
            raise SessionReused(
                "this session was run before: its one-time masks must not be used again",
                hint="was the node's folder restored from a copy? start the run anew",
            ) from None

    # What the data was

    def set_snapshot(self, plan: bytes, digest: bytes) -> None:
        """Record what this member's data was when it approved a study."""
        with self.transaction() as db:
            db.execute(snapshots.delete().where(snapshots.c.plan == plan))
            db.execute(snapshots.insert().values(plan=plan, digest=digest))

    def snapshot(self, plan: bytes) -> bytes | None:
        """Return what this member's data was when it approved a study."""
        with self.transaction() as db:
            return db.scalar(sa.select(snapshots.c.digest).filter_by(plan=plan))

    # Audit logs

    def set_head(self, member: str, head: bytes) -> None:
        """Keep the last head of another member's audit log."""
        with self.transaction() as db:
            db.execute(heads.delete().where(heads.c.member == member))
            db.execute(heads.insert().values(member=member, head=head))

    def head(self, member: str) -> bytes | None:
        """Return the last head of another member's audit log that was kept."""
        with self.transaction() as db:
            return db.scalar(sa.select(heads.c.head).filter_by(member=member))

    def append_audit(self, number: int, entry: bytes, digest: bytes) -> None:
        """Keep one entry; its number must be the next."""
        with self.transaction() as db:
            db.execute(audit.insert().values(number=number, entry=entry, digest=digest))

    def audit_head(self) -> tuple[int, bytes] | None:
        """Return (number, digest) of the last entry, if there is one."""
        with self.transaction() as db:
            row = db.execute(sa.select(audit).order_by(audit.c.number.desc()).limit(1)).first()
        return None if row is None else (row.number, row.digest)

    def audit_tail(self, count: int) -> tuple[bytes, ...]:
        """Return the last entries, the newest first."""
        newest_first = sa.select(audit.c.entry).order_by(audit.c.number.desc())
        with self.transaction() as db:
            return tuple(db.scalars(newest_first.limit(count)).all())

    def audit_log(self) -> tuple[tuple[int, bytes, bytes], ...]:
        """Return (number, entry, digest) of all entries in order."""
        with self.transaction() as db:
            rows = db.execute(sa.select(audit).order_by(audit.c.number)).all()
        return tuple((row.number, row.entry, row.digest) for row in rows)


def _entry(row: sa.Row[tuple[object, ...]]) -> Entry:
    return Entry(
        row.digest,
        _plan(row.plan, row.digest),
        State(row.state),
        row.note,
        None if row.release is None else _release(row.release),
        None if row.outcome is None else wire.decode(row.outcome, Outcome),
    )


@lru_cache(maxsize=256)
def _plan(record: bytes, digest: bytes) -> Plan:
    plan = wire.decode(record, Plan)
    if plan.digest() != digest:
        raise VerificationFailed(
            "a study in this node's database is not the one that was kept there",
            hint="the database was altered: restore it, and look who could write it",
        )
    return plan


@lru_cache(maxsize=64)
def _release(record: bytes) -> Release:
    return wire.decode(record, Release)


@lru_cache(maxsize=1024)
def _approval(record: bytes) -> SignedApproval:
    return wire.decode(record, SignedApproval)


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # or sqlite3 would begin transactions where it likes
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: sa.Connection) -> None:
    """Bring the schema up to date. Raises `Unavailable` for one from a newer version."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if found is not None and found not in known:
        raise Unavailable(
            "the node's database was written by a newer version of quorate",
            hint="install that version, or a newer one",
        )
    if found != script.get_current_head():
        upgrade(config, "head")
    connection.commit()
