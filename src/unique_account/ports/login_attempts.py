"""Failed log-ins and attempts under way, counted so that passwords cannot be guessed."""

from __future__ import annotations

from typing import Final, Protocol

from attrs import frozen

from unique_account.core.errors import UniqueAccountError

PER_LOGIN: Final = 10
"""How many failures and attempts under way one login may have."""

PER_ADDRESS: Final = 100
"""How many one address may have before it is slowed down."""

WINDOW: Final = 300.0
"""For how many seconds a failure counts."""

SOON: Final = 1.0
"""How many seconds to wait if only attempts under way reach the limit."""


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


@frozen(weakref_slot=False)
class Places:
    """Where an attempt is counted; the count of a login or an address is the smallest of its places'.

    Attributes:
        login: The places of the login.
        address: Those of the address; none of them is a place of a login.
    """

    login: tuple[str, ...]
    address: tuple[str, ...]


@frozen(weakref_slot=False)
class Begun:
    """An attempt that is under way.

    Attributes:
        places: Where it is counted.
        failures: What was counted of the login before it.
        slowed: Whether the address was at its limit before it.
        mark: By what the store knows it again.
    """

    places: Places
    failures: int
    slowed: bool
    mark: float = 0.0


class LoginAttempts(Protocol):
    """Counts attempts by place, of all processes that share the store.

    An attempt counts while it is under way, so that many at once gain nothing, and for `WINDOW` once it
    failed. Every attempt that began ends by one of the three other methods; one whose process died counts for
    a minute. All of them raise `Unreachable` where the store cannot be used.
    """

    async def begin(self, places: Places) -> Begun:
        """Begin an attempt, and say what was counted before it.

        Raises:
            TooManyAttempts: The login is at its limit; the attempt counts for nothing.
        """
        ...

    async def failed(self, begun: Begun) -> None:
        """The attempt failed: count it."""
        ...

    async def succeeded(self, begun: Begun) -> None:
        """The attempt succeeded: forget the failures of the login, but not those of the address."""
        ...

    async def withdrawn(self, begun: Begun) -> None:
        """The attempt was not carried out: it counts for nothing."""
        ...
