"""Strangers one after the other: however many, they take a millisecond of each round of the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

SHARE: Final = 0.001
"""For how many seconds strangers are served before everybody else is."""


class Turnstile:
    """Does small pieces of work in the order in which they came, a few at a time."""

    __slots__ = ("_line", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._line: deque[Callable[[], None]] = deque()

    def enter(self, work: Callable[[], None]) -> None:
        """Do this after all that waits."""
        if not self._line:
            self._loop.call_soon(self._turn)
        self._line.append(work)

    def _turn(self) -> None:
        over = self._loop.time() + SHARE
        try:
            while self._line and self._loop.time() < over:
                self._line[0]()
                self._line.popleft()
        except BaseException:
            self._line.popleft()
            raise
        finally:
            if self._line:
                self._loop.call_soon(self._turn)
