"""What the messages of one Asterisk mean for named users: AMI messages in, events of the core out.

What is kept between two messages: the last instant, the live calls, each usable contact by its URI until it
goes, and whether a line was last reported reachable.

Two kinds of message report a line's contacts, in no fixed order, and the last one counts. ``ContactStatus``
reports one contact: a usable one makes the line reachable, and when one goes, the line stays reachable as
long as another is known (S4: one for each tab). If none is known the line has none, even if the one that
went was never reported: it was there before the stream began, and a second one that is as old is reported
again at its next refresh. ``PeerStatus`` sums up the contacts of an endpoint. It names no contact, so it
makes none forgotten: when a tab reloads, the new contact is reported before the old one goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from unique_account.adapters.asterisk.ami.message import (
    Message,
    UnusableHeader,
    count,
    one_of,
    required,
    shown,
)
from unique_account.adapters.asterisk.translation.feature_codes import dialled_code
from unique_account.adapters.asterisk.translation.live_calls import LiveCalls
from unique_account.adapters.asterisk.translation.results import Meaning, TranslatedEvent, Untranslatable
from unique_account.adapters.asterisk.translation.user_events import action
from unique_account.adapters.asterisk.translation.vocabulary import (
    END_OF_TIME,
    LINE_STATUSES,
    PEER_REACHABLE,
    USABLE,
)
from unique_account.adapters.asterisk.translation.watched_lines import WatchedLines
from unique_account.adapters.asterisk.wire_names import CODE_EVENT
from unique_account.core.events import (
    ContactsChanged,
    Event,
    FactsReplaced,
    LineChanged,
    MessagesChanged,
)
from unique_account.core.user import User

USER_EVENT: Final = "UniqueAccount"
"""The ``UserEvent`` header of the user events of a CTI server."""

BEFORE_ANY_INSTANT: Final = datetime.fromtimestamp(0, UTC)
"""The instant of an event that is reported before any message with a ``Timestamp``."""


class Translator:
    """Translates the messages of one connection to one media server, in their order.

    Args:
        users: The users whose events are wanted. Facts of the PBX concern those whose endpoints it carries;
            user events of a CTI server concern them all.
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
        self._calls = LiveCalls(self._watched, self._instant)
        self._contacts: dict[str, set[str]] = {}
        self._reachable: dict[str, bool] = {}
        for user in users:
            self.add(user)

    def add(self, user: User) -> None:
        """Translate for one more user.

        Raises:
            InvalidFields: Another user has this id, or an endpoint on this media server.
        """
        self._watched.add(user)

    def forget(self, user: str) -> None:
        """Translate nothing more for a user, and keep nothing of it; unknown users are no error."""
        for interface in self._watched.forget(user):
            self._contacts.pop(interface, None)
            self._reachable.pop(interface, None)
        self._calls.forget(user)

    def recall(self, earlier: Translator) -> None:
        """Take over what was known of ids of calls on an earlier connection (H6)."""
        self._calls.recall(earlier._calls)

    @property
    def now(self) -> datetime | None:
        """The last instant in the messages, in UTC; None before any."""
        return None if self._seconds is None else datetime.fromtimestamp(self._seconds, UTC)

    def translate(self, message: Message) -> tuple[Meaning, ...]:
        """What the next message means, which for most messages is nothing.

        Its instant is its ``Timestamp``, and that of the message before where it has none. An instant
        that cannot be read is reported, and the rest of the message still counts.
        """
        stamp = message.get("Timestamp")
        problems = () if stamp is None else self._set_clock(message, stamp)
        handle = _HANDLERS.get(message.event)
        try:
            if handle is not None:
                return (*problems, *handle(self, message))
            return (*problems, *self._on_channel(message))
        except UnusableHeader as error:
            return (*problems, Untranslatable(message.event, error.header, error.problem))

    def _on_channel(self, message: Message) -> tuple[Meaning, ...]:
        at = self.now or BEFORE_ANY_INSTANT
        return tuple([TranslatedEvent(user, at, event) for user, event in self._calls.on_event(message)])

    def join(self, *linkedids: str) -> None:
        """From now on these calls are one: they are about to be joined, which no event reports in time."""
        self._calls.join(*linkedids)

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
        """The last instant.

        Raises:
            UnusableHeader: There was none yet.
        """
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
    "MessageWaiting": Translator._message_waiting,
    "FullyBooted": Translator._fully_booted,
    "UserEvent": Translator._user_event,
}
