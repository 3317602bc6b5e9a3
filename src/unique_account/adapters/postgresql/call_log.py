"""The call log on PostgreSQL.

The primary key is the order in which a history is read, so a page is one stretch of its index. Writers take
turns, batch by batch: what a writer finds of a call cannot change before it has combined its own record with
that, and no two of them ever wait for each other in a ring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from unique_account.adapters.postgresql.database import Connection
from unique_account.adapters.postgresql.fences import SqlFence
from unique_account.adapters.postgresql.store import PostgresqlStore
from unique_account.core.cursors import Key
from unique_account.core.history import CallRecord, combine
from unique_account.ports.call_log import Position
from unique_account.ports.group_leases import Fence
from unique_account.sql.call_rows import CallRows, Row

_TYPES: Final = {
    "user_id": "text",
    "date": "timestamptz",
    "linkedid": "text",
    "status": "text",
    "direction": "text",
    "device": "text",
    "peer_exten": "text",
    "peer_name": "text",
    "date_answer": "timestamptz",
    "date_end": "timestamptz",
    "rang": "interval",
    "requested_exten": "text",
    "transferred_to": "text",
    "settled": "boolean",
    "waited": "interval",
    "searched": "text",
}
_ROWS: Final = CallRows(table="unique_account.call_log", columns=tuple(_TYPES), mark="%s", place="strpos")
_KEY: Final = "user_id, date, linkedid"
_ARRAYS: Final = ", ".join(f"%s::{type_}[]" for type_ in _TYPES.values())
_TURN: Final = "SELECT pg_advisory_xact_lock(hashtext('unique_account.call_log'))"
_FIND: Final = f"""
    SELECT {_ROWS.selected} FROM unique_account.call_log
    JOIN unnest(%s::text[], %s::timestamptz[], %s::text[]) AS sought ({_KEY}) USING ({_KEY})
"""
_WRITE: Final = f"""
    INSERT INTO unique_account.call_log ({", ".join(_TYPES)}) SELECT * FROM unnest({_ARRAYS})
    ON CONFLICT ({_KEY}) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in _TYPES)}
"""
_READ: Final = """
    INSERT INTO unique_account.positions AS known (source, last_row, beyond) VALUES (%s, %s, %s)
    ON CONFLICT (source) DO UPDATE SET last_row = excluded.last_row, beyond = excluded.beyond
    WHERE excluded.last_row >= known.last_row
"""
_POSITION: Final = "SELECT last_row, beyond FROM unique_account.positions WHERE source = %s"
_FORGET: Final = "DELETE FROM unique_account.call_log WHERE date < %s"


class PostgresqlCallLog(PostgresqlStore):
    """Call records in a PostgreSQL database.

    Args:
        url: See `Database`.
        fence: What this process owns; with it no position of a source is kept once another process owns it,
            and `Fenced` is raised. Records alone need no fence: their order makes no difference (H6).

    Raises:
        NewerSchema: The database is of a newer release.
        UnusableDatabase: It cannot be used, or is not reachable.
    """

    def __init__(self, url: str, fence: Fence | None = None) -> None:
        super().__init__(url)
        self._fence = SqlFence(fence)

    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        """Take records in, all or none of them; one for a known user and call is combined with it."""
        batch = _combined(records)
        # A call that is just over is waited for by those who see it end; who reads a source has time.
        transaction = self._database.short_transaction if read is None else self._database.transaction
        async with transaction() as connection:
            await connection.execute(_TURN)
            if read is not None:
                await self._fence.lock(connection)
            if changes := await _changes(connection, batch):
                await connection.execute(_WRITE, _arrays(map(_ROWS.row, changes)))
            if read is not None:
                await connection.execute(_READ, (read.source, read.row, list(read.beyond)))

    async def position(self, source: str) -> Position | None:
        """How far a source has been read; None if nothing was ever read of it."""
        async with self._database.transaction() as connection:
            row = await (await connection.execute(_POSITION, (source,))).fetchone()
        return None if row is None else Position(source, row[0], tuple(row[1]))

    async def before(
        self,
        user: str,
        key: Key | None,
        limit: int,
        since: datetime | None = None,
        matching: str = "",
    ) -> Sequence[CallRecord]:
        """A user's records that sort after ``key`` in a list newest first, at most ``limit``."""
        query, values = _ROWS.page(user, key, limit, since, matching)
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(query.encode(), values)).fetchall()
        return [_ROWS.record(row) for row in rows]

    async def forget_before(self, instant: datetime) -> int:
        """Take away all records of calls that started before an instant; returns how many."""
        async with self._database.transaction() as connection:
            await connection.execute(_TURN)
            return (await connection.execute(_FORGET, (instant,))).rowcount


def _combined(records: Iterable[CallRecord]) -> dict[tuple[str, Key], CallRecord]:
    """Records merged among themselves: one for each user and call."""
    batch: dict[tuple[str, Key], CallRecord] = {}
    for record in records:
        place = (record.user, record.key)
        batch[place] = combine(batch[place], record) if place in batch else record
    return batch


async def _changes(connection: Connection, batch: dict[tuple[str, Key], CallRecord]) -> list[CallRecord]:
    """Those of a batch that are new, or change what is there."""
    sought = _arrays((user, start, id_) for user, (start, id_) in batch)
    known = map(_ROWS.record, await (await connection.execute(_FIND, sought or ([], [], []))).fetchall())
    for record in known:
        place = (record.user, record.key)
        if combine(record, batch[place]) == record:
            del batch[place]
    return list(batch.values())


def _arrays(rows: Iterable[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
