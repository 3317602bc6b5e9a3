"""How a port tells the service what happened."""

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
"""Takes a user's id and an event of that user's account; returns when the event has been worked off.

Whoever tells awaits each call before the next about the same user: that keeps the order of one user's
events, and it is the back pressure. Working an event off asks ports for things, so while a call is awaited
every method of the telling port must still return, `Pbx.watch` excepted. Raises `Refused` where the core
refuses, `UnknownUser` for a user that has no account, and whatever the store raised; nothing has changed
then, and whoever tells goes on telling.
"""
