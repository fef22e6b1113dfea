"""Ledgers and caps in the node's database."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import sqlalchemy as sa

from quorate import wire
from quorate.dp.accounting import Charge
from quorate.node.store import Store, schema

ledger = sa.Table(
    "ledger",
    schema,
    sa.Column("dataset", sa.String(63), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("entry", sa.LargeBinary, nullable=False),
    sa.Index("ledger_by_name", "dataset", "name", "number"),
)
caps = sa.Table(
    "caps",
    schema,
    sa.Column("dataset", sa.String(63), primary_key=True),
    sa.Column("cap", sa.LargeBinary, nullable=False),
)


# Written once: building them anew took a third of a reservation.
_LAST = (
    sa.select(ledger.c.entry)
    .where(ledger.c.dataset == sa.bindparam("of"))
    .order_by(ledger.c.number.desc())
    .limit(1)
)
_LAST_OF = _LAST.where(ledger.c.name == sa.bindparam("called"))


@dataclass(frozen=True, slots=True)
class OwnersCap:
    """What the owner lets be spent on one table's data in its present period."""

    dataset: str
    period: str  # its name, such as 2027; only the owner begins another
    nano_epsilon: int | None
    nano_rho: int | None
    before: Charge  # what was spent before the period began


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """The ledger of one table's data, as `dp.ledger` wants it kept."""

    store: Store
    dataset: str

    def transaction(self) -> AbstractContextManager[object]:
        return self.store.transaction()

    def last(self) -> bytes | None:
        with self.store.joined() as db:
            return db.scalar(_LAST, {"of": self.dataset})

    def last_of(self, name: str) -> bytes | None:
        with self.store.joined() as db:
            return db.scalar(_LAST_OF, {"of": self.dataset, "called": name})

    def append(self, number: int, name: str, entry: bytes) -> None:
        with self.store.joined() as db:
            values = {"dataset": self.dataset, "number": number, "name": name, "entry": entry}
            db.execute(ledger.insert().values(values))

    def entries(self) -> Iterator[bytes]:
        query = sa.select(ledger.c.entry).filter_by(dataset=self.dataset).order_by(ledger.c.number)
        with self.store.joined() as db:
            return iter(db.scalars(query).all())


def set_cap(store: Store, cap: OwnersCap) -> None:
    """Keep what the owner lets be spent from now on."""
    with store.transaction() as db:
        db.execute(caps.delete().where(caps.c.dataset == cap.dataset))
        db.execute(caps.insert().values(dataset=cap.dataset, cap=wire.encode(cap)))


def cap_of(store: Store, dataset: str) -> OwnersCap | None:
    """Return what the owner lets be spent on these data, if anything."""
    with store.transaction() as db:
        found = db.scalar(sa.select(caps.c.cap).filter_by(dataset=dataset))
    return None if found is None else wire.decode(found, OwnersCap)


def all_caps(store: Store) -> tuple[OwnersCap, ...]:
    """Return the caps of all data, by name."""
    with store.transaction() as db:
        found = db.scalars(sa.select(caps.c.cap).order_by(caps.c.dataset)).all()
    return tuple(wire.decode(one, OwnersCap) for one in found)
