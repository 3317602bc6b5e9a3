"""What the messages of one Asterisk mean for named users: AMI messages in, events of the core out.

A channel ``PJSIP/alice_w-0000000d`` is a call on the endpoint ``PJSIP/alice_w``, so on one device of one
user; the name is cut at its last dash. Whatever belongs to no user's endpoint, Local channels included,
means nothing and is not kept.

What is kept between two messages: the last instant, each live call by its ``Uniqueid`` until it hangs
up, each usable contact by its URI until it goes, and what was last told of a line's contacts.

Two kinds of message tell of a line's contacts, in no fixed order, and the last word counts.
``ContactStatus`` tells of one contact: a usable one makes the line reachable, and when one goes, the line
stays reachable as long as another is known (S4: one for each tab). If none is known the line has none,
although the one that went may never have been heard of: it was there before the stream began, and a
second one that is as old is told of again at its next refresh. ``PeerStatus`` is the endpoint's own sum of
them. It names no contact, so none is forgotten by it: a tab that reloads lets a new contact come before
the word that the old one went.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from unique_account.adapters.asterisk.ami.codec import Message
from unique_account.adapters.asterisk.ami.fields import UnusableHeader, count, one_of, required, shown
from unique_account.adapters.asterisk.translation.calls import changed_call, interface_of, new_call
from unique_account.adapters.asterisk.translation.feature_codes import dialled_code
from unique_account.adapters.asterisk.translation.linked_ids import LinkedIds, picked_up, transferred, under
from unique_account.adapters.asterisk.translation.results import Meaning, TranslatedEvent, Untranslatable
from unique_account.adapters.asterisk.translation.user_events import action
from unique_account.adapters.asterisk.translation.vocabulary import (
    END_OF_TIME,
    LINE_STATUSES,
    PEER_REACHABLE,
    USABLE,
)
from unique_account.adapters.asterisk.translation.watched_lines import WatchedLine, WatchedLines
from unique_account.adapters.asterisk.wire_names import CODE_EVENT
from unique_account.core.account import Call
from unique_account.core.events import (
    CallChanged,
    CallEnded,
    ContactsChanged,
    Event,
    FactsReplaced,
    LineChanged,
    MessagesChanged,
)
from unique_account.core.user import User

USER_EVENT: Final = "UniqueAccount"
"""The ``UserEvent`` header of the user events that tell what a CTI server did."""

BEFORE_ANY_INSTANT: Final = datetime.fromtimestamp(0, UTC)
"""The instant of an event that is told before any message with a ``Timestamp``."""


class Translator:
    """Translates the messages of one connection to one media server, in their order.

    Args:
        users: Whom to listen for. What the PBX tells concerns those whose endpoints it carries; what
            a CTI server tells in user events concerns them all.
        media_server: Which media server the messages come from.
        key: What proves a user event: its header ``Key`` must hold it. None for a recording, whose user
            events are believed.

    Attributes:
        media_server: The media server.

    Raises:
        InvalidFields: Two of the users share an id, or an endpoint of this media server.
    """

    def __init__(self, users: Iterable[User], media_server: str = "default", key: str | None = None) -> None:
        self.media_server = media_server
        self._key = key
        self._watched = WatchedLines(media_server)
        self._users = self._watched.users
        self._lines = self._watched.by_interface
        self._mailboxes = self._watched.mailboxes
        self._seconds: float | None = None
        self._calls: dict[str, tuple[str, Call]] = {}
        self._contacts: dict[str, set[str]] = {}
        self._reachable: dict[str, bool] = {}
        self._origins = LinkedIds()
        self._joined: dict[str, str] = {}
        for user in users:
            self.add(user)

    def add(self, user: User) -> None:
        """Listen for one more user.

        Raises:
            InvalidFields: Another user has this id, or an endpoint on this media server.
        """
        self._watched.add(user)

    def forget(self, user: str) -> None:
        """Listen no more for a user, and keep nothing of what was heard; unknown users are no error."""
        for interface in self._watched.forget(user):
            self._contacts.pop(interface, None)
            self._reachable.pop(interface, None)
        self._calls = {call: reported for call, reported in self._calls.items() if reported[0] != user}
        self._joined = {leg: into for leg, into in self._joined.items() if leg in self._calls}

    @property
    def now(self) -> datetime | None:
        """The last instant that the messages told, in UTC; None before any."""
        return None if self._seconds is None else datetime.fromtimestamp(self._seconds, UTC)

    def translate(self, message: Message) -> tuple[Meaning, ...]:
        """What the next message means, which for most messages is nothing.

        Its instant is its ``Timestamp``, and that of the message before where it has none. An instant
        that cannot be read is told, and the rest of the message still counts.
        """
        stamp = message.get("Timestamp")
        problems = () if stamp is None else self._set_clock(message, stamp)
        message = self._origins.on_event(message)
        handle = _HANDLERS.get(message.event)
        if handle is None:
            return problems
        try:
            return (*problems, *handle(self, message))
        except UnusableHeader as error:
            return (*problems, Untranslatable(message.event, error.header, error.problem))

    def join(self, *linkedids: str) -> None:
        """From now on these calls are one: they are about to be joined, which no event tells in time."""
        into = self._origins.join(*linkedids)
        later = {*linkedids} - {into}
        self._joined |= {leg: into for leg, (_, call) in self._calls.items() if call.linked_id in later}

    def _set_clock(self, message: Message, stamp: str) -> tuple[Meaning, ...]:
        try:
            seconds = float(stamp)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < END_OF_TIME:
            return (Untranslatable(message.event, "Timestamp", f"is {shown(stamp)}, no Unix time"),)
        self._seconds = seconds
        return ()

    def _received(self, user: str, event: Event) -> tuple[Meaning, ...]:
        return (TranslatedEvent(user, self.now or BEFORE_ANY_INSTANT, event),)

    def _instant(self) -> datetime:
        now = self.now
        if now is None:
            raise UnusableHeader(
                "Timestamp", "was in no message yet; set timestampevents = yes in manager.conf"
            )
        return now

    # -- lines ---------------------------------------------------------------------------------------

    def _device_state(self, message: Message) -> tuple[Meaning, ...]:
        line = self._lines.get(message.get("Device", ""))
        if line is None:
            return ()
        status = one_of(message, "State", LINE_STATUSES)
        return self._received(line.user, LineChanged(line.device, status))

    def _contact_status(self, message: Message) -> tuple[Meaning, ...]:
        # Some Asterisks leave out the endpoint of a contact that went; the AOR then bears its name.
        interface = f"PJSIP/{message.get('EndpointName') or message.get('AOR')}"
        return self._contact(message, interface, "ContactStatus", "URI")

    def _contact_listed(self, message: Message) -> tuple[Meaning, ...]:
        return self._contact(message, f"PJSIP/{message.get('Endpoint')}", "Status", "Uri")

    def _contact(self, message: Message, interface: str, status: str, address: str) -> tuple[Meaning, ...]:
        if interface not in self._lines:
            return ()
        usable = one_of(message, status, USABLE)
        uri = required(message, address)
        contacts = self._contacts.setdefault(interface, set())
        if usable:
            contacts.add(uri)
        else:
            contacts.discard(uri)
        return self._contacts_changed(interface, bool(contacts))

    def _peer_status(self, message: Message) -> tuple[Meaning, ...]:
        interface = message.get("Peer", "")
        # Its other words are about something else than contacts, or say that nothing is known.
        reachable = PEER_REACHABLE.get(message.get("PeerStatus", ""))
        if reachable is None or interface not in self._lines:
            return ()
        return self._contacts_changed(interface, reachable)

    def _contacts_changed(self, interface: str, reachable: bool) -> tuple[Meaning, ...]:
        if self._reachable.get(interface) is reachable:
            return ()
        self._reachable[interface] = reachable
        line = self._lines[interface]
        return self._received(line.user, ContactsChanged(line.device, reachable))

    # -- calls ---------------------------------------------------------------------------------------

    def _channel(self, message: Message) -> tuple[Meaning, ...]:
        """A channel begins or changes; also the first word of one that was there before the stream."""
        known = self._calls.get(message.get("Uniqueid", ""))
        if known is not None:
            return self._changed(message, *known)
        line = self._line_of(message)
        if line is None:
            return ()
        return self._call_changed(line.user, new_call(message, line.device, self._instant()))

    def _known_channel(self, message: Message) -> tuple[Meaning, ...]:
        # A word of a bridge may come after the hangup, and must not bring the call back.
        known = self._calls.get(message.get("Uniqueid", ""))
        return () if known is None else self._changed(message, *known)

    def _changed(self, message: Message, user: str, call: Call) -> tuple[Meaning, ...]:
        changed = changed_call(message, call, self._instant())
        return () if changed == call else self._call_changed(user, changed)

    def _call_changed(self, user: str, call: Call) -> tuple[Meaning, ...]:
        self._calls[call.id] = (user, call)
        return self._received(user, CallChanged(call))

    def _hangup(self, message: Message) -> tuple[Meaning, ...]:
        known = self._calls.get(message.get("Uniqueid", ""))
        if known is not None:
            user, call = known
            moved = under(call, message.get("Linkedid", ""))
            reported = () if moved is call else self._call_changed(user, moved)
            return (*reported, *self._joined_over(user, moved), *self._over(user, call.id))
        line = self._line_of(message)
        if line is None:
            return ()
        return self._received(line.user, CallEnded(required(message, "Uniqueid"), self._instant()))

    def _joined_over(self, user: str, call: Call) -> tuple[Meaning, ...]:
        """The end of who joined calls: both legs end, in either order, and the first call counts (H7)."""
        if call.id in self._joined:
            return ()
        reported: tuple[Meaning, ...] = ()
        for leg in [leg for leg, into in self._joined.items() if into == call.linked_id]:
            whose, later = self._calls[leg]
            if whose == user:
                reported += (*self._call_changed(user, under(later, call.linked_id)), *self._over(user, leg))
        return reported

    def _over(self, user: str, call_id: str) -> tuple[Meaning, ...]:
        self._calls.pop(call_id, None)
        self._joined.pop(call_id, None)
        return self._received(user, CallEnded(call_id, self._instant()))

    def _picked_up(self, message: Message) -> tuple[Meaning, ...]:
        user, call = self._calls.get(message.get("Uniqueid", ""), (None, None))
        return () if user is None or call is None else self._call_changed(user, picked_up(message, call))

    def _transferred(self, message: Message) -> tuple[Meaning, ...]:
        """Two calls are one from now on; the transferer's legs end, the one that began the call last (H7)."""
        linkedid, leg = transferred(message)
        user, call = self._calls.get(leg, (None, None))
        if user is None or call is None:
            return ()
        return (*self._call_changed(user, under(call, linkedid)), *self._over(user, leg))

    def _line_of(self, message: Message) -> WatchedLine | None:
        return self._lines.get(interface_of(message))

    # -- everything else -----------------------------------------------------------------------------

    def _message_waiting(self, message: Message) -> tuple[Meaning, ...]:
        users = self._mailboxes.get(message.get("Mailbox", ""))
        if users is None:
            return ()
        counts = MessagesChanged(count(message, "New"), count(message, "Old"))
        return tuple(received for user in users for received in self._received(user, counts))

    def _fully_booted(self, message: Message) -> tuple[Meaning, ...]:
        """The PBX has started, or the connection is new: what was known before is void."""
        self._calls.clear()
        self._joined.clear()
        self._contacts.clear()
        self._reachable.clear()
        lost = FactsReplaced(self.media_server)
        served = [user.id for user in self._users.values() if user.media_server == self.media_server]
        return tuple(received for user in served for received in self._received(user, lost))

    def _user_event(self, message: Message) -> tuple[Meaning, ...]:
        kind = message.get("UserEvent")
        if kind not in (CODE_EVENT, USER_EVENT):
            return ()
        if self._key not in (None, message.get("Key")):
            raise UnusableHeader(
                "Key", "is not this node's: render the dialplan again, or find who forges it"
            )
        if kind == CODE_EVENT:
            user, event = dialled_code(message)
            known = user in self._users
            return (
                (TranslatedEvent(user, self._instant(), event, required(message, "Channel")),)
                if known
                else ()
            )
        user = required(message, "User")
        if user not in self._users:
            raise UnusableHeader("User", f"is {shown(user)}, whom nobody knows")
        return self._received(user, action(message, self._instant))


_HANDLERS: Final[Mapping[str, Callable[[Translator, Message], tuple[Meaning, ...]]]] = {
    "DeviceStateChange": Translator._device_state,
    "ContactStatus": Translator._contact_status,
    "ContactList": Translator._contact_listed,
    "PeerStatus": Translator._peer_status,
    "Newchannel": Translator._channel,
    "Newstate": Translator._channel,
    "CoreShowChannel": Translator._channel,
    "NewConnectedLine": Translator._known_channel,
    "BridgeEnter": Translator._known_channel,
    "BridgeLeave": Translator._known_channel,
    "Hold": Translator._known_channel,
    "Unhold": Translator._known_channel,
    "Pickup": Translator._picked_up,
    "AttendedTransfer": Translator._transferred,
    "Hangup": Translator._hangup,
    "MessageWaiting": Translator._message_waiting,
    "FullyBooted": Translator._fully_booted,
    "UserEvent": Translator._user_event,
}
