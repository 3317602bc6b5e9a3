"""The account store on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final

from unique_account.adapters.postgresql.database import Connection
from unique_account.adapters.postgresql.store import PostgresqlStore
from unique_account.core.account import NOTHING_KEPT, Kept
from unique_account.core.user import User
from unique_account.json_documents import from_json, to_json
from unique_account.ports.accounts import StaleVersion

_BATCH: Final = 500
_INSERT: Final = """
    INSERT INTO unique_account.accounts (user_id, version, administered, kept)
    VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_UPDATE: Final = """
    UPDATE unique_account.accounts SET version = %s, administered = %s, kept = %s
    WHERE user_id = %s AND version = %s
"""
_DELETE: Final = "DELETE FROM unique_account.accounts WHERE user_id = %s AND version = %s"
_LOAD: Final = "SELECT administered, kept FROM unique_account.accounts WHERE user_id = %s"
_NEXT: Final = """
    SELECT administered, kept, user_id FROM unique_account.accounts
    WHERE user_id > %s ORDER BY user_id LIMIT %s
"""
_VERSION: Final = "SELECT version FROM unique_account.accounts WHERE user_id = %s"


class PostgresqlAccounts(PostgresqlStore):
    """Accounts in a PostgreSQL database."""

    async def load(self, user: str) -> tuple[User, Kept] | None:
        """The stored part of one account; None where there is none."""
        async with self._database.short_transaction() as connection:
            row = await (await connection.execute(_LOAD, (user,))).fetchone()
        return None if row is None else (from_json(User, row[0]), from_json(Kept, row[1]))

    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        """Every stored account in the order of user ids, read in batches."""
        last = ""
        while rows := await self._rows(last):
            for administered, kept, last in rows:  # noqa: B007 - the last row's user starts the next batch
                yield from_json(User, administered), from_json(Kept, kept)

    async def _rows(self, last: str) -> list[tuple[str, str, str]]:
        async with self._database.transaction() as connection:
            return await (await connection.execute(_NEXT, (last, _BATCH))).fetchall()

    async def add(self, users: Iterable[User]) -> None:
        """Give each of these users a new account: all of them, or none."""
        kept, version = to_json(NOTHING_KEPT), NOTHING_KEPT.version
        # In one order, so that two who add the same users wait for each other instead of for ever.
        rows = sorted((user.id, version, to_json(user), kept) for user in users)
        async with self._database.short_transaction() as connection:
            for row in rows:
                if (await connection.execute(_INSERT, row)).rowcount == 0:
                    raise StaleVersion(row[0], None, await _version(connection, row[0]))

    async def save(self, user: User, kept: Kept, expected: int) -> None:
        """Write an account if the stored version is the expected one."""
        values = (kept.version, to_json(user), to_json(kept), user.id, expected)
        async with self._database.short_transaction() as connection:
            if (await connection.execute(_UPDATE, values)).rowcount == 0:
                raise StaleVersion(user.id, expected, await _version(connection, user.id))

    async def remove(self, user: str, expected: int) -> None:
        """Take an account away if the stored version is the expected one."""
        async with self._database.transaction() as connection:
            if (await connection.execute(_DELETE, (user, expected))).rowcount == 0:
                raise StaleVersion(user, expected, await _version(connection, user))


async def _version(connection: Connection, user: str) -> int | None:
    row = await (await connection.execute(_VERSION, (user,))).fetchone()
    return None if row is None else int(row[0])
