"""Users from a file: a TOML file of ``[[users]]`` tables, or XiVO's CSV import."""

from __future__ import annotations

import logging
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Final

from attrs import frozen

from unique_account.adapters.rosters.xivo_columns import COLUMNS
from unique_account.adapters.rosters.xivo_csv import read_users
from unique_account.core.errors import InvalidImport
from unique_account.core.uniqueness import collisions
from unique_account.core.user import User
from unique_account.files.csv_dialect import read_csv_text
from unique_account.files.text import named, read_bytes, read_toml
from unique_account.json_documents import InvalidDocument, from_document

_LOGGER: Final = logging.getLogger("unique_account.rosters")


class FileRoster:
    """The users that a file describes, read again each time; a `unique_account.ports.roster.Roster`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def users(self) -> tuple[User, ...]:
        """The users that the file describes now, as `read_users_file` reads them."""
        return read_users_file(self._path, _LOGGER.info)


@frozen
class _UsersFile:
    users: tuple[User, ...]


def read_users_file(path: Path, say: Callable[[str], object] | None = None) -> tuple[User, ...]:
    """The users that a file describes: XiVO's CSV if its name ends in ``.csv``, else TOML.

    Args:
        path: The file.
        say: Called with a sentence on how a CSV is read that is not UTF-8 with commas.

    Raises:
        InvalidImport: The CSV has bad rows; all are listed.
        InvalidDocument: The file is too large or no text, or the TOML has other things than users in it,
            or two users share a number or a device; all problems are listed.
        OSError: The file cannot be read.
    """
    if path.suffix.lower() == ".csv":
        return _csv(path, say)
    document = read_toml(path)
    with named(path.name):
        users = from_document(_UsersFile, document).users
        if problems := tuple(collisions((f"users[{index}]", user) for index, user in enumerate(users))):
            raise InvalidDocument(problems)
    return users


def _csv(path: Path, say: Callable[[str], object] | None) -> tuple[User, ...]:
    with path.open("rb") as file, named(path.name):
        sheet = read_csv_text(read_bytes(file), COLUMNS)
    if say is not None and not sheet.is_plain:
        say(f"{path.name}: read as {sheet}")
    try:
        return read_users(StringIO(sheet.text, newline=""), separator=sheet.separator)
    except InvalidImport as error:
        error.opening = f"{path.name}: {error.opening}"
        raise
