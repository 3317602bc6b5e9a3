"""The call log on PostgreSQL.

The primary key is the order in which a history is read, so a page is one stretch of its index. Writers take
turns, batch by batch: what a writer finds of a call cannot change before it has combined its own record with
that, and no two of them ever wait for each other in a ring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from unique_account.adapters.postgresql.database import Connection, Database
from unique_account.adapters.postgresql.schema import migrate
from unique_account.core.account import Direction
from unique_account.core.cursors import Key
from unique_account.core.history import CallRecord, HistoryStatus, combine
from unique_account.core.machine import Device
from unique_account.core.search import folded, searched
from unique_account.ports.call_log import Position

Row = tuple[Any, ...]

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
}
_COLUMNS: Final = ", ".join(_TYPES)
_KEY: Final = "user_id, date, linkedid"
_ARRAYS: Final = ", ".join(f"%s::{type_}[]" for type_ in (*_TYPES.values(), "text"))
_TURN: Final = "SELECT pg_advisory_xact_lock(hashtext('unique_account.call_log'))"
_FIND: Final = f"""
    SELECT {_COLUMNS} FROM unique_account.call_log
    JOIN unnest(%s::text[], %s::timestamptz[], %s::text[]) AS sought ({_KEY}) USING ({_KEY})
"""
_WRITE: Final = f"""
    INSERT INTO unique_account.call_log ({_COLUMNS}, searched) SELECT * FROM unnest({_ARRAYS})
    ON CONFLICT ({_KEY}) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in (*_TYPES, "searched"))}
"""
_READ: Final = """
    INSERT INTO unique_account.positions AS known (source, last_row, beyond) VALUES (%s, %s, %s)
    ON CONFLICT (source) DO UPDATE SET last_row = excluded.last_row, beyond = excluded.beyond
    WHERE excluded.last_row >= known.last_row
"""
_POSITION: Final = "SELECT last_row, beyond FROM unique_account.positions WHERE source = %s"
_FORGET: Final = "DELETE FROM unique_account.call_log WHERE date < %s"


class PostgresqlCallLog:
    """Call records in a PostgreSQL database, whose tables are made, or brought to the present schema, first.

    Args:
        url: See `Database`.

    Raises:
        NewerSchema: The database is of a newer release.
        UnusableDatabase: It cannot be used, or is not reachable.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        migrate(self._database)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._database.aclose()

    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        """Take records in, all or none of them; one for a known user and call is combined with it."""
        batch = _combined(records)
        # A call that is just over is waited for by those who see it end; who reads a source has time.
        transaction = self._database.short_transaction if read is None else self._database.transaction
        async with transaction() as connection:
            await connection.execute(_TURN)
            if changes := await _changes(connection, batch):
                await connection.execute(_WRITE, _arrays(map(_row, changes)))
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
        conditions: list[str] = ["user_id = %s"]
        values: list[object] = [user]
        if key is not None:
            conditions.append("(date, linkedid) < (%s, %s)")
            values += key
        if since is not None:
            conditions.append("date >= %s")
            values.append(since)
        if matching:
            conditions.append("strpos(searched, %s) > 0")
            values.append(folded(matching))
        query = f"""
            SELECT {_COLUMNS} FROM unique_account.call_log WHERE {" AND ".join(conditions)}
            ORDER BY date DESC, linkedid DESC LIMIT %s
        """
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(query.encode(), (*values, limit))).fetchall()
        return [_record(row) for row in rows]

    async def forget_before(self, instant: datetime) -> int:
        """Take away all records of calls that started before an instant; returns how many."""
        async with self._database.transaction() as connection:
            await connection.execute(_TURN)
            return (await connection.execute(_FORGET, (instant,))).rowcount


def _combined(records: Iterable[CallRecord]) -> dict[tuple[str, Key], CallRecord]:
    """What records come to among themselves: one for each user and call."""
    batch: dict[tuple[str, Key], CallRecord] = {}
    for record in records:
        place = (record.user, record.key)
        batch[place] = combine(batch[place], record) if place in batch else record
    return batch


async def _changes(connection: Connection, batch: dict[tuple[str, Key], CallRecord]) -> list[CallRecord]:
    """Those of a batch that are new, or change what is there."""
    sought = _arrays((user, start, id_) for user, (start, id_) in batch)
    known = map(_record, await (await connection.execute(_FIND, sought or ([], [], []))).fetchall())
    for record in known:
        place = (record.user, record.key)
        if combine(record, batch[place]) == record:
            del batch[place]
    return list(batch.values())


def _arrays(rows: Iterable[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _row(record: CallRecord) -> Row:
    return (
        record.user,
        record.start,
        record.id,
        record.status.value,
        record.direction.value,
        None if record.device is None else record.device.value,
        record.peer,
        record.peer_name,
        record.answered,
        record.ended,
        record.rang,
        record.forwarded_from,
        record.transferred_to,
        record.settled,
        searched(record),
    )


def _record(row: Row) -> CallRecord:
    return CallRecord(
        user=row[0],
        start=row[1],
        id=row[2],
        status=HistoryStatus(row[3]),
        direction=Direction(row[4]),
        device=None if row[5] is None else Device(row[5]),
        peer=row[6],
        peer_name=row[7],
        answered=row[8],
        ended=row[9],
        rang=row[10],
        forwarded_from=row[11],
        transferred_to=row[12],
        settled=row[13],
    )
