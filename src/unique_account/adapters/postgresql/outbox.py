"""The outbox in a PostgreSQL database, which a trigger fills in the transaction of each save."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import uuid4

from unique_account.adapters.postgresql.database import Connection
from unique_account.adapters.postgresql.store import PostgresqlStore
from unique_account.core.account import Kept
from unique_account.json_documents import from_json
from unique_account.ports.outbox import Unannounced

WANTED_FOR: Final = "7 days"
"""For how long after its last reader the outbox is filled."""

EXTENDED_EVERY: Final = 3600.0
"""Every how many seconds a reader says that it is there."""

CLAIMED_FOR: Final = "10 seconds"
"""For how long other readers leave a row alone; the database's clock counts."""

_LAPSED: Final = "SELECT 1 FROM unique_account.outbox_wanted WHERE until <= now() FOR UPDATE"
_WANT: Final = "UPDATE unique_account.outbox_wanted SET until = now() + %s::interval"
_EVERYBODY: Final = """
    INSERT INTO unique_account.outbox (user_id, version) SELECT user_id, version FROM unique_account.accounts
    ON CONFLICT DO NOTHING
"""
# A claim of the far future is one of before the database's clock was set back.
_CLAIM: Final = """
    WITH claimed AS (
        UPDATE unique_account.outbox
        SET claimed_by = %(reader)s, claimed_until = now() + %(claimed)s::interval
        WHERE user_id IN (
            SELECT user_id FROM unique_account.outbox
            WHERE claimed_by = %(reader)s OR claimed_until <= now()
                OR claimed_until > now() + 2 * %(claimed)s::interval
            ORDER BY user_id LIMIT %(most)s FOR UPDATE SKIP LOCKED
        ) RETURNING user_id
    )
    SELECT user_id, kept FROM claimed JOIN unique_account.accounts USING (user_id) ORDER BY user_id
"""
_DONE: Final = "DELETE FROM unique_account.outbox WHERE user_id = %s AND version <= %s"


class PostgresqlOutbox(PostgresqlStore):
    """Reads the outbox; several readers share the work.

    Args:
        url: The address of the database, as for the other stores.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._reader = uuid4().hex
        self._extended = -EXTENDED_EVERY

    async def waiting(self, most: int) -> Sequence[Unannounced]:
        """Some users whose choices wait, which other readers leave alone for a while."""
        values = {"reader": self._reader, "claimed": CLAIMED_FOR, "most": most}
        async with self._database.short_transaction() as connection:
            if (now := time.monotonic()) >= self._extended + EXTENDED_EVERY:
                await _want(connection)
                self._extended = now
            rows = await (await connection.execute(_CLAIM, values)).fetchall()
        return [Unannounced(user, from_json(Kept, kept)) for user, kept in rows]

    async def announced(self, done: Iterable[Unannounced]) -> None:
        """Delete rows whose version was announced."""
        # In one order, so that nobody waits for somebody who waits for them.
        rows = sorted((one.user, one.kept.version) for one in done)
        async with self._database.short_transaction() as connection, connection.cursor() as cursor:
            await cursor.executemany(_DONE, rows)


async def _want(connection: Connection) -> None:
    """Have the outbox filled; with everybody, if it was not."""
    lapsed = await (await connection.execute(_LAPSED)).fetchone()
    await connection.execute(_WANT, (WANTED_FOR,))
    if lapsed is not None:
        await connection.execute(_EVERYBODY)
