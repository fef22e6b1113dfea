"""The audit log: a change anywhere is found."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from quorate import wire
from quorate.errors import VerificationFailed
from quorate.node.audit import AuditEntry, AuditLog
from quorate.node.store import Store

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def log() -> Iterator[AuditLog]:
    store = Store(":memory:")
    audit = AuditLog(store, lambda: NOW)
    for number in range(1, 6):
        audit.append(f"event {number}", "details")
    yield audit
    store.close()


def test_an_untouched_log_verifies(log: AuditLog) -> None:
    chain = log.verified()
    assert [item.entry.number for item in chain] == [1, 2, 3, 4, 5]
    assert chain[0].entry.time == "2030-01-01T12:00:00Z"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE audit SET entry = x'00' WHERE number = 3",
        "UPDATE audit SET digest = x'00' WHERE number = 3",
        "DELETE FROM audit WHERE number = 3",
        "DELETE FROM audit WHERE number = 1",
        "UPDATE audit SET number = number + 10 WHERE number = 5",
        "UPDATE audit SET entry = (SELECT entry FROM audit WHERE number = 2) WHERE number = 3",
    ],
)
def test_damage_is_found(log: AuditLog, damage: str) -> None:
    with log.store.transaction() as db:
        db.exec_driver_sql(damage)
    with pytest.raises(VerificationFailed, match="audit log was altered"):
        log.verified()


def test_an_entry_rewritten_with_its_own_digest_is_found_by_the_next(log: AuditLog) -> None:
    old = log.verified()[2].entry
    new = AuditEntry(old.number, old.time, "nothing happened", "", old.previous)
    with log.store.transaction() as db:
        db.exec_driver_sql(
            "UPDATE audit SET entry = ?, digest = ? WHERE number = 3",
            (wire.encode(new), wire.digest("audit", new)),
        )
    with pytest.raises(VerificationFailed, match="entry 4"):
        log.verified()


def test_a_whole_chain_rewritten_has_another_head(log: AuditLog) -> None:
    """What the chain alone cannot show: it takes somebody who knows the head from before."""
    before = log.verified()[-1].digest
    other = AuditLog(Store(":memory:"), lambda: NOW)
    for number in range(1, 6):
        other.append(f"event {number}", "other details")
    assert other.verified()[-1].digest != before
    other.store.close()


def test_a_lost_end_shows_in_the_head_only(log: AuditLog) -> None:
    before = log.verified()[-1].digest
    with log.store.transaction() as db:
        db.exec_driver_sql("DELETE FROM audit WHERE number = 5")
    assert log.verified()[-1].digest != before
