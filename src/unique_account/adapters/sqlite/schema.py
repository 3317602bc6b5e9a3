"""The schema of a SQLite file, which keeps its version in ``PRAGMA user_version``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from unique_account.sql.migrations import migrate, migrations_of

MIGRATIONS: Final = migrations_of(__package__)


class SqliteSchema:
    """The schema of an open file; a `unique_account.sql.migrations.Schema`."""

    def __init__(self, path: Path | str, connection: sqlite3.Connection) -> None:
        self.place = f"the file {path}"
        self._connection = connection

    def version(self) -> int:
        """The schema version that the file is at."""
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        return int(version)

    def usable_from(self) -> int:
        """The file's own version: one process at a time uses a file."""
        return self.version()

    def upgrade(self, version: int, script: str) -> None:
        """Do a migration, unless another process did it first."""
        with transaction(self._connection):
            if version > self.version():
                for statement in _statements(script):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {version}")


def bring_up(path: Path | str, connection: sqlite3.Connection) -> None:
    """Bring a file to the newest schema version.

    Raises:
        NewerSchema: A newer release wrote the file.
    """
    migrate(SqliteSchema(path, connection), MIGRATIONS)


def _statements(script: str) -> Iterator[str]:
    """The statements of a script: ``executescript`` would commit the transaction that they belong to."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that writes: all that is done within it, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors end it by themselves
            connection.execute("ROLLBACK")
        raise
