"""How fast one client may send: some frames at once, so many a second after that, then it has to wait."""

from __future__ import annotations

from typing import Final

AT_ONCE: Final = 100
PER_SECOND: Final = 20.0

SLOWED_FOR: Final = 5.0
"""For how many seconds on end a client is slowed down before it is taken for one that means harm."""


class Pace:
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
        """Whether the client was slowed down for so long without a pause, or has to be, that it has to go."""
        if self._fast_since is None:
            return False
        return max(now - self._fast_since, -self._left / PER_SECOND) > SLOWED_FOR
