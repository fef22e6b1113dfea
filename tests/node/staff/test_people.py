"""People, links and what they sign in with, on a clock of our own."""

import os
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from quorate.errors import NotFound, Refused, VerificationFailed
from quorate.node.audit import AuditLog
from quorate.node.staff.people import INVITED_FOR, MAX_INVITATIONS, Staff
from quorate.node.store import Store
from tests.node.three import NOW


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def staff(clock: Clock) -> Generator[Staff]:
    store = Store(":memory:")
    yield Staff(store, AuditLog(store, clock), clock, os.urandom)
    store.close()


def enrolled(staff: Staff, name: str, id_: bytes = b"passkey", uses: int = 0) -> None:
    _, token = staff.invite(name, "auditor")
    staff.enrol(token, "passkey", id_, b"key", uses)


def test_a_link_is_over_after_a_day(staff: Staff, clock: Clock) -> None:
    _, token = staff.invite("anna", "auditor")
    clock.now += INVITED_FOR
    assert staff.invitation(token).name == "anna"
    clock.now += timedelta(seconds=1)
    with pytest.raises(NotFound, match="is over"):
        staff.enrol(token, "passkey", b"id", b"key", 0)
    assert staff.people() == ()


def test_the_database_does_not_hold_the_secret_of_a_link(staff: Staff) -> None:
    _, token = staff.invite("anna", "auditor")
    dump = "\n".join(staff.store._connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert "anna" in dump
    assert token not in dump
    assert bytes.fromhex(token).hex().upper() not in dump


def test_somebody_enrols_another_passkey_in_the_same_role_only(staff: Staff) -> None:
    enrolled(staff, "anna", b"first")
    enrolled(staff, "anna", b"second")
    assert staff.credentials_of("anna") == ("passkey", "passkey")
    with pytest.raises(Refused, match="auditor already"):
        staff.invite("anna", "administrator")


def test_who_is_removed_signs_in_no_more_and_neither_do_links(staff: Staff) -> None:
    enrolled(staff, "anna")
    _, token = staff.invite("anna", "auditor")
    staff.remove("anna")
    with pytest.raises(NotFound):
        staff.signed_in(b"passkey", 1)
    with pytest.raises(NotFound):
        staff.invitation(token)
    with pytest.raises(NotFound):
        staff.remove("anna")


@pytest.mark.parametrize(
    ("kept", "shown", "fits"),
    [(0, 0, True), (3, 4, True), (3, 3, False), (3, 0, False), (0, 5, True)],
)
def test_a_counter_that_counts_goes_up(staff: Staff, kept: int, shown: int, fits: bool) -> None:
    enrolled(staff, "anna", uses=kept)
    if fits:
        assert staff.signed_in(b"passkey", shown).name == "anna"
        assert staff.credential(b"passkey").uses == shown
        return
    with pytest.raises(VerificationFailed, match="counts back"):
        staff.signed_in(b"passkey", shown)
    assert staff.credential(b"passkey").uses == kept


def test_links_that_wait_are_bounded(staff: Staff, clock: Clock) -> None:
    for number in range(MAX_INVITATIONS):
        staff.invite(f"p{number}", "auditor")
    with pytest.raises(Refused, match="too many"):
        staff.invite("more", "auditor")
    clock.now += INVITED_FOR + timedelta(seconds=1)
    assert staff.invite("more", "auditor")
