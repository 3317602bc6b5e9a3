"""The schema of the SQLite file: numbered migrations, and the version that a file is at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from unique_account.core.errors import UniqueAccountError


class NewerSchema(UniqueAccountError):
    """The file was written by a newer release; it is left as it is.

    Attributes:
        found: The schema version of the file.
        known: The newest schema version that this release knows.
    """

    def __init__(self, found: int, known: int) -> None:
        super().__init__(found, known)
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return (
            f"the file has schema version {self.found}, this release knows {self.known}: install a newer one"
        )


def migrations() -> list[tuple[int, str]]:
    """The migrations in order, each as the version that it leads to and its SQL."""
    folder = files(__package__).joinpath("migrations")
    return sorted(
        (int(file.name.partition("_")[0]), file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the newest schema version; all of a migration is done, or none of it.

    Raises:
        NewerSchema: The file is of a newer release.
    """
    known = migrations()
    newest, _ = known[-1]
    if _version(connection) > newest:
        raise NewerSchema(_version(connection), newest)
    for version, script in known:
        if version > _version(connection):
            _upgrade(connection, version, script)


def _upgrade(connection: sqlite3.Connection, version: int, script: str) -> None:
    with transaction(connection):
        if version <= _version(connection):  # another process was faster
            return
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


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
