"""The contract of the store of UC Assistants can fail: it finds each adapter that breaks a promise."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.xuc.storage.store import FileStore
from unique_account.ports.assistant_store import Preference
from unique_account.testing.contracts import AssistantStoreContract


class Whole(FileStore):
    """One that keeps all in memory, and waits for no thread."""

    def __init__(self) -> None:
        super().__init__(None, MemoryObserver(), lambda: 0.0)

    async def save(self) -> None:
        self._sessions.unwritten.clear()


class Immortal(Whole):
    async def end(self, user: str, session: str) -> None:
        await super().end(user, "another")


class EndsAll(Whole):
    async def end(self, user: str, session: str) -> None:
        self._sessions.forget(user)


class Revived(Whole):
    async def prolong(self, user: str, session: str, expires: float) -> bool:
        if not await self.living([(user, session)]):
            await self.begin(user, session, expires, expires)
        return True


class AlwaysProlonged(Whole):
    async def prolong(self, user: str, session: str, expires: float) -> bool:
        await super().prolong(user, session, expires)
        return True


class NeverProlonged(Whole):
    async def prolong(self, user: str, session: str, expires: float) -> bool:
        return bool(await self.living([(user, session)]))


class FirstWord(Whole):
    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        if key not in await self.preferences(user):
            await super().prefer(user, key, preference)


class OneUser(Whole):
    async def preferences(self, user: str) -> Mapping[str, Preference]:
        return {**await super().preferences("bob"), **await super().preferences(user)}


class Unbounded(Whole):
    async def prefer(self, user: str, key: str, preference: Preference) -> None:
        self._preferences.set(user, key, preference)


class Sorted(Whole):
    async def favorites(self, user: str) -> Collection[str]:
        return tuple(sorted(await super().favorites(user)))


class AlwaysAChange(Whole):
    async def favor(self, user: str, number: str, *, added: bool) -> bool:
        await super().favor(user, number, added=added)
        return True


class Greedy(Whole):
    async def favor(self, user: str, number: str, *, added: bool) -> bool:
        changed = (number in self._favorites.of(user)) is not added
        self._favorites.set(user, number, added=added)
        return changed


class Remembers(Whole):
    async def forget(self, user: str) -> None:
        self._sessions.forget(user)


class Forgetful(Whole):
    async def save(self) -> None:
        await super().save()
        self._sessions._sessions.clear()


BROKEN = [Immortal, EndsAll, Revived, AlwaysProlonged, NeverProlonged, FirstWord, OneUser, Unbounded, Sorted,
          AlwaysAChange, Greedy, Remembers, Forgetful]  # fmt: skip


@pytest.mark.parametrize("adapter", BROKEN)
def test_a_broken_store_is_found_out(adapter: Any) -> None:
    assert broken_promises(keeps(AssistantStoreContract, adapter, within=5))


def test_a_whole_one_breaks_no_promise() -> None:
    assert broken_promises(keeps(AssistantStoreContract, Whole, within=5)) == []
