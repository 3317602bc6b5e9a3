"""What users did in their UC Assistants, as a CTI server, or a test, reports it in user events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from unique_account.adapters.asterisk.ami.message import Message, one_of, required
from unique_account.adapters.asterisk.translation.vocabulary import DEVICES
from unique_account.core.events import DeviceSelected, Event, LoggedIn, LoggedOut, SessionLost

Instant = Callable[[], datetime]
"""Gives the instant of the message."""


def action(message: Message, at: Instant) -> Event:
    """What the user did.

    Raises:
        UnusableHeader: A header is missing or wrong.
    """
    return one_of(message, "Do", _ACTIONS)(message, at)


def _logged_in(message: Message, _: Instant) -> Event:
    return LoggedIn(required(message, "Session"), message.get("Connection", ""))


def _logged_out(message: Message, _: Instant) -> Event:
    return LoggedOut(required(message, "Session"))


def _session_lost(message: Message, at: Instant) -> Event:
    return SessionLost(required(message, "Session"), at(), message.get("Connection", ""))


def _selected(message: Message, _: Instant) -> Event:
    return DeviceSelected(one_of(message, "Device", DEVICES))


_ACTIONS: Final[Mapping[str, Callable[[Message, Instant], Event]]] = {
    "log_in": _logged_in,
    "log_out": _logged_out,
    "session_lost": _session_lost,
    "select": _selected,
}
