"""Group leases in a PostgreSQL database: a row for each group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from psycopg.rows import TupleRow

from unique_account.adapters.postgresql.database import Connection, Database, in_time
from unique_account.adapters.postgresql.fences import check_owned
from unique_account.adapters.postgresql.schema import bring_up
from unique_account.ports.group_leases import Fence, GroupLease

PATIENCE: Final = 2.0
"""How long the server may take for an answer, in seconds; an owner asks again in time."""

_READ: Final = """
    SELECT group_name, owner, address, epoch, counter FROM unique_account.group_leases WHERE group_name = %s
"""
_FIRST: Final = """
    INSERT INTO unique_account.group_leases (group_name, owner, address, epoch, counter)
    VALUES (%(group)s, %(owner)s, %(address)s, %(above)s + 1, 0) ON CONFLICT DO NOTHING RETURNING epoch
"""
_TAKE: Final = """
    UPDATE unique_account.group_leases
    SET owner = %(owner)s, address = %(address)s,
        epoch = greatest(epoch, %(above)s) + 1, counter = counter + 1
    WHERE group_name = %(group)s AND owner = %(seen_owner)s AND epoch = %(epoch)s AND counter = %(counter)s
    RETURNING epoch
"""
_RENEW: Final = """
    UPDATE unique_account.group_leases SET counter = counter + 1
    WHERE group_name = %s AND epoch = %s AND owner <> '' RETURNING epoch
"""
_RELEASE: Final = """
    WITH held AS (
        SELECT group_name FROM unique_account.group_leases WHERE group_name = %s AND epoch = %s FOR UPDATE
    )
    UPDATE unique_account.group_leases AS lease SET owner = '', address = '' FROM held
    WHERE lease.group_name = held.group_name RETURNING epoch
"""


class PostgresqlGroupLeases:
    """Group leases in a PostgreSQL database, on a connection of their own.

    Args:
        url: See `Database`.
        patience: How long the server may take for an answer, in seconds.

    Raises:
        NewerSchema: The database is of a newer release.
        UnusableDatabase: It cannot be used, or is not reachable.
    """

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self._database = Database(url)
        self._patience = patience
        self._connection: Connection | None = None
        bring_up(self._database)

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def read(self, group: str) -> GroupLease | None:
        """The lease of a group; None where nobody ever owned it."""
        row = await self._row(_READ, (group,))
        if row is None:
            return None
        name, owner, address, epoch, counter = row
        return GroupLease(group=name, owner=owner, address=address, epoch=epoch, counter=counter)

    async def take(
        self, group: str, owner: str, address: str, seen: GroupLease | None, above: int = 0
    ) -> Fence | None:
        """Own a group, if its lease is still the one that was seen; None if another process was faster."""
        values: dict[str, Any] = {"group": group, "owner": owner, "address": address, "above": above}
        if seen is not None:
            values |= {"seen_owner": seen.owner, "epoch": seen.epoch, "counter": seen.counter}
        row = await self._row(_FIRST if seen is None else _TAKE, values)
        return None if row is None else Fence(group, row[0])

    async def renew(self, fence: Fence) -> None:
        """Raise the counter."""
        if await self._row(_RENEW, (fence.group, fence.epoch)) is None:
            async with self._connected() as connection:
                await check_owned(connection, fence)

    async def release(self, fence: Fence) -> None:
        """Give a group up; nothing if another process owns it."""
        await self._row(_RELEASE, (fence.group, fence.epoch))

    async def _row(self, query: str, values: Any) -> TupleRow | None:
        async with self._connected() as connection:
            row: TupleRow | None = await (await connection.execute(query.encode(), values)).fetchone()
            return row

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        """The connection, made again after each failure."""
        with self._database.failures():
            if self._connection is None:
                self._connection = await self._connect()
            try:
                with in_time(self._connection, self._patience):
                    yield self._connection
            except BaseException:
                await self.aclose()
                raise

    async def _connect(self) -> Connection:
        connection = await self._database.connect(self._patience)
        # A session that is idle within a transaction may hold the row; the next attempt finds it ended.
        await connection.execute(f"SET lock_timeout = {int(self._patience * 500)}")
        return connection
