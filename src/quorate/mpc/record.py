"""What a committee that checks has multiplied and not verified yet, at one party.

Steps that run side by side end in an order of their own at each party; sorted by the
path of their session, and within it in the order of the steps, a batch is the same at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import Generic, TypeVar

S = TypeVar("S")


class Kind(StrEnum):
    """What is claimed of sharings."""

    PRODUCT = "product"
    """z = x y in the ring, word by word."""

    CONJUNCTION = "conjunction"
    """z = x AND y, bit by bit, of flat words."""

    MATRIX = "matrix"
    """z = x y as matrices over the ring."""

    ZERO = "zero"
    """x = 0, bit by bit, of flat words."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[S]):
    """One claim, made in the step of that path; `words` are kept for it."""

    kind: Kind
    path: str
    shares: tuple[S, ...]
    words: int
    label: str = ""
    """The step whose streams mask the messages of a conjunction."""


@dataclass(slots=True)
class Record(Generic[S]):
    """All claims since the last verification. Shared by a committee and those made with `at`."""

    entries: list[Entry[S]] = field(default_factory=list)
    taken: bool = False
    """A verification has begun: until it has ended well, nothing may be revealed."""

    @property
    def words(self) -> int:
        return sum(entry.words for entry in self.entries)

    @property
    def is_empty(self) -> bool:
        return not self.entries and not self.taken

    def take(self) -> Sequence[Entry[S]]:
        """Return the batch, in an order that is the same at all parties."""
        if self.taken:
            raise ValueError("a verification beside another, or after one that failed")
        self.taken = True
        batch, self.entries = sorted(self.entries, key=attrgetter("path")), []
        return batch

    def verified(self) -> None:
        """Allow reveals again."""
        self.taken = False
