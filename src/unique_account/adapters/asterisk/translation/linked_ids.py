"""One id for all legs of a live call, where Asterisk reports it late or not at all.

A picked-up call, a transferred one and one from another node end under another linkedid than they began
with, and history knows them by one of these only (H6).
"""

from __future__ import annotations

import json
from typing import Final

from attrs import evolve

from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.translation.calls import call_began, id_order
from unique_account.adapters.asterisk.wire_names import CALL_ID_EVENT
from unique_account.core.account import Call, Direction

_REMEMBERED: Final = 10_000


class LinkedIds:
    """Which calls of this node began on another one or were joined to one; so many are remembered."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def at_origin(self, message: Message) -> Message:
        """The message with the ``Linkedid`` that its call has where it began."""
        other = self._ids.get(message.get("Linkedid", ""))
        if other is None:
            return message
        first, _, rest = message.text.partition("\r\n")
        return Message(f"{first}\r\nLinkedid: {other}\r\n{rest}")

    def join(self, *linkedids: str) -> str:
        """Note that calls are one from now on: the one that began first, where it began; gives its id."""
        elsewhere = [self._ids[one] for one in linkedids if one in self._ids]
        into = min(elsewhere or linkedids, key=id_order)
        for linkedid in linkedids:
            if linkedid != into:
                self._remember(linkedid, into)
        return into

    def note(self, message: Message) -> None:
        """Note the id that a call has where it began, if this event of channel event logging holds it."""
        if message.get("EventName") == CALL_ID_EVENT and "LinkedID" in message and (other := _extra(message)):
            # Asterisk's own stands below whatever a stranger's text poses as.
            self._remember(message.all("LinkedID")[-1], other)

    def _remember(self, linkedid: str, other: str) -> None:
        self._ids.pop(linkedid, None)
        self._ids[linkedid] = other
        if len(self._ids) > _REMEMBERED:
            del self._ids[next(iter(self._ids))]


def _extra(message: Message) -> str:
    try:
        value = json.loads(message.all("Extra")[-1])["extra"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def under(call: Call, linkedid: str) -> Call:
    """The same leg as part of the call of that id, if it has one."""
    if not linkedid or linkedid == call.linked_id:
        return call
    return evolve(call, linked_id=linkedid, started=call_began(linkedid, call.started))


def picked_up(message: Message, call: Call) -> Call:
    """The leg of who picks a call up: one that comes in, under the id of the call that rang."""
    return evolve(under(call, message.get("TargetLinkedid", "")), direction=Direction.INCOMING)


def transferred(message: Message) -> tuple[str, str]:
    """The id under which an attended transfer joins two calls, and the transferer's leg of the later one."""
    legs = [
        (message.get(f"{which}Linkedid", ""), message.get(f"{which}Uniqueid", ""))
        for which in ("OrigTransferer", "SecondTransferer")
    ]
    (first, _), (_, leg) = sorted(legs, key=lambda one: id_order(one[0]))
    return first, leg
