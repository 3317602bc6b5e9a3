"""The machine's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock, and timers of the running event loop."""

    def __init__(self) -> None:
        self._sleepers: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC)

    def call_at(self, instant: datetime, wake: Callable[[], Awaitable[object]]) -> None:
        """Await ``wake()`` once, at an instant or soon after."""
        sleeper = asyncio.create_task(self._wake(instant, wake))
        self._sleepers.add(sleeper)
        sleeper.add_done_callback(self._sleepers.discard)

    async def _wake(self, instant: datetime, wake: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(max((instant - self.now()).total_seconds(), 0))
        await wake()

    async def aclose(self) -> None:
        """Wake nobody any more."""
        sleepers = list(self._sleepers)
        for sleeper in sleepers:
            sleeper.cancel()
        await asyncio.gather(*sleepers, return_exceptions=True)
