"""Numbered migrations, and the way from the schema version that a database is at to the newest one.

A migration that only adds something says so in its first line, ``-- from N``: releases that know the schema
from version N on can use the database after it. So processes of two releases may run side by side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Protocol

from unique_account.core.errors import UniqueAccountError

Migration = tuple[int, str]
"""The version that a migration leads to, and its SQL."""


class NewerSchema(UniqueAccountError):
    """A newer release wrote the database; it is left as it is.

    Attributes:
        place: Which file or database.
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
            f"{self.place} has schema version {self.found}, this release knows {self.known}:"
            " install a newer one"
        )


class Schema(Protocol):
    """What each kind of database does in its own way.

    Attributes:
        place: Which file or database, for people.
    """

    place: str

    def version(self) -> int:
        """The schema version that the database is at; 0 for an empty one."""
        ...

    def usable_from(self) -> int:
        """The oldest schema version whose releases can use a database that is newer than this release."""
        ...

    def upgrade(self, version: int, script: str) -> None:
        """Do a migration as a whole or not at all; nothing if another process did it first."""
        ...


def migrations_of(package: str) -> tuple[Migration, ...]:
    """The migrations that a package has in its folder ``migrations``, in order."""
    return tuple(
        sorted(
            (int(file.name.partition("_")[0]), file.read_text("utf-8"))
            for file in files(package).joinpath("migrations").iterdir()
            if file.name.endswith(".sql")
        )
    )


def usable_from(version: int, script: str) -> int:
    """The oldest schema version whose releases can use a database after a migration."""
    said = re.match(r"-- from (\d+)", script)
    return int(said[1]) if said else version


def migrate(schema: Schema, migrations: Sequence[Migration]) -> None:
    """Bring a database to the newest schema version.

    Raises:
        NewerSchema: A newer release wrote the database.
    """
    found, (newest, _) = schema.version(), migrations[-1]
    if found > newest and schema.usable_from() > newest:
        raise NewerSchema(schema.place, found, newest)
    for version, script in migrations:
        if version > found:
            schema.upgrade(version, script)
