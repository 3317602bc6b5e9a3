"""What the stores of accounts and of call records are: users of one database, at the present schema."""

from __future__ import annotations

from unique_account.adapters.postgresql.database import Database
from unique_account.adapters.postgresql.schema import bring_up


class PostgresqlStore:
    """A database whose tables are made, or brought to the present schema, first.

    Args:
        url: See `Database`.

    Raises:
        NewerSchema: The database is of a newer release.
        UnusableDatabase: It cannot be used, or is not reachable.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        bring_up(self._database)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._database.aclose()
