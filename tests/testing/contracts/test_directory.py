"""The contract of the directory can fail: it finds each adapter that breaks a promise."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from typing import Any

import pytest

from tests.adapters.memory.drivers import (
    MemoryCompany,
)
from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import (
    MemoryDirectory,
)
from unique_account.core.number import Number
from unique_account.ports.directory import Colleague
from unique_account.testing.contracts import (
    DirectoryContract,
)


class AnyPassword(MemoryDirectory):
    async def authenticate(self, login: str, password: str) -> str | None:
        return login if login in self._passwords else None


class NoPassword(MemoryDirectory):
    async def authenticate(self, login: str, password: str) -> str | None:
        return login if self._passwords.get(login, "") == password else None


class SameCredential(MemoryDirectory):
    async def credential(self, login: str) -> str | None:
        return login if login in self._passwords else None


class NewCredential(MemoryDirectory):
    async def credential(self, login: str) -> str | None:
        return token_hex() if login in self._passwords else None


class LastingCredential(MemoryDirectory):
    async def credential(self, login: str) -> str | None:
        return self._passwords.get(login, "")


class NamesEverybody(MemoryDirectory):
    async def name(self, number: str) -> str | None:
        return self._names.get(Number(number), "Nobody")


class SeesEverything(MemoryDirectory):
    async def may_see(self, user: str, number: str) -> bool:
        return True


class SeesOneself(MemoryDirectory):
    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        return await super().colleagues("", words, limit)


class CaseCounts(MemoryDirectory):
    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        found = await super().colleagues(user, "", limit)
        return [one for one in found if words in f"{one.name} {one.number}"]


class ByNumber(MemoryDirectory):
    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        found = await super().colleagues(user, words, limit)
        return sorted(found, key=lambda one: one.number, reverse=True)


class NoLimit(MemoryDirectory):
    async def colleagues(self, user: str, words: str = "", limit: int = 100) -> Sequence[Colleague]:
        return await super().colleagues(user, words)


@pytest.mark.parametrize(
    "adapter",
    [
        *(AnyPassword, NoPassword, SameCredential, NewCredential, LastingCredential, NamesEverybody),
        *(SeesEverything, SeesOneself, CaseCounts, ByNumber, NoLimit),
    ],
)
def test_a_broken_directory_is_found_out(adapter: type[MemoryDirectory]) -> None:
    def opened() -> Any:
        directory = adapter({}, {})
        return directory, MemoryCompany(directory)

    assert broken_promises(keeps(DirectoryContract, opened))


def test_a_whole_one_breaks_no_promise() -> None:
    def opened() -> Any:
        directory = MemoryDirectory({}, {})
        return directory, MemoryCompany(directory)

    assert broken_promises(keeps(DirectoryContract, opened, within=5)) == []
