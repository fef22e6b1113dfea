"""What this member itself writes: sealed in the node's vault, one size whatever is in it.

The book holds the seeds of this member's threads and the fragments that wait for a
run. A node whose vault is open has one, with something in it or not, and seals it
anew before and after each run and every minute: who looks at the disk sees a row
of noise that always changes. Nothing else on the disk depends on what was written.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from quorate import wire
from quorate.algebra.edwards25519 import Randomness
from quorate.anonymous.attachments import Attachment
from quorate.anonymous.meter import LEAST, Gate
from quorate.anonymous.recipients import Recipient, Share, seal
from quorate.anonymous.threads import Content, Pseudonym


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread of this member. `crowd` are who took part in all runs it spoke in; `()`: none.

    `name`, its public key, follows from the seed, and is kept because that takes time.
    """

    seed: bytes = field(repr=False)
    name: bytes
    posts: int
    feared: tuple[str, ...]
    crowd: tuple[str, ...]
    gate: Gate = LEAST


@dataclass(frozen=True, slots=True)
class Waiting:
    """A post of which these fragments have not been sent yet, sealed to the cards of this digest.

    `cards` is empty for what all may read.
    """

    thread: bytes
    number: int
    cells: tuple[bytes, ...] = field(repr=False)
    cards: bytes = b""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an author gives: a text and files, in answer to the thread `to`, or to nothing."""

    text: str = field(repr=False)
    files: tuple[Attachment, ...] = ()
    to: bytes = b""

    def bodies(self) -> tuple[bytes, ...]:
        """Return what is to be sealed, or sent as it is: the text, then each file."""
        return self.text.encode(), *map(wire.encode, self.files)


@dataclass(frozen=True, slots=True)
class Kept:
    """A sealed report as its author gave it, until it has left: its keys may change before.

    Its posts are those of numbers `first` to `last` of the thread, of `fragments` in all.
    """

    thread: bytes
    first: int
    last: int
    fragments: int
    draft: Draft
    recipients: tuple[str, ...]
    min_recipients: int

    def has(self, waiting: Waiting) -> bool:
        return waiting.thread == self.thread and self.first <= waiting.number <= self.last


@dataclass(frozen=True, slots=True)
class Opening:
    """What this member, a recipient, has approved to be opened, and the shares it was given."""

    thread: bytes
    number: int
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealing:
    """To whom a post is sealed, how many of them open it, and the digest of all cards."""

    recipients: tuple[Recipient, ...]
    min_recipients: int
    cards: bytes


@dataclass(frozen=True, slots=True)
class Book:
    threads: tuple[Thread, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    openings: tuple[Opening, ...] = ()
    kept: tuple[Kept, ...] = ()

    def with_thread(self, thread: Thread) -> "Book":
        """Return the book with this thread as it is now, a new one at the end."""
        threads = tuple(thread if t.seed == thread.seed else t for t in self.threads)
        return replace(self, threads=threads if thread in threads else (*threads, thread))

    def thread(self, name: bytes) -> Thread | None:
        return next((thread for thread in self.threads if thread.name == name), None)

    def without(self, text: bytes) -> "Book":
        """Return the book when a fragment has left, and what nothing waits for any more."""
        rest = (replace(w, cells=tuple(c for c in w.cells if c != text)) for w in self.waiting)
        waiting = tuple(w for w in rest if w.cells)
        kept = tuple(k for k in self.kept if any(map(k.has, waiting)))
        return replace(self, waiting=waiting, kept=kept)

    def in_turn(self) -> list[Waiting]:
        """Return what waits, what is short before what is long."""
        return sorted(self.waiting, key=lambda waiting: len(waiting.cells))


def compose(
    pseudonym: Pseudonym,
    first: int,
    draft: Draft,
    sealing: Sealing | None,
    cell_bytes: int,
    randomness: Randomness,
) -> tuple[Waiting, ...]:
    """Return the posts of a draft, from number `first` on: its text, which names its files."""
    thread, cards = pseudonym.thread, b"" if sealing is None else sealing.cards
    bodies = [_body(body, thread, sealing, randomness) for body in draft.bodies()]
    is_sealed = sealing is not None
    files = [Content(body, sealed=is_sealed, kind="file") for body in bodies[1:]]
    digests = tuple(file.digest() for file in files)
    contents = [Content(bodies[0], draft.to, is_sealed, files=digests), *files]
    return tuple(
        Waiting(thread, number, pseudonym.write(number, content, cell_bytes), cards)
        for number, content in enumerate(contents, first)
    )


def _body(body: bytes, thread: bytes, sealing: Sealing | None, randomness: Randomness) -> bytes:
    if sealing is None:
        return body
    least = sealing.min_recipients
    return wire.encode(seal(body, thread, sealing.recipients, least, randomness))


def is_agreed(waiting: Waiting, cards: bytes | None) -> bool:
    """Return whether all that agree on these cards could have sealed this post."""
    return waiting.cards in (b"", cards)


def fragments(posts: Iterable[Waiting]) -> int:
    """Return how many runs these posts take."""
    return sum(len(waiting.cells) for waiting in posts)
