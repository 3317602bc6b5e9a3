"""The contract of the bus can fail: it finds each adapter that breaks a promise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.memory.drivers import (
    MemoryListener,
)
from tests.testing.promises import broken_promises, keeps
from unique_account.adapters.memory import (
    MemoryBus,
)
from unique_account.core.forwarding import Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.testing.contracts import (
    BusContract,
)


class FirstWord(MemoryBus):
    async def presence_changed(self, number: str, presence: Presence) -> None:
        self.presences.setdefault(number, presence)


class OneNumber(MemoryBus):
    async def presence_changed(self, number: str, presence: Presence) -> None:
        self.presences = {number: presence}


class HalfAForwarding(MemoryBus):
    async def forwarding_changed(self, user: str, forwarding: Forwarding) -> None:
        await super().forwarding_changed(user, Forwarding(do_not_disturb=forwarding.do_not_disturb))


class FirstSelection(MemoryBus):
    async def selection_changed(self, user: str, selection: Device) -> None:
        self.selections.setdefault(user, selection)


class OneUser(MemoryBus):
    async def selection_changed(self, user: str, selection: Device) -> None:
        self.selections = {user: selection}


class Impatient(MemoryBus):
    async def presence_changed(self, number: str, presence: Presence) -> None:
        if self.presences.get(number) is presence:
            raise ValueError("that was said already")
        await super().presence_changed(number, presence)


@pytest.mark.parametrize(
    "adapter", [FirstWord, OneNumber, HalfAForwarding, FirstSelection, OneUser, Impatient]
)
def test_a_broken_bus_is_found_out(adapter: type[MemoryBus]) -> None:
    def opened() -> Any:
        bus = adapter()
        return bus, MemoryListener(bus)

    assert broken_promises(keeps(BusContract, opened))


def test_a_whole_one_breaks_no_promise() -> None:
    def opened() -> Any:
        bus = MemoryBus()
        return bus, MemoryListener(bus)

    assert broken_promises(keeps(BusContract, opened, within=5)) == []
