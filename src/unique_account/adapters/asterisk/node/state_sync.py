"""Questions to a node: for all that it knows, and later for what its events may leave out.

The answers come in the stream of events, in their place. `StateSync.take` turns an answer into the event that
it stands for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle, islice
from typing import Final

from unique_account.adapters.asterisk.ami.connection import ActionRefused, Connection
from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.node.state import Channel, NodeState
from unique_account.adapters.asterisk.translation.vocabulary import full_mailbox
from unique_account.adapters.asterisk.wire_names import ANSWER_LEARNT, CALL_ID_LEARNT
from unique_account.core.user import User

LISTS: Final = ("DeviceStateList", "PJSIPShowContacts", "PJSIPShowEndpoints", "CoreShowChannels")
"""The actions whose answers hold all that a node knows."""

LOOKS_AFTER_CALLS_EVERY: Final = 2.0
"""After how many seconds it asks again whether calls are over whose end may not be reported."""

LOOKED_AFTER: Final = 50
"""How many calls it asks after at once."""

_EMPTY: Final = ("No Contacts found", "No endpoints found")
"""The errors with which actions answer whose lists are empty."""

_NO_CHANNEL: Final = "No such channel"
"""The error with which a question after a channel is answered that is gone."""

_DIALLING: Final = frozenset({"", "AppDial", "AppDial2", "Dial", "FollowMe", "Queue", "RetryDial"})
"""The applications in which a channel waits for another party; any other one talks to its user."""

_AGE: Final = re.compile(r"^Duration: +(\d{1,6}):(\d\d):(\d\d)$", re.MULTILINE)


class StateSync:
    """Asks one connection, and completes the state of the node by the answers.

    Args:
        connection: The connection.
        state: The state of the node.
        now: The node's time, as of its last message.
    """

    def __init__(self, connection: Connection, state: NodeState, now: Callable[[], datetime | None]) -> None:
        self._connection = connection
        self._state = state
        self._now = now
        self._mailboxes: set[str] = set()
        self._looked = 0
        self._doubted: dict[str, Channel] = {}
        self._questions: dict[str, Callable[[Message], Message]] = {}
        self._missing: dict[str, str] = {}
        self._details: dict[str, Callable[[Message], None]] = {}

    # -- questions -----------------------------------------------------------------------------------

    def ask(self, users: Iterable[User]) -> None:
        """Ask for all that the node knows; the answers come in the stream, after the events so far."""
        self._connection.send("Ping")  # its answer bears the node's time
        for user in users:
            self.ask_mailbox(user)
        for action in LISTS:
            self._missing[self._connection.send(action)] = action

    def ask_details(self, browsers: Iterable[str]) -> None:
        """Ask of each listed call whether its phone holds it, and since when it is answered.

        Of the calls of browsers it asks the SIP ``Call-ID``, too.

        A phone holds a call if the other party is on hold. A call is answered since its bridge exists.
        """
        for channel, other in self._state.pairs():
            self._ask_detail(partial(_take_hold, channel), "Getvar", *_whether_on_hold(other))
        for browser in browsers:
            self.ask_call_ids(browser)
        for bridge in self._state.bridges_of_unknown_age():
            command = ("Command", f"bridge show {bridge}")
            self._ask_detail(partial(self._take_age, bridge), "Command", command)

    def _ask_detail(self, take: Callable[[Message], None], action: str, *headers: tuple[str, str]) -> None:
        number = self._connection.send(action, *headers)
        self._missing[number], self._details[number] = action, take

    def ask_mailbox(self, user: User) -> None:
        """Ask how many messages wait in a user's mailbox, unless it is known."""
        mailbox = None if user.mailbox is None else full_mailbox(user.mailbox)
        if mailbox is not None and self._state.mailbox(mailbox) is None:
            self._mailboxes.add(self._connection.send("MailboxCount", ("Mailbox", mailbox)))

    def ask_after_calls(self, channels: Iterable[Channel]) -> None:
        """Ask whether these calls are over, by their ids: a name may change, and holds a stranger's text.

        The end of a call is not reported where a stranger's text in it holds a blank line.
        """
        for channel in channels:
            uniqueid = channel.last.get("Uniqueid", "")
            number = self._connection.send("Getvar", ("Channel", uniqueid), ("Variable", "UNIQUEID"))
            self._doubted[number] = channel

    def ask_call_ids(self, interface: str) -> None:
        """Ask for the SIP ``Call-ID`` of the calls of an endpoint, as far as they are not known."""
        for channel in self._state.of_interface(interface):
            if channel.call_id is None:
                self._ask_channel(channel, "CHANNEL(pjsip,call-id)", partial(_call_id, channel))

    def ask_after_answers(self) -> None:
        """Ask which application the calls run that are up to dial for a user."""
        for channel in self._state.dialling_for_users:
            self._ask_channel(channel, "CHANNEL(appname)", partial(_answer_of_application, channel))

    def _ask_channel(self, channel: Channel, variable: str, event: Callable[[Message], Message]) -> None:
        headers = (("Channel", channel.last.get("Uniqueid", "")), ("Variable", variable))
        self._questions[self._connection.send("Getvar", *headers)] = event

    def ask_after_holds(self) -> None:
        """Ask once more which calls are on hold, but those of which an event reported it.

        A party is on hold some milliseconds after its hold was reported. A connection that began in between
        heard neither of it.
        """
        for channel, other in self._state.pairs():
            if not channel.hold_reported:
                number = self._connection.send("Getvar", *_whether_on_hold(other))
                self._questions[number] = partial(_hold, channel)

    async def look_after_calls(self) -> None:
        """Ask, again and again, for what no event reports of calls: some ends, and some answers."""
        with suppress(ConnectionError):
            await asyncio.sleep(LOOKS_AFTER_CALLS_EVERY)
            self.ask_after_holds()
            while True:
                await asyncio.sleep(LOOKS_AFTER_CALLS_EVERY)
                self._look_after_some()
                self.ask_after_answers()

    def _look_after_some(self) -> None:
        """Ask after some calls, each time after others."""
        doubtful = self._state.doubtful
        some = islice(cycle(doubtful), self._looked, self._looked + min(LOOKED_AFTER, len(doubtful)))
        self.ask_after_calls(some)
        self._looked = (self._looked + LOOKED_AFTER) % max(1, len(doubtful))

    # -- answers -------------------------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        """Whether all that `ask` and `ask_details` asked for has come."""
        return not self._missing

    def take(self, message: Message) -> Message:
        """The next message; an answer as the event that it stands for.

        Raises:
            ActionRefused: The node refuses what it was asked for.
        """
        message = self._as_event(message)
        if self._missing:
            self._look_for_end(message)
        return message

    def _as_event(self, message: Message) -> Message:
        number = message.get("ActionID", "")
        if number in self._mailboxes:
            self._mailboxes.discard(number)
            return message if message.get("Response") != "Success" else _message_waiting(message)
        if number in self._questions:
            return self._questions.pop(number)(message)
        channel = self._doubted.pop(number, None)
        if channel is None or message.get("Message", "").strip() != _NO_CHANNEL:
            return message
        return _hangup(channel)

    def _look_for_end(self, message: Message) -> None:
        number, problem = message.get("ActionID", ""), message.get("Message", "").strip()
        if number in self._details:
            self._details.pop(number)(message)
            del self._missing[number]
            return
        failed = message.get("Response") == "Error"
        if failed and number in self._missing and problem not in _EMPTY:
            raise ActionRefused(self._missing[number], problem)
        if failed or message.get("EventList") == "Complete":
            self._missing.pop(number, None)

    def _take_age(self, bridge: str, answer: Message) -> None:
        """Take how old a bridge is, if the manager account may know it."""
        found, now = _AGE.search("\n".join(answer.all("Output"))), self._now()
        if found is not None and now is not None:
            hours, minutes, seconds = map(int, found.groups())
            self._state.date(bridge, now - timedelta(hours=hours, minutes=minutes, seconds=seconds))


def _whether_on_hold(party: Channel) -> tuple[tuple[str, str], ...]:
    """The headers that ask whether a party is on hold."""
    return ("Channel", party.name), ("Variable", "CHANNEL(onhold)")


def _take_hold(channel: Channel, answer: Message) -> None:
    if answer.get("Value") == "1":
        channel.hold = _again(channel, "Hold")


def _hold(channel: Channel, answer: Message) -> Message:
    """That a channel's phone holds its call or no longer does, as an event; the answer itself if known."""
    is_held = answer.get("Value") == "1"
    if channel.hold_reported or answer.get("Response") != "Success" or is_held == (channel.hold is not None):
        return answer
    return _again(channel, "Hold" if is_held else "Unhold")


def _again(channel: Channel, event: str) -> Message:
    """The last message about a channel as one of another event."""
    _, _, state = channel.last.text.partition("\r\n")
    return Message(f"Event: {event}\r\n{state}")


def _message_waiting(message: Message) -> Message:
    """A count of messages that was asked for, as the event that reports one."""
    mailbox, new, old = (message.get(name, "") for name in ("Mailbox", "NewMessages", "OldMessages"))
    urgent = message.get("UrgMessages", "")
    if new.isdecimal() and urgent.isdecimal():
        new = str(int(new) + int(urgent))  # the event counts urgent messages as new ones
    return Message(f"Event: MessageWaiting\r\nMailbox: {mailbox}\r\nNew: {new}\r\nOld: {old}")


def _call_id(channel: Channel, answer: Message) -> Message:
    """The SIP ``Call-ID`` of a channel, as an event; the answer itself if there is none."""
    call_id = answer.get("Value", "")
    if not call_id:
        return answer
    return Message(f"Event: {CALL_ID_LEARNT}\r\n{channel.event_text}\r\nSipCallId: {call_id}")


def _answer_of_application(channel: Channel, answer: Message) -> Message:
    """That a channel's application talks to its user, as an event; the answer itself if it does not."""
    if answer.get("Response") != "Success" or answer.get("Value", "") in _DIALLING:
        return answer
    return Message(f"Event: {ANSWER_LEARNT}\r\n{channel.event_text}")


def _hangup(channel: Channel) -> Message:
    """The end of a call, as the event that was not reported."""
    ids = "\r\n".join(f"{name}: {channel.last.get(name, '')}" for name in ("Channel", "Uniqueid", "Linkedid"))
    return Message(f"Event: Hangup\r\n{ids}")
