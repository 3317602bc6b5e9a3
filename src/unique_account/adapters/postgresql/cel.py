"""The ``cel`` table that an Asterisk or XiVO writes to, read and never written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from unique_account.adapters.postgresql.database import Database

COLUMNS: Final = (
    "eventtype",
    "eventtime",
    "userdeftype",
    "cid_name",
    "cid_num",
    "cid_rdnis",
    "exten",
    "context",
    "channame",
    "appname",
    "uniqueid",
    "linkedid",
    "peer",
    "extra",
)
"""The columns that are read. ``id`` must be there, too: numbers that grow as rows are written."""


class CelTable:
    """A table of channel event logging.

    Args:
        url: The database; see `Database`. Rights to read the table are enough.
        table: Its name, where it is not ``cel``, with its schema before it if need be.
    """

    def __init__(self, url: str, table: str = "cel") -> None:
        self._database = Database(url)
        self.name = f"{self._database.place}/{table}"
        self._table = sql.Identifier(*table.split("."))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._database.aclose()

    async def after(self, row: int, limit: int) -> Sequence[tuple[int, Mapping[str, Any]]]:
        """The first rows with higher numbers than this, at most ``limit``, by number.

        Raises:
            DatabaseUnreachable: There is no connection.
            UnusableDatabase: There is no such table, or it lacks a column, or may not be read.
        """
        columns = sql.SQL(", ").join(map(sql.Identifier, ("id", *COLUMNS)))
        query = sql.SQL("SELECT {} FROM {} WHERE id > %s ORDER BY id LIMIT %s").format(columns, self._table)
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(query, (row, limit))
            return [(found.pop("id"), found) for found in await cursor.fetchall()]

    async def left(self, row: int) -> int:
        """How many rows have higher numbers than this."""
        query = sql.SQL("SELECT count(*) FROM {} WHERE id > %s").format(self._table)
        async with self._database.transaction() as connection:
            found = await (await connection.execute(query, (row,))).fetchone()
        return int(found[0]) if found else 0
