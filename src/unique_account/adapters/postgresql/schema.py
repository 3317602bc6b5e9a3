"""The schema of the database: numbered migrations, and the version that a database is at.

Everything is in the schema ``unique_account``, so it may share a database with XiVO or Asterisk.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import psycopg

from unique_account.adapters.postgresql.database import Database
from unique_account.core.errors import UniqueAccountError

_LOCK: Final = "SELECT pg_advisory_lock(hashtext('unique_account.schema'))"
_FIRST: Final = """
    CREATE SCHEMA IF NOT EXISTS unique_account;
    CREATE TABLE IF NOT EXISTS unique_account.migrations (
        version integer PRIMARY KEY,
        done timestamptz NOT NULL DEFAULT now()
    );
"""


class NewerSchema(UniqueAccountError):
    """The database was written by a newer release; it is left as it is.

    Attributes:
        place: Which database.
        found: Its schema version.
        known: The newest schema version that this release knows.
    """

    def __init__(self, place: str, found: int, known: int) -> None:
        super().__init__(place, found, known)
        self.place = place
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return (
            f"the database {self.place} has schema version {self.found}, this release knows {self.known}:"
            " install a newer one"
        )


def migrations() -> list[tuple[int, str]]:
    """The migrations in order, each as the version that it leads to and its SQL."""
    folder = files(__package__).joinpath("migrations")
    return sorted(
        (int(file.name.partition("_")[0]), file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    )


def migrate(database: Database) -> None:
    """Bring a database to the newest schema version; all of a migration is done, or none of it.

    A database that is there already needs no rights but those to its rows.

    Raises:
        NewerSchema: The database is of a newer release.
        UnusableDatabase: It is not reachable, or the user may not make what is missing.
    """
    known = migrations()
    newest, _ = known[-1]
    with database.connected() as connection:
        found = _version(connection)
        if found > newest:
            raise NewerSchema(database.place, found, newest)
        if found < newest:
            # Held until the connection ends. Not in a transaction with what follows: one that has begun
            # does not always see a table that another made since.
            connection.execute(_LOCK)
            for version, script in known:
                connection.commit()
                if version > _version(connection):
                    _upgrade(connection, version, script)


def _upgrade(connection: psycopg.Connection[Any], version: int, script: str) -> None:
    connection.execute(_FIRST)
    connection.execute(script.encode())
    connection.execute("INSERT INTO unique_account.migrations VALUES (%s)", (version,))


def _version(connection: psycopg.Connection[Any]) -> int:
    (table,) = _one(connection, "SELECT to_regclass('unique_account.migrations')")
    if table is None:
        return 0
    (version,) = _one(connection, "SELECT coalesce(max(version), 0) FROM unique_account.migrations")
    return int(version)


def _one(connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query.encode()).fetchone()
    if row is None:
        raise LookupError(query)
    return row
