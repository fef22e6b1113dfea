"""The budget of a member's data: what was released from them, and what may still be.

A release is first *reserved*: its cost is written down for good, or it is refused with numbers,
before any row is read. It is *opened* just before what this node sends could reveal it, and
*released* when its answer is known. Nothing is ever given back: a run that dies after the
reservation has cost its budget, and the data are safe.

```
none ──reserve──> reserved ──open──> opened ──release──> released
```

Asked again under the same name: what is released is answered from the ledger, for free and with the
same noise; what is reserved goes on; what was opened without an answer is refused, for
another run under the same cost would be a second look.

Entries are a chain: each holds the digest of the one before and what is spent up to it. The cap
is an argument, from the owner's rules, never from who asks. Time is written down and
decides nothing: no budget comes back by itself, so a clock set back changes nothing.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from quorate import wire
from quorate.dp.accounting import MOST, NANO, NOTHING, Charge
from quorate.errors import MalformedMessage, NotFound, Refused, VerificationFailed

START = bytes(32)
"""What stands for the digest before the first entry."""

MAX_ANSWER = 1 << 19


class State(StrEnum):
    """How far a release is."""

    RESERVED = "reserved"
    OPENED = "opened"
    RELEASED = "released"


TRANSITIONS = {
    None: State.RESERVED,
    State.RESERVED: State.OPENED,
    State.OPENED: State.RELEASED,
}
"""What follows what; nothing goes back."""


@dataclass(frozen=True, slots=True)
class Release:
    """What is asked for, the same under the same name."""

    name: str
    plan: bytes
    """Digest of all that is computed, of its noise and of its bounds."""

    mechanism: str
    """The noise in words, for who reads the ledger."""

    charge: Charge


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of one release."""

    number: int
    time: str
    state: State
    release: Release
    answer: bytes
    spent: Charge
    """What all entries up to this one cost."""

    previous: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a ledger, as others may keep it: their proof against an older copy."""

    number: int
    digest: bytes


NOTHING_SEEN = Head(0, START)


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that the owner lets be spent, in one way of counting or both."""

    nano_epsilon: int | None = None
    nano_rho: int | None = None
    before: Charge = NOTHING
    """What was spent before the period in which this may be: it does not count."""

    def __post_init__(self) -> None:
        if self.nano_epsilon is None and self.nano_rho is None:
            raise Refused("a budget without a limit is none", hint="set epsilon, rho or both")


class LedgerStore(Protocol):
    """Where one ledger's entries are kept. Raises nothing that is not a failure of the store."""

    def transaction(self) -> AbstractContextManager[object]:
        """Exclude all others; keep all or nothing of what happens inside, also if power fails."""
        ...

    def last(self) -> bytes | None:
        """Return the last entry."""
        ...

    def last_of(self, name: str) -> bytes | None:
        """Return the last entry of the release of this name."""
        ...

    def append(self, number: int, name: str, entry: bytes) -> None:
        """Add an entry. Fails if there is one of this number."""
        ...

    def entries(self) -> Iterator[bytes]:
        """Return all entries in order."""
        ...


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one set of data at its owner."""

    store: LedgerStore

    def reserve(self, release: Release, cap: Cap, now: datetime) -> bytes | None:
        """Write down what a release costs; return its answer if it was released before.

        Raises `Refused` with the numbers where it would go beyond the cap, where the
        name stands for something else, and where it was opened already.
        """
        with self.store.transaction():
            known, last = self._find(release.name), self.last()
            if known is None:
                spent = _check_cap(release.charge, last, cap)
                self._append(last, State.RESERVED, release, b"", spent, now)
        return _answer(known, release)

    def check(self, release: Release, cap: Cap) -> bytes | None:
        """Return or raise what `reserve` would, and write nothing."""
        known = self._find(release.name)
        if known is None:
            _check_cap(release.charge, self.last(), cap)
        return _answer(known, release)

    def open(self, name: str, now: datetime) -> None:
        """Write down that what is sent from now on may reveal the release of this name."""
        self._follow(name, State.OPENED, b"", now)

    def release(self, name: str, answer: bytes, now: datetime) -> None:
        """Write down the answer: from now on it is given for free."""
        if len(answer) > MAX_ANSWER:
            raise Refused(f"an answer of {len(answer)} bytes; the most is {MAX_ANSWER}")
        self._follow(name, State.RELEASED, answer, now)

    def spent(self) -> Charge:
        """Return what all releases cost so far."""
        last = self.last()
        return NOTHING if last is None else last.spent

    def last(self) -> Entry | None:
        """Return the last entry."""
        encoded = self.store.last()
        return None if encoded is None else _decoded(encoded)

    def state_of(self, name: str) -> State | None:
        """Return how far the release of this name is; None where nobody asked for it."""
        known = self._find(name)
        return None if known is None else known.state

    def answer_of(self, name: str) -> bytes:
        """Return the answer that is given for free; nothing where there is none yet."""
        known = self._find(name)
        return b"" if known is None else known.answer

    def head(self) -> Head:
        """Return the last entry's number and digest, to be witnessed by others."""
        return _head_of(self.last())

    def verified(self, witnessed: Head) -> tuple[Entry, ...]:
        """Return all entries. Raises `VerificationFailed` where the chain is broken.

        So it is where the head that others have witnessed is not in it: then this is an older
        copy, or another past. `NOTHING_SEEN` stands for no witness.
        """
        chain: list[Entry] = []
        states: dict[str, State] = {}
        for encoded in self.store.entries():
            entry = _decoded(encoded, len(chain) + 1)
            _check_next(chain[-1] if chain else None, entry, states.get(entry.release.name))
            states[entry.release.name] = entry.state
            chain.append(entry)
        digests = [START, *map(digest_of, chain)]
        if witnessed.number >= len(digests) or digests[witnessed.number] != witnessed.digest:
            raise VerificationFailed(
                "others have seen a later ledger of these data than this one",
                hint="bring back the latest copy; nothing can be released from these data before",
            )
        return tuple(chain)

    def _find(self, name: str) -> Entry | None:
        encoded = self.store.last_of(name)
        return None if encoded is None else _decoded(encoded)

    def _follow(self, name: str, state: State, answer: bytes, now: datetime) -> None:
        with self.store.transaction():
            known, last = self._find(name), self.last()
            if known is None or last is None:
                raise NotFound(f"{name} was never reserved")
            if TRANSITIONS.get(known.state) is not state:
                raise Refused(f"{name} is {known.state} already")
            self._append(last, state, known.release, answer, last.spent, now)

    def _append(
        self,
        last: Entry | None,
        state: State,
        release: Release,
        answer: bytes,
        spent: Charge,
        now: datetime,
    ) -> None:
        head = _head_of(last)
        time = now.isoformat(timespec="seconds")
        entry = Entry(head.number + 1, time, state, release, answer, spent, head.digest)
        self.store.append(entry.number, release.name, wire.encode(entry))


def _answer(known: Entry | None, release: Release) -> bytes | None:
    """Return the answer that is known already. Raises `Refused` where none may be asked for."""
    if known is None:
        return None
    if known.release != release:
        raise Refused(f"{release.name} is the name of another release", hint="choose another name")
    if known.state is State.OPENED:
        raise Refused(
            f"{release.name} was opened, and its answer was lost",
            hint="ask under another name: it costs anew",
        )
    return known.answer if known.state is State.RELEASED else None


def _head_of(last: Entry | None) -> Head:
    return NOTHING_SEEN if last is None else Head(last.number, digest_of(last))


def _check_cap(asked: Charge, last: Entry | None, cap: Cap) -> Charge:
    """Return what is spent then, or raise `Refused`, with numbers that depend on no data."""
    spent = (NOTHING if last is None else last.spent).plus(asked)
    if max(spent.nano_epsilon or 0, spent.nano_rho, spent.atto_distance) >= MOST:
        raise Refused("the ledger counts no further", hint="ask for less")
    if cap.nano_epsilon is not None:
        if spent.nano_epsilon is None or asked.nano_epsilon is None:
            raise Refused(
                "this noise has no epsilon of its own, and the budget is counted in epsilon",
                hint="use Laplace noise, or have the owner count in rho",
            )
        spent_now = spent.nano_epsilon - (cap.before.nano_epsilon or 0)
        _check_one("epsilon", asked.nano_epsilon, spent_now, cap.nano_epsilon)
    if cap.nano_rho is not None:
        _check_one("rho", asked.nano_rho, spent.nano_rho - cap.before.nano_rho, cap.nano_rho)
    return spent


def _check_one(what: str, asked: int, spent: int, most: int) -> None:
    if spent > most:
        before = spent - asked
        cost, gone, left = (decimal_of(n) for n in (asked, before, max(most - before, 0)))
        raise Refused(
            f"this costs {what} {cost}; {gone} of {decimal_of(most)} is spent, {left} is left",
            hint="ask for less, or have the owner raise the budget",
        )


def decimal_of(nano: int) -> str:
    """Return 10^-9 of this as people write it, exactly."""
    return f"{nano // NANO}.{nano % NANO:09}".rstrip("0").rstrip(".")


def _check_next(before: Entry | None, entry: Entry, state: State | None) -> None:
    """Raise `VerificationFailed` unless `entry` can follow `before`, its release being so far."""
    spent = NOTHING if before is None else before.spent
    if entry.state is State.RESERVED:
        spent = spent.plus(entry.release.charge)
    previous = START if before is None else digest_of(before)
    fits = entry.previous == previous and entry.spent == spent
    if not fits or TRANSITIONS.get(state) is not entry.state:
        raise _broken(entry.number)


def _decoded(encoded: bytes, number: int | None = None) -> Entry:
    try:
        entry = wire.decode(encoded, Entry)
    except MalformedMessage:
        raise _broken(number or 0) from None
    if number is not None and entry.number != number:
        raise _broken(number)
    return entry


def _broken(number: int) -> VerificationFailed:
    return VerificationFailed(
        f"the ledger was altered: entry {number} does not fit the chain",
        hint="nothing can be released from these data until it is whole again",
    )


def digest_of(entry: Entry) -> bytes:
    """Return what the next entry, and whoever witnesses this one, holds of it."""
    return wire.digest("privacy ledger", entry)
