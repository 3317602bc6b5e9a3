"""How a port reports to the service what happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from unique_account.core.errors import UniqueAccountError
from unique_account.core.events import Event


class UnknownUser(UniqueAccountError):
    """There is no account of this user.

    Attributes:
        user: The id that was asked for.
    """

    def __init__(self, user: str) -> None:
        super().__init__(user)
        self.user = user

    def __str__(self) -> str:
        return f"there is no Unique Account of {self.user}"


EventHandler = Callable[[str, Event], Awaitable[object]]
"""Takes a user's id and an event of that user's account; returns when the event is handled. A service
answers with the `unique_account.core.account.Account` after the event.

The port awaits each call before the next about the same user: that keeps the order of one user's events, and
it is the back pressure. While an event is handled the service makes requests to ports, so every method of the
reporting port must still return meanwhile, `Pbx.watch` excepted. Raises `Refused` where the core refuses,
`UnknownUser` for a user that has no account, and whatever the store raised; nothing has changed then, and the
port goes on reporting.
"""
