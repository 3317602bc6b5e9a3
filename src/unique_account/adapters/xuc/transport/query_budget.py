"""The budget of one user for costly queries: one at a time, and so many lines of answers a second.

All WebSockets of a user share it. There is one for the call log, and one for all other queries. A line is an
entry of a history, a colleague, a preference or a watched number.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from unique_account.ports.pbx import CommandFailed, Failure

T = TypeVar("T")

AT_ONCE: Final = 5000
PER_SECOND: Final = 1000.0

LINES_PER_QUERY: Final = 10
"""For how many lines a query counts by itself."""

MOST_WAITING: Final = 32
"""How many queries of one user may wait."""

BATCH: Final = 100
"""After how many lines other tasks run."""


class QueryBudget:
    """The lines that one user has left.

    Args:
        now: Seconds on any clock that does not go back.
    """

    __slots__ = ("_left", "_now", "_then", "_turn", "_waiting")

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._then = now()
        self._left = float(AT_ONCE)
        self._turn = asyncio.Lock()
        self._waiting = 0

    @property
    def wait(self) -> float:
        """How many seconds until the next query may be answered."""
        now = self._now()
        self._left = min(AT_ONCE, self._left + (now - self._then) * PER_SECOND)
        self._then = now
        return max(-self._left / PER_SECOND, 0.0)

    def spend(self, lines: int) -> None:
        """Count the lines of an answer; more than are left make the next query wait."""
        self._left -= lines

    @asynccontextmanager
    async def query(self) -> AsyncIterator[QueryBudget]:
        """Wait for the turn of a query.

        Raises:
            CommandFailed: Too many queries of this user are waiting.
        """
        if self._waiting >= MOST_WAITING:
            sentence = "too many questions wait for an answer; try again"
            raise CommandFailed(sentence, Failure.TOO_MANY_QUESTIONS)
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            await asyncio.sleep(self.wait)
            self.spend(LINES_PER_QUERY)
            yield self
        finally:
            self._turn.release()


async def in_batches(lines: Iterable[T]) -> AsyncIterator[T]:
    """The same lines; other tasks run after each batch."""
    for number, line in enumerate(lines, 1):
        yield line
        if number % BATCH == 0:
            await asyncio.sleep(0)
