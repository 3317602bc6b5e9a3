"""The CTI: the logged-in UC Assistants, which show a user's account and send what the user does."""

from __future__ import annotations

from typing import Protocol

from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.inbound.commands import CommandHandler
from unique_account.ports.inbound.events import EventHandler
from unique_account.ports.inbound.histories import Histories


class Cti(Protocol):
    """The server that UC Assistants connect to."""

    async def listen(self, on_event: EventHandler, on_command: CommandHandler, histories: Histories) -> None:
        """Report what users do, as events, and pass on their commands, until cancelled; called once.

        `LoggedIn` when a session authenticated, `LoggedOut` when it said goodbye, `SessionLost` when its
        connection broke, `DeviceSelected`, `DoNotDisturbSet` and `ForwardSet` as the user chooses: a choice
        says what it changes, and never the whole account as it was seen. What ``on_event`` and ``on_command``
        raise, a `Refused` first of all, is the answer to that user's session, and to no other. A command that
        is left to the browser goes back to the session that gave it. ``histories`` answers those who ask for
        their calls.
        """
        ...

    async def show(self, view: View) -> None:
        """Show a user's account in every session of that user, and in those that connect later (S4).

        A view of an older version than the last one shown is dropped.
        """
        ...

    async def publish(self, number: str, presence: Presence) -> None:
        """Show a number's presence to every session that watches it and may see it (P5).

        ``UNEXISTING``: the number is nobody's any more.
        """
        ...

    async def history_changed(self, user: str) -> None:
        """Notify every session of a user that the user's history has a new entry (H4).

        The account may be the same as before.
        """
        ...

    async def release(self, user: str) -> None:
        """The user is on a node of another group now: close its connections, and keep all that it set.

        Unknown users are no error.
        """
        ...

    async def forget(self, user: str) -> None:
        """The user has no account any more: end its sessions; unknown users are no error."""
        ...
