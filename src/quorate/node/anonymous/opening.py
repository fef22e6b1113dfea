"""Bodies sealed to some members: each recipient approves by itself, enough of them read.

A recipient that approves gives its share to whoever asks and is a recipient too, and
asks the others for theirs. All other questions get one answer, which is also that
of a node whose member is no recipient, at the same time after the question: asking tells
nobody who they are. What was
approved and given lies in the sealed book, which is of one size on every node.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from quorate import wire
from quorate.anonymous.recipients import Found, Sealed, Share, check_share, find, unseal
from quorate.anonymous.threads import Post, Shelf
from quorate.errors import (
    Error,
    MalformedMessage,
    NotFound,
    Party,
    VerificationFailed,
)
from quorate.node.anonymous.book import Book, Opening
from quorate.node.anonymous.cards import Cards
from quorate.node.anonymous.messages import Given, Wanted
from quorate.node.anonymous.pace import evenly
from quorate.node.anonymous.writer import Writer


@dataclass(frozen=True, slots=True)
class Opened:
    """What a recipient knows of a sealed post: its body once enough have approved."""

    recipients: tuple[str, ...]
    min_recipients: int
    approved: tuple[str, ...]
    body: bytes | None = field(repr=False)

    @property
    def text(self) -> str | None:
        return None if self.body is None else self.body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Openings:
    """The sealed posts of one node's member."""

    writer: Writer
    cards: Cards
    shelf: Callable[[], Shelf]

    def seen(self, post: Post) -> Opened | None:
        """Return what this member may know of a sealed post: nothing, if it is no recipient."""
        if self.writer.custody.state != "open":
            return None
        try:
            sealed, found = self._found(post)
        except NotFound:
            return None
        opening = _opening(self.writer.book(), post)
        shares = () if opening is None else opening.shares
        slots = {share.slot for share in shares}
        names = tuple(sorted(holder.name for holder in found.note.holders))
        approved = tuple(sorted(h.name for h in found.note.holders if h.slot in slots))
        least, body = found.note.min_recipients, None
        if opening is not None and len(slots) >= least:
            body = unseal(sealed, post.thread, found.note, shares)
        return Opened(names, least, approved, body)

    async def approve(self, thread: bytes) -> None:
        """Approve that the sealed posts of a thread are opened, and ask the other recipients.

        Raises `NotFound` where none is sealed to this member, `Unavailable`.
        """
        self.writer.custody.vault()
        mine = 0
        for post in self.shelf().posts:
            if post.thread != thread or not post.sealed:
                continue
            try:
                _, found = self._found(post)
            except NotFound:
                continue
            mine += 1
            self._keep(post, (found.share,))
            await self._gather(post, found)
        if not mine:
            raise NotFound("nothing in that thread is sealed to this member")

    async def look_again(self, thread: bytes) -> None:
        """Ask for the shares that still lack, of posts this member has approved."""
        if self.writer.custody.state != "open":
            return
        book = self.writer.book()
        for post in self.shelf().posts:
            if post.thread == thread and _opening(book, post) is not None:
                await self._gather(post, self._found(post)[1])

    async def on_share(self, party: Party, body: bytes) -> bytes:
        """Give this member's share to a recipient, if both are and this one has approved."""
        wanted, name = wire.decode(body, Wanted), self.writer.desk.group.names[party]
        return wire.encode(Given(await evenly(lambda: self._share_for(name, wanted))))

    def _share_for(self, name: str, wanted: Wanted) -> Share | None:
        if self.writer.custody.state != "open":
            return None
        book = self.writer.book()
        place = wanted.thread, wanted.number
        post = next((p for p in self.shelf().posts if (p.thread, p.number) == place), None)
        if post is None or _opening(book, post) is None:
            return None
        _, found = self._found(post)
        return found.share if is_recipient(name, found) else None

    async def _gather(self, post: Post, found: Found) -> None:
        """Ask the other recipients for the shares they give."""
        desk = self.writer.desk
        opening = _opening(self.writer.book(), post)
        have = {share.slot for share in opening.shares} if opening else set[int]()
        asked = [h for h in found.note.holders if h.slot not in have and h.name != desk.home.name]

        async def one(name: str, slot: int) -> Share | None:
            wanted, timeout_s = Wanted(post.thread, post.number), desk.home.timeout_s
            try:
                party = desk.group.party(name)
                given = await desk.peers.ask(
                    party, "report share", wanted, Given, timeout_s=timeout_s
                )
                if given.share is None or given.share.slot != slot:
                    return None
                check_share(found.note, given.share)
            except Error:  # asked again when the thread is looked at; a log would tell who reads
                return None
            return given.share

        answers = await asyncio.gather(*(one(h.name, h.slot) for h in asked))
        self._keep(post, tuple(share for share in answers if share is not None))

    def _keep(self, post: Post, shares: tuple[Share, ...]) -> None:
        book = self.writer.book()
        known = _opening(book, post) or Opening(post.thread, post.number)
        merged = {share.slot: share for share in (*known.shares, *shares)}
        others = tuple(o for o in book.openings if o != known)
        opening = replace(known, shares=tuple(merged.values()))
        self.writer.keep(replace(book, openings=(*others, opening)))

    def _found(self, post: Post) -> tuple[Sealed, Found]:
        """Return a sealed post and this member's share of it. Raises `NotFound`."""
        if not post.sealed:
            raise NotFound("this post is not sealed")
        try:
            sealed = wire.decode(post.body, Sealed)
        except MalformedMessage:
            raise NotFound("this post is sealed to nobody") from None
        found = find(sealed, post.thread, self.cards.key())
        try:
            check_share(found.note, found.share)
        except VerificationFailed:
            raise NotFound("its author sealed this to nobody") from None
        return sealed, found


def is_recipient(name: str, found: Found) -> bool:
    """Return whether a member is among those the note names."""
    return any(holder.name == name for holder in found.note.holders)


def _opening(book: Book, post: Post) -> Opening | None:
    place = post.thread, post.number
    return next((o for o in book.openings if (o.thread, o.number) == place), None)
