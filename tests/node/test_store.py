"""The database: whole transactions, sessions claimed once, one schema."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from quorate.errors import NotFound, SessionReused, Unavailable
from quorate.node import store as schema_of
from quorate.node.api import make_app
from quorate.node.lifecycle import State
from quorate.node.quorum import tables
from quorate.node.staff import tables as staff
from quorate.node.store import Store
from tests.studies.trio import PLAN, approvals_of, plan_of, signed_release, study_of


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(":memory:")
    yield opened
    opened.close()


def test_a_study_comes_back_as_it_was_kept(store: Store) -> None:
    assert store.add_study(PLAN)
    assert not store.add_study(PLAN)
    entry = store.study(PLAN.digest())
    assert (entry.plan, entry.state, entry.release) == (PLAN, State.PROPOSED, None)
    store.set_release(PLAN.digest(), signed_release(), None)
    assert store.study(PLAN.digest()).release == signed_release()


def test_studies_are_found_by_the_beginning_of_their_digest(store: Store) -> None:
    other = plan_of(study_of("integer 0..9 kg", "sum(x)"))
    store.add_study(PLAN)
    store.add_study(other)
    assert store.find(PLAN.short_id).plan == PLAN
    assert store.find(other.digest().hex().upper()).plan == other
    for nothing in ("", "-", "zz", "%", PLAN.digest().hex() + "0"):
        with pytest.raises(NotFound):
            store.find(nothing)


def fail_halfway(store: Store) -> None:
    with store.transaction():
        store.add_study(PLAN)
        raise RuntimeError("disk full, say")


def test_what_fails_in_the_middle_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError):
        fail_halfway(store)
    assert store.all_studies() == ()
    with store.transaction():
        with pytest.raises(RuntimeError):
            fail_halfway(store)
        store.claim_session(b"s", b"p")
    assert store.all_studies() == ()
    with pytest.raises(SessionReused):
        store.claim_session(b"s", b"p")


def test_a_session_is_claimed_once_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "quorate.db"
    first = Store(path)
    first.claim_session(b"one", b"plan")
    with pytest.raises(SessionReused):
        first.claim_session(b"one", b"another plan")
    first.close()
    second = Store(path)
    with pytest.raises(SessionReused):
        second.claim_session(b"one", b"plan")
    second.claim_session(b"two", b"plan")
    second.close()


def test_approvals_are_kept_once_a_member(store: Store) -> None:
    store.add_study(PLAN)
    signed = approvals_of()[0]
    assert store.add_approval(signed)
    assert not store.add_approval(signed)
    assert store.approvals(PLAN.digest()) == (signed,)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "quorate.db"
    Store(path).close()
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(Unavailable, match="newer version"):
        Store(path)


def test_the_migrations_make_the_tables_the_code_uses(store: Store) -> None:
    with store.transaction() as db:
        found = sa.MetaData()
        found.reflect(db)
    assert make_app.__module__  # all of a node is imported, so every table is declared
    assert tables.keys.name in schema_of.schema.tables
    assert staff.staff.name in schema_of.schema.tables
    declared = schema_of.schema.tables
    assert found.tables.keys() - {"alembic_version"} == declared.keys()
    for name, table in declared.items():
        assert [(c.name, c.nullable, c.primary_key) for c in found.tables[name].columns] == [
            (c.name, c.nullable, c.primary_key) for c in table.columns
        ]


def test_every_write_is_on_disk_before_it_returns(tmp_path: Path) -> None:
    opened = Store(tmp_path / "quorate.db")
    with opened.transaction() as db:
        pragmas = {
            name: db.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    opened.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def fill(store: Store) -> None:
    """Write two things at a time for as long as that goes."""
    for number in itertools.count():
        with store.transaction():
            store.claim_session(number.to_bytes(32, "big"), bytes(32))
            store.append_audit(number, bytes(200), bytes(32))


def test_a_full_disk_is_said_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    """SQLite's own limit stands in for the disk: the error is the same."""
    opened = Store(tmp_path / "quorate.db")
    with opened.transaction() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="cannot be written") as full:
        fill(opened)
    kept = len(opened.audit_log())
    assert "make room" in full.value.hint
    assert kept > 0
    with opened.transaction() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM sessions").scalar() == kept
        db.exec_driver_sql("PRAGMA max_page_count = 100000")
    opened.claim_session(kept.to_bytes(32, "big"), bytes(32))
    opened.close()
