"""The account store on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from psycopg.errors import UniqueViolation

from unique_account.adapters.postgresql.database import Connection
from unique_account.adapters.postgresql.fences import OPEN, SqlFence
from unique_account.adapters.postgresql.store import PostgresqlStore
from unique_account.core.account import NOTHING_KEPT, Kept
from unique_account.core.errors import Ineligible, UniqueAccountError
from unique_account.core.user import User
from unique_account.json_documents import from_json, to_json
from unique_account.ports.accounts import StaleVersion
from unique_account.ports.group_leases import Fence

_BATCH: Final = 500
_ALL_WITHIN: Final = 60.0
"""How long a write of all accounts may take, in seconds."""

_INSERT: Final = """
    INSERT INTO unique_account.accounts (user_id, version, administered, kept)
    SELECT * FROM unnest(
        %(users)s::text[], %(versions)s::bigint[], %(administered)s::text[], %(kept)s::text[]
    )
    WHERE {open} RETURNING user_id
"""
_UPDATE: Final = """
    UPDATE unique_account.accounts SET version = %(version)s, administered = %(administered)s, kept = %(kept)s
    WHERE user_id = %(user)s AND version = %(expected)s AND {own} AND {open} RETURNING user_id
"""
_DELETE: Final = """
    DELETE FROM unique_account.accounts
    WHERE user_id = %(user)s AND version = %(expected)s AND {own} AND {open} RETURNING user_id
"""
# The documents are compact, and no quotation mark within a text of theirs is without a backslash before it.
_LAST_SEEN: Final = r"""
    UPDATE unique_account.accounts SET
        version = version + 1,
        kept = regexp_replace(
            regexp_replace(kept, '"version":\d+', '"version":' || version + 1),
            '"last_seen":(null|"[^"]*")', '"last_seen":"' || %(instant)s || '"', 'g'
        )
    WHERE strpos(kept, '"last_seen":') > 0 AND {own} AND {open} RETURNING user_id
"""
_LOAD: Final = "SELECT administered, kept FROM unique_account.accounts WHERE user_id = %(user)s AND {own}"
_NEXT: Final = """
    SELECT administered, kept, user_id FROM unique_account.accounts
    WHERE user_id > %(last)s AND {own} ORDER BY user_id LIMIT %(most)s
"""
_FOUND: Final = """
    SELECT user_id, version FROM unique_account.accounts WHERE user_id = ANY(%s) ORDER BY user_id LIMIT 1
"""
_CLAIMS: Final = "claims_pkey"
_ANY: Final = "true"
_OWN: Final = "media_server = ANY(%(own)s)"


class PostgresqlAccounts(PostgresqlStore):
    """Accounts in a PostgreSQL database.

    Each write is one statement, a transaction of its own.

    Args:
        url: See `Database`.
        fence: What this process owns; with it no write is carried out once another process owns it. A write
            then raises `Fenced`.
        media_servers: Those whose users' accounts these are; accounts of others are not there for this store.
            A user who is saved with another one's media server leaves with that save. None: all.

    Raises:
        NewerSchema: The database is of a newer release.
        UnusableDatabase: It cannot be used, or is not reachable.
    """

    def __init__(
        self, url: str, fence: Fence | None = None, media_servers: Collection[str] | None = None
    ) -> None:
        super().__init__(url)
        self._fence = SqlFence(fence)
        self._own = _ANY if media_servers is None else _OWN
        self._values = {} if media_servers is None else {"own": sorted(media_servers)}

    async def load(self, user: str) -> tuple[User, Kept] | None:
        """The stored part of one account; None where there is none."""
        async with self._database.short_transaction() as connection:
            row = await (await connection.execute(*self._read(_LOAD, user=user))).fetchone()
        return None if row is None else (from_json(User, row[0]), from_json(Kept, row[1]))

    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        """Every stored account in the order of user ids, read in batches."""
        last = ""
        while rows := await self._rows(last):
            for administered, kept, last in rows:  # noqa: B007 - the last row's user starts the next batch
                yield from_json(User, administered), from_json(Kept, kept)

    async def _rows(self, last: str) -> list[tuple[str, str, str]]:
        async with self._database.transaction() as connection:
            return await (await connection.execute(*self._read(_NEXT, last=last, most=_BATCH))).fetchall()

    def _read(self, query: str, **values: object) -> tuple[bytes, dict[str, Any]]:
        """A query for these media servers' accounts, and its parameters."""
        return query.format(own=self._own).encode(), {**values, **self._values}

    async def add(self, users: Iterable[User]) -> None:
        """Give each of these users a new account: all of them, or none."""
        await self.add_stored((user, NOTHING_KEPT) for user in users)

    async def add_stored(self, accounts: Iterable[tuple[User, Kept]]) -> None:
        """Store accounts as another store has them, versions included: all of them, or none."""
        # In one order, so that two who add the same users wait for each other instead of for ever.
        rows = sorted((user.id, kept.version, to_json(user), to_json(kept)) for user, kept in accounts)
        if not rows:
            return
        columns = [list(column) for column in zip(*rows, strict=True)]
        users, versions = columns[:2]
        for user, following in pairwise(users):
            if user == following:
                raise StaleVersion(user, None, versions[users.index(user)])
        names = ("users", "versions", "administered", "kept")
        patience = _ALL_WITHIN if len(rows) > 1 else None
        async with self._database.statements(patience) as connection:
            try:
                added = await self._write(connection, _INSERT, dict(zip(names, columns, strict=True)))
            except UniqueViolation as error:
                raise await _collision(connection, users, error) from error
            if not added:
                await self._fence.check(connection)

    async def save(self, user: User, kept: Kept, expected: int) -> None:
        """Write an account if the stored version is the expected one."""
        values = {"version": kept.version, "administered": to_json(user), "kept": to_json(kept)}
        await self._change(_UPDATE, user.id, expected, values)

    async def remove(self, user: str, expected: int) -> None:
        """Take an account away if the stored version is the expected one."""
        await self._change(_DELETE, user, expected, {})

    async def all_last_seen(self, instant: datetime) -> None:
        """Have every session last seen at an instant, in one statement."""
        values = {"instant": instant.astimezone(UTC).isoformat()}
        async with self._database.statements(patience=_ALL_WITHIN) as connection:
            if not await self._write(connection, _LAST_SEEN, values):
                await self._fence.check(connection)

    async def _change(self, statement: str, user: str, expected: int, values: Mapping[str, Any]) -> None:
        async with self._database.statements() as connection:
            try:
                given = {**values, "user": user, "expected": expected}
                changed = await self._write(connection, statement, given)
            except UniqueViolation as error:
                raise await _collision(connection, [user], error) from error
            if not changed:
                await self._fence.check(connection)
                raise StaleVersion(user, expected, (await _found(connection, [user]))[1])

    async def _write(self, connection: Connection, statement: str, values: Mapping[str, Any]) -> bool:
        """Whether a statement wrote anything."""
        query = f"WITH {self._fence.table} {statement.format(open=OPEN, own=self._own)}".encode()
        given = {**values, **self._values, **self._fence.values}
        return (await connection.execute(query, given)).rowcount > 0


async def _collision(connection: Connection, users: list[str], error: UniqueViolation) -> UniqueAccountError:
    """What is not unique: a number or a device, or else a user's id."""
    if error.diag.constraint_name == _CLAIMS:
        return Ineligible((error.diag.message_primary or "").splitlines())
    user, version = await _found(connection, users)
    return StaleVersion(user, None, version)


async def _found(connection: Connection, users: list[str]) -> tuple[str, int | None]:
    """The first of these users that has an account, and its version; none of them: the first one."""
    row = await (await connection.execute(_FOUND, (users,))).fetchone()
    return (users[0], None) if row is None else (row[0], row[1])
