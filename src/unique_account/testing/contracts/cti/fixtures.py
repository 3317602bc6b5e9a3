"""What the parts of the contract share: a service that listens, and a driver of UC Assistants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from unique_account.core.account import Account
from unique_account.core.events import Event, LoggedIn, apply
from unique_account.core.history import DEFAULT_SIZE, Page
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.cti import Cti
from unique_account.ports.inbound.commands import (
    Command,
    CommandHandler,
)
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.inbound.histories import Histories
from unique_account.testing.contracts.accounts import ALICE
from unique_account.testing.contracts.scenario import Contract

OUT = Account(ALICE)
ACTIVE = apply(OUT, LoggedIn("tab-1"))


class Assistants(Protocol):
    """Drives UC Assistants: lets their users act, and reads what they show."""

    async def act(self, user: str, event: Event) -> None:
        """Have a session of a user do what this event describes; logs in if there is none.

        Raises:
            Exception: The error that the CTI answered; a refusal as `Refused`.
        """
        ...

    async def command(self, user: str, command: Command) -> bool:
        """Have a session of a user give this command; logs in if there is none.

        Returns:
            Whether it was carried out; False: it went back to the browser.

        Raises:
            Exception: The error that the CTI answered; a failure as `CommandFailed`.
        """
        ...

    async def history(self, user: str, size: int, cursor: str | None = None) -> Page:
        """A page of a user's calls, as a session gets it; logs in if there is none."""
        ...

    async def shown(self, user: str) -> View | None:
        """The account that a session of this user shows, or None; logs in if there is none."""
        ...

    async def history_changes(self, user: str) -> int:
        """How often a session was notified that the user's history changed; logs in if there is none."""
        ...

    async def presence(self, number: str) -> Presence | None:
        """The presence that a session shows for a number that it watches, or None."""
        ...


Opened = tuple[Cti, Assistants]


class NoHistories:
    """Histories without calls."""

    async def page(
        self,
        user: str,
        size: int = DEFAULT_SIZE,
        cursor: str | None = None,
        since: datetime | None = None,
        matching: str = "",
    ) -> Page:
        """No call."""
        return Page((), None)


async def _carry_out(user: str, command: Command) -> bool:
    """Accept every command."""
    return True


class AssistantsContract(Contract[Opened]):
    """A CTI, and a service that listens to it."""

    @asynccontextmanager
    async def listening(
        self,
        cti: Cti,
        on_event: EventHandler,
        on_command: CommandHandler = _carry_out,
        histories: Histories | None = None,
    ) -> AsyncIterator[None]:
        """Listen to a CTI."""
        listener = asyncio.create_task(cti.listen(on_event, on_command, histories or NoHistories()))
        await asyncio.sleep(0)
        try:
            yield
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def shows(self, assistants: Assistants, shown: View) -> None:
        """Wait until a session shows this."""

        async def so() -> bool:
            return await assistants.shown(shown.user) == shown

        await self.until(so)

    async def on_event(self, user: str, event: Event) -> Account:
        """Accept every event, and answer with an account as a service does."""
        return OUT
