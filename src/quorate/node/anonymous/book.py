"""What this member itself writes: sealed in the node's vault, one size whatever is in it.

The book holds the seeds of this member's threads and the fragments that wait for a
run. A node whose vault is open has one, with something in it or not, and seals it
anew before and after each run and every minute: who looks at the disk sees a row
of noise that always changes. Nothing else on the disk depends on what was written.
"""

from dataclasses import dataclass, field, replace

from quorate import wire
from quorate.algebra.edwards25519 import Randomness
from quorate.anonymous import cell, meter
from quorate.anonymous.meter import LEAST, Candidate, Crowd, Gate, Reading
from quorate.anonymous.recipients import Recipient, Share, seal
from quorate.anonymous.threads import Pseudonym
from quorate.errors import NotFound, OutOfRange, Refused
from quorate.node.desk import Desk
from quorate.node.quorum.custody import Custody

NAME = "reports"
BOOK_BYTES = 1 << 16
"""What the book is padded to. More than this much waiting text is refused."""


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread of this member. `crowd` are who took part in all runs it spoke in; `()`: none."""

    seed: bytes = field(repr=False)
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


@dataclass(frozen=True, slots=True)
class Writer:
    """The book of one node's member. What touches it raises `Unavailable` with a locked vault."""

    desk: Desk
    custody: Custody
    cell_bytes: int
    randomness: Randomness

    def book(self) -> Book:
        padded = self.custody.find(NAME, bytes)
        return Book() if padded is None else wire.decode(cell.unpad(padded), Book)

    def keep(self, book: Book) -> None:
        """Seal the book. Raises `Refused` where it is full."""
        try:
            padded = cell.pad(wire.encode(book), BOOK_BYTES)
        except OutOfRange:
            raise Refused(
                f"what waits would be more than {BOOK_BYTES} bytes",
                hint="write less, or wait until some of it is sent: quorate report queue",
            ) from None
        self.custody.keep(NAME, padded)

    def seal_anew(self) -> None:
        """Let the book on the disk change, as it does for who writes."""
        if self.custody.state == "open":
            self.keep(self.book())

    def write(
        self,
        text: str,
        feared: tuple[str, ...],
        to: bytes = b"",
        sealing: Sealing | None = None,
        gate: Gate = LEAST,
    ) -> Waiting:
        """Queue a post: the first of a new thread, which answers the thread `to` if there is one.

        A post `to` one of this member's own threads goes on with that. With `sealing`
        it is for some recipients only; `gate` is what the thread waits for from now on.
        Raises `Refused`.
        """
        if not text.strip():
            raise Refused("there is nothing to send", hint="write a text into the file")
        for name in feared:
            self.desk.group.party(name)
        book = self.book()
        thread = self._own(book, to) if to else None
        if thread is None:
            thread = Thread(self.randomness(32), 0, feared, ())
            book = replace(book, threads=(*book.threads, thread))
        else:
            to, feared = b"", tuple(sorted({*thread.feared, *feared}))
        meter.read(self.everybody(), author=self.desk.home.name, feared=feared)
        pseudonym = self.pseudonym(thread)
        body, number = self._body(text, pseudonym.thread, sealing), thread.posts
        sealed, cards = (False, b"") if sealing is None else (True, sealing.cards)
        cells = pseudonym.write(number, body, self.cell_bytes, to=to, sealed=sealed)
        waiting = Waiting(pseudonym.thread, number, cells, cards)
        gate = thread.gate.raised(gate)
        book = _with(book, replace(thread, posts=number + 1, feared=feared, gate=gate))
        self.keep(replace(book, waiting=(*book.waiting, waiting)))
        return waiting

    def _body(self, text: str, thread: bytes, sealing: Sealing | None) -> bytes:
        if sealing is None:
            return text.encode()
        to, least = sealing.recipients, sealing.min_recipients
        return wire.encode(seal(text.encode(), thread, to, least, self.randomness))

    def next_text(self, crowd: Crowd, cards: bytes) -> bytes:
        """Return what to say in a run of `crowd`: nothing, unless enough stand beside the author.

        What is sealed leaves only where all agree on the `cards` it is sealed to. From now
        on the thread's author is among who is in this run.
        """
        if self.custody.state != "open":
            return b""
        book, text = self.book(), b""
        for waiting in book.waiting:
            thread = self._own(book, waiting.thread)
            fits = is_agreed(waiting, cards)
            if thread is None or not fits or self.reading(thread, crowd).lacking:
                continue
            names = {c.name for c in crowd}
            left = names.intersection(thread.crowd) if thread.crowd else names
            book = _with(book, replace(thread, crowd=tuple(sorted(left))))
            text = waiting.cells[0]
            break
        self.keep(book)
        return text

    def sent(self, text: bytes) -> None:
        """Take a fragment that came out of a run off the queue; with nothing said, seal anew."""
        if self.custody.state != "open":
            return
        book = self.book()
        rest = (replace(w, cells=tuple(c for c in w.cells if c != text)) for w in book.waiting)
        self.keep(replace(book, waiting=tuple(w for w in rest if w.cells)))

    def reading(
        self,
        thread: Thread | None,
        crowd: Crowd,
        feared: tuple[str, ...] = (),
        gate: Gate = LEAST,
    ) -> Reading:
        """Return behind whom this member stands if it sends among `crowd` now."""
        before: tuple[Crowd, ...] = ()
        if thread is not None:
            feared, gate = (*thread.feared, *feared), thread.gate.raised(gate)
            before = (self._named(thread.crowd),) if thread.crowd else ()
        known = {c.name for one in (crowd, *before) for c in one}
        author = self.desk.home.name
        feared = tuple(known & set(feared))
        return meter.read(crowd, author=author, feared=feared, thread=before, gate=gate)

    def find(self, thread: bytes) -> Thread | None:
        """Return a thread if it is one of this member's."""
        return self._own(self.book(), thread)

    def own(self, thread: bytes) -> Thread:
        """Return one of this member's threads. Raises `NotFound`."""
        found = self.find(thread)
        if found is None:
            raise NotFound(
                "this node did not write that thread", hint="only who wrote it can claim it"
            )
        return found

    def pseudonym(self, thread: Thread) -> Pseudonym:
        return Pseudonym(self.desk.group.digest(), thread.seed)

    def everybody(self) -> Crowd:
        return self._named(self.desk.group.names)

    def _named(self, names: tuple[str, ...]) -> Crowd:
        members = self.desk.group.members
        return frozenset(Candidate(m.name, m.run_by) for m in members if m.name in names)

    def _own(self, book: Book, thread: bytes) -> Thread | None:
        threads = (t for t in book.threads if self.pseudonym(t).thread == thread)
        return next(threads, None)


def is_agreed(waiting: Waiting, cards: bytes) -> bool:
    """Return whether all that agree on these cards could have sealed this post."""
    return waiting.cards in (b"", cards)


def _with(book: Book, thread: Thread) -> Book:
    """Return the book with this thread as it is now."""
    threads = tuple(thread if t.seed == thread.seed else t for t in book.threads)
    return replace(book, threads=threads)
