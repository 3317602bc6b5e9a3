"""UC Assistants without a wire: what they show, and what their users do."""

from __future__ import annotations

import asyncio

from unique_account.core.events import Event
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.hearing import Hear


class MemoryCti:
    """Remembers what is shown, and tells what it is told to tell.

    Attributes:
        shown: The view that each user sees.
        presences: The presence that is published for each number.
    """

    def __init__(self) -> None:
        self.shown: dict[str, View] = {}
        self.presences: dict[str, Presence] = {}
        self._hear: Hear | None = None

    async def listen(self, hear: Hear) -> None:
        """Tell what users do, until cancelled."""
        self._hear = hear
        try:
            await asyncio.Event().wait()
        finally:
            self._hear = None if self._hear is hear else self._hear

    async def act(self, user: str, event: Event) -> None:
        """Let a user do something in a UC Assistant.

        Raises:
            Refused: The answer that the user's session gets.
            ConnectionError: Nobody listens.
        """
        if self._hear is None:
            raise ConnectionError("no service listens to the UC Assistants")
        await self._hear(user, event)

    async def show(self, view: View) -> None:
        """Show a view, unless a newer one is shown."""
        shown = self.shown.get(view.user)
        if shown is None or shown.version <= view.version:
            self.shown[view.user] = view

    async def publish(self, number: str, presence: Presence) -> None:
        """Show a number's presence."""
        self.presences[number] = presence

    async def forget(self, user: str) -> None:
        """Show nothing of this user any more."""
        self.shown.pop(user, None)
