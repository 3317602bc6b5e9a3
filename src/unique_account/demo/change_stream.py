"""Notifies the pages that show the stage that something changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from starlette.websockets import WebSocket

from unique_account.adapters.xuc.auth.origins import may_connect
from unique_account.core.account import Account
from unique_account.core.errors import Refused
from unique_account.core.events import Event
from unique_account.core.user import User
from unique_account.ports.group_leases import NodeTaken
from unique_account.ports.observer import PortRequest


class ChangeStream:
    """An observer that says that there is something new, and keeps the accounts as they are now.

    Attributes:
        accounts: By user.
    """

    def __init__(self, users: Iterable[User]) -> None:
        self.accounts = {user.id: Account(user) for user in users}
        self._followers: set[asyncio.Event] = set()

    def spread(self) -> None:
        """Say that something changed."""
        for follower in self._followers:
            follower.set()

    async def follow(self) -> AsyncIterator[None]:
        """Once now, and again after each change; several changes at once are one."""
        changed = asyncio.Event()
        self._followers.add(changed)
        try:
            while True:
                changed.clear()
                yield
                await changed.wait()
        finally:
            self._followers.discard(changed)

    def applied(self, event: Event, before: Account, after: Account) -> None:
        """An account changed."""
        self.accounts[after.user.id] = after
        self.spread()

    def refused(self, event: Event, account: Account, refusal: Refused) -> None:
        """Nothing changed."""

    def failed(self, request: PortRequest, error: Exception) -> None:
        """Nothing changed."""

    def recovered(self, request: PortRequest) -> None:
        """Nothing changed."""

    def node_taken(self, taken: NodeTaken) -> None:
        """Nothing changed."""


def own_page(socket: WebSocket) -> bool:
    """Whether a connection comes from a page of this very server: another one must not play here."""
    return "origin" in socket.headers and may_connect(socket, ())
