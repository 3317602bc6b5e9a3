"""UC Assistants in memory: what they show, and what their users do."""

from __future__ import annotations

import asyncio

from unique_account.core.errors import Unreachable
from unique_account.core.events import Event
from unique_account.core.history import DEFAULT_SIZE, Page
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.inbound.commands import Command, CommandHandler
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.inbound.histories import Histories


class MemoryCti:
    """Remembers what is shown, and reports what a test lets users do.

    Attributes:
        shown: The view shown to each user.
        presences: The presence published for each number.
        history_changes: The users whose histories changed, in that order.
    """

    def __init__(self) -> None:
        self.shown: dict[str, View] = {}
        self.presences: dict[str, Presence] = {}
        self.history_changes: list[str] = []
        self._service: tuple[EventHandler, CommandHandler, Histories] | None = None

    async def listen(self, on_event: EventHandler, on_command: CommandHandler, histories: Histories) -> None:
        """Report what users do, until cancelled."""
        self._service = service = (on_event, on_command, histories)
        try:
            await asyncio.Event().wait()
        finally:
            self._service = None if self._service is service else self._service

    async def act(self, user: str, event: Event) -> None:
        """Report an event, as if a user did it in a UC Assistant.

        Raises:
            Refused: The answer that the user's session gets.
            Unreachable: No service listens.
        """
        await self._require_service()[0](user, event)

    async def command(self, user: str, command: Command) -> bool:
        """Give a command, as if a user did; False: the browser has to carry it out.

        Raises:
            CommandFailed: The answer that the user's session gets.
            Unreachable: No service listens.
        """
        return await self._require_service()[1](user, command)

    async def history(self, user: str, size: int = DEFAULT_SIZE, cursor: str | None = None) -> Page:
        """Query a user's calls, as if the user did.

        Raises:
            Unreachable: No service listens.
        """
        return await self._require_service()[2].page(user, size, cursor)

    def _require_service(self) -> tuple[EventHandler, CommandHandler, Histories]:
        if self._service is None:
            raise Unreachable("no service listens to the UC Assistants")
        return self._service

    async def show(self, view: View) -> None:
        """Show a view, unless a newer one is shown."""
        shown = self.shown.get(view.user)
        if shown is None or shown.version <= view.version:
            self.shown[view.user] = view

    async def publish(self, number: str, presence: Presence) -> None:
        """Show a number's presence."""
        self.presences[number] = presence

    async def history_changed(self, user: str) -> None:
        """Remember that a user's history changed."""
        self.history_changes.append(user)

    async def release(self, user: str) -> None:
        """Show nothing of this user any more."""
        self.shown.pop(user, None)

    async def forget(self, user: str) -> None:
        """Show nothing of this user any more."""
        self.shown.pop(user, None)
