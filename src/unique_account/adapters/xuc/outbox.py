"""What waits to be sent to one client; one that lets too much wait is cut off rather than waited for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

MOST_FRAMES: Final = 256
"""How many frames may wait."""

MOST_CHARACTERS: Final = 1_000_000
"""How many characters they may have together."""


class Outbox:
    """Sends frames in their order, from a task that lives only while something waits.

    Args:
        send: Sends one frame, and waits until the client takes it.
        overrun: Called once, when too much waits; nothing more is sent then.
    """

    __slots__ = ("_characters", "_closed", "_overrun", "_send", "_sending", "_waiting")

    def __init__(self, send: Callable[[str], Awaitable[None]], overrun: Callable[[], None]) -> None:
        self._send = send
        self._overrun = overrun
        self._waiting: deque[str] = deque()
        self._characters = 0
        self._sending: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, frame: str) -> None:
        """Send a frame after those that wait; never blocks."""
        if self._closed:
            return
        self._waiting.append(frame)
        self._characters += len(frame)
        if len(self._waiting) > MOST_FRAMES or self._characters > MOST_CHARACTERS + len(frame):
            self.close()
            self._overrun()
        elif self._sending is None:
            self._sending = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._waiting and not self._closed:
                frame = self._waiting.popleft()
                self._characters -= len(frame)
                await self._send(frame)
        except Exception:  # the client is gone, which whoever reads from it notices
            self._closed = True
        finally:
            self._sending = None

    async def flush(self) -> None:
        """Wait until all is sent, or the client gone."""
        if self._sending is not None:
            await asyncio.wait([self._sending])

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        self._waiting.clear()
