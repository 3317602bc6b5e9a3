"""How fast a client may send, and how often a user may connect: a burst, then so many a second."""

from __future__ import annotations

from typing import Final

AT_ONCE: Final = 100
PER_SECOND: Final = 20.0

SLOWED_FOR: Final = 5.0
"""For how many seconds in a row a client is slowed down before it is disconnected."""


ENTRIES_AT_ONCE: Final = 128
ENTRIES_PER_SECOND: Final = 2.0
"""How often a user may log in by WebSocket: each login costs as much as some hundred frames."""


class EntryRateLimit:
    """Counts how often each user logs in by WebSocket."""

    __slots__ = ("_users",)

    def __init__(self) -> None:
        self._users: dict[str, tuple[float, float]] = {}  # what was left, and when

    def allows(self, user: str, now: float) -> bool:
        """Whether a user may log in now; a refusal is not counted."""
        left, then = self._users.get(user, (ENTRIES_AT_ONCE, now))
        left = min(ENTRIES_AT_ONCE, left + (now - then) * ENTRIES_PER_SECOND)
        self._users[user] = (left - 1 if left >= 1 else left, now)
        return left >= 1


class RateLimit:
    """Counts the frames of one client."""

    __slots__ = ("_fast_since", "_left", "_then")

    def __init__(self, now: float) -> None:
        self._left = float(AT_ONCE)
        self._then = now
        self._fast_since: float | None = None

    def wait(self, now: float, frames: int = 1) -> float:
        """Count frames; returns how many seconds to wait before the next one is read."""
        self._left = min(AT_ONCE, self._left + (now - self._then) * PER_SECOND) - frames
        self._then = now
        if self._left >= AT_ONCE / 2:  # it has been quiet for a while
            self._fast_since = None
        if self._left >= 0:
            return 0.0
        if self._fast_since is None:
            self._fast_since = now
        return -self._left / PER_SECOND

    def too_fast(self, now: float) -> bool:
        """Whether the client was slowed down without a pause for so long, or has to be, that it must go."""
        if self._fast_since is None:
            return False
        return max(now - self._fast_since, -self._left / PER_SECOND) > SLOWED_FOR
