"""How often passwords may be tried: failures in any five minutes, by login and by address.

No client can push the count of another out. A known login has a count of its own, so there are no more of
these than users. Unknown logins and addresses can be invented: they share a fixed number of places, two each,
chosen by a keyed hash, and the smaller count of the two applies. So one of them may reach its limit early, if
others are in both of its places, and none is ever forgotten early.

A login at its limit is refused. An address at its limit is slowed down: a whole company may be behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Final, Self

from unique_account.adapters.xuc.auth.failure_counts import FailureCounts, HashedPlaces, Keys
from unique_account.core.errors import UniqueAccountError
from unique_account.http_server.networks import network
from unique_account.ports.directory import same_login

PER_LOGIN: Final = 10
PER_ADDRESS: Final = 100

UNKNOWN_LOGINS: Final = 2**14
ADDRESSES: Final = 2**13
"""How many places there are, twice, for unknown logins, and for addresses."""

INTERVAL: Final = 0.25
"""How many seconds lie between two attempts from an address that is slowed down."""

LONGEST_DELAY: Final = 15.0
"""How many seconds such an attempt waits at most, so that sixty can wait; one more is refused."""

FAMILIAR_ADDRESSES: Final = 4
"""How many addresses from which a login succeeded are remembered."""


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


class _AttemptQueue:
    """Lets attempts from a slowed address pass one after the other."""

    def __init__(self) -> None:
        self._free_at: dict[Hashable, float] = {}

    def delay(self, keys: Keys, now: float) -> float:
        """How many seconds until the next attempt may pass.

        Raises:
            TooManyAttempts: Too many are waiting.
        """
        delay = min(max(self._free_at.get(key, now) - now, 0.0) for key in keys)
        if delay > LONGEST_DELAY:
            raise TooManyAttempts(delay)
        for key in keys:
            self._free_at[key] = max(self._free_at.get(key, now), now + delay) + INTERVAL
        return delay


class Attempt:
    """One attempt, which counts while it is under way: a context.

    Attributes:
        delay: How many seconds to wait before the password is checked.
    """

    def __init__(self, throttle: Throttle, login: str, source: str, logins: Keys, addresses: Keys) -> None:
        self.delay = 0.0
        self.login = login
        self.source = source
        self.logins = logins
        self.addresses = addresses
        self._throttle = throttle

    def __enter__(self) -> Self:
        self._throttle.began(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._throttle.ended(self)

    def failed(self) -> None:
        """The password is wrong; without this call the attempt counts for nothing once it is over."""
        self._throttle.failed(self)

    def succeeded(self) -> None:
        """The password is right: forget the failures of the login, but not those of the address."""
        self._throttle.succeeded(self)


class Throttle:
    """Counts failed log-ins.

    Args:
        now: Seconds on any clock that does not go back.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._logins, self._addresses = FailureCounts(PER_LOGIN), FailureCounts(PER_ADDRESS)
        self._login_places, self._address_places = HashedPlaces(UNKNOWN_LOGINS), HashedPlaces(ADDRESSES)
        self._queue = _AttemptQueue()
        self._familiar: dict[str, deque[str]] = {}

    def attempt(self, login: str, address: str, *, known: bool) -> Attempt:
        """An attempt to log in.

        Args:
            login: The login.
            address: Where it comes from.
            known: Whether a user has this login.

        Raises:
            TooManyAttempts: It has to wait, and counts for nothing.
        """
        name, source, now = same_login(login), network(address), self._now()
        logins = (name,) if known else self._login_places.of(name)
        attempt = Attempt(self, name, source, logins, self._address_places.of(source))
        if wait := self._logins.wait(logins, now):
            raise TooManyAttempts(wait)
        if self._addresses.wait(attempt.addresses, now) and not self._is_familiar(attempt, now):
            attempt.delay = self._queue.delay(attempt.addresses, now)
        return attempt

    def _is_familiar(self, attempt: Attempt, now: float) -> bool:
        """Whether this login succeeded from there, and has not failed lately."""
        sources: Iterable[str] = self._familiar.get(attempt.login, ())
        return attempt.source in sources and not self._logins.count(attempt.logins, now)

    def began(self, attempt: Attempt) -> None:
        """Count an attempt under way, so that many at once gain nothing."""
        self._logins.begin(attempt.logins)
        self._addresses.begin(attempt.addresses)

    def ended(self, attempt: Attempt) -> None:
        """It is over."""
        self._logins.end(attempt.logins)
        self._addresses.end(attempt.addresses)

    def failed(self, attempt: Attempt) -> None:
        """Count a failure."""
        now = self._now()
        self._logins.add(attempt.logins, now)
        self._addresses.add(attempt.addresses, now)

    def succeeded(self, attempt: Attempt) -> None:
        """Forget the failures of a login, and remember its address."""
        self._logins.clear(attempt.logins)
        sources = self._familiar.setdefault(attempt.login, deque(maxlen=FAMILIAR_ADDRESSES))
        if attempt.source not in sources:
            sources.append(attempt.source)
