"""That one key takes another's place: said by the old, accepted by the new, checked as a chain.

Who leaves in good standing erases its share, and the key stays
(`quorate.threshold.reshare`). Who is removed for cause may have kept it, so the
key itself goes: a new key is generated among those who stay, the old one signs
that this is its successor, and the new one that it is [RFC8032]. From then on
the old key's word counts for nothing but this.

Adversary: anybody, and removed members who are too few to act with the old key.
Are they enough, they can name another successor: then there are two statements
of one key, which is proof that the key is no longer its group's
(`verify_fork`); who pinned the first keeps to it. Unreviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from quorate import wire
from quorate.algebra.edwards25519 import Point
from quorate.errors import VerificationFailed
from quorate.threshold import frost

MAX_CHAIN = 1000


@dataclass(frozen=True, slots=True)
class Succession:
    """`new` in place of `old`: both are keys that sign."""

    old: Point
    new: Point
    number: int  # 1 for the first successor, one more for each after
    reason: str
    decided: str  # UTC


@dataclass(frozen=True, slots=True)
class SignedSuccession:
    """A succession, under both keys."""

    statement: Succession
    by_old: bytes
    by_new: bytes


def succession_input(statement: Succession) -> bytes:
    """Return what the old key signs."""
    return wire.signing_input("succession", statement)


def acceptance_input(statement: Succession) -> bytes:
    """Return what the new key signs: else a group could be given a key it does not have."""
    return wire.signing_input("succession accepted", statement)


def verify_succession(signed: SignedSuccession) -> None:
    """Raise `VerificationFailed` unless both keys signed it."""
    said = signed.statement
    if said.old == said.new:
        raise VerificationFailed("a key cannot be its own successor")
    frost.verify(said.old, succession_input(said), signed.by_old)
    frost.verify(said.new, acceptance_input(said), signed.by_new)


def verify_chain(first: Point, chain: Sequence[SignedSuccession]) -> Point:
    """Return the key that speaks for the group now, for who trusts only `first`.

    Raises `VerificationFailed` for a gap, another order, a key that comes back,
    and whatever is not signed.
    """
    if len(chain) > MAX_CHAIN:
        raise VerificationFailed(f"a chain of more than {MAX_CHAIN} successions")
    current, seen = first, {first}
    for number, signed in enumerate(chain, 1):
        said = signed.statement
        if said.old != current or said.number != number:
            raise VerificationFailed(f"succession {number} does not follow from the key before it")
        verify_succession(signed)
        if said.new in seen:
            raise VerificationFailed(f"succession {number} brings back a key that was given up")
        seen.add(said.new)
        current = said.new
    return current


def verify_fork(one: SignedSuccession, other: SignedSuccession) -> None:
    """Raise `VerificationFailed` unless one key has named two successors."""
    verify_succession(one)
    verify_succession(other)
    if one.statement.old != other.statement.old or one.statement.new == other.statement.new:
        raise VerificationFailed("these do not contradict each other")
