"""An account store whose loss is noticed, reported once, and waited out.

While it cannot, who asks it is refused at once. So nobody waits for it with a user's events behind, and
presence goes on being shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from unique_account.core.account import Kept
from unique_account.core.errors import Unreachable
from unique_account.core.user import User
from unique_account.ports.accounts import Accounts, StoreDown
from unique_account.ports.observer import Observer, PortRequest

LOOKS_EVERY: Final = 5.0
"""Every how many seconds it is looked whether the store can be reached."""

LOOKS_AGAIN_AFTER: Final = 1.0
"""The same while it cannot."""

_NOBODY: Final = ""
_CONNECTION: Final = PortRequest("accounts", "connection")


class AccountsCircuitBreaker:
    """A store of accounts in front of another one; a `unique_account.ports.accounts.Accounts`.

    Args:
        store: The other one.
        observer: Is notified that it is lost, and that it is back.
    """

    def __init__(self, store: Accounts, observer: Observer) -> None:
        self._store = store
        self._observer = observer
        self._why: str | None = None

    @property
    def reachable(self) -> bool:
        """Whether the store could be reached when it was last asked."""
        return self._why is None

    async def look_after(self) -> None:
        """Look again and again whether the store can be reached, until cancelled."""
        while True:
            await asyncio.sleep(LOOKS_EVERY if self.reachable else LOOKS_AGAIN_AFTER)
            try:
                await self._store.load(_NOBODY)
            except Exception as error:  # who cannot even read cannot write
                self._lose(error)
            else:
                self._find()

    @contextmanager
    def _asked(self) -> Iterator[None]:
        if self._why is not None:
            raise StoreDown(self._why)
        try:
            yield
        except Unreachable as error:
            self._lose(error)
            raise StoreDown(str(error)) from error

    def _lose(self, error: Exception) -> None:
        if self._why is None:
            self._why = str(error)
            self._observer.failed(_CONNECTION, error)

    def _find(self) -> None:
        if self._why is not None:
            self._why = None
            self._observer.recovered(_CONNECTION)

    # -- the store -----------------------------------------------------------------------------------

    async def load(self, user: str) -> tuple[User, Kept] | None:
        """The stored part of one account; None where there is none."""
        with self._asked():
            return await self._store.load(user)

    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        """Every stored account, each once, in the order of user ids."""
        with self._asked():
            async for stored in self._store.all():
                yield stored

    async def add(self, users: Iterable[User]) -> None:
        """Give each of these users a new account: all of them, or none."""
        with self._asked():
            await self._store.add(users)

    async def add_stored(self, accounts: Iterable[tuple[User, Kept]]) -> None:
        """Store accounts as another store has them, versions included: all of them, or none."""
        with self._asked():
            await self._store.add_stored(accounts)

    async def save(self, user: User, kept: Kept, expected: int) -> None:
        """Write an account if the stored version is the expected one."""
        with self._asked():
            await self._store.save(user, kept, expected)

    async def remove(self, user: str, expected: int) -> None:
        """Take an account away if the stored version is the expected one."""
        with self._asked():
            await self._store.remove(user, expected)

    async def all_last_seen(self, instant: datetime) -> None:
        """Have every session last seen at an instant."""
        with self._asked():
            await self._store.all_last_seen(instant)
