"""A pool of workers that share a list of users, so that no port is waited for at each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")

WORKERS: Final = 64
"""How many items are worked on side by side; of a store, so many writes share one transaction."""


async def for_each(items: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    """Do something for each item. They begin in their order, `WORKERS` of them side by side."""
    waiting = iter(items)

    async def work(item: T) -> None:
        await do(item)
        for following in waiting:
            await do(following)

    async with asyncio.TaskGroup() as tasks:
        for item in islice(waiting, WORKERS):
            tasks.create_task(work(item))
