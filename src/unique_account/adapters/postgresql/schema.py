"""The schema ``unique_account`` of a database, which keeps its version in a table of its own.

Nothing is outside that schema, so the database may be shared with XiVO or Asterisk.
"""

from __future__ import annotations

import logging
from typing import Any, Final

import psycopg

from unique_account.adapters.postgresql.database import Database
from unique_account.sql.migrations import migrate, migrations_of, usable_from

LOGGER: Final = logging.getLogger("unique_account.postgresql")

MIGRATIONS: Final = migrations_of(__package__)

_LOCK: Final = "SELECT pg_advisory_lock(hashtext('unique_account.schema'))"
_FIRST: Final = """
    CREATE SCHEMA IF NOT EXISTS unique_account;
    CREATE TABLE IF NOT EXISTS unique_account.migrations (
        version integer PRIMARY KEY,
        done timestamptz NOT NULL DEFAULT now(),
        usable_from integer
    );
    ALTER TABLE unique_account.migrations ADD COLUMN IF NOT EXISTS usable_from integer;
"""
_DONE: Final = "INSERT INTO unique_account.migrations (version, usable_from) VALUES (%s, %s)"


class PostgresqlSchema:
    """The schema behind a connection; a `unique_account.sql.migrations.Schema`."""

    def __init__(self, place: str, connection: psycopg.Connection[Any]) -> None:
        self.place = f"the database {place}"
        self._connection = connection

    def version(self) -> int:
        """The schema version that the database is at; 0 before the first migration."""
        (table,) = self._one("SELECT to_regclass('unique_account.migrations')")
        if table is None:
            return 0
        (version,) = self._one("SELECT coalesce(max(version), 0) FROM unique_account.migrations")
        return int(version)

    def usable_from(self) -> int:
        """The oldest schema version whose releases can use the database."""
        (version,) = self._one("SELECT max(coalesce(usable_from, version)) FROM unique_account.migrations")
        return int(version)

    def upgrade(self, version: int, script: str) -> None:
        """Do a migration, unless another process did it first."""
        # Held until the connection ends. Not in a transaction with what follows: one that has begun does
        # not always see a table that another connection has made since.
        # Nor in one that has read the table, which the process that has the lock may have to change.
        self._connection.commit()
        self._connection.execute(_LOCK)
        self._connection.commit()
        if version > self.version():
            self._connection.execute(_FIRST)
            self._connection.execute(script.encode())
            self._connection.execute(_DONE, (version, usable_from(version, script)))
        self._connection.commit()

    def _one(self, query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = self._connection.execute(query.encode()).fetchone()
        if row is None:
            raise LookupError(query)
        return row


def bring_up(database: Database) -> None:
    """Bring a database to the newest schema version.

    A database that is there already needs no rights but those to its rows.

    Raises:
        NewerSchema: A newer release wrote the database.
        UnusableDatabase: It is not reachable, or the user may not make what is missing.
    """
    with database.connected() as connection:
        connection.add_notice_handler(_log)
        migrate(PostgresqlSchema(database.place, connection), MIGRATIONS)


def _log(notice: psycopg.errors.Diagnostic) -> None:
    """Log what a migration warns of, such as a number of two users."""
    if notice.severity_nonlocalized == "WARNING":
        LOGGER.warning("%s", notice.message_primary)
