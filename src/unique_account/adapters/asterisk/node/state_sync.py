"""Hearing one connection of a node: which messages to ask for, and what they mean to the watched users."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import cycle, islice
from typing import Final

from unique_account.adapters.asterisk.ami.codec import Message
from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.node.state import Channel, NodeState
from unique_account.adapters.asterisk.translation.results import Meaning, TranslatedEvent, Untranslatable
from unique_account.adapters.asterisk.translation.translator import Translator
from unique_account.adapters.asterisk.translation.vocabulary import full_mailbox
from unique_account.core.events import CallChanged, Event, Fact, FactsReplaced
from unique_account.core.machine import Device
from unique_account.core.user import User

EVENT_CLASSES: Final = "call,system,user"
"""The classes of events that are asked for."""

BLANK_LINES: Final = "![[:cntrl:]]{3}[^[:cntrl:]]"
"""The filter by which Asterisk leaves out events with a blank line inside, which only strangers' text has.

What stands behind the blank line would pose as an event of its own.
"""

EVENTS: Final = (
    *("DeviceStateChange", "ContactStatus", "PeerStatus", "MessageWaiting", "UserEvent"),
    *("Newchannel", "Newstate", "NewConnectedLine", "BridgeEnter", "BridgeLeave", "Hold", "Unhold", "Hangup"),
    *("Pickup", "AttendedTransfer", "FullyBooted", "Reload", "OriginateResponse"),
)
"""The events of these classes that are asked for."""

LISTS: Final = ("DeviceStateList", "PJSIPShowContacts", "CoreShowChannels")
"""The actions that tell all that a node knows."""

_EMPTY: Final = "No Contacts found"
"""How an empty list is told by an action that knows none."""

_NO_CHANNEL: Final = "No such channel"
"""What is answered of a channel that is gone."""

LOOKS_AFTER_CALLS_EVERY: Final = 2.0
"""After how many seconds it is asked again whether calls are over whose end may not be reported."""

LOOKED_AFTER: Final = 50
"""After how many calls is asked at once."""

_AGE: Final = re.compile(r"^Duration: +(\d{1,6}):(\d\d):(\d\d)$", re.MULTILINE)


class StateSync:
    """What one connection tells of the watched users.

    Attributes:
        picture: The last word on everything that the node carries.
    """

    def __init__(self, media_server: str, key: str) -> None:
        self.picture = NodeState()
        self._media_server = media_server
        self._translation = Translator((), media_server, key)
        self._mailboxes: set[str] = set()
        self._looked = 0
        self._doubted: dict[str, Channel] = {}
        self._missing: dict[str, str] = {}
        self._details: dict[str, Callable[[Message], None]] = {}

    def recall(self, earlier: NodeState) -> None:
        """Take over what an earlier connection told of calls that go on, and nothing tells again."""
        self.picture.recall(earlier)

    def ask(self, connection: Connection, users: Iterable[User]) -> None:
        """Ask for all that the node knows; the answers come in the stream, after the events so far."""
        connection.send("Ping")  # its answer bears the node's time
        for user in users:
            self.ask_mailbox(connection, user)
        for action in LISTS:
            self._missing[connection.send(action)] = action

    def ask_details(self, connection: Connection) -> None:
        """Ask of each listed call whether its phone holds it, and since when it is answered.

        A phone holds a call if the other party is on hold. A call is answered since its bridge is there.
        """
        for channel in self.picture.channels.values():
            for other in self.picture.others(channel):
                variable = ("Variable", "CHANNEL(onhold)")
                number = connection.send("Getvar", ("Channel", other.name), variable)
                self._missing[number], self._details[number] = "Getvar", partial(self._take_hold, channel)
        for bridge in self.picture.bridges_of_unknown_age():
            number = connection.send("Command", ("Command", f"bridge show {bridge}"))
            self._missing[number], self._details[number] = "Command", partial(self._take_age, bridge)

    def ask_mailbox(self, connection: Connection, user: User) -> None:
        """Ask how many messages wait in a user's mailbox, unless it is known."""
        mailbox = None if user.mailbox is None else full_mailbox(user.mailbox)
        if mailbox is not None and self.picture.mailbox(mailbox) is None:
            self._mailboxes.add(connection.send("MailboxCount", ("Mailbox", mailbox)))

    def ask_after_calls(self, connection: Connection, message: Message) -> None:
        """Ask whether the calls of a phone that is idle are over.

        The end of a call is not reported where a stranger's text in it holds a blank line (`BLANK_LINES`).
        """
        self._doubt(connection, self.picture.unended(message))

    async def look_after_calls(self, connection: Connection) -> None:
        """Ask, again and again, whether calls are over of which no state of a device tells."""
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(LOOKS_AFTER_CALLS_EVERY)
                self._look_after_some(connection)

    def _look_after_some(self, connection: Connection) -> None:
        """Ask after some calls, each time after others."""
        doubtful = self.picture.doubtful
        some = islice(cycle(doubtful), self._looked, self._looked + min(LOOKED_AFTER, len(doubtful)))
        self._doubt(connection, some)
        self._looked = (self._looked + LOOKED_AFTER) % max(1, len(doubtful))

    def _doubt(self, connection: Connection, channels: Iterable[Channel]) -> None:
        """Ask whether these are still there, by their ids: a name may change, and holds a stranger's text."""
        for channel in channels:
            uniqueid = channel.last.get("Uniqueid", "")
            number = connection.send("Getvar", ("Channel", uniqueid), ("Variable", "UNIQUEID"))
            self._doubted[number] = channel

    @property
    def complete(self) -> bool:
        """Whether all that was asked for has come."""
        return not self._missing

    def on_event(self, message: Message) -> tuple[Meaning, ...]:
        """What the next message of the stream means.

        Raises:
            ActionRefused: It refuses what was asked for.
        """
        message = self._as_event(message)
        if self._missing:
            self._look_for_end(message)
        self.picture.note(message)
        return self._translation.translate(message)

    def begin(self, user: User) -> tuple[FactsReplaced, list[Untranslatable]]:
        """Hear a user from now on; all that is known, in one event, and what of it is not understood.

        Raises:
            ValueError: An endpoint of the user is another user's.
        """
        self._translation.forget(user.id)
        self._translation.add(user)
        meanings = [
            meaning for message in self._about(user) for meaning in self._translation.translate(message)
        ]
        events = [meaning.event for meaning in meanings if isinstance(meaning, TranslatedEvent)]
        facts = tuple(event for event in _last_words(events) if isinstance(event, Fact))
        problems = [meaning for meaning in meanings if isinstance(meaning, Untranslatable)]
        return FactsReplaced(self._media_server, facts), problems

    def forget(self, user: str) -> None:
        """Hear nothing more of a user."""
        self._translation.forget(user)

    def join(self, *linkedids: str) -> None:
        """Hear these calls as one from now on: they are about to be joined."""
        self._translation.join(*linkedids)

    def _as_event(self, message: Message) -> Message:
        """An answer to what was asked meanwhile, as the event that it stands for."""
        number = message.get("ActionID", "")
        if number in self._mailboxes:
            self._mailboxes.discard(number)
            return message if message.get("Response") != "Success" else _counted(message)
        channel = self._doubted.pop(number, None)
        if channel is None or message.get("Message", "").strip() != _NO_CHANNEL:
            return message
        return _ended(channel)

    def _look_for_end(self, message: Message) -> None:
        number, problem = message.get("ActionID", ""), message.get("Message", "").strip()
        if number in self._details:
            self._details.pop(number)(message)
            del self._missing[number]
            return
        failed = message.get("Response") == "Error"
        if failed and number in self._missing and problem != _EMPTY:
            raise ActionRefused(self._missing[number], problem)
        if failed or message.get("EventList") == "Complete":
            self._missing.pop(number, None)

    def _take_hold(self, channel: Channel, answer: Message) -> None:
        if answer.get("Value") == "1":
            _, _, state = channel.last.text.partition("\r\n")
            self.picture.note(Message(f"Event: Hold\r\n{state}"))

    def _take_age(self, bridge: str, answer: Message) -> None:
        """Take how old a bridge is, if the manager account may know it."""
        found = _AGE.search("\n".join(answer.all("Output")))
        now = self._translation.now
        if found is not None and now is not None:
            hours, minutes, seconds = map(int, found.groups())
            age = timedelta(hours=hours, minutes=minutes, seconds=seconds)
            self.picture.date(bridge, now - age)

    def _about(self, user: User) -> Iterator[Message]:
        if user.media_server != self._media_server:
            return
        for interface in map(user.interface, Device):
            yield from self.picture.about(interface)
        reported = None if user.mailbox is None else self.picture.mailbox(full_mailbox(user.mailbox))
        if reported is not None:
            yield reported


def _counted(message: Message) -> Message:
    """A count of messages that was asked for, as the event that reports one that was not."""
    mailbox, new, old = (message.get(name, "") for name in ("Mailbox", "NewMessages", "OldMessages"))
    return Message(f"Event: MessageWaiting\r\nMailbox: {mailbox}\r\nNew: {new}\r\nOld: {old}")


def _ended(channel: Channel) -> Message:
    """The end of a call, as the event that was not reported."""
    ids = "\r\n".join(f"{name}: {channel.last.get(name, '')}" for name in ("Channel", "Uniqueid", "Linkedid"))
    return Message(f"Event: Hangup\r\n{ids}")


def _last_words(events: list[Event]) -> Iterator[Event]:
    """The events without the calls that a later one tells of again."""
    last = {event.call.id: event for event in events if isinstance(event, CallChanged)}
    for event in events:
        if not isinstance(event, CallChanged) or last[event.call.id] is event:
            yield event
