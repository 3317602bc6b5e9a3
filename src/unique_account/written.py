"""Accounts as they are written down: a change is stored before anything shows it, under optimistic versions.

Where somebody else wrote an account meanwhile, the change is made anew to what they wrote.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from attrs import evolve

from unique_account.core.account import Account
from unique_account.core.errors import Unreachable
from unique_account.core.events import restore
from unique_account.core.routing import Plan
from unique_account.ports.accounts import Accounts, StaleVersion
from unique_account.ports.clock import Clock
from unique_account.ports.hearing import UnknownUser
from unique_account.ports.observer import Observer

STORE_RETRY: Final = timedelta(seconds=5)
"""How long after the store could not be reached it is asked what became of a change."""

WRITE_ATTEMPTS: Final = 5
"""How often one change is made anew because somebody else wrote the account first."""


class WrittenAccounts:
    """Changes accounts in the store.

    Args:
        store: Where kept parts are stored.
        observer: Who is told of what could not be stored.
        gone: Forgets an account that somebody else took out of the store.
    """

    def __init__(
        self, store: Accounts, observer: Observer, gone: Callable[[Account], Awaitable[None]]
    ) -> None:
        self._store = store
        self._observer = observer
        self._gone = gone

    async def change(self, before: Account, change: Callable[[Account], Account]) -> Account:
        """The account after a change, stored.

        Raises:
            UnknownUser: There is no account any more.
            StaleVersion: Others wrote the account again and again; nothing changed.
        """
        saving = f"accounts: save {before.user.id}"
        for _ in range(WRITE_ATTEMPTS):
            after = change(before)
            if after.kept is before.kept:
                return after
            try:
                await self._store.save(after.user, after.kept, before.version)
            except StaleVersion as error:
                stale = error
                before = await self.reread(before)
            except Exception as error:
                self._observer.failed(saving, error)
                raise
            else:
                return after
        self._observer.failed(saving, stale)
        raise stale

    async def outrank(self, account: Account, held: Plan | None) -> Account:
        """The account in a version above the PBX's, if the store lost what that one was made from."""
        if held is None or held.version < account.version:
            return account
        return await self.change(account, partial(above, held.version))

    async def remove(self, account: Account) -> Account:
        """Take an account out of the store; the account as it was there.

        Raises:
            UnknownUser: There is no account any more.
            StaleVersion: Others write the account at the same time, again and again.
        """
        try:
            await self._store.remove(account.user.id, account.version)
        except StaleVersion:
            account = await self.reread(account)
            await self._store.remove(account.user.id, account.version)
        return account

    async def reread(self, account: Account) -> Account:
        """The account with its stored part as it is in the store now; one that is gone is forgotten."""
        stored = await self._store.load(account.user.id)
        if stored is None:
            await self._gone(account)
            raise UnknownUser(account.user.id)
        return restore(*stored, account.lease, account.observed)


class Doubts:
    """Of whom nobody knows what is stored, since the store was lost at a change; it is asked once it is back.

    Args:
        clock: When it is time to ask.
        settle: Takes over what is stored of a user.
    """

    def __init__(self, clock: Clock, settle: Callable[[str], Awaitable[None]]) -> None:
        self._clock = clock
        self._settle = settle
        self._users: set[str] = set()

    @contextmanager
    def of(self, user: str) -> Iterator[None]:
        """Ask of a user later, if the store is lost within the context."""
        try:
            yield
        except Unreachable:
            self._about(user)
            raise

    def _about(self, user: str) -> None:
        if user not in self._users:
            self._users.add(user)
            self._clock.call_at(self._clock.now() + STORE_RETRY, partial(self._ask, user))

    async def _ask(self, user: str) -> None:
        self._users.discard(user)
        try:
            with suppress(UnknownUser):
                await self._settle(user)
        except Unreachable:
            self._about(user)


def last_seen(started: datetime, account: Account) -> Account:
    """The account with every session last seen when the service started (S5)."""
    sessions = tuple(evolve(session, last_seen=started) for session in account.sessions)
    if sessions == account.sessions:
        return account
    return evolve(account, kept=evolve(account.kept, version=account.version + 1, sessions=sessions))


def above(version: int, account: Account) -> Account:
    """The account in a version above another one."""
    return evolve(account, kept=evolve(account.kept, version=max(version, account.version) + 1))
