"""Codes that users dialled, as events; and the result that is announced to the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final
from urllib.parse import unquote

from unique_account.adapters.asterisk.ami.message import Message, one_of, required
from unique_account.adapters.asterisk.wire_names import TOGGLE
from unique_account.core.account import Account
from unique_account.core.events import DeviceToggled, Event, ForwardingDialled
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device


def dialled_code(message: Message) -> tuple[str, Event]:
    """Who dialled a code, by the user's id, and what happened by that.

    Raises:
        UnusableHeader: The message is not one of the dialplan's.
    """
    event = one_of(message, "Asks", _EVENTS)(message.get("Number", ""))
    return unquote(required(message, "Account")), event


def _toggled(_: str) -> Event:
    return DeviceToggled()


_EVENTS: Final[Mapping[str, Callable[[str], Event]]] = {
    TOGGLE: _toggled,
    **{str(setting): partial(ForwardingDialled, setting) for setting in Setting},
}


def answer(event: Event, after: object) -> str:
    """The result of a code that was not refused, by the account after it."""
    match event, after:
        case DeviceToggled(), Account() as account:
            on = account.selection is Device.WEBRTC
        case ForwardingDialled(setting=Setting.DO_NOT_DISTURB), Account() as account:
            on = account.forwarding.do_not_disturb
        case ForwardingDialled(number=number), _:
            on = number != ""
        case _:
            on = False
    return "on" if on else "off"
