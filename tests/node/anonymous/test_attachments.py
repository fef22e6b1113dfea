"""Files that go with reports among nodes: piece by piece, no run larger for it, opened nowhere."""

import pytest

from quorate import wire
from quorate.anonymous.attachments import MOST_BYTES, Attachment
from quorate.anonymous.threads import Content, Pseudonym
from quorate.errors import Refused
from quorate.node.anonymous.book import Book, Thread, Waiting
from quorate.node.anonymous.pictures import scrub_picture
from quorate.node.anonymous.records import Held
from quorate.node.anonymous.reports import Reports
from quorate.node.anonymous.runs import CELL_BYTES
from quorate.node.anonymous.writer import BOOK_BYTES
from tests.node.anonymous import files
from tests.node.anonymous.circle import BORING, Circle, hold, in_a_circle, settled
from tests.node.anonymous.test_no_trace import sealed_book, traces

PHOTO = scrub_picture(files.jpeg(files.pixels((400, 300))))


def bytes_of(held: Held) -> tuple[int, int]:
    assert held.shape is not None
    return held.shape.bytes_sent, held.shape.bytes_received


def files_of(reports: Reports) -> list[Attachment | None]:
    return [reports.file_of(post) for post in reports.shelf().posts if post.is_file]


def test_a_file_comes_in_pieces_and_no_run_is_larger_for_it() -> None:
    async def body(circle: Circle) -> None:
        idle = await hold(circle)
        writer, other = circle["ben"], circle["dan"]
        text, photo = writer.reports.writer.write(BORING, (), files=(PHOTO,))
        assert len(photo.cells) == 2
        assert len(text.cells) == 1
        assert traces(writer) == traces(other)
        for seen in (((), 0), ((), 1), ((PHOTO,), 1)):
            held = await hold(circle)
            assert bytes_of(held) == bytes_of(idle)
            assert held.shape is not None
            assert held.shape.texts == 1
            assert traces(writer) == traces(other)
            shelf = circle["eve"].reports.shelf()
            arriving = [(u.number, u.arrived, u.count) for u in shelf.unfinished]
            assert arriving == [(1, 1, 2)] * (seen[1] and not seen[0])
            assert files_of(circle["eve"].reports) == list(seen[0])
        assert bytes_of(await hold(circle)) == bytes_of(idle)
        assert writer.reports.writer.book().waiting == ()

    in_a_circle(body)


def test_a_file_waits_sealed_and_a_short_text_overtakes_it() -> None:
    async def body(circle: Circle) -> None:
        cleo = circle["cleo"]
        largest = Attachment("other", files.AUTHOR.encode() * (MOST_BYTES // 14))
        before = len(sealed_book(cleo))
        _, long = cleo.reports.writer.write(BORING, (), files=(largest,))
        cleo.reports.writer.write("And long.", ())
        assert len(sealed_book(cleo)) == before > BOOK_BYTES
        assert files.AUTHOR.encode() not in cleo.home.database.read_bytes()
        for _ in range(3):
            await hold(circle)
        book = cleo.reports.writer.book()
        assert [(w.thread, len(w.cells)) for w in book.waiting] == [
            (long.thread, len(long.cells) - 1)
        ]

    in_a_circle(body)


def test_what_a_report_does_not_take_is_refused() -> None:
    async def body(circle: Circle) -> None:
        writer = circle["ada"].reports.writer
        for wrong in (
            (Attachment("other", bytes(MOST_BYTES + 1)),),
            (Attachment("other", b"x"),) * 9,
            (Attachment("other", b""),),
        ):
            with pytest.raises(Refused):
                writer.write(BORING, (), files=wrong)
        assert writer.book().waiting == ()
        most = (Attachment("other", bytes(MOST_BYTES)),)
        writer.write(BORING, (), files=most)
        with pytest.raises(Refused, match="what waits"):
            writer.write(BORING, (), files=most)

    in_a_circle(body)


@pytest.mark.slow
def test_a_sealed_file_is_its_recipients_alone() -> None:
    async def body(circle: Circle) -> None:
        await settled(circle)
        reports = circle["cleo"].reports
        sealing = reports.cards.sealing(("ada", "ben"), 1)
        posts = reports.writer.write(BORING, (), sealing=sealing, files=(PHOTO,))
        for _ in range(sum(len(post.cells) for post in posts)):
            await hold(circle)
        ada, dan = circle["ada"].reports, circle["dan"].reports
        assert files_of(ada) == [None]
        await ada.openings.approve(posts[0].thread)
        assert files_of(ada) == [PHOTO]
        assert files_of(dan) == [None]
        (post,) = (post for post in dan.shelf().posts if post.is_file)
        assert PHOTO.data[:64] not in post.body

    in_a_circle(body)


def test_what_comes_under_a_files_name_is_not_believed() -> None:
    """Its author is anybody: bytes that are no file, and a kind that they are not."""

    async def body(circle: Circle) -> None:
        eve = circle["eve"].reports
        one = Pseudonym(eve.desk.group.digest(), bytes(32))
        script = wire.encode(Attachment("pdf", b"#!/bin/sh\nrm -rf ~\n"))
        contents = [Content(body, kind="file") for body in (script, b"\xff" * 40)]
        text = Content(b"look", files=tuple(content.digest() for content in contents))
        posts = enumerate((text, *contents))
        waiting = tuple(Waiting(one.thread, i, one.write(i, c, CELL_BYTES)) for i, c in posts)
        eve.writer.keep(Book((Thread(one.seed, one.thread, 3, (), ()),), waiting))
        for _ in waiting:
            await hold(circle)
        found = files_of(circle["ada"].reports)
        assert found == [Attachment("pdf", b"#!/bin/sh\nrm -rf ~\n"), None]
        assert found[0] is not None
        assert found[0].name(one.thread, 1).endswith("-1.bin")

    in_a_circle(body)
