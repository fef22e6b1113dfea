"""Nothing on a node's disk tells whether its member wrote a report, or had one waiting."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorate import wire
from quorate.anonymous import cell
from quorate.node.anonymous.book import Book
from quorate.node.anonymous.writer import Writer
from tests.node.anonymous.circle import BORING, Circle, hold, in_a_circle
from tests.node.three import Hospital

SECRET = "it was me: " + BORING


def traces(node: Hospital) -> tuple[object, ...]:
    """Return what an auditor with the disk sees, but for the bytes of what is sealed.

    The sizes of all columns of all rows of all tables, what the audit log says, and
    the names of the files.
    """
    events = [(e.entry.event, e.entry.details) for e in node.desk.audit.verified()]
    own = [said for said in events if said[0] != "head held"]  # these come when they come
    files = sorted(path.name for path in node.home.folder.iterdir())
    names = [name.replace(node.home.name, "NAME") for name in files]
    return dict(_tables(node.home.database)), own, names


def _tables(database: Path) -> Iterator[tuple[str, list[tuple[int, ...]]]]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        names = [n for (n,) in db.execute("select name from sqlite_master where type = 'table'")]
        for name in names:
            if name not in ("heads", "audit"):
                rows = db.execute(f"select * from {name}").fetchall()
                yield name, sorted(tuple(map(_size, row)) for row in rows)
    db.close()


def _size(value: object) -> int:
    return len(value) if isinstance(value, bytes) else len(str(value))


def sealed_book(node: Hospital) -> bytes:
    sealed = node.quorum.records.sealed("reports")
    assert sealed is not None
    return sealed


def test_who_writes_and_who_does_not_leave_the_same_on_the_disk() -> None:
    async def body(circle: Circle) -> None:
        writer, other = circle["ben"], circle["dan"]
        assert traces(writer) == traces(other)
        before = sealed_book(other)
        writer.reports.writer.write(SECRET, ("eve",))  # held back: it waits through the run
        writer.reports.writer.write(BORING, ())
        assert traces(writer) == traces(other)
        await hold(circle)
        assert traces(writer) == traces(other)
        assert len(writer.reports.writer.book().waiting) == 1
        assert sealed_book(other) != before  # its book changes as well, with nothing in it
        assert not any(
            SECRET.encode() in path.read_bytes()
            for path in writer.home.folder.iterdir()
            if path.is_file()
        )

    in_a_circle(body)


def test_control_a_book_that_is_not_padded_tells_who_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def keep(self: Writer, book: Book) -> None:
        encoded = wire.encode(book)
        self.custody.keep("reports", cell.pad(encoded, len(encoded) + cell.LENGTH_BYTES))

    monkeypatch.setattr(Writer, "keep", keep)

    async def body(circle: Circle) -> None:
        writer, other = circle["ben"], circle["dan"]
        assert traces(writer) == traces(other)
        writer.reports.writer.write(SECRET, ("eve",))
        assert traces(writer) != traces(other)

    in_a_circle(body)
