"""The SQLite file: opened for its owner alone, read once, and written by a thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any, Final

from unique_account.files.private import keep_private, make_private
from unique_account.ports.assistant_store import StoreFailed
from unique_account.ports.observer import Observer, PortRequest

BROKEN: Final = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises for a file that cannot be used; for a schema that is not UTF-8, the second."""

Statement = tuple[str, tuple[str | float, ...]]

_WRITE: Final = PortRequest("cti", "store")
_SCHEMA: Final = """
DROP TABLE IF EXISTS revoked;
CREATE TABLE IF NOT EXISTS sessions (
    user TEXT NOT NULL, session TEXT NOT NULL, until REAL NOT NULL,
    PRIMARY KEY (user, session)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS preferences (
    user TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, value_type TEXT NOT NULL,
    PRIMARY KEY (user, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS favorites (
    place INTEGER PRIMARY KEY, user TEXT NOT NULL, number TEXT NOT NULL, UNIQUE (user, number)
);
"""


class SqliteFile:
    """The open file.

    Args:
        path: The file, created if missing; None: a database in memory.
        observer: Notified when the file cannot be written, and when it can be again.
        now: The present as a POSIX timestamp: sessions that ended before are deleted.
    """

    def __init__(self, path: Path | None, observer: Observer, now: float) -> None:
        self._observer = observer
        self._connection = _opened(path, now)
        self._thread = ThreadPoolExecutor(1, "cti-store")
        self._failing = False

    def rows(self, query: str, *types: type) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, whose columns have these types.

        Raises:
            sqlite3.DatabaseError: A value has another type, or is infinite.
        """
        for row in self._connection.execute(query):
            if not all(map(isinstance, row, types)) or inf in row:
                raise sqlite3.DatabaseError("a row is damaged")
            yield row

    async def write(self, statements: list[Statement]) -> None:
        """Execute statements in one transaction.

        Raises:
            StoreFailed: The file could not be written; nothing changed in it.
        """
        if not statements:
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, _execute, self._connection, statements)
        except BROKEN as error:
            self._say(error)
            raise StoreFailed(f"nothing can be stored at the moment: {error}") from error
        self._say(None)

    def _say(self, error: Exception | None) -> None:
        """Report that the file cannot be written, or can be again, once each."""
        if error is not None and not self._failing:
            self._observer.failed(_WRITE, error)
        if error is None and self._failing:
            self._observer.recovered(_WRITE)
        self._failing = error is not None

    def close(self) -> None:
        """Close the file after the write under way."""
        self._thread.shutdown()
        self._connection.close()


def _opened(path: Path | None, now: float) -> sqlite3.Connection:
    make_private(path or ":memory:")
    connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
    try:
        connection.executescript(_SCHEMA)
        connection.execute("DELETE FROM sessions WHERE until < ?", (now,))
        keep_private(path or ":memory:")
    except BaseException:
        connection.close()
        raise
    return connection


def _execute(connection: sqlite3.Connection, statements: Iterable[Statement]) -> None:
    with _transaction(connection):
        for sql, row in statements:
            connection.execute(sql, row)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
