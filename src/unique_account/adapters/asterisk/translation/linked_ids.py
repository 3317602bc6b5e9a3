"""One id for all legs of a live call, where Asterisk reports it late or not at all.

A picked-up call, a transferred one and one from another node end under another linkedid than they began
with, and history knows them by one of these only (H6).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, TypeVar

from attrs import evolve

from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.translation.call_ids import call_began, id_order, second_in
from unique_account.adapters.asterisk.wire_names import CALL_ID_EVENT
from unique_account.core.account import Call, Direction

T = TypeVar("T")

_REMEMBERED: Final = 10_000


class LinkedIds:
    """Which calls of this node began on another one or were joined to one, and when calls were first seen.

    It remembers `_REMEMBERED` of each.
    """

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._first_seen: dict[str, datetime] = {}

    def recall(self, earlier: LinkedIds) -> None:
        """Take over what an earlier one knows; of what both know, its word."""
        self._ids |= earlier._ids
        self._first_seen |= earlier._first_seen

    def began(self, linkedid: str, at: datetime) -> datetime:
        """When the call of an id began; one that holds no second is remembered when it is first seen."""
        if second_in(linkedid, at) is None:
            at = self._first_seen.get(linkedid, at)
            _remember(self._first_seen, linkedid, at)
        return call_began(linkedid, at)

    def under(self, call: Call, linkedid: str) -> Call:
        """The same leg as part of the call of that id, if it has one."""
        if not linkedid or linkedid == call.linked_id:
            return call
        return evolve(call, linked_id=linkedid, started=self.began(linkedid, call.started))

    def picked_up(self, message: Message, call: Call) -> Call:
        """The leg of a user who picks a call up: incoming, under the id of the call that rang."""
        moved = self.under(call, message.get("TargetLinkedid", ""))
        return evolve(moved, direction=Direction.INCOMING)

    def at_origin(self, message: Message) -> Message:
        """The message with the ``Linkedid`` that its call has where it began."""
        other = self._ids.get(message.get("Linkedid", ""))
        if other is None:
            return message
        first, _, rest = message.text.partition("\r\n")
        return Message(f"{first}\r\nLinkedid: {other}\r\n{rest}")

    def origin(self, linkedid: str) -> str:
        """The id that a call has where it began."""
        return self._ids.get(linkedid, linkedid)

    def join(self, *linkedids: str) -> str:
        """Note that calls are one from now on: the one that began first, where it began; gives its id."""
        elsewhere = [self._ids[one] for one in linkedids if one in self._ids]
        into = min(elsewhere or linkedids, key=id_order)
        for linkedid in linkedids:
            if linkedid != into:
                _remember(self._ids, linkedid, into)
        return into

    def note(self, message: Message) -> str:
        """Note the id that a call has where it began, if this event of channel event logging holds it.

        Returns:
            The id; empty for any other event.
        """
        other = extra(message) if message.get("EventName") == CALL_ID_EVENT and "LinkedID" in message else ""
        if other:
            # Asterisk's own stands below whatever a stranger's text poses as.
            _remember(self._ids, message.all("LinkedID")[-1], other)
        return other


def _remember(known: dict[str, T], linkedid: str, value: T) -> None:
    """Keep a value of an id as the latest one, and forget the oldest of too many."""
    known.pop(linkedid, None)
    known[linkedid] = value
    if len(known) > _REMEMBERED:
        del known[next(iter(known))]


def extra(message: Message) -> str:
    """What the dialplan put into an event of channel event logging; empty if it cannot be read."""
    try:
        value = json.loads(message.all("Extra")[-1])["extra"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def transferred(message: Message) -> tuple[str, str]:
    """The id under which an attended transfer joins two calls, and the transferer's leg of the later one."""
    legs = [
        (message.get(f"{which}Linkedid", ""), message.get(f"{which}Uniqueid", ""))
        for which in ("OrigTransferer", "SecondTransferer")
    ]
    (first, _), (_, leg) = sorted(legs, key=lambda one: id_order(one[0]))
    return first, leg
