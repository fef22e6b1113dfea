"""Entries of a ledger: a chain in which each holds the digest of the one before."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from quorate import wire
from quorate.dp.accounting import NOTHING, Charge
from quorate.errors import MalformedMessage, VerificationFailed

START = bytes(32)
"""What stands for the digest before the first entry."""


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


def head_of(last: Entry | None) -> Head:
    """Return the number and digest of the last entry, if there is one."""
    return NOTHING_SEEN if last is None else Head(last.number, digest_of(last))


def verified(entries: Iterable[bytes], witnessed: Head) -> tuple[Entry, ...]:
    """Return all entries. Raises `VerificationFailed` where they are no chain with that head."""
    chain: list[Entry] = []
    states: dict[str, State] = {}
    for encoded in entries:
        entry = decoded(encoded, len(chain) + 1)
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


def _check_next(before: Entry | None, entry: Entry, state: State | None) -> None:
    """Raise `VerificationFailed` unless `entry` can follow `before`, its release being so far."""
    spent = NOTHING if before is None else before.spent
    if entry.state is State.RESERVED:
        spent = spent.plus(entry.release.charge)
    previous = START if before is None else digest_of(before)
    fits = entry.previous == previous and entry.spent == spent
    if not fits or TRANSITIONS.get(state) is not entry.state:
        raise _broken(entry.number)


def decoded(encoded: bytes, number: int | None = None) -> Entry:
    """Return an entry, of this number if it is known. Raises `VerificationFailed`."""
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
