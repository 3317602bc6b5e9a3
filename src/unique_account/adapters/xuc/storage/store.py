"""Sessions and preferences that outlive the process.

All of it is in memory too, so that checking a token waits for no disk. A session that ends has ended here at
once; if the file cannot be written, that is written later. A preference counts only once it is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from unique_account.adapters.xuc.storage.favorites import StoredFavorites, change
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
        favorites: The favourites; `favor` changes one.

    Raises:
        OSError: The file cannot be used; the sentence names it.
    """

    def __init__(self, path: Path | None, observer: Observer, now: Callable[[], float]) -> None:
        self.sessions = StoredSessions(now)
        self.preferences = StoredPreferences()
        self.favorites = StoredFavorites()
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
            self.favorites.load(self._file)
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
            for kept in (self.sessions, self.preferences, self.favorites)
            for statement in kept.statements(user)
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

    async def favor(self, user: str, number: str, *, added: bool) -> bool:
        """Write whether a contact is a favourite; returns whether that is a change.

        Raises:
            TooManyFavorites: The user has too many already.
            StoreFailed: The file could not be written; nothing changed.
        """
        async with self._lock:
            if (number in self.favorites.of(user)) is added:
                return False
            if added:
                self.favorites.check_room(user)
            await self._file.write([change(user, number, added=added)])
            self.favorites.set(user, number, added=added)
            return True

    async def forget(self, user: str) -> None:
        """Remove all sessions, preferences and favourites of a user.

        Raises:
            StoreFailed: They are still in the file; in this process they are gone.
        """
        self.sessions.forget(user)
        self.preferences.forget(user)
        self.favorites.forget(user)
        await self.save()

    def close(self) -> None:
        """Close the file after the write under way."""
        self._file.close()
