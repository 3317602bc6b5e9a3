"""Users from a file: a TOML file of ``[[users]]`` tables, or XiVO's CSV import."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from unique_account.core.user import User
from unique_account.core.users_csv import read_users
from unique_account.documents import InvalidDocument, from_document


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
    shared = tuple(_shared(users))
    if shared:
        raise InvalidDocument(shared)
    return users


def _shared(users: Iterable[User]) -> Iterable[str]:
    """What two users claim that only one can have."""
    owners: dict[str, int] = {}
    for index, user in enumerate(users):
        for claim in user.claims:
            first = owners.setdefault(claim, index)
            if first != index:
                yield f"users[{index}]: {claim} is already that of users[{first}]"
