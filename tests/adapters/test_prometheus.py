from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from unique_account.adapters.prometheus import PrometheusObserver
from unique_account.ports.observer import Observer
from unique_account.testing.contracts import ObserverContract


class TestPrometheusObserver(ObserverContract):
    """The observer that counts."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Observer]:
        yield PrometheusObserver()
