"""Turns by address: requests from one address, however many, keep those from another no longer waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from unique_account.core.errors import UniqueAccountError


class TooManyWaiting(UniqueAccountError):
    """Too many requests are waiting."""


_Turn = asyncio.Future[None]


class AddressTurns:
    """Serves some requests at once; the addresses of the others take turns.

    Args:
        at_once: How many are served at once.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._served = 0
        self._waiting: dict[str, deque[_Turn]] = {}  # in the order of their turns

    @asynccontextmanager
    async def of(self, address: str, most: int) -> AsyncIterator[None]:
        """Wait for a turn, and hold it until the context is left.

        Args:
            address: Where the request comes from.
            most: How many may be served or wait. For one more, the last of the address with the most is
                refused, if it has at least two more.

        Raises:
            TooManyWaiting: There are too many already, or more came while this one waited.
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
            self._next()

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
                self._cancel(address, turn)
            else:  # it had the turn already
                self._next()
            raise

    def _cancel(self, address: str, turn: _Turn) -> None:
        turns = self._waiting.get(address, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[address]

    def _next(self) -> None:
        """Give the turn to the next request that still waits, and put its address last."""
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
