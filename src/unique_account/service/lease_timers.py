"""The ends of the leases of vanished sessions (S5): one timer for each user, and another try if it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from unique_account.core.account import Account
from unique_account.core.device_in_use import deadline
from unique_account.core.events import LeaseExpired
from unique_account.ports.clock import Clock

LEASE_RETRY: Final = timedelta(seconds=5)
"""How long after an expiry that could not be stored it is tried again."""


class LeaseTimers:
    """Sees to it that the next lease of every user ends when it is over.

    Only a user's last timer counts. An earlier one may name a later instant, if the clock was stepped back
    since, and would end a lease that has just begun.

    Args:
        clock: Time and timers.
        expire: Handles an expiry.
    """

    def __init__(self, clock: Clock, expire: Callable[[str, LeaseExpired], Awaitable[object]]) -> None:
        self._clock = clock
        self._handle = expire
        self._woken: dict[str, datetime] = {}

    def of(self, account: Account) -> None:
        """Look after an account as it is now."""
        due, user = deadline(account), account.user.id
        if due is not None and self._woken.get(user) != due:
            self._woken[user] = due
            self._clock.call_at(due, partial(self._expire, user, due))

    async def _expire(self, user: str, due: datetime) -> None:
        if self._woken.get(user) != due:
            return
        del self._woken[user]
        try:
            await self._handle(user, LeaseExpired(due))
        except Exception:  # the observer knows; without another try the session would never end (S5)
            if self._woken.setdefault(user, due) != due:
                return
            self._clock.call_at(self._clock.now() + LEASE_RETRY, partial(self._expire, user, due))
