"""Two places to keep a ledger: in memory, and in a file of SQLite that may be cut off any time."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class MemoryStore:
    """Entries in a list; a failed transaction leaves none of its own."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, bytes]] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        before = list(self.rows)
        try:
            yield
        except BaseException:
            self.rows = before
            raise

    def last(self) -> bytes | None:
        return self.rows[-1][1] if self.rows else None

    def last_of(self, name: str) -> bytes | None:
        found = [entry for whose, entry in self.rows if whose == name]
        return found[-1] if found else None

    def append(self, number: int, name: str, entry: bytes) -> None:
        assert number == len(self.rows) + 1
        self.rows.append((name, entry))

    def entries(self) -> Iterator[bytes]:
        return iter([entry for _, entry in self.rows])


class SqliteStore:
    """Entries in a file; what is committed is on disk."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=60)
        self.connection.executescript(
            "pragma journal_mode = wal; pragma synchronous = full;"
            "create table if not exists ledger"
            " (number integer primary key, name text not null, entry blob not null);"
            "create index if not exists by_name on ledger (name, number);"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")

    def last(self) -> bytes | None:
        return self._one("select entry from ledger order by number desc limit 1")

    def last_of(self, name: str) -> bytes | None:
        return self._one(
            "select entry from ledger where name = ? order by number desc limit 1", name
        )

    def append(self, number: int, name: str, entry: bytes) -> None:
        self.connection.execute("insert into ledger values (?, ?, ?)", (number, name, entry))

    def entries(self) -> Iterator[bytes]:
        rows = self.connection.execute("select entry from ledger order by number")
        return (bytes(entry) for (entry,) in rows)

    def close(self) -> None:
        self.connection.close()

    def _one(self, query: str, *given: str) -> bytes | None:
        row = self.connection.execute(query, given).fetchone()
        return None if row is None else bytes(row[0])
