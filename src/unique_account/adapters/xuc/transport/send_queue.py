"""The frames queued for one client; a client that lets too many wait is cut off."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final

MOST_FRAMES: Final = 256
"""How many frames may wait, not counting presences, of which one waits for each number."""

MOST_CHARACTERS: Final = 1_000_000
"""How many characters they may have together."""

_places = count()


class SendQueue:
    """Sends frames in their order, from a task that lives only while some wait.

    Args:
        send: Sends one frame, and waits until the client reads it.
        overrun: Called once, when too many wait; nothing more is sent then.
    """

    __slots__ = ("_characters", "_closed", "_overrun", "_presences", "_send", "_sending", "_waiting")

    def __init__(self, send: Callable[[str], Awaitable[None]], overrun: Callable[[], None]) -> None:
        self._send = send
        self._overrun = overrun
        self._waiting: OrderedDict[object, str] = OrderedDict()
        self._presences = 0
        self._characters = 0
        self._sending: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, frame: str, number: str | None = None) -> None:
        """Send a frame after those that wait; never blocks.

        Args:
            frame: The frame.
            number: The number whose presence it shows, if any: it replaces a queued frame of that number.
        """
        if self._closed:
            return
        older = self._waiting.get(number, "")
        self._presences += number is not None and not older
        self._waiting[next(_places) if number is None else number] = frame
        self._characters += len(frame) - len(older)
        many = len(self._waiting) - self._presences > MOST_FRAMES
        if many or self._characters > MOST_CHARACTERS + len(frame):
            self.close()
            self._overrun()
        elif self._sending is None:
            self._sending = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        try:
            while self._waiting and not self._closed:
                place, frame = self._waiting.popitem(last=False)
                self._presences -= isinstance(place, str)
                self._characters -= len(frame)
                await self._send(frame)
        except Exception:  # the client is gone, which its reader notices
            self._closed = True
        finally:
            self._sending = None

    @property
    def closed(self) -> bool:
        """Whether nothing more is sent."""
        return self._closed

    async def flush(self) -> None:
        """Wait until all is sent, or the client is gone."""
        if self._sending is not None:
            await asyncio.wait([self._sending])

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        self._waiting.clear()
