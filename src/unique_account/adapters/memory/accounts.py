"""An account store that is gone with the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from unique_account.core.account import NOTHING_KEPT, Kept
from unique_account.core.sessions import last_seen
from unique_account.core.user import User
from unique_account.ports.accounts import StaleVersion


class MemoryAccounts:
    """Keeps accounts in a dict."""

    def __init__(self) -> None:
        self._stored: dict[str, tuple[User, Kept]] = {}

    async def load(self, user: str) -> tuple[User, Kept] | None:
        """The stored part of one account; None where there is none."""
        return self._stored.get(user)

    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        """Every stored account, in the order of user ids."""
        for user in sorted(self._stored):
            if user in self._stored:
                yield self._stored[user]

    async def add(self, users: Iterable[User]) -> None:
        """Give each of these users a new account: all of them, or none."""
        await self.add_stored((user, NOTHING_KEPT) for user in users)

    async def add_stored(self, accounts: Iterable[tuple[User, Kept]]) -> None:
        """Store accounts as another store has them, versions included: all of them, or none."""
        added: dict[str, tuple[User, Kept]] = {}
        for user, kept in accounts:
            held = added.get(user.id) or self._stored.get(user.id)
            if held is not None:
                raise StaleVersion(user.id, None, held[1].version)
            added[user.id] = (user, kept)
        self._stored |= added

    async def save(self, user: User, kept: Kept, expected: int) -> None:
        """Write an account if the stored version is the expected one."""
        self._expect(user.id, expected)
        self._stored[user.id] = (user, kept)

    async def remove(self, user: str, expected: int) -> None:
        """Take an account away if the stored version is the expected one."""
        self._expect(user, expected)
        del self._stored[user]

    async def all_last_seen(self, instant: datetime) -> None:
        """Have every session last seen at an instant."""
        for user, kept in self._stored.values():
            if kept.sessions:
                self._stored[user.id] = (user, last_seen(kept, instant))

    def _expect(self, user: str, expected: int) -> None:
        stored = self._stored.get(user)
        found = stored[1].version if stored else None
        if found != expected:
            raise StaleVersion(user, expected, found)
