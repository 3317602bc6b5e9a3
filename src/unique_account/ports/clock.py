"""The clock: the one source of time and of timers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Knows the time, and runs timers."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...

    def call_at(self, instant: datetime, wake: Callable[[], Awaitable[object]]) -> None:
        """Await ``wake()`` once, at an instant or soon after; a past one soon.

        A timer cannot be cancelled: who is woken looks whether there is still something to do (S7).
        """
        ...
