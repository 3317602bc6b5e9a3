"""Turns: whose it is, and who has to go when too many wait."""

from __future__ import annotations

import asyncio

import pytest

from tests.event_loop import in_loop
from unique_account.adapters.xuc.auth.address_turns import AddressTurns, TooManyWaiting


class Queue:
    """Those who wait, by their names; an address is the first letter of a name."""

    def __init__(self, most: int = 100) -> None:
        self.turns = AddressTurns(1)
        self.served: list[str] = []
        self.left: list[str] = []
        self._most = most
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._goes = asyncio.Semaphore(0)

    async def come(self, *names: str) -> None:
        for name in names:
            self._tasks[name] = asyncio.create_task(self._comes(name))
            await asyncio.sleep(0)

    async def _comes(self, name: str) -> None:
        try:
            async with self.turns.of(name[0], self._most):
                self.served.append(name)
                await self._goes.acquire()
        except TooManyWaiting:
            self.left.append(name)

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])

    async def all_go(self) -> list[str]:
        for _ in self._tasks:
            self._goes.release()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        return self.served


class TestAddressTurns:
    """S1: who guesses keeps nobody else from logging in."""

    @in_loop
    async def test_addresses_take_turns(self) -> None:
        queue = Queue()
        await queue.come("a1", "a2", "a3", "a4", "b1", "c1", "b2")
        assert await queue.all_go() == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]

    @in_loop
    async def test_the_last_of_many_goes_for_one_of_few(self) -> None:
        queue = Queue(4)
        await queue.come("a1", "a2", "a3", "a4", "b1", "b2", "c1")
        assert await queue.all_go() == ["a1", "a2", "b1", "c1"]
        assert queue.left == ["a4", "b2", "a3"]

    @in_loop
    async def test_of_one_address_the_newcomer_goes(self) -> None:
        queue = Queue(2)
        await queue.come("a1", "a2", "a3")
        assert queue.left == ["a3"]

    @in_loop
    async def test_a_request_that_leaves_is_not_waited_for(self) -> None:
        queue = Queue()
        await queue.come("a1", "a2", "b1", "b2")
        await queue.cancel("a2")
        await queue.cancel("b1")
        assert await queue.all_go() == ["a1", "b2"]

    @in_loop
    async def test_nor_one_that_leaves_at_its_turn(self) -> None:
        queue = Queue()
        await queue.come("a1", "b1", "c1")
        queue._goes.release()
        await asyncio.sleep(0)  # a1 goes, and it is b1's turn
        assert not queue.turns._waiting.get("b")
        await queue.cancel("b1")
        assert await queue.all_go() == ["a1", "c1"]

    @in_loop
    async def test_nor_several_that_leave_at_once(self) -> None:
        queue = Queue(4)
        await queue.come("a1", "a2", "a3", "b1")
        for task in queue._tasks.values():
            task.cancel()
        await queue.come("c1", "c2")
        assert await queue.all_go() == ["a1", "c1", "c2"]

    @in_loop
    async def test_what_fails_ends_its_turn(self) -> None:
        turns = AddressTurns(1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with turns.of("a", 1):
                    raise ZeroDivisionError
