"""Users from a file: a TOML file of ``[[users]]`` tables, or XiVO's CSV import."""

from __future__ import annotations

import tomllib
from pathlib import Path

from attrs import frozen

from unique_account.core.user import User, shared
from unique_account.core.users_csv import read_users
from unique_account.documents import InvalidDocument, from_document


class FileRoster:
    """The users that a file describes, read anew each time; a `unique_account.ports.roster.Roster`."""

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
        InvalidDocument: The file is not UTF-8, or the TOML has other things than users in it, or two
            users share a number or a device; all problems are listed.
        OSError: The file cannot be read.
    """
    try:
        if path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as lines:
                return read_users(lines)
        document = tomllib.loads(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidDocument(
            (f"{path.name}: is not UTF-8: {error.reason} at byte {error.start}",)
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidDocument((f"{path.name}: is not TOML: {error}",)) from error
    users = from_document(_UsersFile, document).users
    problems = [
        f"users[{index}]: {claim} is already that of users[{first}]" for claim, index, first in shared(users)
    ]
    if problems:
        raise InvalidDocument(tuple(problems))
    return users
