"""The book of this member, as its node works with it: what is written, what leaves in a run.

What touches it raises `Unavailable` where the vault is locked.
"""

from dataclasses import dataclass, replace

from quorate import wire
from quorate.algebra.edwards25519 import Randomness
from quorate.anonymous import cell, meter
from quorate.anonymous.attachments import Attachment, check_sizes
from quorate.anonymous.meter import LEAST, Candidate, Crowd, Gate, Reading
from quorate.anonymous.threads import Pseudonym
from quorate.errors import NotFound, OutOfRange, Refused
from quorate.node.anonymous.book import (
    Book,
    Draft,
    Kept,
    Sealing,
    Thread,
    Waiting,
    compose,
    fragments,
    is_agreed,
)
from quorate.node.desk import Desk
from quorate.node.quorum.custody import Custody

NAME = "reports"
BOOK_BYTES = 1 << 18
"""What the book is padded to. More than this much waiting is refused."""


@dataclass(frozen=True, slots=True)
class Writer:
    """The book of one node's member."""

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
        files: tuple[Attachment, ...] = (),
    ) -> tuple[Waiting, ...]:
        """Queue a text and its files; return the posts, the text's first.

        They begin a new thread, which answers the thread `to` if there is one; `to` one of
        this member's own threads they go on with that. With `sealing` they are for some
        recipients only; `gate` is what the thread waits for from now on. Raises `Refused`.
        """
        if not text.strip():
            raise Refused("there is nothing to send", hint="write a text into the file")
        check_sizes(files)
        for name in feared:
            self.desk.group.party(name)
        book = self.book()
        thread = book.thread(to) if to else None
        if thread is None:
            seed = self.randomness(32)
            thread = Thread(seed, self._pseudonym(seed).thread, 0, feared, ())
        else:
            to, feared = b"", tuple(sorted({*thread.feared, *feared}))
        meter.read(self.everybody(), author=self.desk.home.name, feared=feared)
        thread = replace(thread, feared=feared, gate=thread.gate.raised(gate))
        book, posts = self._queued(book, thread, Draft(text, files, to), sealing)
        self.keep(book)
        return posts

    def _queued(
        self, book: Book, thread: Thread, draft: Draft, sealing: Sealing | None
    ) -> tuple[Book, tuple[Waiting, ...]]:
        """Return the book with a draft's posts at the end of what waits."""
        pseudonym, first = self.pseudonym(thread), thread.posts
        posts = compose(pseudonym, first, draft, sealing, self.cell_bytes, self.randomness)
        last = posts[-1].number
        book = book.with_thread(replace(thread, posts=last + 1))
        if sealing is not None:
            names = tuple(recipient.name for recipient in sealing.recipients)
            runs, least = fragments(posts), sealing.min_recipients
            kept = Kept(pseudonym.thread, first, last, runs, draft, names, least)
            book = replace(book, kept=(*book.kept, kept))
        return replace(book, waiting=(*book.waiting, *posts)), posts

    def outdated(self, cards: bytes) -> tuple[Kept, ...]:
        """Return the reports that wait for ever: a member has another key than they know."""
        book = self.book()
        stale = [waiting for waiting in book.waiting if not is_agreed(waiting, cards)]
        return tuple(kept for kept in book.kept if any(map(kept.has, stale)))

    def reseal(self, kept: Kept, sealing: Sealing) -> tuple[Waiting, ...]:
        """Queue a report again, sealed to the keys of today, in place of what waits of it.

        Where a part has left, its posts have new numbers, and the old stay unfinished. Raises
        `NotFound` if it is not there.
        """
        book, thread = self.book(), self.own(kept.thread)
        if kept not in book.kept:
            raise NotFound("that report does not wait any more")
        mine = tuple(waiting for waiting in book.waiting if kept.has(waiting))
        others = tuple(waiting for waiting in book.waiting if not kept.has(waiting))
        if fragments(mine) == kept.fragments and thread.posts == kept.last + 1:
            thread = replace(thread, posts=kept.first)  # nobody has seen these numbers
        rest = tuple(k for k in book.kept if k != kept)
        book, posts = self._queued(
            replace(book, waiting=others, kept=rest), thread, kept.draft, sealing
        )
        self.keep(book)
        return posts

    def next_text(self, crowd: Crowd, cards: bytes | None) -> bytes:
        """Return what to say in a run of `crowd`: nothing, unless enough stand beside the author.

        In no crowd, nothing at all. What is sealed leaves only where all agree on the `cards`
        it is sealed to; where these are new it waits. From now on the thread's author is
        among who is in this run.
        """
        if self.custody.state != "open":
            return b""
        book, text = self.book(), b""
        threads = {thread.name: thread for thread in book.threads}
        for waiting in book.in_turn() if crowd else ():
            thread = threads.get(waiting.thread)
            fits = is_agreed(waiting, cards)
            if thread is None or not fits or self.reading(thread, crowd).lacking:
                continue
            names = {c.name for c in crowd}
            left = names.intersection(thread.crowd) if thread.crowd else names
            book = book.with_thread(replace(thread, crowd=tuple(sorted(left))))
            text = waiting.cells[0]
            break
        self.keep(book)
        return text

    def sent(self, text: bytes) -> None:
        """Take a fragment that came out of a run off the queue; with nothing said, seal anew."""
        if self.custody.state != "open":
            return
        self.keep(self.book().without(text))

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
        return self.book().thread(thread)

    def own(self, thread: bytes) -> Thread:
        """Return one of this member's threads. Raises `NotFound`."""
        found = self.find(thread)
        if found is None:
            raise NotFound(
                "this node did not write that thread", hint="only who wrote it can claim it"
            )
        return found

    def pseudonym(self, thread: Thread) -> Pseudonym:
        return self._pseudonym(thread.seed)

    def _pseudonym(self, seed: bytes) -> Pseudonym:
        return Pseudonym(self.desk.group.digest(), seed)

    def everybody(self) -> Crowd:
        return self._named(self.desk.group.names)

    def _named(self, names: tuple[str, ...]) -> Crowd:
        members = self.desk.group.members
        return frozenset(Candidate(m.name, m.run_by) for m in members if m.name in names)
