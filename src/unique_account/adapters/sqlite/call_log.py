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
from typing import Final

from unique_account.adapters.sqlite.file import SqliteFile, reading_rows
from unique_account.adapters.sqlite.schema import transaction
from unique_account.core.cursors import Key, from_microseconds, in_microseconds
from unique_account.core.history import CallRecord, combine
from unique_account.ports.call_log import Position
from unique_account.sql.call_rows import CallRows, Row

_MICROSECOND: Final = timedelta(microseconds=1)
_ROWS: Final = CallRows(
    table="call_log",
    columns=(
        *("user", "start", "id", "status", "direction", "device", "peer", "peer_name", "answered", "ended"),
        *("rang", "forwarded_from", "transferred_to", "settled", "waited", "searched"),
    ),
    mark="?",
    place="instr",
    kept_instant=in_microseconds,
    instant=from_microseconds,
    kept_length=lambda length: length // _MICROSECOND,
    length=lambda microseconds: microseconds * _MICROSECOND,
)
_FIND: Final = f"SELECT {_ROWS.selected} FROM call_log WHERE user = ? AND start = ? AND id = ?"
_WRITE: Final = f"""
    INSERT OR REPLACE INTO call_log ({", ".join(_ROWS.columns)})
    VALUES ({", ".join("?" * len(_ROWS.columns))})
"""
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
        return await self._run(lambda connection: _position(source, connection.execute(query, (source,))))

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
        return await self._run(lambda connection: _records(connection.execute(query, values)))

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
    """The rows of records, where they differ from what is there."""
    changes: dict[tuple[str, Key], CallRecord] = {}
    for record in records:
        place = (record.user, record.key)
        known = changes.get(place) or _known(connection, record)
        settled = record if known is None else combine(known, record)
        if settled is not known:
            changes[place] = settled
    return map(_ROWS.row, changes.values())


def _known(connection: sqlite3.Connection, record: CallRecord) -> CallRecord | None:
    place = (record.user, in_microseconds(record.start), record.id)
    return next(iter(_records(connection.execute(_FIND, place))), None)


def _records(rows: Iterable[Row]) -> list[CallRecord]:
    with reading_rows():
        return list(map(_ROWS.record, rows))


def _position(source: str, rows: Iterable[Row]) -> Position | None:
    with reading_rows():
        for row, beyond in rows:
            return Position(source, int(row), tuple(map(int, json.loads(beyond))))
    return None
