"""How a contract's tests are run: each on an adapter opened for it, in an event loop of its own."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

T = TypeVar("T")
C = TypeVar("C", bound="Contract[Any]")


class Contract(ABC, Generic[T]):
    """A set of tests to inherit.

    Attributes:
        patience: How long anything may take to show, in seconds; a test waits for a few such things, and
            fails if it takes ten times that.
    """

    patience: float = 10.0

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[T]:
        """The adapter under test, new and empty, and closed when the block is left."""

    async def until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something to have happened.

        Raises:
            TimeoutError: It has not within the contract's patience.
        """
        async with asyncio.timeout(self.patience):
            while not await happened():  # noqa: ASYNC110 - the world beyond an adapter sets no events
                await asyncio.sleep(0.01)


def scenario(test: Callable[[C, T], Awaitable[None]]) -> Callable[[C], None]:
    """Make a test of an asynchronous method that takes what the contract opens."""

    def run(self: C) -> None:
        async def opened() -> None:
            async with asyncio.timeout(10 * self.patience), self.open() as under_test:
                await test(self, under_test)

        asyncio.run(opened())

    # Not `functools.wraps`: pytest would ask for the parameters of the method behind it.
    run.__name__, run.__qualname__, run.__doc__ = test.__name__, test.__qualname__, test.__doc__
    run.__module__ = test.__module__
    return run
