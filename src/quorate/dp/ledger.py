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
from typing import Protocol

from quorate import wire
from quorate.dp import chain
from quorate.dp.accounting import NOTHING, Charge
from quorate.dp.caps import Cap, check_cap
from quorate.dp.chain import TRANSITIONS, Entry, Head, Release, State, decoded, head_of
from quorate.errors import NotFound, Refused

MAX_ANSWER = 1 << 19


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
                before = NOTHING if last is None else last.spent
                spent = check_cap(release.charge, before, cap)
                self._append(last, State.RESERVED, release, b"", spent, now)
        return _answer(known, release)

    def check(self, release: Release, cap: Cap) -> bytes | None:
        """Return or raise what `reserve` would, and write nothing."""
        known = self._find(release.name)
        if known is None:
            check_cap(release.charge, self.spent(), cap)
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
        return None if encoded is None else decoded(encoded)

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
        return head_of(self.last())

    def verified(self, witnessed: Head) -> tuple[Entry, ...]:
        """Return all entries. Raises `VerificationFailed` where the chain is broken.

        So it is where the head that others have witnessed is not in it: then this is an older
        copy, or another past. `NOTHING_SEEN` stands for no witness.
        """
        return chain.verified(self.store.entries(), witnessed)

    def _find(self, name: str) -> Entry | None:
        encoded = self.store.last_of(name)
        return None if encoded is None else decoded(encoded)

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
        head = head_of(last)
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
