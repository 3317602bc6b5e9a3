"""The contract of the accounts can fail: it finds each store that breaks a promise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

import pytest
from attrs import evolve

from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import (
    MemoryAccounts,
)
from unique_account.core.account import Kept
from unique_account.core.sessions import last_seen
from unique_account.core.user import User
from unique_account.testing.contracts import (
    AccountsContract,
)


class LastWriterWins(MemoryAccounts):
    async def save(self, user: User, kept: Kept, expected: int) -> None:
        self._stored[user.id] = (user, kept)


class OneByOne(MemoryAccounts):
    async def add(self, users: Iterable[User]) -> None:
        for user in users:
            await super().add([user])


class AddsAgain(MemoryAccounts):
    async def add(self, users: Iterable[User]) -> None:
        self._stored |= {user.id: (user, Kept()) for user in users}


class RemovesAnything(MemoryAccounts):
    async def remove(self, user: str, expected: int) -> None:
        self._stored.pop(user, None)


class InOrderOfComing(MemoryAccounts):
    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        for user in list(self._stored):
            if user in self._stored:
                yield self._stored[user]


class PagesByCount(MemoryAccounts):
    """Pages with an offset, which moves as accounts come and go."""

    async def all(self) -> AsyncIterator[tuple[User, Kept]]:
        offset = 0
        while page := sorted(self._stored)[offset : offset + 100]:
            for user in page:
                if user in self._stored:
                    yield self._stored[user]
            offset += 100


class Forgetful(MemoryAccounts):
    async def save(self, user: User, kept: Kept, expected: int) -> None:
        await super().save(user, evolve(kept, sessions=()), expected)


class StoresTheFirst(MemoryAccounts):
    async def add_stored(self, accounts: Iterable[tuple[User, Kept]]) -> None:
        for stored in accounts:
            await super().add_stored([stored])


class SeesTheConnected(MemoryAccounts):
    async def all_last_seen(self, instant: datetime) -> None:
        for user, kept in self._stored.values():
            if any(session.last_seen is None for session in kept.sessions):
                self._stored[user.id] = (user, last_seen(kept, instant))


@pytest.mark.parametrize(
    "adapter",
    [
        LastWriterWins,
        OneByOne,
        AddsAgain,
        RemovesAnything,
        InOrderOfComing,
        PagesByCount,
        Forgetful,
        StoresTheFirst,
        SeesTheConnected,
    ],
)
def test_a_broken_store_is_found_out(adapter: type[MemoryAccounts]) -> None:
    assert broken_promises(keeps(AccountsContract, adapter))


def test_a_whole_one_breaks_no_promise() -> None:
    assert broken_promises(keeps(AccountsContract, MemoryAccounts, within=5)) == []
