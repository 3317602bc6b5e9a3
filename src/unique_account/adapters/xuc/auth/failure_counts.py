"""Counts of failed log-ins and of attempts under way, in a bounded number of places."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b, sha256
from typing import Final

from unique_account.ports.login_attempts import (
    PER_ADDRESS,
    PER_LOGIN,
    SOON,
    WINDOW,
    Begun,
    Places,
    TooManyAttempts,
)

Keys = tuple[str, ...]
"""The places of one name; its count is the smallest of theirs."""

_PURPOSE: Final = b"unique_account log-in attempts"


class FailureCounts:
    """The times of the newest failures under each key, and the number of attempts under way.

    Args:
        limit: How many failures and attempts are allowed within the window.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failures: dict[str, array[float]] = {}
        self._under_way: Counter[str] = Counter()

    def count(self, keys: Keys, now: float) -> int:
        """How many failures and attempts under way there are."""
        return min(len(self._recent(key, now)) + self._under_way[key] for key in keys)

    def wait(self, keys: Keys, now: float) -> float:
        """How many seconds until there are fewer than the limit; 0: there are."""
        if self.count(keys, now) < self._limit:
            return 0.0
        return min(self._wait(key, now) for key in keys)

    def _wait(self, key: str, now: float) -> float:
        failures = self._recent(key, now)
        return failures[0] + WINDOW - now if len(failures) == self._limit else SOON

    def _recent(self, key: str, now: float) -> array[float]:
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


class LocalLoginAttempts:
    """The attempts at this process, in memory; see `LoginAttempts`.

    Args:
        now: Seconds on any clock that does not go back.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._logins, self._addresses = FailureCounts(PER_LOGIN), FailureCounts(PER_ADDRESS)

    async def begin(self, places: Places) -> Begun:
        """Begin an attempt, and say what was counted before it."""
        now = self._now()
        if wait := self._logins.wait(places.login, now):
            raise TooManyAttempts(wait)
        slowed = self._addresses.wait(places.address, now) > 0
        begun = Begun(places, self._logins.count(places.login, now), slowed)
        self._logins.begin(places.login)
        self._addresses.begin(places.address)
        return begun

    async def failed(self, begun: Begun) -> None:
        """The attempt failed: count it."""
        await self.withdrawn(begun)
        self._logins.add(begun.places.login, self._now())
        self._addresses.add(begun.places.address, self._now())

    async def succeeded(self, begun: Begun) -> None:
        """The attempt succeeded: forget the failures of the login, but not those of the address."""
        await self.withdrawn(begun)
        self._logins.clear(begun.places.login)

    async def withdrawn(self, begun: Begun) -> None:
        """The attempt was not carried out: it counts for nothing."""
        self._logins.end(begun.places.login)
        self._addresses.end(begun.places.address)


class HashedPlaces:
    """Two places for each name, chosen by a keyed hash, so that no client knows which names share one.

    Args:
        kind: What the names are; names of another kind have other places.
        places: How many there are in each of the two rows.
        key: A secret; processes that share it choose the same places.
    """

    def __init__(self, kind: str, places: int, key: str) -> None:
        self._kind = kind
        self._places = places
        self._key = sha256(_PURPOSE + kind.encode() + b"\0" + key.encode()).digest()

    def of(self, name: str) -> Keys:
        """The places of a name."""
        digest = self._digest(name)
        halves = (digest[:8], digest[8:])
        return tuple(
            f"{self._kind}-{row}-{int.from_bytes(half) % self._places}" for row, half in enumerate(halves)
        )

    def own(self, name: str) -> Keys:
        """The place of a name that shares it with no other."""
        return (f"{self._kind}-{self._digest(name).hex()}",)

    def _digest(self, name: str) -> bytes:
        return blake2b(name.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()
