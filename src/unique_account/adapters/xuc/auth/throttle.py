"""How often passwords may be tried: failures in any five minutes, by login and by address.

Nobody's count can be pushed out by others. A login that somebody has is counted by itself, so there are no
more counts than people. Logins that nobody has, and addresses, anybody can invent: they share a fixed number
of places, two each, found by a keyed hash, and the smaller count of the two is theirs. So one of them may be
limited early, if others are in both of its places, and none is ever forgotten early.

A login at its limit is refused. An address at its limit is slowed down: a whole company may be behind it.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from hashlib import blake2b
from secrets import token_bytes
from typing import Final, Self

from unique_account.core.errors import UniqueAccountError
from unique_account.http_server.networks import network
from unique_account.ports.directory import same_login

WINDOW: Final = 300.0
"""For how many seconds a failure counts."""

PER_LOGIN: Final = 10
PER_ADDRESS: Final = 100

UNKNOWN_LOGINS: Final = 2**14
ADDRESSES: Final = 2**13
"""How many places there are, twice, for logins that nobody has, and for addresses."""

EVERY: Final = 0.25
"""How many seconds lie between two attempts from an address that is slowed down."""

LONGEST_DELAY: Final = 15.0
"""For how many seconds such an attempt waits at most; one more is refused: sixty have a place."""

SOON: Final = 1.0
"""After how many seconds to try again where only attempts under way are in the way."""

FAMILIAR: Final = 4
"""How many addresses are remembered from which somebody has logged in."""

Keys = tuple[Hashable, ...]


class TooManyAttempts(UniqueAccountError):
    """A login or an address has to wait.

    Attributes:
        wait: For how many seconds.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = wait

    def __str__(self) -> str:
        return f"too many failed log-ins; try again in {int(self.wait) + 1} s"


class _Failures:
    """The instants of the newest failures under each key, and how many attempts are under way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._instants: dict[Hashable, array[float]] = {}
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
        instants = self._recent(key, now)
        return instants[0] + WINDOW - now if len(instants) == self._limit else SOON

    def _recent(self, key: Hashable, now: float) -> array[float]:
        instants = self._instants.get(key, array("d"))
        while instants and instants[0] <= now - WINDOW:
            instants.pop(0)
        if not instants:
            self._instants.pop(key, None)
        return instants

    def begin(self, keys: Keys) -> None:
        self._under_way.update(keys)

    def end(self, keys: Keys) -> None:
        for key in keys:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]

    def add(self, keys: Keys, now: float) -> None:
        for key in keys:
            instants = self._instants.setdefault(key, array("d"))
            instants.append(now)
            del instants[: -self._limit]

    def clear(self, keys: Keys) -> None:
        for key in keys:
            self._instants.pop(key, None)


class _Places:
    """Places for names that anybody can invent; nobody knows which names share one."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._key = token_bytes(32)

    def of(self, name: str) -> Keys:
        digest = blake2b(name.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()
        halves = (digest[:8], digest[8:])
        return tuple((row, int.from_bytes(half) % self._places) for row, half in enumerate(halves))


class _Lane:
    """Lets attempts pass one after the other."""

    def __init__(self) -> None:
        self._free: dict[Hashable, float] = {}

    def delay(self, keys: Keys, now: float) -> float:
        """After how many seconds it is one's turn.

        Raises:
            TooManyAttempts: Too many are before.
        """
        delay = min(max(self._free.get(key, now) - now, 0.0) for key in keys)
        if delay > LONGEST_DELAY:
            raise TooManyAttempts(delay)
        for key in keys:
            self._free[key] = max(self._free.get(key, now), now + delay) + EVERY
        return delay


class Attempt:
    """One attempt, which counts while it is under way; a context that ends it.

    Attributes:
        delay: How many seconds to wait before the password is checked.
    """

    def __init__(self, attempts: Throttle, login: str, source: str, logins: Keys, addresses: Keys) -> None:
        self.delay = 0.0
        self.login = login
        self.source = source
        self.logins = logins
        self.addresses = addresses
        self._attempts = attempts

    def __enter__(self) -> Self:
        self._attempts.began(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._attempts.ended(self)

    def failed(self) -> None:
        """The password was checked, and is wrong; an attempt that never says so counts no more at its end."""
        self._attempts.failed(self)

    def succeeded(self) -> None:
        """The password is right: the failures of this login are forgotten, those of the address are not."""
        self._attempts.succeeded(self)


class Throttle:
    """Counts failed log-ins.

    Args:
        now: Seconds on any clock that does not go back.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._logins, self._addresses = _Failures(PER_LOGIN), _Failures(PER_ADDRESS)
        self._unknown, self._sources = _Places(UNKNOWN_LOGINS), _Places(ADDRESSES)
        self._lane = _Lane()
        self._familiar: dict[str, deque[str]] = {}

    def attempt(self, login: str, address: str, *, known: bool) -> Attempt:
        """An attempt to log in.

        Args:
            login: The login.
            address: Where it comes from.
            known: Whether somebody has this login.

        Raises:
            TooManyAttempts: It has to wait, and counts for nothing.
        """
        name, source, now = same_login(login), network(address), self._now()
        logins = (name,) if known else self._unknown.of(name)
        attempt = Attempt(self, name, source, logins, self._sources.of(source))
        if wait := self._logins.wait(logins, now):
            raise TooManyAttempts(wait)
        if self._addresses.wait(attempt.addresses, now) and not self._is_familiar(attempt, now):
            attempt.delay = self._lane.delay(attempt.addresses, now)
        return attempt

    def _is_familiar(self, attempt: Attempt, now: float) -> bool:
        """Whether this login has logged in from there, and nobody has failed with it lately."""
        sources: Iterable[str] = self._familiar.get(attempt.login, ())
        return attempt.source in sources and not self._logins.count(attempt.logins, now)

    def began(self, attempt: Attempt) -> None:
        """Count an attempt as one under way, so that many at once gain nothing."""
        self._logins.begin(attempt.logins)
        self._addresses.begin(attempt.addresses)

    def ended(self, attempt: Attempt) -> None:
        """It is under way no more."""
        self._logins.end(attempt.logins)
        self._addresses.end(attempt.addresses)

    def failed(self, attempt: Attempt) -> None:
        """Count a failure."""
        now = self._now()
        self._logins.add(attempt.logins, now)
        self._addresses.add(attempt.addresses, now)

    def succeeded(self, attempt: Attempt) -> None:
        """Forget the failures of a login, and remember where it logs in from."""
        self._logins.clear(attempt.logins)
        sources = self._familiar.setdefault(attempt.login, deque(maxlen=FAMILIAR))
        if attempt.source not in sources:
            sources.append(attempt.source)
