"""A lock for each user, which is there only as long as somebody holds it or waits for it."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Locks:
    """Locks by the ids of users."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._locks)

    def of(self, user: str) -> asyncio.Lock:
        """The lock of a user."""
        if (lock := self._locks.get(user)) is None:
            self._locks[user] = lock = asyncio.Lock()
        return lock
