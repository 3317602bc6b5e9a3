from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from unique_account.adapters.decorators.fan_out import FanOut
from unique_account.adapters.memory import MemoryObserver
from unique_account.ports.observer import Observer
from unique_account.testing.contracts import ObserverContract


class TestFanOut(ObserverContract):
    """Several observers in the place of one; each is given everything."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Observer]:
        one, two = MemoryObserver(), MemoryObserver()
        yield FanOut(one, two)
        assert vars(one) == vars(two)
        assert any(vars(one).values())
