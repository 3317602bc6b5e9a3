"""Users from a file: a TOML file of ``[[users]]`` tables, or XiVO's CSV import."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from attrs import frozen

from unique_account.adapters.rosters.xivo_csv import read_users
from unique_account.core.errors import InvalidImport
from unique_account.core.uniqueness import collisions
from unique_account.core.user import User
from unique_account.documents import InvalidDocument, from_document
from unique_account.files.text import named, read_text, read_toml


class FileRoster:
    """The users that a file describes, read again each time; a `unique_account.ports.roster.Roster`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def users(self) -> tuple[User, ...]:
        """The users that the file describes now, as `read_users_file` reads them."""
        return read_users_file(self._path)


@frozen
class _UsersFile:
    users: tuple[User, ...]


def read_users_file(path: Path) -> tuple[User, ...]:
    """The users that a file describes: XiVO's CSV if its name ends in ``.csv``, else TOML.

    Raises:
        InvalidImport: The CSV has bad rows; all are listed.
        InvalidDocument: The file is too large or not UTF-8, or the TOML has other things than users in it,
            or two users share a number or a device; all problems are listed.
        OSError: The file cannot be read.
    """
    if path.suffix.lower() == ".csv":
        return _csv(path)
    document = read_toml(path)
    with named(path.name):
        users = from_document(_UsersFile, document).users
        if problems := tuple(collisions((f"users[{index}]", user) for index, user in enumerate(users))):
            raise InvalidDocument(problems)
    return users


def _csv(path: Path) -> tuple[User, ...]:
    try:
        return read_users(StringIO(read_text(path), newline=""))
    except InvalidImport as error:
        error.opening = f"{path.name}: {error.opening}"
        raise
