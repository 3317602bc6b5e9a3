"""Sessions and preferences that outlive the process.

All of it is in memory too, so that checking a token waits for no disk. A session that ends has ended here at
once; if the file cannot be written, that is written later. A preference counts only once it is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from unique_account.adapters.xuc.storage.preferences import Preference, StoredPreferences, insert
from unique_account.adapters.xuc.storage.sessions import StoredSessions
from unique_account.adapters.xuc.storage.sqlite_file import BROKEN, SqliteFile, Statement
from unique_account.ports.observer import Observer


class Store:
    """Sessions and preferences, in memory and in the file.

    Args:
        path: The file, created if missing; None: nothing outlives the process.
        observer: Notified when the file cannot be written, and when it can be again.
        now: The present as a POSIX timestamp.

    Attributes:
        sessions: The sessions; `save` writes their changes.
        preferences: The preferences; `prefer` changes one.

    Raises:
        OSError: The file cannot be used; the sentence names it.
    """

    def __init__(self, path: Path | None, observer: Observer, now: Callable[[], float]) -> None:
        self.sessions = StoredSessions(now)
        self.preferences = StoredPreferences()
        self._lock = asyncio.Lock()
        try:
            self._file = SqliteFile(path, observer, now())
            self._load()
        except BROKEN as error:
            raise OSError(None, f"{path} cannot be used for sessions and preferences: {error}") from error

    def _load(self) -> None:
        """Read the file into memory; a damaged one is closed."""
        try:
            self.sessions.load(self._file)
            self.preferences.load(self._file)
        except BaseException:
            self._file.close()
            raise

    @property
    def has_unwritten(self) -> bool:
        """Whether something still has to be written."""
        return bool(self.sessions.unwritten)

    async def save(self) -> None:
        """Write which sessions began and ended; after a failure the next call writes it.

        Raises:
            StoreFailed: The file could not be written.
        """
        async with self._lock:
            users, self.sessions.unwritten = self.sessions.unwritten, set()
            try:
                await self._file.write(self._statements(users))
            except BaseException:
                self.sessions.unwritten |= users
                raise

    def _statements(self, users: Iterable[str]) -> list[Statement]:
        """The statements that make the file agree with memory about these users."""
        return [
            statement
            for user in users
            for statement in (*self.sessions.statements(user), *self.preferences.statements(user))
        ]

    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        """Write a preference; it counts once it is written.

        Raises:
            TooManyPreferences: The user has too many already.
            StoreFailed: The file could not be written; nothing changed.
        """
        async with self._lock:
            self.preferences.check_room(user, key)
            await self._file.write([insert(user, key, preference)])
            self.preferences.set(user, key, preference)

    async def forget(self, user: str) -> None:
        """Remove all sessions and preferences of a user.

        Raises:
            StoreFailed: They are still in the file; in this process they are gone.
        """
        self.sessions.forget(user)
        self.preferences.forget(user)
        await self.save()

    def close(self) -> None:
        """Close the file after the write under way."""
        self._file.close()
