"""How often somebody may try to log in: so many failures with a login, and from an address, in five minutes.

An attempt counts as soon as it begins, so that many at once gain nothing; one that succeeds is taken back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

WINDOW: Final = 300.0
"""For how many seconds failures are counted, from the first on."""

PER_LOGIN: Final = 10
PER_ADDRESS: Final = 100

REMEMBERED: Final = 10_000
"""How many logins, and how many addresses, are remembered; the ones longest unheard of are forgotten."""


class _Counter:
    """Counts in a window for each name."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, name: str, now: float) -> float:
        """How many seconds until this name may try again; 0: it may now."""
        count, until = self._counts.get(name, (0, now))
        return until - now if count >= self._limit and until > now else 0.0

    def count(self, name: str, now: float, change: int) -> None:
        count, until = self._counts.pop(name, (0, 0.0))
        if until <= now:
            count, until = 0, now + WINDOW
        self._counts[name] = (max(count + change, 0), until)
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)


class Attempts:
    """Remembers failed log-ins.

    Args:
        now: Seconds on any clock that does not go back.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._logins = _Counter(PER_LOGIN)
        self._addresses = _Counter(PER_ADDRESS)

    def begin(self, login: str, address: str) -> float:
        """Begin to try; returns 0, or how many seconds to wait instead, and then it counts for nothing."""
        now = self._now()
        wait = max(self._logins.wait(login, now), self._addresses.wait(address, now))
        if not wait:
            self._count(login, address, 1)
        return wait

    def succeeded(self, login: str, address: str) -> None:
        """Take back an attempt that did not fail."""
        self._count(login, address, -1)

    def _count(self, login: str, address: str, change: int) -> None:
        self._logins.count(login, self._now(), change)
        self._addresses.count(address, self._now(), change)
