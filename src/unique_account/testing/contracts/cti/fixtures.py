"""What the parts of the contract have in common: who listens, and what the assistants of users do and see."""

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
    """What the users of UC Assistants do and see; all that the contract needs beside the CTI itself."""

    async def act(self, user: str, event: Event) -> None:
        """Let one of a user's sessions do what this event tells of; logs one in where it needs one.

        Raises:
            Exception: What the CTI answered, if it was not done; a refusal as `Refused`.
        """
        ...

    async def command(self, user: str, command: Command) -> bool:
        """Let one of a user's sessions give this command; logs one in where it needs one.

        Returns:
            Whether it was done; False if the session was told that its browser has to do it.

        Raises:
            Exception: What the CTI answered, if it was not done; what failed as `CommandFailed`.
        """
        ...

    async def history(self, user: str, size: int, cursor: str | None = None) -> Page:
        """A page of a user's calls as a session of this user gets it; logs one in where it needs one."""
        ...

    async def shown(self, user: str) -> View | None:
        """The account that a session of this user shows now, the user logging in if need be; None: none."""
        ...

    async def presence(self, number: str) -> Presence | None:
        """The presence that a session shows of a number that it watches; None: none."""
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


async def _control(user: str, command: Command) -> bool:
    """Carry nothing out."""
    return True


class AssistantsContract(Contract[Opened]):
    """A CTI, and somebody who listens to it."""

    @asynccontextmanager
    async def listening(
        self,
        cti: Cti,
        on_event: EventHandler,
        on_command: CommandHandler = _control,
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

    async def on_event(self, user: str, event: Event) -> None:
        """Nothing is to be done about what users do here."""
