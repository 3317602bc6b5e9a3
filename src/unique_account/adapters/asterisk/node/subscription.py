"""Which events a node is asked for, and the key that proves its user events."""

from __future__ import annotations

from contextlib import suppress
from secrets import token_hex
from typing import Final

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.wire_names import (
    CALL_ID_EVENT,
    CODE_KEY,
    DIVERSION_EVENT,
    custom_state,
)
from unique_account.core.errors import Unreachable

EVENT_CLASSES: Final = "call,system,user"
"""The classes of events that are asked for."""

BLANK_LINES: Final = "![[:cntrl:]]{3}[^[:cntrl:]]"
"""The filter that drops events with a blank line inside, which only a stranger's text has.

What follows the blank line would pose as an event of its own.
"""

OWN_STATES: Final = f"!Device: {custom_state('')}"
"""The filter that drops the states of our own hints, which nobody here waits for."""

EVENTS: Final = (
    *("DeviceStateChange", "ContactStatus", "PeerStatus", "MessageWaiting", "UserEvent"),
    *("Newchannel", "Newstate", "NewConnectedLine", "BridgeEnter", "BridgeLeave", "Hold", "Unhold", "Hangup"),
    *("Pickup", "AttendedTransfer", "FullyBooted", "Reload", "OriginateResponse"),
)
"""The events of these classes that are asked for."""


async def subscribe(connection: Connection) -> None:
    """Ask for the events that are needed, and for none in which a stranger's blank line poses as an end.

    Raises:
        ActionRefused: The account may not read events.
        Unreachable: The account may not filter them, or the connection is lost.
    """
    add = ("Operation", "Add")
    try:
        await connection.act("Filter", add, ("Filter", BLANK_LINES))
    except ActionRefused as error:
        raise Unreachable(f"{error}; without it strangers could forge events: grant write = system") from None
    with suppress(ActionRefused):  # it then reports more than is needed
        for wanted in (f"Event: ({'|'.join(EVENTS)})", f"EventName: ({CALL_ID_EVENT}|{DIVERSION_EVENT})"):
            await connection.act("Filter", add, ("Filter", wanted))
        await connection.act("Filter", add, ("Filter", OWN_STATES))
    await connection.act("Events", ("EventMask", EVENT_CLASSES))


async def node_key(connection: Connection) -> str:
    """The node's key; made here if the node has none since it booted."""
    variable = ("Variable", CODE_KEY)
    if not (key := (await connection.act("Getvar", variable)).get("Value", "")):
        key = token_hex(16)
        await connection.act("Setvar", variable, ("Value", key))
    return key
