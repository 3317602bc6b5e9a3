"""How long the lab waits for what should happen soon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

PATIENCE: Final = 15.0
"""For how many seconds something is waited for; nothing takes so long but on an overloaded machine."""

_POLL: Final = 0.02


async def until(true: Callable[[], Awaitable[bool]], wanted: str) -> None:
    """Ask again and again until something is true, where nothing tells when it becomes so.

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
