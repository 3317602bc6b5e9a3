"""A PostgreSQL database: a pool of connections to it, and its failures in our words.

A connection that was lost is replaced at the next use. What was under way then fails with
`DatabaseUnreachable`, and it is not known whether it was done; what the stores do may be repeated.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from unique_account.core.errors import UniqueAccountError, Unreachable

Connection = psycopg.AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]

_PATIENCE: Final = 10
"""How long to wait for a connection, in seconds."""

_CONNECTIONS: Final = 4


class UnusableDatabase(UniqueAccountError):
    """A database cannot be used for what was asked.

    Attributes:
        place: Which database: host, port and name, never the password.
        reason: Why, in PostgreSQL's words where it is PostgreSQL that says so.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place = place
        self.reason = reason

    def __str__(self) -> str:
        return f"the database {self.place} cannot be used: {self.reason}"


class DatabaseUnreachable(UnusableDatabase, Unreachable):
    """There is no connection to a database, or no longer; what was asked may be asked again."""

    def __str__(self) -> str:
        return f"the database {self.place} is not reachable: {self.reason}"


class Database:
    """A pool of connections to a database, opened at the first use.

    Args:
        url: ``postgresql://user@host:port/name``, or any connection string of libpq. A password is better
            kept in ``~/.pgpass`` or ``PGPASSWORD`` than here, but is never shown.

    Raises:
        UnusableDatabase: The address is malformed.
    """

    def __init__(self, url: str) -> None:
        self.place, self._address = _understood(url)
        self._pool: Pool = AsyncConnectionPool(
            self._address,
            min_size=1,
            max_size=_CONNECTIONS,
            open=False,
            timeout=_PATIENCE,
            configure=_configure,
            check=AsyncConnectionPool.check_connection,
        )

    async def aclose(self) -> None:
        """Close all connections, after what was asked for before."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction: all that is done within it, or nothing.

        Raises:
            DatabaseUnreachable: There is no connection, or it was lost on the way.
            UnusableDatabase: PostgreSQL refused a statement.
        """
        with self.failures():
            if self._pool.closed:
                await self._open()
            async with self._pool.connection() as connection:
                yield connection

    async def _open(self) -> None:
        """Open the pool once there is a server: the pool itself waits long for it, and says less of why."""
        async with await psycopg.AsyncConnection.connect(self._address):
            await self._pool.open()

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of its own, for what is done while nobody else waits: bringing up the schema."""
        with self.failures(), psycopg.connect(self._address) as connection:
            yield connection

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Tell failures of PostgreSQL in our words."""
        try:
            yield
        except psycopg.OperationalError as error:
            raise DatabaseUnreachable(self.place, _sentence(error)) from error
        except psycopg.Error as error:
            raise UnusableDatabase(self.place, _sentence(error)) from error


async def _configure(connection: Connection) -> None:
    await connection.execute("SET TIME ZONE 'UTC'")
    await connection.commit()


def _understood(url: str) -> tuple[str, str]:
    """How a database is named to people, and its whole address."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What libpq says of it may quote the password.
        raise UnusableDatabase("given", "its address is malformed; see postgresql://USER@HOST/NAME") from None
    host, port = parts.get("host") or "localhost", parts.get("port")
    name = parts.get("dbname") or parts.get("user") or ""
    return f"{host}{f':{port}' if port else ''}/{name}", make_conninfo(url, connect_timeout=_PATIENCE)


def _sentence(error: psycopg.Error) -> str:
    """What went wrong, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
