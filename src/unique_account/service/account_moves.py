"""Accounts of users who go to a node of another group, or come from one.

One write moves an account: the service that has it stores it with the node of the other group. From then on
the store keeps it from this service. The other one takes it over as it is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from attrs import evolve

from unique_account.core.account import Account
from unique_account.core.errors import Unreachable
from unique_account.core.events import UserChanged, apply
from unique_account.core.sessions import last_seen
from unique_account.core.user import User
from unique_account.ports.clock import Clock
from unique_account.ports.inbound.events import UnknownUser
from unique_account.service.account_writer import AccountWriter, UnconfirmedWrites


class AccountMoves:
    """Lets accounts go to other groups of nodes, and takes over those that come from there.

    Args:
        accounts: The accounts by the ids of users, as they are at each moment.
        writer: Writes them.
        doubts: Asks the store later what became of a write that is not confirmed.
        clock: Time.
        lock: The lock of a user's account.
        forget: Forgets an account that another group has now.
        settle: Takes over what is stored of a user.

    Attributes:
        leaving: The users whose accounts are on their way, or may have gone where the answer was lost.
    """

    def __init__(
        self,
        accounts: Mapping[str, Account],
        writer: AccountWriter,
        doubts: UnconfirmedWrites,
        clock: Clock,
        lock: Callable[[str], asyncio.Lock],
        forget: Callable[[Account], Awaitable[None]],
        settle: Callable[[str], Awaitable[None]],
    ) -> None:
        self._accounts = accounts
        self._writer = writer
        self._doubts = doubts
        self._clock = clock
        self._lock = lock
        self._forget = forget
        self._settle = settle
        self.leaving: set[str] = set()

    async def let_go(self, user: User) -> None:
        """Store a user's account with its node in another group, and forget it here.

        Its sessions are last seen now, since their connections end (S5).

        Raises:
            UnknownUser: There is no account.
            StaleVersion: Others wrote the account again and again; nothing changed.
            Ineligible: A number or a device that the user is to have is another user's (A1).
        """
        async with self._lock(user.id):
            if (before := self._accounts.get(user.id)) is None:
                raise UnknownUser(user.id)
            with self._doubts.of(user.id), self._left(user.id):
                await self._writer.change(before, partial(_moved, user, self._clock.now()))
                await self._forget(before)

    @contextmanager
    def _left(self, user: str) -> Iterator[None]:
        """Have a user among those who leave; also afterwards, where nobody knows whether the account went."""
        self.leaving.add(user)
        try:
            yield
        except (Unreachable, asyncio.CancelledError):
            raise
        except BaseException:
            self.leaving.discard(user)
            raise
        self.leaving.discard(user)

    async def take_over(self, user: str) -> bool:
        """Take over an account as it is stored; whether there is one for this service."""
        self.leaving.discard(user)
        await self._settle(user)
        return user in self._accounts


def _moved(user: User, instant: datetime, account: Account) -> Account:
    kept = evolve(account.kept, sessions=last_seen(account.kept, instant).sessions)
    return apply(evolve(account, kept=kept), UserChanged(user))
