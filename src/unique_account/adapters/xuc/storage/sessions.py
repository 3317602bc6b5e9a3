"""The sessions whose tokens are valid, by user."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from attrs import evolve, frozen

from unique_account.adapters.xuc.storage.sqlite_file import SqliteFile, Statement
from unique_account.ports.assistant_store import MOST_SESSIONS


@frozen(weakref_slot=False)
class StoredSession:
    """A session, as far as its tokens are concerned.

    Attributes:
        expires: When its last token expires, as a POSIX timestamp.
        until: After this, none of its tokens can be valid, however often renewed.
    """

    expires: float
    until: float


class StoredSessions:
    """Sessions in memory, and the users whose sessions are not written yet.

    Args:
        now: The present as a POSIX timestamp.

    Attributes:
        unwritten: The users whose sessions in the file are out of date.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._sessions: defaultdict[str, dict[str, StoredSession]] = defaultdict(dict)
        self.unwritten: set[str] = set()

    def load(self, file: SqliteFile) -> None:
        """Read the sessions of the file."""
        query = "SELECT user, session, until FROM sessions"
        for user, session, until in file.rows(query, str, str, float):
            self._sessions[user][session] = StoredSession(until, until)

    def has(self, user: str, session: str) -> bool:
        """Whether a user has such a session."""
        return session in self._sessions.get(user, ())

    def begin(self, user: str, session: str, stored: StoredSession) -> None:
        """Add a session."""
        others = self._sessions[user].items()
        valid = sorted(
            (other for other in others if other[1].expires > self._now()), key=lambda other: other[1].expires
        )
        self._sessions[user] = {**dict(valid[-MOST_SESSIONS + 1 :]), session: stored}
        self.unwritten.add(user)

    def prolong(self, user: str, session: str, expires: float) -> None:
        """A session got a token that expires then."""
        if (stored := self._sessions.get(user, {}).get(session)) is not None:
            self._sessions[user][session] = evolve(stored, expires=expires)

    def end(self, user: str, session: str) -> None:
        """End a session at once; the file learns of it at the next save."""
        if self.has(user, session):
            del self._sessions[user][session]
            if not self._sessions[user]:
                del self._sessions[user]
            self.unwritten.add(user)

    def forget(self, user: str) -> None:
        """End all sessions of a user."""
        self._sessions.pop(user, None)
        self.unwritten.add(user)

    def statements(self, user: str) -> list[Statement]:
        """The statements that replace a user's sessions in the file."""
        delete: Statement = ("DELETE FROM sessions WHERE user = ?", (user,))
        insert = "INSERT INTO sessions VALUES (?, ?, ?)"
        stored = self._sessions.get(user, {}).items()
        return [delete, *((insert, (user, session, one.until)) for session, one in stored)]
