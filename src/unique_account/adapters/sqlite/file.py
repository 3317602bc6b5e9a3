"""A SQLite file that a store keeps its rows in.

The file is in write-ahead mode, so that readers of other processes never wait for a write, and every
write is on the disk before it returns. Statements run on one thread of the store's own, one after the
other, and the event loop is never blocked.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from unique_account.adapters.sqlite.schema import bring_up
from unique_account.core.errors import UniqueAccountError, Unreachable
from unique_account.files.private import keep_private, make_private

T = TypeVar("T")

_PATIENCE: Final = 10.0
"""How long to wait for other processes that hold the file, in seconds."""


class UnusableFile(UniqueAccountError):
    """A file cannot be opened as a store, or no longer be used as one.

    Attributes:
        path: The file.
        reason: Why, in SQLite's words where it is SQLite that says so.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} cannot be used as a store: {self.reason}"


class FileHeld(UnusableFile, Unreachable):
    """Another process has held a file for longer than is waited for; what was asked may be asked again."""

    def __str__(self) -> str:
        return f"{self.path} is held by another process: {self.reason}"


class SqliteFile:
    """A file with the tables of all stores, made, or brought to the present schema, when it is opened.

    Args:
        path: The file. Its folder must exist.

    Raises:
        NewerSchema: The file is of a newer release.
        UnusableFile: The file cannot be opened, or is not a SQLite file; and later on, by whatever is asked,
            that it cannot be read or written, as on a full disk. What was under way is not done then.
        FileHeld: Another process has held it for 10 s, when it is opened or asked.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "sqlite")
        try:
            self._connection = self._thread.submit(_open, path).result()
        except BaseException:
            self._thread.shutdown()
            raise

    async def aclose(self) -> None:
        """Close the file, after what was asked for before."""
        try:
            await self._run(lambda connection: connection.close())
        finally:
            self._thread.shutdown()

    async def _run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        with self._named():
            return await loop.run_in_executor(self._thread, query, self._connection)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Make an error of SQLite one that names the file."""
        try:
            yield
        except _BROKEN as error:
            raise _unusable(self._path, error) from error


_BROKEN: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite raises of a damaged file; of a schema of half characters it is the second."""


@contextmanager
def reading_rows() -> Iterator[None]:
    """Make a row that is not what it should be an error as SQLite raises it of a damaged file."""
    try:
        yield
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"a row is damaged: {error}") from error


def _unusable(path: Path | str, error: Exception) -> UnusableFile:
    """An error of SQLite as ours; of its extended codes the last byte is the kind."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    held = code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return (FileHeld if held else UnusableFile)(path, str(error))


def _open(path: Path | str) -> sqlite3.Connection:
    make_private(path)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE)
    except sqlite3.Error as error:
        folder = Path(path).parent
        raise UnusableFile(path, str(error) if folder.is_dir() else f"there is no {folder}") from error
    try:
        bring_up(path, connection)  # first, since it leaves a newer release's file as it is
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        keep_private(path)  # now that it is known to be ours
    except BaseException as error:
        connection.close()
        if isinstance(error, (sqlite3.Error, UnicodeDecodeError)):
            raise _unusable(path, error) from error
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead mode, for which SQLite itself does not wait while others hold the file."""
    patience = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(0.02)
        else:
            return
