"""The call log on SQLite.

The primary key is the order in which a history is read, and the table is kept in it, so a page is one
stretch of the file. A batch is one transaction, which begins with the right to write: what it finds of a
call cannot change before it has combined its own record with that.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from unique_account.adapters.sqlite.file import SqliteFile
from unique_account.adapters.sqlite.schema import transaction
from unique_account.core.account import Direction
from unique_account.core.cursors import Key, from_microseconds, in_microseconds
from unique_account.core.history import CallRecord, HistoryStatus, combine
from unique_account.core.machine import Device
from unique_account.core.search import folded, searched
from unique_account.ports.call_log import Position

Row = tuple[Any, ...]

_MICROSECOND: Final = timedelta(microseconds=1)

_COLUMNS: Final = (
    "user, start, id, status, direction, device, peer, peer_name, answered, ended, rang,"
    " forwarded_from, transferred_to, settled"
)
_FIND: Final = f"SELECT {_COLUMNS} FROM call_log WHERE user = ? AND start = ? AND id = ?"
_WRITE: Final = f"INSERT OR REPLACE INTO call_log ({_COLUMNS}, searched) VALUES ({', '.join('?' * 15)})"
_READ: Final = """
    INSERT INTO positions VALUES (?, ?, ?)
    ON CONFLICT (source) DO UPDATE SET row = excluded.row, beyond = excluded.beyond WHERE excluded.row >= row
"""


class SqliteCallLog(SqliteFile):
    """Call records in a SQLite file, which may be that of the accounts."""

    async def add(self, records: Iterable[CallRecord], read: Position | None = None) -> None:
        """Take records in, all or none of them; one for a known user and call is combined with it."""
        batch = list(records)
        await self._run(lambda connection: _add(connection, batch, read))

    async def position(self, source: str) -> Position | None:
        """How far a source has been read; None if nothing was ever read of it."""
        query = "SELECT row, beyond FROM positions WHERE source = ?"
        row = await self._run(lambda connection: connection.execute(query, (source,)).fetchone())
        return None if row is None else Position(source, row[0], tuple(json.loads(row[1])))

    async def before(
        self,
        user: str,
        key: Key | None,
        limit: int,
        since: datetime | None = None,
        matching: str = "",
    ) -> Sequence[CallRecord]:
        """A user's records that sort after ``key`` in a list newest first, at most ``limit``."""
        conditions, values = ["user = ?"], list[str | int]([user])
        if key is not None:
            conditions.append("(start, id) < (?, ?)")
            values += [in_microseconds(key[0]), key[1]]
        if since is not None:
            conditions.append("start >= ?")
            values.append(in_microseconds(since))
        if matching:
            conditions.append("instr(searched, ?) > 0")
            values.append(folded(matching))
        where = " AND ".join(conditions)
        query = f"SELECT {_COLUMNS} FROM call_log WHERE {where} ORDER BY start DESC, id DESC LIMIT ?"
        values.append(limit)
        rows = await self._run(lambda connection: connection.execute(query, values).fetchall())
        return [_record(row) for row in rows]

    async def forget_before(self, instant: datetime) -> int:
        """Take away all records of calls that started before an instant; returns how many."""
        query, values = "DELETE FROM call_log WHERE start < ?", (in_microseconds(instant),)
        return await self._run(lambda connection: connection.execute(query, values).rowcount)


def _add(connection: sqlite3.Connection, records: Iterable[CallRecord], read: Position | None) -> None:
    with transaction(connection):
        connection.executemany(_WRITE, _changes(connection, records))
        if read is not None:
            connection.execute(_READ, (read.source, read.row, json.dumps(read.beyond)))


def _changes(connection: sqlite3.Connection, records: Iterable[CallRecord]) -> Iterable[Row]:
    """The rows that records come to, where they differ from what is there."""
    changes: dict[tuple[str, Key], CallRecord] = {}
    for record in records:
        place = (record.user, record.key)
        known = changes.get(place) or _known(connection, record)
        settled = record if known is None else combine(known, record)
        if settled is not known:
            changes[place] = settled
    return map(_row, changes.values())


def _known(connection: sqlite3.Connection, record: CallRecord) -> CallRecord | None:
    row = connection.execute(_FIND, (record.user, in_microseconds(record.start), record.id)).fetchone()
    return None if row is None else _record(row)


def _row(record: CallRecord) -> Row:
    return (
        record.user,
        in_microseconds(record.start),
        record.id,
        record.status,
        record.direction,
        record.device,
        record.peer,
        record.peer_name,
        None if record.answered is None else in_microseconds(record.answered),
        None if record.ended is None else in_microseconds(record.ended),
        record.rang // _MICROSECOND,
        record.forwarded_from,
        record.transferred_to,
        record.settled,
        searched(record),
    )


def _record(row: Row) -> CallRecord:
    return CallRecord(
        user=row[0],
        start=from_microseconds(row[1]),
        id=row[2],
        status=HistoryStatus(row[3]),
        direction=Direction(row[4]),
        device=None if row[5] is None else Device(row[5]),
        peer=row[6],
        peer_name=row[7],
        answered=None if row[8] is None else from_microseconds(row[8]),
        ended=None if row[9] is None else from_microseconds(row[9]),
        rang=row[10] * _MICROSECOND,
        forwarded_from=row[11],
        transferred_to=row[12],
        settled=bool(row[13]),
    )
