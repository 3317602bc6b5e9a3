"""Sessions, preferences and favourites on PostgreSQL, shared by all servers of the UC Assistants."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from math import inf
from typing import Any, Final

from unique_account.adapters.postgresql.database import Connection, UnusableDatabase
from unique_account.adapters.postgresql.store import PostgresqlStore
from unique_account.ports.assistant_store import (
    MOST_FAVORITES,
    MOST_PREFERENCES,
    MOST_SESSIONS,
    Preference,
    StoreFailed,
    TooManyFavorites,
    TooManyPreferences,
    UserAndSession,
)
from unique_account.ports.observer import Observer, PortRequest

CLEAN_EVERY: Final = 600.0
"""How many seconds lie between two deletions of sessions that are over."""

_STORE: Final = PortRequest("cti", "store")

# Whoever counts a user's rows before adding one waits for the others.
_TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended('unique_account.assistant ' || %s, 0))"

_SURPLUS: Final = """
    DELETE FROM unique_account.assistant_sessions WHERE user_id = %(user)s AND session IN (
        SELECT session FROM unique_account.assistant_sessions WHERE user_id = %(user)s
        ORDER BY expires DESC, session OFFSET %(most)s
    )
"""
_BEGIN: Final = "INSERT INTO unique_account.assistant_sessions VALUES (%s, %s, %s, %s)"
_PROLONG: Final = """
    UPDATE unique_account.assistant_sessions SET expires = greatest(expires, %s)
    WHERE user_id = %s AND session = %s
"""
_LIVING: Final = """
    SELECT user_id, session FROM unique_account.assistant_sessions
    JOIN unnest(%s::text[], %s::bytea[]) AS sought (user_id, session) USING (user_id, session)
"""
_END: Final = "DELETE FROM unique_account.assistant_sessions WHERE user_id = %s AND session = %s"

# By the database's clock, and a day late: a clock that is a little wrong ends no session.
_OVER: Final = """
    DELETE FROM unique_account.assistant_sessions WHERE until < extract(epoch FROM now()) - 86400
"""
_PREFERENCES: Final = "SELECT key, value, value_type FROM unique_account.preferences WHERE user_id = %s"
_PREFERS: Final = """
    SELECT count(*) FILTER (WHERE key <> %s) FROM unique_account.preferences WHERE user_id = %s
"""
_PREFER: Final = """
    INSERT INTO unique_account.preferences VALUES (%s, %s, %s, %s)
    ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value, value_type = excluded.value_type
"""
_FAVORITES: Final = "SELECT number FROM unique_account.favorites WHERE user_id = %s ORDER BY place"
_FAVOR: Final = """
    INSERT INTO unique_account.favorites (user_id, number) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
_DISFAVOR: Final = "DELETE FROM unique_account.favorites WHERE user_id = %s AND number = %s"
_TABLES: Final = ("assistant_sessions", "preferences", "favorites")


class PostgresqlAssistantStore(PostgresqlStore):
    """What the servers of the UC Assistants share; see `unique_account.ports.assistant_store.AssistantStore`.

    Args:
        url: Where the database is, as for the accounts.
        observer: Notified when it cannot be used, and when it can be again.
    """

    def __init__(self, url: str, observer: Observer) -> None:
        super().__init__(url)
        self._observer = observer
        self._failing = False
        self._cleaned = -inf
        self._ended: set[UserAndSession] = set()
        self._forgotten: set[str] = set()

    # -- sessions ------------------------------------------------------------------------------------

    async def begin(self, user: str, session: str, expires: float, until: float) -> None:
        """Add a session."""
        async with self._writing(user) as connection:
            await connection.execute(_TURN, (user,))
            await connection.execute(_SURPLUS, {"user": user, "most": MOST_SESSIONS - 1})
            await connection.execute(_BEGIN, (user, _digest(session), expires, until))

    async def prolong(self, user: str, session: str, expires: float) -> bool:
        """A session got a token that expires then; False: the session has ended."""
        if self._ended_here((user, session)):
            return False
        async with self._stored() as connection:
            return (await connection.execute(_PROLONG, (expires, user, _digest(session)))).rowcount > 0

    async def living(self, sessions: Collection[UserAndSession]) -> Collection[UserAndSession]:
        """Those of some sessions that have not ended."""
        sought = {(user, _digest(session)): (user, session) for user, session in sessions}
        users, digests = [user for user, _ in sought], [digest for _, digest in sought]
        async with self._stored() as connection:
            rows = await (await connection.execute(_LIVING, (users, digests))).fetchall()
        found = {sought[user, bytes(digest)] for user, digest in rows}
        return {one for one in found if not self._ended_here(one)}

    def _ended_here(self, one: UserAndSession) -> bool:
        """Whether a session ended here and this is not stored yet."""
        return one in self._ended or one[0] in self._forgotten

    async def end(self, user: str, session: str) -> None:
        """End a session, with all of its tokens."""
        self._ended.add((user, session))
        async with self._stored() as connection:
            await connection.execute(_END, (user, _digest(session)))
        self._ended.discard((user, session))

    # -- preferences ---------------------------------------------------------------------------------

    async def preferences(self, user: str) -> Mapping[str, Preference]:
        """A user's preferences, by key."""
        if user in self._forgotten:
            return {}
        async with self._stored() as connection:
            rows = await (await connection.execute(_PREFERENCES, (user,))).fetchall()
        return {key: Preference(_text(value), _text(value_type)) for key, value, value_type in rows}

    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        """Set a preference; it counts once it is stored."""
        async with self._writing(user) as connection:
            await connection.execute(_TURN, (user,))
            if await _number(connection, _PREFERS, (key, user)) >= MOST_PREFERENCES:
                raise TooManyPreferences
            values = (preference.value.encode(), preference.value_type.encode())
            await connection.execute(_PREFER, (user, key, *values))

    async def favorites(self, user: str) -> Collection[str]:
        """The numbers of a user's favourites, in the order in which they were added."""
        if user in self._forgotten:
            return ()
        async with self._stored() as connection:
            return tuple(number for (number,) in await _rows(connection, _FAVORITES, (user,)))

    async def favor(self, user: str, number: str, *, added: bool) -> bool:
        """Add or remove a favourite; returns whether that is a change."""
        async with self._writing(user) as connection:
            await connection.execute(_TURN, (user,))
            if not added:
                return (await connection.execute(_DISFAVOR, (user, number))).rowcount > 0
            known = [one for (one,) in await _rows(connection, _FAVORITES, (user,))]
            if number not in known and len(known) >= MOST_FAVORITES:
                raise TooManyFavorites
            return (await connection.execute(_FAVOR, (user, number))).rowcount > 0

    # -- both ----------------------------------------------------------------------------------------

    async def forget(self, user: str) -> None:
        """Remove all sessions, preferences and favourites of a user."""
        self._forgotten.add(user)
        await self._forget((user,))

    async def _forget(self, users: Collection[str]) -> None:
        async with self._stored() as connection:
            for table in _TABLES:
                delete = f"DELETE FROM unique_account.{table} WHERE user_id = ANY(%s)"
                await connection.execute(delete.encode(), (list(users),))
        self._forgotten.difference_update(users)

    async def save(self) -> None:
        """Store what could not be stored before, and delete sessions that are over."""
        if self._forgotten:
            await self._forget(tuple(self._forgotten))
        for user, session in tuple(self._ended):
            await self.end(user, session)
        if time.monotonic() - self._cleaned >= CLEAN_EVERY:
            self._cleaned = time.monotonic()
            async with self._stored() as connection:
                await connection.execute(_OVER)

    @asynccontextmanager
    async def _writing(self, user: str) -> AsyncIterator[Connection]:
        """A transaction that adds something of a user, after what is still to be removed of that user."""
        if user in self._forgotten:
            await self._forget((user,))
        async with self._stored() as connection:
            yield connection

    @asynccontextmanager
    async def _stored(self) -> AsyncIterator[Connection]:
        """A transaction that ends in time.

        Raises:
            StoreFailed: The database cannot be used.
        """
        try:
            async with self._database.short_transaction() as connection:
                yield connection
        except UnusableDatabase as error:
            self._say(error)
            raise StoreFailed(f"nothing can be stored at the moment: {error}") from error
        self._say(None)

    def _say(self, error: Exception | None) -> None:
        """Report that the database cannot be used, or can be again, once each."""
        if error is not None and not self._failing:
            self._observer.failed(_STORE, error)
        if error is None and self._failing:
            self._observer.recovered(_STORE)
        self._failing = error is not None


def _digest(session: str) -> bytes:
    return sha256(session.encode()).digest()


def _text(value: bytes) -> str:
    return bytes(value).decode()


async def _rows(connection: Connection, query: str, values: Iterable[Any]) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query.encode(), tuple(values))).fetchall()


async def _number(connection: Connection, query: str, values: Iterable[Any]) -> int:
    ((number,),) = await _rows(connection, query, values)
    return int(number)
