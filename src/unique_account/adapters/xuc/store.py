"""What the CTI server keeps over a restart: the sessions that there are, and preferences, in one SQLite file.

All of it is in memory too, so that looking a token up waits for no disk. A session that ends has ended here
at once; what the file does not take is written later. A preference counts only once it is written.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from unique_account.core.errors import Unreachable
from unique_account.files.private import keep_private, make_private
from unique_account.ports.observer import Observer, PortRequest

MOST_PREFERENCES: Final = 64
"""How many preferences one user may have."""

MOST_SESSIONS: Final = 256
"""How many sessions one user may have whose tokens are good; of more, the one that expires first ends."""

_WRITE: Final = PortRequest("cti", "store")
_SCHEMA: Final = """
DROP TABLE IF EXISTS revoked;
CREATE TABLE IF NOT EXISTS sessions (
    user TEXT NOT NULL, session TEXT NOT NULL, until REAL NOT NULL,
    PRIMARY KEY (user, session)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS preferences (
    user TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, value_type TEXT NOT NULL,
    PRIMARY KEY (user, key)
) WITHOUT ROWID;
"""


class TooManyPreferences(ValueError):
    """A user has as many preferences as may be."""


class StoreFailed(Unreachable):
    """The file did not take what was to be kept."""


@frozen(weakref_slot=False)
class Preference:
    """What a user prefers, in the words of XiVO's page."""

    value: str
    value_type: str


@frozen(weakref_slot=False)
class StoredSession:
    """A session, as a matter of its tokens.

    Attributes:
        expires: When its last token expires, as a POSIX timestamp.
        until: When no token of it can be good any more, however often it is renewed.
    """

    expires: float
    until: float


class Store:
    """Sessions and preferences.

    Args:
        path: The file, made if it is not there; None: nothing outlives the process.
        observer: Notified when the file cannot be written, and when it can be again.
        now: The present as a POSIX timestamp.

    Raises:
        OSError: The file cannot be used; the sentence names it.
    """

    def __init__(self, path: Path | None, observer: Observer, now: Callable[[], float]) -> None:
        self._observer = observer
        self._now = now
        self._sessions: defaultdict[str, dict[str, StoredSession]] = defaultdict(dict)
        self._preferences: defaultdict[str, dict[str, Preference]] = defaultdict(dict)
        try:
            self._file = _opened(path, now())
            self._read()
        except _BROKEN as error:
            raise OSError(None, f"{path} cannot be used for sessions and preferences: {error}") from error
        self._thread = ThreadPoolExecutor(1, "cti-store")
        self._writing = asyncio.Lock()
        self._failing = False
        self._unwritten: set[str] = set()

    def _read(self) -> None:
        """Take what the file keeps into memory; a file that is damaged is closed."""
        try:
            sessions = "SELECT user, session, until FROM sessions"
            for user, session, until in _rows(self._file, sessions, str, str, float):
                self._sessions[user][session] = StoredSession(until, until)
            preferences = "SELECT user, key, value, value_type FROM preferences"
            for user, key, value, kind in _rows(self._file, preferences, str, str, str, str):
                self._preferences[user][key] = Preference(value, kind)
        except BaseException:
            self._file.close()
            raise

    # -- sessions ------------------------------------------------------------------------------------

    def has(self, user: str, session: str) -> bool:
        """Whether there is such a session of this user."""
        return session in self._sessions.get(user, ())

    def begin(self, user: str, session: str, kept: StoredSession) -> None:
        """There is one more session."""
        others = self._sessions[user].items()
        valid = sorted(
            (one for one in others if one[1].expires > self._now()), key=lambda one: one[1].expires
        )
        self._sessions[user] = {**dict(valid[-MOST_SESSIONS + 1 :]), session: kept}
        self._unwritten.add(user)

    def prolong(self, user: str, session: str, expires: float) -> None:
        """A session has a token that expires then."""
        if (kept := self._sessions.get(user, {}).get(session)) is not None:
            self._sessions[user][session] = evolve(kept, expires=expires)

    def end(self, user: str, session: str) -> None:
        """There is no such session any more; that it is written down takes `keep`."""
        if self.has(user, session):
            del self._sessions[user][session]
            if not self._sessions[user]:
                del self._sessions[user]
            self._unwritten.add(user)

    @property
    def is_owed(self) -> bool:
        """Whether something waits to be written down."""
        return bool(self._unwritten)

    async def keep(self) -> None:
        """Write down which sessions began and ended; what the file does not take waits for the next call.

        Raises:
            NotKept: It did not take it.
        """
        async with self._writing:
            users, self._unwritten = self._unwritten, set()
            try:
                await self._write(self._statements(users))
            except BaseException:
                self._unwritten |= users
                raise

    def _statements(self, users: Iterable[str]) -> list[_Statement]:
        """What makes the file say of users what is in memory."""
        statements: list[_Statement] = []
        for user in users:
            statements.append(("DELETE FROM sessions WHERE user = ?", (user,)))
            for session, kept in self._sessions.get(user, {}).items():
                statements.append(("INSERT INTO sessions VALUES (?, ?, ?)", (user, session, kept.until)))
            statements.append(("DELETE FROM preferences WHERE user = ?", (user,)))
            statements += [_preferred(user, *one) for one in self.preferences(user).items()]
        return statements

    # -- preferences ---------------------------------------------------------------------------------

    def preferences(self, user: str) -> Mapping[str, Preference]:
        """What a user prefers, by key."""
        return self._preferences.get(user, {})

    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        """Keep a preference; it counts once it is written.

        Raises:
            TooManyPreferences: The user has too many already.
            NotKept: The file does not take it; nothing changed.
        """
        async with self._writing:
            own = self.preferences(user)
            if key not in own and len(own) >= MOST_PREFERENCES:
                raise TooManyPreferences(f"there are {MOST_PREFERENCES} preferences already")
            await self._write([_preferred(user, key, preference)])
            self._preferences[user][key] = preference

    # -- both ----------------------------------------------------------------------------------------

    async def forget(self, user: str) -> None:
        """Keep nothing of a user.

        Raises:
            NotKept: The file keeps it for now; nothing of it counts in this process.
        """
        self._sessions.pop(user, None)
        self._preferences.pop(user, None)
        self._unwritten.add(user)
        await self.keep()

    async def _write(self, statements: list[_Statement]) -> None:
        if not statements:
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, _executed, self._file, statements)
        except _BROKEN as error:
            self._say(error)
            raise StoreFailed(f"nothing can be kept at the moment: {error}") from error
        self._say(None)

    def _say(self, error: Exception | None) -> None:
        """Report that the file cannot be written, or can be again, once each."""
        if error is not None and not self._failing:
            self._observer.failed(_WRITE, error)
        if error is None and self._failing:
            self._observer.recovered(_WRITE)
        self._failing = error is not None

    def close(self) -> None:
        """Close the file, after what is being written."""
        self._thread.shutdown()
        self._file.close()


_BROKEN: Final = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises of a file that cannot be used; of a schema of half characters it is the second."""

_Statement = tuple[str, tuple[str | float, ...]]


def _preferred(user: str, key: str, preference: Preference) -> _Statement:
    row = (user, key, preference.value, preference.value_type)
    return "INSERT OR REPLACE INTO preferences VALUES (?, ?, ?, ?)", row


def _executed(file: sqlite3.Connection, statements: Iterable[_Statement]) -> None:
    with _transaction(file):
        for sql, row in statements:
            file.execute(sql, row)


@contextmanager
def _transaction(file: sqlite3.Connection) -> Iterator[None]:
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
        file.execute("COMMIT")
    except BaseException:
        if file.in_transaction:
            file.execute("ROLLBACK")
        raise


def _opened(path: Path | None, now: float) -> sqlite3.Connection:
    make_private(path or ":memory:")
    file = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
    try:
        file.executescript(_SCHEMA)
        file.execute("DELETE FROM sessions WHERE until < ?", (now,))
        keep_private(path or ":memory:")
    except BaseException:
        file.close()
        raise
    return file


def _rows(file: sqlite3.Connection, query: str, *kinds: type) -> Iterator[tuple[Any, ...]]:
    """What a query finds, whose columns are of these kinds.

    Raises:
        sqlite3.DatabaseError: A row has a value of another kind, or no end.
    """
    for row in file.execute(query):
        if not all(map(isinstance, row, kinds)) or inf in row:
            raise sqlite3.DatabaseError("a row is damaged")
        yield row
