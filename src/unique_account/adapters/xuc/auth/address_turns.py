"""Who is next where one is served at a time: addresses take turns, so many from one keep no other waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class TooManyWaiting(Exception):
    """Too many wait."""


_Turn = asyncio.Future[None]


class AddressTurns:
    """Serves some at once, and lets others wait.

    Args:
        at_once: How many are served at once.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._served = 0
        self._waiting: dict[str, deque[_Turn]] = {}  # the address that is next comes first

    @asynccontextmanager
    async def of(self, address: str, most: int) -> AsyncIterator[None]:
        """Wait for one's turn, and have it until the context is left.

        Args:
            address: Whose turn it is.
            most: How many may be served and wait. For one more, one of an address goes that has two more.

        Raises:
            Crowded: There are so many, or so many came while this one waited.
        """
        if self._served + sum(map(len, self._waiting.values())) >= most:
            self._make_room(address)
        if self._free:
            self._free -= 1
        else:
            await self._wait(address)
        self._served += 1
        try:
            yield
        finally:
            self._served -= 1
            self._pass_on()

    def _make_room(self, address: str) -> None:
        longest = max(self._waiting, key=lambda one: len(self._waiting[one]), default=address)
        if len(self._waiting.get(longest, ())) < len(self._waiting.get(address, ())) + 2:
            raise TooManyWaiting
        last = self._waiting[longest].pop()
        if not last.done():
            last.set_exception(TooManyWaiting())

    async def _wait(self, address: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(address, turn)
            else:  # it was its turn already
                self._pass_on()
            raise

    def _forget(self, address: str, turn: _Turn) -> None:
        turns = self._waiting.get(address, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[address]

    def _pass_on(self) -> None:
        """Let the next one have its turn that has not left, and its address come last."""
        while self._waiting:
            address = next(iter(self._waiting))
            turns = self._waiting.pop(address)
            turn = turns.popleft()
            if turns:
                self._waiting[address] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
