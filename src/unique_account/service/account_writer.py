"""Accounts as they are written down: a change is stored before anything shows it, under optimistic versions.

Where another process wrote an account meanwhile, the change is made again to what it wrote. A change that
has nothing to change in the account as it is held here, or that is refused, is compared with the store first:
what is held may be old, and an acknowledged change has to be there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Final

from attrs import evolve

from unique_account.core.account import Account
from unique_account.core.errors import Refused, Unreachable
from unique_account.core.events import Event, LoggedIn, apply, restore
from unique_account.core.routing import Plan
from unique_account.ports.accounts import Accounts, StaleVersion
from unique_account.ports.clock import Clock
from unique_account.ports.inbound.events import UnknownUser
from unique_account.ports.observer import Observer, PortRequest

STORE_RETRY: Final = timedelta(seconds=5)
"""How long after the store could not be reached it is asked what became of a change."""

WRITE_ATTEMPTS: Final = 5
"""How often one change is made again because another process wrote the account first."""


class AccountWriter:
    """Changes accounts in the store.

    Args:
        store: Where kept parts are stored.
        observer: Is notified of what could not be stored.
        gone: Forgets an account that somebody else took out of the store.
    """

    def __init__(
        self, store: Accounts, observer: Observer, gone: Callable[[Account], Awaitable[None]]
    ) -> None:
        self._store = store
        self._observer = observer
        self._gone = gone

    async def apply(self, before: Account, event: Event, *, certain: bool) -> Account:
        """The account after an event, stored; raises as `change` does.

        Args:
            before: The account as it is held here.
            event: What happened.
            certain: No change of it by this process has an unknown outcome.
        """
        if certain and isinstance(event, LoggedIn):
            after = apply(before, event)
            if after.kept is before.kept:  # nothing to compare: nobody else writes of this connection
                return after
        return await self.change(before, lambda account: apply(account, event))

    async def change(self, before: Account, change: Callable[[Account], Account]) -> Account:
        """The account after a change, stored.

        Raises:
            Refused: By the change, of the account as it is stored; nothing changed.
            UnknownUser: There is no account any more.
            StaleVersion: Others wrote the account again and again; nothing changed.
        """
        read = before.version
        for _ in range(WRITE_ATTEMPTS):
            after, refusal = _decided(change, before)
            if after.kept is not before.kept:
                if await self._saved(after, before.version):
                    return after
                before = await self.reread(before)
                continue
            stored = await self.reread(before)
            if (stored.user, stored.kept) != (before.user, before.kept):
                before = stored
            elif refusal is not None:
                raise refusal
            else:
                return after
        stale = StaleVersion(before.user.id, read, before.version)
        self._observer.failed(_saving(before), stale)
        raise stale

    async def _saved(self, account: Account, expected: int) -> bool:
        """Whether an account could be stored; not if others wrote it since it was read."""
        try:
            await self._store.save(account.user, account.kept, expected)
        except StaleVersion:
            return False
        except Exception as error:
            self._observer.failed(_saving(account), error)
            raise
        return True

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


def _saving(account: Account) -> PortRequest:
    return PortRequest("accounts", "save", user=account.user.id)


def _decided(change: Callable[[Account], Account], before: Account) -> tuple[Account, Refused | None]:
    """The account after a change, or the same one and why the change is refused."""
    try:
        return change(before), None
    except Refused as refusal:
        return before, refusal


class UnconfirmedWrites:
    """Users whose last change has an unknown outcome; the store is asked for it later.

    The store was lost at the change, or its task was cancelled before it was acknowledged.

    Args:
        clock: When it is time to ask.
        settle: Takes over what is stored of a user.
    """

    def __init__(self, clock: Clock, settle: Callable[[str], Awaitable[None]]) -> None:
        self._clock = clock
        self._settle = settle
        self._users: set[str] = set()

    def __contains__(self, user: str) -> bool:
        return user in self._users

    @contextmanager
    def of(self, user: str) -> Iterator[None]:
        """Ask of a user later, if the store is lost within the context, or the context cancelled."""
        try:
            yield
        except (Unreachable, asyncio.CancelledError):
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


def above(version: int, account: Account) -> Account:
    """The account in a version above another one."""
    return evolve(account, kept=evolve(account.kept, version=max(version, account.version) + 1))
