"""What a node keeps of keys and requests: records, in the store's manner.

Read back, a record must still have the digest under which it was kept, so that
a database that was edited is noticed where it is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from quorate import wire
from quorate.errors import NotFound, VerificationFailed
from quorate.node.quorum.tables import (
    answers,
    keys,
    parts,
    postings,
    register,
    requests,
    sealed,
)
from quorate.node.store import Store
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.key import Key
from quorate.quorum.key_plan import KeyPlan
from quorate.quorum.lifecycle import KeyState, RequestState
from quorate.quorum.posting import Board, Posting
from quorate.quorum.request import Request
from quorate.threshold.answers import SealedAnswer


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key as this node knows it; `key` once it exists."""

    plan: KeyPlan
    signature: bytes  # its proposer's
    state: KeyState
    note: str
    key: Key | None


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One request as this node knows it; `result` once there is one, encoded as its type has it."""

    request: Request
    document: bytes
    signature: bytes  # its requester's
    state: RequestState
    note: str
    result: bytes | None


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one node. `store.transaction()` holds several writes together."""

    store: Store

    # Keys

    def add_key(self, plan: KeyPlan, signature: bytes) -> bool:
        """Keep a planned key; return whether it is new here."""
        state = KeyState.PROPOSED.value
        values = {"plan": wire.encode(plan), "signature": signature, "state": state, "note": ""}
        return self._add(keys, plan.digest(), values)

    def key(self, digest: bytes) -> KeyEntry:
        """Return one key by the digest of its plan. Raises `NotFound`."""
        return _key_entry(self._row(keys, digest, "no such key on this node"))

    def has_key(self, digest: bytes) -> bool:
        return self._has(keys, digest)

    def all_keys(self) -> tuple[KeyEntry, ...]:
        """Return every key, oldest first."""
        return tuple(map(_key_entry, self._rows(keys)))

    def made(self) -> tuple[Key, ...]:
        """Return every key that exists, in all the hands it ever was in, oldest first."""
        return tuple(entry.key for entry in self.all_keys() if entry.key is not None)

    def key_of(self, key_id: bytes) -> Key:
        """Return the key of that identifier. Raises `NotFound`."""
        with self.store.transaction() as db:
            row = db.execute(sa.select(keys).filter_by(key_id=key_id)).first()
        key = None if row is None else _key_entry(row).key
        if key is None:
            raise NotFound("this node does not know the key", hint="quorate key list")
        return key

    def find_key(self, name: str, first: tuple[KeyState, ...] = (KeyState.READY,)) -> KeyEntry:
        """Return the newest key of that name, or the one whose identifier begins with it.

        One that is in the states `first` goes before others of its name.
        """
        plain = name.replace("-", "").lower()
        entries = self.all_keys()
        named = [e for e in entries if e.plan.name == name]
        ready = [e for e in named if e.state in first]
        begun = [e for e in entries if e.plan.digest().hex().startswith(plain)] if plain else []
        found = ready[-1:] or named[-1:] or begun
        if len(found) != 1:
            raise NotFound(
                f"this node knows no key {name[:64]!r}", hint="list them with: quorate key list"
            )
        return found[0]

    def set_key_state(self, digest: bytes, state: KeyState, note: str) -> None:
        self._set(keys, digest, {"state": state.value, "note": note})

    def set_key(self, key: Key) -> None:
        """Keep a key that every holder has certified."""
        values = {"key": wire.encode(key), "key_id": key.key_id()}
        self._set(keys, key.plan.digest(), values)

    # Requests

    def add_request(self, request: Request, document: bytes, signature: bytes) -> bool:
        """Keep a request and its document; return whether it is new here."""
        state = RequestState.OPEN.value
        values = {"request": wire.encode(request), "document": document, "signature": signature}
        return self._add(requests, request.digest(), {**values, "state": state, "note": ""})

    def request(self, digest: bytes) -> RequestEntry:
        """Return one request. Raises `NotFound`."""
        return _request_entry(self._row(requests, digest, "no such request on this node"))

    def has_request(self, digest: bytes) -> bool:
        return self._has(requests, digest)

    def all_requests(self) -> tuple[RequestEntry, ...]:
        """Return every request, oldest first."""
        return tuple(map(_request_entry, self._rows(requests)))

    def requests_in(self, *states: RequestState) -> tuple[RequestEntry, ...]:
        """Return the requests in one of these states, oldest first."""
        wanted = requests.c.state.in_([state.value for state in states])
        chosen = sa.select(requests).where(wanted).order_by(requests.c.number)
        with self.store.transaction() as db:
            rows = db.execute(chosen).all()
        return tuple(map(_request_entry, rows))

    def find_request(self, prefix: str) -> RequestEntry:
        """Return the request whose digest begins with `prefix` (hex, dashes ignored)."""
        plain = prefix.replace("-", "").lower()
        found = [e for e in self.all_requests() if e.request.digest().hex().startswith(plain)]
        if len(found) != 1 or not plain:
            what = "more than one request" if found and plain else "no request"
            raise NotFound(
                f"{what} on this node has an identifier beginning with {prefix[:64]!r}",
                hint="list them with: quorate order list, or quorate unlock list",
            )
        return found[0]

    def set_request_state(self, digest: bytes, state: RequestState, note: str) -> None:
        self._set(requests, digest, {"state": state.value, "note": note})

    def set_result(self, digest: bytes, result: bytes) -> None:
        self._set(requests, digest, {"result": result})

    # Answers

    def add_answer(self, signed: SignedAnswer) -> bool:
        """Keep a verified answer; return whether it is this holder's first to that subject."""
        where = {"subject": signed.answer.subject, "member": signed.answer.member}
        with self.store.transaction() as db:
            if db.execute(sa.select(answers.c.member).filter_by(**where)).first():
                return False
            db.execute(answers.insert().values(**where, answer=wire.encode(signed)))
            return True

    def answers(self, subject: bytes) -> tuple[SignedAnswer, ...]:
        """Return the answers to one subject, in the order in which this node heard them."""
        chosen = sa.select(answers.c.answer).filter_by(subject=subject).order_by(sa.text("rowid"))
        with self.store.transaction() as db:
            rows = db.scalars(chosen).all()
        return tuple(wire.decode(row, SignedAnswer) for row in rows)

    # Unlocking

    def add_part(self, subject: bytes, sealed: SealedAnswer) -> bool:
        """Keep a holder's answer to a request to unlock; return whether it is its first."""
        where = {"subject": subject, "identifier": sealed.identifier}
        with self.store.transaction() as db:
            if db.execute(sa.select(parts.c.identifier).filter_by(**where)).first():
                return False
            db.execute(parts.insert().values(**where, answer=wire.encode(sealed)))
            return True

    def drop_part(self, subject: bytes, identifier: int) -> None:
        where = {"subject": subject, "identifier": identifier}
        with self.store.transaction() as db:
            db.execute(parts.delete().filter_by(**where))

    def parts(self, subject: bytes) -> tuple[SealedAnswer, ...]:
        """Return the answers to a request to unlock, in the order of identifiers."""
        chosen = sa.select(parts.c.answer).filter_by(subject=subject).order_by("identifier")
        with self.store.transaction() as db:
            rows = db.scalars(chosen).all()
        return tuple(wire.decode(row, SealedAnswer) for row in rows)

    def claim(self, share: bytes, record: str) -> str:
        """Keep the record of a plain stanza's share unless one is kept; return the one kept."""
        with self.store.transaction() as db:
            kept = db.scalar(sa.select(register.c.record).filter_by(share=share))
            if kept is None:
                db.execute(register.insert().values(share=share, record=record))
        return record if kept is None else str(kept)

    # Postings

    def add_posting(self, posting: Posting) -> None:
        """Keep what a holder posted for one step: the first is the only one."""
        values = {"session": posting.session, "round": posting.round, "member": posting.member}
        with self.store.transaction() as db:
            db.execute(postings.insert().values(**values, posting=wire.encode(posting)))

    def board(self, plan: KeyPlan) -> Board:
        """Return what was posted for a key, in the order of steps."""
        chosen = sa.select(postings.c.posting).filter_by(session=plan.digest()).order_by("round")
        with self.store.transaction() as db:
            rows = db.scalars(chosen).all()
        return Board(plan, tuple(wire.decode(row, Posting) for row in rows))

    # Sealed secrets

    def set_sealed(self, name: str, secret: bytes) -> None:
        with self.store.transaction() as db:
            db.execute(sealed.delete().where(sealed.c.name == name))
            db.execute(sealed.insert().values(name=name, sealed=secret))

    def drop_sealed(self, name: str) -> None:
        with self.store.transaction() as db:
            db.execute(sealed.delete().where(sealed.c.name == name))

    def sealed(self, name: str) -> bytes | None:
        with self.store.transaction() as db:
            return db.scalar(sa.select(sealed.c.sealed).filter_by(name=name))

    def sealed_names(self, prefix: str) -> tuple[str, ...]:
        """Return the names that begin with `prefix`, in their order."""
        chosen = sa.select(sealed.c.name).where(sealed.c.name.startswith(prefix, autoescape=True))
        with self.store.transaction() as db:
            return tuple(db.scalars(chosen.order_by(sealed.c.name)).all())

    # Shared

    def _has(self, table: sa.Table, digest: bytes) -> bool:
        with self.store.transaction() as db:
            return (
                db.execute(sa.select(table.c.digest).filter_by(digest=digest)).first() is not None
            )

    def _add(self, table: sa.Table, digest: bytes, values: Mapping[str, object]) -> bool:
        with self.store.transaction() as db:
            if self._has(table, digest):
                return False
            last = db.scalar(sa.select(sa.func.max(table.c.number))) or 0
            db.execute(table.insert().values(digest=digest, number=last + 1, **values))
            return True

    def _row(self, table: sa.Table, digest: bytes, otherwise: str) -> sa.Row[Any]:
        with self.store.transaction() as db:
            row = db.execute(sa.select(table).filter_by(digest=digest)).first()
        if row is None:
            raise NotFound(otherwise)
        return row

    def _rows(self, table: sa.Table) -> list[sa.Row[Any]]:
        with self.store.transaction() as db:
            return list(db.execute(sa.select(table).order_by(table.c.number)).all())

    def _set(self, table: sa.Table, digest: bytes, values: Mapping[str, object]) -> None:
        with self.store.transaction() as db:
            db.execute(table.update().where(table.c.digest == digest).values(**values))


def _key_entry(row: sa.Row[Any]) -> KeyEntry:
    plan = wire.decode(row.plan, KeyPlan)
    key = None if row.key is None else wire.decode(row.key, Key)
    if plan.digest() != row.digest or (key is not None and key.plan != plan):
        raise _altered()
    return KeyEntry(plan, row.signature, KeyState(row.state), row.note, key)


def _request_entry(row: sa.Row[Any]) -> RequestEntry:
    request = wire.decode(row.request, Request)
    if request.digest() != row.digest or sha256(row.document).digest() != request.subject:
        raise _altered()
    state = RequestState(row.state)
    return RequestEntry(request, row.document, row.signature, state, row.note, row.result)


def _altered() -> VerificationFailed:
    return VerificationFailed(
        "a record in this node's database is not the one that was kept there",
        hint="the database was altered: restore it, and look who could write it",
    )
