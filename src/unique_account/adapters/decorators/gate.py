"""An account store that takes changes only while a gate is open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime

from unique_account.core.account import Kept
from unique_account.core.user import User
from unique_account.ports.accounts import Accounts, StoreDown


class GatedAccounts:
    """A store of accounts in front of another one; a `unique_account.ports.accounts.Accounts`.

    Args:
        store: The other one.
        is_open: Whether changes are taken; while they are not, each is refused at once.
        why: Why they are not.
    """

    def __init__(self, store: Accounts, is_open: Callable[[], bool], why: str) -> None:
        self._store = store
        self._is_open = is_open
        self._why = why

    def _pass(self) -> None:
        if not self._is_open():
            raise StoreDown(self._why)

    async def load(self, user: str) -> tuple[User, Kept] | None:
        """The stored part of one account; None where there is none."""
        return await self._store.load(user)

    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        """Every stored account, each once, in the order of user ids."""
        async for stored in self._store.all():
            yield stored

    async def add(self, users: Iterable[User]) -> None:
        """Give each of these users a new account: all of them, or none."""
        self._pass()
        await self._store.add(users)

    async def add_stored(self, accounts: Iterable[tuple[User, Kept]]) -> None:
        """Store accounts as another store has them, versions included: all of them, or none."""
        self._pass()
        await self._store.add_stored(accounts)

    async def save(self, user: User, kept: Kept, expected: int) -> None:
        """Write an account if the stored version is the expected one."""
        self._pass()
        await self._store.save(user, kept, expected)

    async def remove(self, user: str, expected: int) -> None:
        """Take an account away if the stored version is the expected one."""
        self._pass()
        await self._store.remove(user, expected)

    async def all_last_seen(self, instant: datetime) -> None:
        """Have every session last seen at an instant."""
        self._pass()
        await self._store.all_last_seen(instant)
