"""Presences of numbers that other groups of media servers have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from unique_account.core.presence import Presence

PresenceHandler = Callable[[str, Presence], Awaitable[object]]
"""Takes a number and its presence; ``UNEXISTING`` where no group has the number any more. Never raises."""


class PresenceFeed(Protocol):
    """Reports what the owners of other groups publish; never a number of one's own group."""

    async def listen(self, handler: PresenceHandler) -> None:
        """Report the presence of each number that other groups have, and then each change, until cancelled.

        A handler that is slow gets the last presence of each number only. What an earlier owner of a group
        says late is not reported.
        """
        ...
