"""The account store on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from unique_account.adapters.sqlite.file import SqliteFile, reading_rows
from unique_account.adapters.sqlite.grouped_writes import GroupedWrites
from unique_account.core.account import NOTHING_KEPT, Kept
from unique_account.core.sessions import last_seen
from unique_account.core.user import User
from unique_account.json_documents import from_json, to_json
from unique_account.ports.accounts import StaleVersion

Parameters = dict[str, str | int]
_Found = tuple[str, User, Kept]

_BATCH: Final = 500


class SqliteAccounts(SqliteFile):
    """Accounts in a SQLite file."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        self._writes = GroupedWrites(self._run)

    async def aclose(self) -> None:
        """Close the file, after what was asked for before."""
        await self._writes.aclose()
        await super().aclose()

    async def load(self, user: str) -> tuple[User, Kept] | None:
        """The stored part of one account; None where there is none."""
        query = "SELECT user, administered, kept FROM accounts WHERE user = ?"
        found = await self._run(lambda connection: _read(connection.execute(query, (user,))))
        return found[0][1:] if found else None

    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        """Every stored account in the order of user ids, read in batches."""
        last = ""
        while found := await self._batch(last):
            for last, user, kept in found:  # noqa: B007 - the last row's user starts the next batch
                yield user, kept

    async def _batch(self, last: str) -> list[_Found]:
        query = "SELECT user, administered, kept FROM accounts WHERE user > ? ORDER BY user LIMIT ?"
        return await self._run(lambda connection: _read(connection.execute(query, (last, _BATCH))))

    async def add(self, users: Iterable[User]) -> None:
        """Give each of these users a new account: all of them, or none."""
        await self.add_stored((user, NOTHING_KEPT) for user in users)

    async def add_stored(self, accounts: Iterable[tuple[User, Kept]]) -> None:
        """Store accounts as another store has them, versions included: all of them, or none."""
        rows = [(user.id, kept.version, to_json(user), to_json(kept)) for user, kept in accounts]
        with self._named():
            await self._writes.do(partial(_insert, rows))

    async def save(self, user: User, kept: Kept, expected: int) -> None:
        """Write an account if the stored version is the expected one."""
        parameters: Parameters = {
            "user": user.id,
            "version": kept.version,
            "administered": to_json(user),
            "kept": to_json(kept),
            "expected": expected,
        }
        await self._change(_UPDATE, parameters)

    async def remove(self, user: str, expected: int) -> None:
        """Take an account away if the stored version is the expected one."""
        parameters: Parameters = {"user": user, "expected": expected}
        await self._change(_DELETE, parameters)

    async def all_last_seen(self, instant: datetime) -> None:
        """Have every session last seen at an instant."""
        with self._named():
            await self._writes.do(partial(_all_last_seen, instant))

    async def _change(self, statement: str, parameters: Parameters) -> None:
        with self._named():
            await self._writes.do(partial(_write, statement, parameters))


_INSERT: Final = "INSERT INTO accounts (user, version, administered, kept) VALUES (?, ?, ?, ?)"
_UPDATE: Final = """
    UPDATE accounts SET version = :version, administered = :administered, kept = :kept
    WHERE user = :user AND version = :expected
"""
_DELETE: Final = "DELETE FROM accounts WHERE user = :user AND version = :expected"


_WITH_SESSIONS: Final = """
    SELECT user, administered, kept FROM accounts WHERE instr(kept, '"last_seen":') > 0
"""
_SEEN: Final = "UPDATE accounts SET version = ?, kept = ? WHERE user = ?"


def _all_last_seen(instant: datetime, connection: sqlite3.Connection) -> None:
    """Write every account that has sessions."""
    for user, _, kept in _read(connection.execute(_WITH_SESSIONS).fetchall()):
        seen = last_seen(kept, instant)
        connection.execute(_SEEN, (seen.version, to_json(seen), user))


def _insert(rows: list[tuple[str, int, str, str]], connection: sqlite3.Connection) -> None:
    """Insert rows; of one that is there already, say so before any is inserted."""
    new: set[str] = set()
    for user, version, *_ in rows:
        found = version if user in new else _version(connection, user)
        if found is not None:
            raise StaleVersion(user, None, found)
        new.add(user)
    connection.executemany(_INSERT, rows)


def _write(statement: str, parameters: Parameters, connection: sqlite3.Connection) -> None:
    """Change one row; that it found no row says that the version is another."""
    if connection.execute(statement, parameters).rowcount == 0:
        user, expected = str(parameters["user"]), parameters["expected"]
        raise StaleVersion(user, int(expected), _version(connection, user))


def _version(connection: sqlite3.Connection, user: str) -> int | None:
    row = connection.execute("SELECT version FROM accounts WHERE user = ?", (user,)).fetchone()
    with reading_rows():
        return int(row[0]) if row else None


def _read(rows: Iterable[tuple[object, ...]]) -> list[_Found]:
    """Accounts as rows keep them, each with the user's id before it."""
    with reading_rows():
        return [_account(*row) for row in rows]


def _account(*row: object) -> _Found:
    user, administered, kept = row
    if not (isinstance(user, str) and isinstance(administered, str) and isinstance(kept, str)):
        raise TypeError("an account is not three texts")
    return user, from_json(User, administered), from_json(Kept, kept)
