"""The account store: what users and administrators chose, kept over restarts (S2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Protocol

from unique_account.core.account import Kept
from unique_account.core.errors import UniqueAccountError, Unreachable
from unique_account.core.user import User


class StaleVersion(UniqueAccountError):
    """Somebody else wrote the account since it was read.

    Attributes:
        user: The account's user.
        expected: The version that the writer had read; None: no account.
        found: The version in the store; None: no account.
    """

    def __init__(self, user: str, expected: int | None, found: int | None) -> None:
        super().__init__(user, expected, found)
        self.user = user
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        if self.expected is None:
            return f"{self.user} has an account already, of version {self.found}"
        there = "there is none any more" if self.found is None else f"version {self.found} is stored"
        return f"the account of {self.user} changed meanwhile: version {self.expected} was read, {there}"


class StoreDown(Unreachable):
    """The store cannot be reached, which was reported when it went down; nothing was written."""


class Accounts(Protocol):
    """A store of accounts' kept parts, with optimistic versions.

    A write is there for every later read, and survives a crash once it has returned; a write that raises
    left everything as it was. Only where a store over a network is lost at a write, which raises
    `Unreachable`, nobody knows; that is asked later. Such a store bounds for how long it is waited for.

    A store that several processes write may refuse a user with a number or device of another one, and then
    raises `Ineligible` (A1). For a process that owned a group and does not any more, every write raises
    `unique_account.ports.group_leases.Fenced`. In both cases nothing was written.
    """

    async def load(self, user: str) -> tuple[User, Kept] | None:
        """The stored part of one account; None where there is none."""
        ...

    def all(self) -> AsyncIterator[tuple[User, Kept]]:
        """Every stored account, each once, in the order of user ids; not all held in memory at once."""
        ...

    async def add(self, users: Iterable[User]) -> None:
        """Give each of these users a new account of version 0: all of them, or none.

        Raises:
            StaleVersion: One of them has an account already; nothing was written.
        """
        ...

    async def add_stored(self, accounts: Iterable[tuple[User, Kept]]) -> None:
        """Store accounts as another store has them, versions included: all of them, or none.

        Raises:
            StaleVersion: One of them has an account already; nothing was written.
        """
        ...

    async def save(self, user: User, kept: Kept, expected: int) -> None:
        """Write an account if the stored version is the expected one.

        Raises:
            StaleVersion: The stored version is another, or there is no account; nothing was written.
        """
        ...

    async def remove(self, user: str, expected: int) -> None:
        """Take an account away if the stored version is the expected one.

        Raises:
            StaleVersion: The stored version is another, or there is no account.
        """
        ...

    async def all_last_seen(self, instant: datetime) -> None:
        """Have every session of every account last seen at an instant, as when a service starts (S5).

        An account with sessions has its version raised by one; all of them are written, or none.
        """
        ...
