"""The live calls of users, by the channels of their phones.

A channel ``PJSIP/alice_w-0000000d`` is a call on the endpoint ``PJSIP/alice_w``, so on one device of one
user; the name is cut at its last dash. Whatever belongs to no user's endpoint, Local channels included,
means nothing and is not kept. A call is kept under its ``Uniqueid`` until it hangs up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from unique_account.adapters.asterisk.ami.message import Message, UnusableHeader, required
from unique_account.adapters.asterisk.translation.calls import (
    changed_call,
    interface_of,
    linkedid_of,
    new_call,
)
from unique_account.adapters.asterisk.translation.linked_ids import LinkedIds, extra, transferred
from unique_account.adapters.asterisk.translation.originated import OriginatedLocals
from unique_account.adapters.asterisk.translation.watched_lines import WatchedLine, WatchedLines
from unique_account.adapters.asterisk.wire_names import ANSWER_LEARNT, CALL_ID_LEARNT, DIVERSION_EVENT
from unique_account.core.account import Call
from unique_account.core.diversions import CallDiverted
from unique_account.core.events import CallChanged, CallEnded

_AGE: Final = re.compile(r"([0-9]{1,6}):([0-9]{2}):([0-9]{2})$")

Reported = tuple[str, CallChanged | CallEnded | CallDiverted]
"""An event of a user, by the user's id."""


class LiveCalls:
    """Follows the channels on some lines.

    Args:
        watched: The users whose calls are followed, as of now.
        instant: The instant of the last message.
    """

    def __init__(self, watched: WatchedLines, instant: Callable[[], datetime]) -> None:
        self._watched = watched
        self._lines = watched.by_interface
        self._instant = instant
        self._calls: dict[str, tuple[str, Call]] = {}
        self._of_user: dict[str, set[str]] = {}
        self._origins = LinkedIds()
        self._originated = OriginatedLocals()
        self._joined: dict[str, str] = {}

    def on_event(self, message: Message) -> tuple[Reported, ...]:
        """What a message means for calls, which for most messages is nothing.

        Raises:
            UnusableHeader: It concerns a user, but cannot be understood.
        """
        handle = _HANDLERS.get(message.event)
        return () if handle is None else handle(self, self._origins.at_origin(message))

    def join(self, *linkedids: str) -> None:
        """From now on these calls are one: they are about to be joined."""
        into = self._origins.join(*linkedids)
        later = {*linkedids} - {into}
        self._joined |= {leg: into for leg, (_, call) in self._calls.items() if call.linked_id in later}

    def recall(self, earlier: LiveCalls) -> None:
        """Take over what was known of ids of calls on an earlier connection."""
        self._origins.recall(earlier._origins)

    def forget(self, user: str) -> None:
        """Keep no calls of a user."""
        for call in self._of_user.pop(user, ()):
            self._calls.pop(call, None)
            self._joined.pop(call, None)

    def clear(self) -> None:
        """Keep no calls of anybody."""
        self._calls.clear()
        self._of_user.clear()
        self._joined.clear()
        self._originated.clear()

    def _channel(self, message: Message) -> tuple[Reported, ...]:
        """A channel begins or changes; also the first word of one that was there before the stream."""
        known = self._calls.get(message.get("Uniqueid", ""))
        if known is not None:
            return self._changed(message, *known)
        line = self._line_of(message)
        if line is None:
            self._originated.note(message)
            self._note_begin(message)
            return ()
        began = self._origins.began(linkedid_of(message), self._first_instant(message))
        call = new_call(message, line.device, self._instant(), began)
        return self._call_changed(line.user, self._originated.directed(call))

    def _note_begin(self, message: Message) -> None:
        """Note when a call was first seen, by a channel of nobody's that may have begun it."""
        with suppress(UnusableHeader):
            self._origins.began(linkedid_of(message), self._first_instant(message))

    def _first_instant(self, message: Message) -> datetime:
        """When a channel was first there: a list of channels says for how long each has been."""
        age = _AGE.match(message.get("Duration", "")) if message.event == "CoreShowChannel" else None
        if age is None:
            return self._instant()
        hours, minutes, seconds = map(int, age.groups())
        return self._instant() - timedelta(hours=hours, minutes=minutes, seconds=seconds)

    def _known_channel(self, message: Message) -> tuple[Reported, ...]:
        # A word of a bridge may come after the hangup, and must not bring the call back.
        known = self._calls.get(message.get("Uniqueid", ""))
        return () if known is None else self._changed(message, *known)

    def _changed(self, message: Message, user: str, call: Call) -> tuple[Reported, ...]:
        changed = changed_call(message, call, self._instant())
        changed = self._origins.under(changed, message.get("Linkedid", ""))
        return () if changed == call else self._call_changed(user, changed)

    def _call_changed(self, user: str, call: Call) -> tuple[Reported, ...]:
        self._calls[call.id] = (user, call)
        self._of_user.setdefault(user, set()).add(call.id)
        return ((user, CallChanged(call)),)

    def _hangup(self, message: Message) -> tuple[Reported, ...]:
        known = self._calls.get(message.get("Uniqueid", ""))
        if known is not None:
            user, call = known
            moved = self._origins.under(call, message.get("Linkedid", ""))
            reported = () if moved is call else self._call_changed(user, moved)
            return (*reported, *self._joined_over(user, moved), *self._over(user, call.id))
        line = self._line_of(message)
        if line is None:
            self._originated.note(message)
            return ()
        return ((line.user, CallEnded(required(message, "Uniqueid"), self._instant())),)

    def _joined_over(self, user: str, call: Call) -> tuple[Reported, ...]:
        """The end of who joined calls: both legs end, in either order, and the first call counts (H7)."""
        if call.id in self._joined:
            return ()
        reported: tuple[Reported, ...] = ()
        for leg in [leg for leg, into in self._joined.items() if into == call.linked_id]:
            whose, later = self._calls[leg]
            if whose == user:
                reported += (
                    *self._call_changed(user, self._origins.under(later, call.linked_id)),
                    *self._over(user, leg),
                )
        return reported

    def _over(self, user: str, call_id: str) -> tuple[Reported, ...]:
        self._calls.pop(call_id, None)
        self._joined.pop(call_id, None)
        self._of_user.get(user, set()).discard(call_id)
        return ((user, CallEnded(call_id, self._instant())),)

    def _picked_up(self, message: Message) -> tuple[Reported, ...]:
        user, call = self._calls.get(message.get("Uniqueid", ""), (None, None))
        return (
            ()
            if user is None or call is None
            else self._call_changed(user, self._origins.picked_up(message, call))
        )

    def _transferred(self, message: Message) -> tuple[Reported, ...]:
        """Two calls are one from now on; the transferer's legs end, the one that began the call last (H7)."""
        linkedid, leg = transferred(message)
        user, call = self._calls.get(leg, (None, None))
        if user is None or call is None:
            return ()
        return (*self._call_changed(user, self._origins.under(call, linkedid)), *self._over(user, leg))

    def _logged(self, message: Message) -> tuple[Reported, ...]:
        """An event of channel event logging that our dialplan made."""
        if message.get("EventName") == DIVERSION_EVENT and "LinkedID" in message:
            return self._diverted(message)
        if elsewhere := self._origins.note(message):
            with suppress(UnusableHeader):
                self._origins.began(elsewhere, self._instant())
        return ()

    def _diverted(self, message: Message) -> tuple[Reported, ...]:
        """A call was sent elsewhere from a number: do-not-disturb, a forward, the limit, no answer (H4)."""
        place, _, destination = extra(message).partition(":")
        number, _, context = place.partition("@")
        user = self._watched.by_number.get((context, number))
        linkedid = self._origins.origin(message.all("LinkedID")[-1])
        if user is None or not (destination and linkedid.strip()):
            return ()
        caller = self._line_of(message)
        diverted = CallDiverted(
            linked_id=linkedid,
            started=self._origins.began(linkedid, self._instant()),
            at=self._instant(),
            peer=self._watched.users[caller.user].extension if caller else message.get("CallerIDnum", ""),
            peer_name=message.get("CallerIDname", ""),
        )
        return ((user, diverted),)

    def _line_of(self, message: Message) -> WatchedLine | None:
        return self._lines.get(interface_of(message))


_HANDLERS: Final[Mapping[str, Callable[[LiveCalls, Message], tuple[Reported, ...]]]] = {
    "CEL": LiveCalls._logged,
    "Newchannel": LiveCalls._channel,
    "Newstate": LiveCalls._channel,
    "CoreShowChannel": LiveCalls._channel,
    "NewConnectedLine": LiveCalls._known_channel,
    "BridgeEnter": LiveCalls._known_channel,
    "BridgeLeave": LiveCalls._known_channel,
    "Hold": LiveCalls._known_channel,
    "Unhold": LiveCalls._known_channel,
    ANSWER_LEARNT: LiveCalls._known_channel,
    CALL_ID_LEARNT: LiveCalls._known_channel,
    "Pickup": LiveCalls._picked_up,
    "AttendedTransfer": LiveCalls._transferred,
    "Hangup": LiveCalls._hangup,
}
