"""The audit log: what this node did and was asked, in a chain nobody can edit unnoticed.

The digest of an entry covers its content and the digest before it, so that a
change anywhere changes the head. Entries name members, studies, results and
errors; they never hold a row, a share of a value, or a key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from quorate import wire
from quorate.errors import MalformedMessage, NotFound, VerificationFailed
from quorate.node.store import Store
from quorate.studies.times import utc_text

MAX_LOOK = 10_000
"""Entries among which one is looked for."""

START = bytes(32)
"""What stands for the digest before the first entry."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened."""

    number: int
    time: str
    event: str
    details: str
    previous: bytes

    def digest(self) -> bytes:
        return wire.digest("audit", self)


@dataclass(frozen=True, slots=True)
class Chained:
    """An entry and its digest."""

    entry: AuditEntry
    digest: bytes


@dataclass(slots=True)
class AuditLog:
    """The log of one node."""

    store: Store
    now: Callable[[], datetime]

    def append(self, event: str, details: str = "") -> None:
        """Add an entry at the end."""
        with self.store.transaction():
            last, previous = self.store.audit_head() or (0, START)
            number = last + 1
            entry = AuditEntry(number, utc_text(self.now()), event, details[:1000], previous)
            self.store.append_audit(number, wire.encode(entry), entry.digest())

    def find(self, event: str, details: str) -> AuditEntry:
        """Return the newest such entry of the last 10,000. Raises `NotFound`."""
        for encoded in self.store.audit_tail(MAX_LOOK):
            entry = wire.decode(encoded, AuditEntry)
            if (entry.event, entry.details) == (event, details):
                return entry
        raise NotFound("this node's audit log has no such entry, or had it long ago")

    def verified(self) -> tuple[Chained, ...]:
        """Return all entries. Raises `VerificationFailed` where the chain is broken."""
        chain: list[Chained] = []
        for number, encoded, digest in self.store.audit_log():
            previous = chain[-1].digest if chain else START
            try:
                entry = wire.decode(encoded, AuditEntry)
            except MalformedMessage:
                raise _broken(number) from None
            whole = entry.number == number == len(chain) + 1 and entry.previous == previous
            if not whole or entry.digest() != digest:
                raise _broken(number)
            chain.append(Chained(entry, digest))
        return tuple(chain)


def _broken(number: int) -> VerificationFailed:
    return VerificationFailed(
        f"the audit log was altered: entry {number} does not fit the chain",
        hint="compare with a copy of the log's head that was taken before",
    )
