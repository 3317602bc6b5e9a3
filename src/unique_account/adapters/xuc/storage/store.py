"""Sessions and preferences that outlive the process, in a file of this process alone.

All of it is in memory too, so that checking a token waits for no disk. A session that ends has ended here at
once; if the file cannot be written, that is written later. A preference counts only once it is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from unique_account.adapters.xuc.storage.favorites import StoredFavorites, change
from unique_account.adapters.xuc.storage.preferences import StoredPreferences, insert
from unique_account.adapters.xuc.storage.sessions import StoredSession, StoredSessions
from unique_account.adapters.xuc.storage.sqlite_file import BROKEN, SqliteFile, Statement
from unique_account.ports.assistant_store import Preference, StoreFailed, UserAndSession
from unique_account.ports.observer import Observer


class LogoutNotStored(StoreFailed):
    """A session is logged out, but this could not be stored."""

    def __str__(self) -> str:
        return "logged out, but this cannot be stored yet: a restart of the server would undo it"


class FileStore:
    """Sessions, preferences and favourites, in memory and in a SQLite file; see `AssistantStore`.

    Args:
        path: The file, created if missing; None: nothing outlives the process.
        observer: Notified when the file cannot be written, and when it can be again.
        now: The present as a POSIX timestamp.

    Raises:
        OSError: The file cannot be used; the sentence names it.
    """

    def __init__(self, path: Path | None, observer: Observer, now: Callable[[], float]) -> None:
        self._sessions = StoredSessions(now)
        self._preferences = StoredPreferences()
        self._favorites = StoredFavorites()
        self._lock = asyncio.Lock()
        try:
            self._file = SqliteFile(path, observer, now())
            self._load()
        except BROKEN as error:
            raise OSError(None, f"{path} cannot be used for sessions and preferences: {error}") from error

    def _load(self) -> None:
        """Read the file into memory; a damaged one is closed."""
        try:
            self._sessions.load(self._file)
            self._preferences.load(self._file)
            self._favorites.load(self._file)
        except BaseException:
            self._file.close()
            raise

    async def begin(self, user: str, session: str, expires: float, until: float) -> None:
        """Add a session; if that cannot be written, its tokens are valid until a restart."""
        self._sessions.begin(user, session, StoredSession(expires, until))
        with suppress(StoreFailed):  # the observer knows
            await self.save()

    async def prolong(self, user: str, session: str, expires: float) -> bool:
        """A session got a token that expires then; False: the session has ended."""
        self._sessions.prolong(user, session, expires)
        return self._sessions.has(user, session)

    async def living(self, sessions: Collection[UserAndSession]) -> Collection[UserAndSession]:
        """Those of some sessions that have not ended."""
        return {one for one in sessions if self._sessions.has(*one)}

    async def end(self, user: str, session: str) -> None:
        """End a session, with all of its tokens."""
        self._sessions.end(user, session)
        await self.save()

    @property
    def has_unwritten(self) -> bool:
        """Whether something still has to be written."""
        return bool(self._sessions.unwritten)

    async def save(self) -> None:
        """Write which sessions began and ended; after a failure the next call writes it."""
        async with self._lock:
            users, self._sessions.unwritten = self._sessions.unwritten, set()
            try:
                await self._file.write(self._statements(users))
            except BaseException:
                self._sessions.unwritten |= users
                raise

    def _statements(self, users: Iterable[str]) -> list[Statement]:
        """The statements that make the file agree with memory about these users."""
        return [
            statement
            for user in users
            for kept in (self._sessions, self._preferences, self._favorites)
            for statement in kept.statements(user)
        ]

    async def preferences(self, user: str) -> Mapping[str, Preference]:
        """A user's preferences, by key."""
        return dict(self._preferences.of(user))

    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        """Write a preference; it counts once it is written."""
        async with self._lock:
            self._preferences.check_room(user, key)
            await self._file.write([insert(user, key, preference)])
            self._preferences.set(user, key, preference)

    async def favorites(self, user: str) -> Collection[str]:
        """The numbers of a user's favourites, in the order in which they were added."""
        return tuple(self._favorites.of(user))

    async def favor(self, user: str, number: str, *, added: bool) -> bool:
        """Write whether a contact is a favourite; returns whether that is a change."""
        async with self._lock:
            if (number in self._favorites.of(user)) is added:
                return False
            if added:
                self._favorites.check_room(user)
            await self._file.write([change(user, number, added=added)])
            self._favorites.set(user, number, added=added)
            return True

    async def forget(self, user: str) -> None:
        """Remove all sessions, preferences and favourites of a user."""
        self._sessions.forget(user)
        self._preferences.forget(user)
        self._favorites.forget(user)
        await self.save()

    def close(self) -> None:
        """Close the file after the write under way."""
        self._file.close()

    async def aclose(self) -> None:
        """Close the file after the write under way."""
        self.close()
