"""What the CTI server keeps over a restart: revoked tokens, and users' preferences, in one SQLite file.

All of it is in memory too, so that looking a token up waits for no disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from unique_account.private_files import keep_private, make_private

MOST_PREFERENCES: Final = 64
"""How many preferences one user may have."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS revoked (
    whose TEXT PRIMARY KEY, began_until REAL NOT NULL, keep_until REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS preferences (
    user TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, value_type TEXT NOT NULL,
    PRIMARY KEY (user, key)
) WITHOUT ROWID;
"""


class TooManyPreferences(ValueError):
    """A user has as many preferences as may be."""


@frozen(weakref_slot=False)
class Preference:
    """What a user prefers, in the words of XiVO's page."""

    value: str
    value_type: str


class Store:
    """Revocations and preferences.

    Args:
        path: The file, made if it is not there; None: nothing outlives the process.
        now: The present as a POSIX timestamp.

    Raises:
        OSError: The file cannot be used; the sentence names it.
    """

    def __init__(self, path: Path | None, now: Callable[[], float]) -> None:
        self._now = now
        try:
            self._file = _opened(path, now())
        except sqlite3.Error as error:
            raise OSError(None, f"{path} cannot be used for revoked tokens: {error}") from error
        self._writing = asyncio.Lock()
        self._revoked: dict[str, tuple[float, float]] = {
            whose: (began, keep)
            for whose, began, keep in self._file.execute("SELECT whose, began_until, keep_until FROM revoked")
        }
        self._preferences: defaultdict[str, dict[str, Preference]] = defaultdict(dict)
        for user, key, value, kind in self._file.execute("SELECT * FROM preferences"):
            self._preferences[user][key] = Preference(value, kind)

    def is_revoked(self, whose: str, began: float) -> bool:
        """Whether what began then was revoked since."""
        revoked = self._revoked.get(whose)
        return revoked is not None and began <= revoked[0]

    async def revoke(self, whose: str, began_until: float, keep_until: float) -> None:
        """Revoke what began until then; forgotten once nothing of that age can be good any more."""
        for old in [old for old, (_, keep) in self._revoked.items() if keep < self._now()]:
            del self._revoked[old]
        self._revoked[whose] = (began_until, keep_until)
        await self._write("INSERT OR REPLACE INTO revoked VALUES (?, ?, ?)", whose, began_until, keep_until)

    def preferences(self, user: str) -> Mapping[str, Preference]:
        """What a user prefers, by key."""
        return self._preferences.get(user, {})

    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        """Keep a preference.

        Raises:
            TooManyPreferences: The user has too many already.
        """
        own = self._preferences[user]
        if key not in own and len(own) >= MOST_PREFERENCES:
            raise TooManyPreferences(f"there are {MOST_PREFERENCES} preferences already")
        own[key] = preference
        row = (user, key, preference.value, preference.value_type)
        await self._write("INSERT OR REPLACE INTO preferences VALUES (?, ?, ?, ?)", *row)

    async def forget(self, user: str) -> None:
        """Keep nothing of a user's preferences."""
        if self._preferences.pop(user, None):
            await self._write("DELETE FROM preferences WHERE user = ?", user)

    async def _write(self, sql: str, *row: object) -> None:
        async with self._writing:
            await asyncio.to_thread(self._file.execute, sql, row)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _opened(path: Path | None, now: float) -> sqlite3.Connection:
    make_private(path or ":memory:")
    file = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
    try:
        file.executescript(_SCHEMA)
        file.execute("DELETE FROM revoked WHERE keep_until < ?", (now,))
        keep_private(path or ":memory:")
    except sqlite3.Error:
        file.close()
        raise
    return file
