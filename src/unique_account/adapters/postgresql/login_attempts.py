"""Failed log-ins on PostgreSQL, counted over all servers of the UC Assistants.

Each place is a row, which an attempt locks while it looks and adds. Times are the database's, so that the
clocks of the servers need not agree. The table has a fixed number of places besides one for each user, and a
place goes when nothing in it counts any more.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from attrs import frozen

from unique_account.adapters.postgresql.database import Connection, UnusableDatabase
from unique_account.adapters.postgresql.store import PostgresqlStore
from unique_account.ports.assistant_store import StoreFailed
from unique_account.ports.login_attempts import (
    PER_ADDRESS,
    PER_LOGIN,
    SOON,
    WINDOW,
    Begun,
    Places,
    TooManyAttempts,
)

UNDER_WAY: Final = 60.0
"""For how many seconds an attempt counts that began and was never ended, since its process died."""

CLEAN_EVERY: Final = 60.0
"""How many seconds lie between two deletions of places in which nothing counts."""

_NOW: Final = "extract(epoch FROM clock_timestamp())::double precision"

# The mark is a little apart from the time, so that two attempts at one time have two marks. Times in the
# future count for nothing: the clock was set back since.
_BEGIN: Final = f"""
    WITH begun AS MATERIALIZED (SELECT {_NOW} AS now, random() / 1000 AS apart)
    INSERT INTO unique_account.login_attempts AS known (place, failures, under_way, touched)
    SELECT place, '{{}}', ARRAY[now + apart], now FROM begun, unnest(%(places)s::text[]) AS place
    ORDER BY place COLLATE "C"
    ON CONFLICT (place) DO UPDATE SET
        failures = ARRAY(
            SELECT at FROM unnest(known.failures) AS at
            WHERE at > excluded.touched - %(window)s AND at <= excluded.touched + 1 ORDER BY at
        ),
        under_way = excluded.under_way || ARRAY(
            SELECT at FROM unnest(known.under_way) AS at
            WHERE at > excluded.touched - %(under_way)s AND at <= excluded.touched + 1
        ),
        touched = excluded.touched
    RETURNING place, failures, under_way, touched
"""
_HELD: Final = """
    WITH held AS (
        SELECT place FROM unique_account.login_attempts WHERE place = ANY(%(places)s)
        ORDER BY place FOR UPDATE
    )
    UPDATE unique_account.login_attempts AS known
    SET under_way = array_remove(under_way, %(mark)s::double precision)
"""
_WITHDRAW: Final = f"{_HELD} FROM held WHERE known.place = held.place"
_SUCCEED: Final = f"""{_HELD},
    failures = CASE WHEN known.place = ANY(%(login)s) THEN '{{}}' ELSE failures END
    FROM held WHERE known.place = held.place
"""
_FAIL: Final = f"""{_HELD},
    failures = (failures || {_NOW})[greatest(1, cardinality(failures) + 2 -
        CASE WHEN known.place = ANY(%(login)s) THEN %(per_login)s ELSE %(per_address)s END):],
    touched = {_NOW}
    FROM held WHERE known.place = held.place
"""
_CLEAN: Final = f"DELETE FROM unique_account.login_attempts WHERE touched < {_NOW} - %s"


@frozen(weakref_slot=False)
class _Row:
    """What was counted at a place before an attempt."""

    failures: Sequence[float]
    under_way: int
    now: float

    @property
    def count(self) -> int:
        return len(self.failures) + self.under_way

    @property
    def wait(self) -> float:
        """How many seconds until a login at its limit may try again here."""
        return self.failures[0] + WINDOW - self.now if len(self.failures) >= PER_LOGIN else SOON


class PostgresqlLoginAttempts(PostgresqlStore):
    """The attempts at all servers of a database; see `unique_account.ports.login_attempts.LoginAttempts`.

    Args:
        url: Where the database is, as for the accounts.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._cleaned = time.monotonic()

    async def begin(self, places: Places) -> Begun:
        """Begin an attempt, and say what was counted before it."""
        await self._clean()
        both = [*places.login, *places.address]
        values = {"places": both, "window": WINDOW, "under_way": UNDER_WAY}
        async with self._counted() as connection:  # what is raised within undoes the attempt
            found = await (await connection.execute(_BEGIN.encode(), values)).fetchall()
            rows = {row[0]: _Row(row[1], len(row[2]) - 1, row[3]) for row in found}
            logins, addresses = ([rows[place] for place in of] for of in (places.login, places.address))
            if (failures := _count(logins)) >= PER_LOGIN:
                raise TooManyAttempts(min(row.wait for row in logins))
        return Begun(places, failures, _count(addresses) >= PER_ADDRESS, found[0][2][0])

    async def failed(self, begun: Begun) -> None:
        """The attempt failed: count it."""
        await self._end(_FAIL, begun, {"per_login": PER_LOGIN, "per_address": PER_ADDRESS})

    async def succeeded(self, begun: Begun) -> None:
        """The attempt succeeded: forget the failures of the login, but not those of the address."""
        await self._end(_SUCCEED, begun, {})

    async def withdrawn(self, begun: Begun) -> None:
        """The attempt was not carried out: it counts for nothing."""
        await self._end(_WITHDRAW, begun, {})

    async def _end(self, statement: str, begun: Begun, more: dict[str, Any]) -> None:
        login, address = list(begun.places.login), list(begun.places.address)
        values = {"places": login + address, "login": login, "mark": begun.mark, **more}
        async with self._counted() as connection:
            await connection.execute(statement.encode(), values)

    async def _clean(self) -> None:
        """Delete the places in which nothing counts any more, once in a while."""
        if time.monotonic() - self._cleaned >= CLEAN_EVERY:
            self._cleaned = time.monotonic()
            async with self._counted() as connection:
                await connection.execute(_CLEAN.encode(), (WINDOW + UNDER_WAY,))

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[Connection]:
        """A transaction that ends in time.

        Raises:
            StoreFailed: The database cannot be used.
        """
        try:
            async with self._database.short_transaction() as connection:
                yield connection
        except UnusableDatabase as error:
            raise StoreFailed(f"nothing can be counted at the moment: {error}") from error


def _count(rows: Iterable[_Row]) -> int:
    return min(row.count for row in rows)
