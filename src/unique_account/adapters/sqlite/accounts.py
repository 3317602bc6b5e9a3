"""The account store on SQLite.

The file is in write-ahead mode, so that readers of other processes never wait for a write, and every
write is on the disk before it returns. Statements run on one thread of the store's own, one after the
other, and the event loop is never blocked.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from unique_account.adapters.sqlite.schema import NewerSchema, migrate, transaction
from unique_account.core.account import NOTHING_KEPT, Kept
from unique_account.core.errors import UniqueAccountError
from unique_account.core.user import User
from unique_account.documents import from_json, to_json
from unique_account.ports.accounts import StaleVersion

__all__ = ["NewerSchema", "SqliteAccounts", "UnusableFile"]

T = TypeVar("T")
Parameters = dict[str, str | int]

_BATCH: Final = 500
_PATIENCE: Final = 10.0
"""How long to wait for other processes that hold the file, in seconds."""


class UnusableFile(UniqueAccountError):
    """A file cannot be opened as a store of accounts.

    Attributes:
        path: The file.
        reason: Why, in SQLite's words where it is SQLite that says so.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} cannot be used as a store of accounts: {self.reason}"


class SqliteAccounts:
    """Accounts in a SQLite file, which is made, or brought to the present schema, when it is opened.

    Args:
        path: The file. Its folder must exist.

    Raises:
        NewerSchema: The file is of a newer release.
        UnusableFile: The file cannot be opened, or is not a SQLite file.
    """

    def __init__(self, path: Path | str) -> None:
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

    async def load(self, user: str) -> tuple[User, Kept] | None:
        """The stored part of one account; None where there is none."""
        query = "SELECT administered, kept FROM accounts WHERE user = ?"
        row = await self._run(lambda connection: connection.execute(query, (user,)).fetchone())
        return None if row is None else _read(row)

    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        """Every stored account in the order of user ids, read in batches."""
        query = "SELECT administered, kept, user FROM accounts WHERE user > ? ORDER BY user LIMIT ?"
        last = ""
        while rows := await self._rows(query, last):
            for administered, kept, last in rows:  # noqa: B007 - the last row's user starts the next batch
                yield _read((administered, kept))

    async def _rows(self, query: str, last: str) -> list[tuple[str, str, str]]:
        return await self._run(lambda connection: connection.execute(query, (last, _BATCH)).fetchall())

    async def add(self, users: Iterable[User]) -> None:
        """Give each of these users a new account: all of them, or none."""
        kept, version = to_json(NOTHING_KEPT), NOTHING_KEPT.version
        rows = [(user.id, version, to_json(user), kept) for user in users]
        await self._run(lambda connection: _insert(connection, rows))

    async def save(self, user: User, kept: Kept, expected: int) -> None:
        """Write an account if the stored version is the expected one."""
        parameters: Parameters = {
            "user": user.id,
            "version": kept.version,
            "administered": to_json(user),
            "kept": to_json(kept),
            "expected": expected,
        }
        await self._run(lambda connection: _write(connection, _UPDATE, parameters))

    async def remove(self, user: str, expected: int) -> None:
        """Take an account away if the stored version is the expected one."""
        parameters: Parameters = {"user": user, "expected": expected}
        await self._run(lambda connection: _write(connection, _DELETE, parameters))

    async def _run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, query, self._connection)


_INSERT: Final = "INSERT INTO accounts (user, version, administered, kept) VALUES (?, ?, ?, ?)"
_UPDATE: Final = """
    UPDATE accounts SET version = :version, administered = :administered, kept = :kept
    WHERE user = :user AND version = :expected
"""
_DELETE: Final = "DELETE FROM accounts WHERE user = :user AND version = :expected"


def _open(path: Path | str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE)
    except sqlite3.Error as error:
        folder = Path(path).parent
        raise UnusableFile(path, str(error) if folder.is_dir() else f"there is no {folder}") from error
    try:
        migrate(connection)  # first, since it leaves a newer release's file as it is
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise UnusableFile(path, str(error)) from error
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


def _insert(connection: sqlite3.Connection, rows: list[tuple[str, int, str, str]]) -> None:
    """Insert rows in one transaction; a row that is there already says whose account it is."""
    with transaction(connection):
        for row in rows:
            try:
                connection.execute(_INSERT, row)
            except sqlite3.IntegrityError:
                raise StaleVersion(row[0], None, _version(connection, row[0])) from None


def _write(connection: sqlite3.Connection, statement: str, parameters: Parameters) -> None:
    """One statement, which is one transaction; that it found no row says that the version is another."""
    if connection.execute(statement, parameters).rowcount == 0:
        user, expected = str(parameters["user"]), parameters["expected"]
        raise StaleVersion(user, int(expected), _version(connection, user))


def _version(connection: sqlite3.Connection, user: str) -> int | None:
    row = connection.execute("SELECT version FROM accounts WHERE user = ?", (user,)).fetchone()
    return row[0] if row else None


def _read(row: tuple[str, str]) -> tuple[User, Kept]:
    return from_json(User, row[0]), from_json(Kept, row[1])
