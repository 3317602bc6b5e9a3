"""How long the lab waits for an event, and whether this process had the time to check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from attrs import Factory, define

PATIENCE: Final = 45.0
"""For how many seconds something is waited for; nothing takes so long but on an overloaded machine."""

_POLL: Final = 0.02


async def until(true: Callable[[], Awaitable[bool]], wanted: str) -> None:
    """Poll until something is true, for lack of an event.

    Raises:
        TimeoutError: It does not become true within `PATIENCE`; the sentence says what was wanted.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                if await true():
                    return
                await asyncio.sleep(_POLL)
    except TimeoutError:
        raise TimeoutError(f"{wanted} took longer than {PATIENCE:g} s") from None


@define
class Delays:
    """How late this process woke, again and again: on a machine that stood still, time proves nothing."""

    _seen: list[tuple[float, float]] = Factory(list)

    def worst(self, since: float) -> float:
        """By how many seconds it woke too late since an instant of the monotonic clock, at worst."""
        return max((late for at, late in self._seen if at >= since), default=0.0)

    async def _watch(self) -> None:
        while True:
            asleep = time.monotonic()
            await asyncio.sleep(_POLL)
            now = time.monotonic()
            if (late := now - asleep - _POLL) > _POLL:
                self._seen.append((now, late))


@asynccontextmanager
async def delays() -> AsyncIterator[Delays]:
    """Watch, until the context closes, how late this process wakes."""
    watched = Delays()
    task = asyncio.create_task(watched._watch())
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
