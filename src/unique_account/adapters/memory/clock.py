"""A clock that stands still until it is moved."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count


class SettableClock:
    """Shows the time it was set to; timers go off in order as it moves on."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._order = count()
        self._sleepers: list[tuple[datetime, int, Callable[[], Awaitable[object]]]] = []

    def now(self) -> datetime:
        """The instant that the clock was moved to."""
        return self._now

    def call_at(self, instant: datetime, wake: Callable[[], Awaitable[object]]) -> None:
        """Await ``wake()`` once the clock is moved to the instant, or on."""
        heapq.heappush(self._sleepers, (instant, next(self._order), wake))

    async def advance(self, duration: timedelta) -> None:
        """Move on; each sleeper due on the way is awaited with the clock standing at its instant."""
        end = self._now + duration
        while self._sleepers and self._sleepers[0][0] <= end:
            instant, _, wake = heapq.heappop(self._sleepers)
            self._now = max(self._now, instant)
            await wake()
        self._now = end
