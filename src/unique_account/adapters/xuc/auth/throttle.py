"""How often passwords may be tried: failures in any five minutes, by login and by address.

No client can push the count of another out. A known login has a count of its own, so there are no more of
these than users. Unknown logins and addresses can be invented: they share a fixed number of places, two each,
chosen by a keyed hash, and the smaller count of the two applies. So one of them may reach its limit early, if
others are in both of its places, and none is ever forgotten early.

A login at its limit is refused. An address at its limit is slowed down: a whole company may be behind it.

Processes that share their attempts count together. While those cannot be counted, each counts its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

from unique_account.adapters.xuc.auth.failure_counts import HashedPlaces, Keys, LocalLoginAttempts
from unique_account.core.errors import Unreachable
from unique_account.http_server.networks import network
from unique_account.ports.directory import same_login
from unique_account.ports.login_attempts import Begun, LoginAttempts, Places, TooManyAttempts
from unique_account.ports.observer import Observer, PortRequest

UNKNOWN_LOGINS: Final = 2**14
ADDRESSES: Final = 2**13
"""How many places there are, twice, for unknown logins, and for addresses."""

INTERVAL: Final = 0.25
"""How many seconds lie between two attempts from an address that is slowed down, at each process."""

LONGEST_DELAY: Final = 15.0
"""How many seconds such an attempt waits at most, so that sixty can wait; one more is refused."""

FAMILIAR_ADDRESSES: Final = 4
"""How many addresses from which a login succeeded are remembered."""

_COUNT: Final = PortRequest("cti", "log-in attempts")


class _AttemptQueue:
    """Lets attempts from a slowed address pass one after the other."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}

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
    """One attempt, which counts while it is under way.

    Attributes:
        delay: How many seconds to wait before the password is checked.
        source: The network that it comes from.
        right: Whether the password is right; None: it was not checked, and the attempt counts for nothing.
    """

    def __init__(self, source: str, delay: float) -> None:
        self.delay = delay
        self.source = source
        self.right: bool | None = None


class Throttle:
    """Counts failed log-ins.

    Args:
        now: Seconds on any clock that does not go back.
        key: A secret; processes that share it and their attempts count together.
        observer: Notified when the shared attempts cannot be counted, and when they can be again.
        shared: The attempts at all processes; None: there is only this one.
    """

    def __init__(
        self, now: Callable[[], float], key: str, observer: Observer, shared: LoginAttempts | None = None
    ) -> None:
        self._now = now
        self._observer = observer
        self._local = LocalLoginAttempts(now)
        self._shared = shared
        self._failing = False
        self._users = HashedPlaces("user", 1, key)
        self._logins = HashedPlaces("login", UNKNOWN_LOGINS, key)
        self._addresses = HashedPlaces("address", ADDRESSES, key)
        self._queue = _AttemptQueue()
        self._familiar: dict[str, deque[str]] = {}

    @asynccontextmanager
    async def attempt(self, login: str, address: str, *, known: bool) -> AsyncIterator[Attempt]:
        """An attempt to log in, which is under way in the context.

        Args:
            login: The login.
            address: Where it comes from.
            known: Whether a user has this login.

        Raises:
            TooManyAttempts: It has to wait, and counts for nothing.
        """
        name, source = same_login(login), network(address)
        logins = self._users.own(name) if known else self._logins.of(name)
        attempts, begun = await self._begin(Places(logins, self._addresses.of(source)))
        attempt = Attempt(source, 0.0)
        try:
            if begun.slowed and not self._is_familiar(name, source, begun):
                attempt.delay = self._queue.delay(begun.places.address, self._now())
            yield attempt
        finally:
            await self._end(attempts, begun, attempt.right)
        if attempt.right:
            self._remember(name, source)

    async def _begin(self, places: Places) -> tuple[LoginAttempts, Begun]:
        """Begin an attempt where it can be counted: among all, or else among those of this process."""
        if self._shared is not None:
            try:
                begun = await self._shared.begin(places)
            except Unreachable as error:
                self._say(error)
            else:
                self._say(None)
                return self._shared, begun
        return self._local, await self._local.begin(places)

    async def _end(self, attempts: LoginAttempts, begun: Begun, right: bool | None) -> None:
        """End an attempt; a failure that cannot be counted among all is counted here."""
        try:
            await _ended(attempts, begun, right)
        except Unreachable as error:
            self._say(error)
            if right is False:
                with suppress(TooManyAttempts):
                    await self._local.failed(await self._local.begin(begun.places))

    def _say(self, error: Exception | None) -> None:
        """Report that the shared attempts cannot be counted, or can be again, once each."""
        if error is not None and not self._failing:
            self._observer.failed(_COUNT, error)
        if error is None and self._failing:
            self._observer.recovered(_COUNT)
        self._failing = error is not None

    def _is_familiar(self, login: str, source: str, begun: Begun) -> bool:
        """Whether this login succeeded from there, and has not failed lately."""
        sources: Iterable[str] = self._familiar.get(login, ())
        return source in sources and not begun.failures

    def _remember(self, login: str, source: str) -> None:
        """Remember from where a login succeeded."""
        sources = self._familiar.setdefault(login, deque(maxlen=FAMILIAR_ADDRESSES))
        if source not in sources:
            sources.append(source)


async def _ended(attempts: LoginAttempts, begun: Begun, right: bool | None) -> None:
    match right:
        case True:
            await attempts.succeeded(begun)
        case False:
            await attempts.failed(begun)
        case None:
            await attempts.withdrawn(begun)
