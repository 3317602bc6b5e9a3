"""Strangers one after the other: however many, they take half of the event loop's time at most."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

SHARE: Final = 0.001
"""For how many seconds strangers are served before everybody else is."""

PAUSE: Final = 0.001
"""For how many seconds everybody else is, before more strangers are; longer if they have more to do."""


class RoundRobin:
    """Does small pieces of work in the order in which they came, a few at a time."""

    __slots__ = ("_line", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._line: deque[Callable[[], float]] = deque()

    def enter(self, work: Callable[[], float]) -> None:
        """Do this after all that waits.

        Args:
            work: Returns how many seconds the tasks will take that it has begun.
        """
        if not self._line:
            self._loop.call_soon(self._turn)
        self._line.append(work)

    def _turn(self) -> None:
        over = self._loop.time() + SHARE
        try:
            while self._line and self._loop.time() < over:
                over -= self._line[0]()
                self._line.popleft()
        except BaseException:
            self._line.popleft()
            raise
        finally:
            if self._line:
                self._loop.call_later(PAUSE, self._turn)
