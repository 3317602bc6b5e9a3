"""A PostgreSQL database: a pool of connections to it, and its failures in our words.

A connection that was lost is replaced at the next use. What was under way then fails with
`DatabaseUnreachable`, and it is not known whether it was done; what the stores do may be repeated. A server
that hangs says nothing, and would be waited for without end; so what others wait for is cut off in time.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import IdleInTransactionSessionTimeout
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from unique_account.core.errors import UniqueAccountError, Unreachable

Connection = psycopg.AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]

_PATIENCE: Final = 5
"""How long to wait for a connection, and for an answer that others wait for, in seconds."""

IDLE_AT_MOST: Final = 5
"""How long a transaction may wait for its process before the server ends it, in seconds."""

_REASON_WITHIN: Final = 1
"""How long to look for the reason why there is no connection, in seconds."""

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
            kwargs={"autocommit": True},
            timeout=_PATIENCE,
            reconnect_timeout=_PATIENCE,  # the next request connects itself, and waits for no late attempt
            configure=_configure,
            check=_check,
        )

    async def aclose(self) -> None:
        """Close all connections, after what was asked for before."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction, however long it takes: all that is done within it, or nothing.

        Raises:
            DatabaseUnreachable: There is no connection, or it was lost on the way.
            UnusableDatabase: PostgreSQL refused a statement.
        """
        async with self._connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def short_transaction(self) -> AsyncIterator[Connection]:
        """A transaction that others wait for: it is done in time, or fails.

        Raises:
            DatabaseUnreachable: There is no connection, it was lost, or no end of it came in time.
            UnusableDatabase: PostgreSQL refused a statement.
        """
        async with self.statements() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def statements(self, patience: float | None = None) -> AsyncIterator[Connection]:
        """Statements that others wait for, each a transaction of its own; raises as `short_transaction`.

        The server ends such a transaction by itself, so a process that is paused leaves no lock behind.
        """
        async with self._connection() as connection:
            with in_time(connection, _PATIENCE if patience is None else patience):
                yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with self.failures():
            if self._pool.closed:
                await self._open()
            try:
                async with self._pool.connection() as connection:
                    yield connection
            except PoolTimeout:
                await self._say_why()
                raise

    async def _open(self) -> None:
        """Open the pool once there is a server: the pool itself waits long for it, and says less of why."""
        async with await psycopg.AsyncConnection.connect(self._address):
            await self._pool.open()

    async def _say_why(self) -> None:
        """Fail with the reason why there is no connection, if it is soon found; the pool has none."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_REASON_WITHIN), await psycopg.AsyncConnection.connect(self._address):
                pass

    async def connect(self, patience: float) -> Connection:
        """A connection apart from the pool, in autocommit, for the caller to close."""
        try:
            async with asyncio.timeout(patience):
                connection: Connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True)
        except TimeoutError as error:
            raise psycopg.OperationalError(f"no connection within {patience:g} s") from error
        await _configure(connection)
        return connection

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of its own, for what is done while nobody else waits: bringing up the schema."""
        with self.failures(), psycopg.connect(self._address) as connection:
            yield connection

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Raise failures of PostgreSQL as ours."""
        try:
            yield
        except (psycopg.OperationalError, IdleInTransactionSessionTimeout) as error:
            raise DatabaseUnreachable(self.place, _sentence(error)) from error
        except psycopg.Error as error:
            raise UnusableDatabase(self.place, _sentence(error)) from error


async def _check(connection: Connection) -> None:
    """Fail if a connection is lost, or the server hangs."""
    with in_time(connection, _PATIENCE):
        await AsyncConnectionPool.check_connection(connection)


@contextmanager
def in_time(connection: Connection, patience: float) -> Iterator[None]:
    """Cut a connection on which what is begun does not end within so many seconds."""
    loop = asyncio.get_running_loop()
    cutting = loop.call_later(patience, _cut, connection)
    try:
        yield
    except psycopg.OperationalError as error:
        if loop.time() < cutting.when():
            raise
        raise psycopg.OperationalError(f"it did not answer within {patience:g} s") from error
    finally:
        cutting.cancel()


def _cut(connection: Connection) -> None:
    """Let those who wait for a connection see its end; a cancellation would wait for the server as well."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


async def _configure(connection: Connection) -> None:
    await connection.execute("SET TIME ZONE 'UTC'")
    # A process that is paused within a transaction holds up nobody for longer.
    await connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_AT_MOST}s'")


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
