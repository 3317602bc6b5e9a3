"""Counts of failed log-ins and of attempts under way, in a bounded number of places."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Hashable
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

WINDOW: Final = 300.0
"""For how many seconds a failure counts."""

SOON: Final = 1.0
"""How many seconds to wait if only attempts under way reach the limit."""

Keys = tuple[Hashable, ...]
"""The places of one name; its count is the smallest of theirs."""


class FailureCounts:
    """The times of the newest failures under each key, and the number of attempts under way.

    Args:
        limit: How many failures and attempts are allowed within the window.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failures: dict[Hashable, array[float]] = {}
        self._under_way: Counter[Hashable] = Counter()

    def count(self, keys: Keys, now: float) -> int:
        """How many failures and attempts under way there are."""
        return min(len(self._recent(key, now)) + self._under_way[key] for key in keys)

    def wait(self, keys: Keys, now: float) -> float:
        """How many seconds until there are fewer than the limit; 0: there are."""
        if self.count(keys, now) < self._limit:
            return 0.0
        return min(self._wait(key, now) for key in keys)

    def _wait(self, key: Hashable, now: float) -> float:
        failures = self._recent(key, now)
        return failures[0] + WINDOW - now if len(failures) == self._limit else SOON

    def _recent(self, key: Hashable, now: float) -> array[float]:
        failures = self._failures.get(key, array("d"))
        while failures and failures[0] <= now - WINDOW:
            failures.pop(0)
        if not failures:
            self._failures.pop(key, None)
        return failures

    def begin(self, keys: Keys) -> None:
        """An attempt is under way."""
        self._under_way.update(keys)

    def end(self, keys: Keys) -> None:
        """An attempt is over."""
        for key in keys:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]

    def add(self, keys: Keys, now: float) -> None:
        """Count a failure."""
        for key in keys:
            failures = self._failures.setdefault(key, array("d"))
            failures.append(now)
            del failures[: -self._limit]

    def clear(self, keys: Keys) -> None:
        """Forget the failures."""
        for key in keys:
            self._failures.pop(key, None)


class HashedPlaces:
    """Two places for each name, chosen by a keyed hash, so that no client knows which names share one.

    Args:
        places: How many there are in each of the two rows.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._key = token_bytes(32)

    def of(self, name: str) -> Keys:
        """The places of a name."""
        digest = blake2b(name.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()
        halves = (digest[:8], digest[8:])
        return tuple((row, int.from_bytes(half) % self._places) for row, half in enumerate(halves))
