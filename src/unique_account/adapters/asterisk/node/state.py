"""The last messages of a node about each device, contact, channel and mailbox.

All facts of a user are these messages, translated in the same way as those that come later.
The lists with which a node answers are noted like events, since they come in the same stream. An item is
newer than every event before it; events after it that it contains already lead to the same end again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from attrs import define

from unique_account.adapters.asterisk.ami.message import Message
from unique_account.adapters.asterisk.translation.calls import interface_of, is_dialled_for
from unique_account.adapters.asterisk.wire_names import ANSWER_LEARNT, CALL_ID_LEARNT

_PHONE: Final = "PJSIP/"
"""How the devices begin that users have; others, as Local channels, come with each call and have no end."""

UP: Final = "6"
RINGING: Final = "5"
_IDLE: Final = frozenset({"NOT_INUSE", "UNAVAILABLE", "INVALID"})
"""The states of a device without a call."""


@define
class Channel:
    """A live channel.

    Attributes:
        last: The last message with its whole state.
        first: The first one.
        up: The first one in which it was answered.
        hold: The one with which its phone put the call on hold; None while it does not.
        hold_reported: Whether an event reported a hold or its end since the connection began.
        call_id: The one that holds its SIP ``Call-ID``; None while that is not known.
        answer: The one by which another party was there, if it dials for a user; None before.
        bridge: The id of the bridge in which it is; empty for none.
    """

    last: Message
    first: Message
    up: Message | None = None
    hold: Message | None = None
    hold_reported: bool = False
    bridge: str = ""
    call_id: Message | None = None
    answer: Message | None = None

    @property
    def name(self) -> str:
        """Its name, e.g. ``PJSIP/alice-0000000d``."""
        return self.last["Channel"]

    @property
    def interface(self) -> str:
        """The endpoint whose channel it is."""
        return interface_of(self.last)

    @property
    def state(self) -> str:
        """Its ``ChannelState``."""
        return self.last.get("ChannelState", "")

    @property
    def only_listed(self) -> bool:
        """Whether it was answered at an instant that no message gives."""
        return self.up is not None and self.up is self.first and self.up.get("Timestamp") is None

    @property
    def reporting(self) -> Iterator[Message]:
        """The messages that hold all that is known of it, in their order."""
        yield self.first
        known = (self.call_id, self.up, self.answer, self.hold)
        yield from (message for message in known if message is not None)
        yield self.last

    @property
    def event_text(self) -> str:
        """The headers of an event of ours about it."""
        names = ("Channel", "ChannelState", "ConnectedLineNum", "ConnectedLineName", "Uniqueid", "Linkedid")
        return "\r\n".join(f"{name}: {self.last.get(name, '')}" for name in names)


class NodeState:
    """The last word on everything that a node carries.

    Attributes:
        channels: The live channels, by ``Uniqueid``.
    """

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self._by_interface: dict[str, dict[str, Channel]] = {}
        self._by_bridge: dict[str, dict[str, Channel]] = {}
        self._devices: dict[str, Message] = {}
        self._contacts: dict[str, dict[str, Message]] = {}
        self._endpoints: set[str] = set()
        self._mailboxes: dict[str, Message] = {}

    def note(self, message: Message) -> None:
        """Keep what a message says, if it says anything that lasts."""
        handle = _HANDLERS.get(message.event)
        if handle is not None:
            handle(self, message)

    def about(self, interface: str) -> Iterator[Message]:
        """The messages that hold all that is known of an endpoint, in an order that can be translated."""
        contacts = self._contacts.get(interface, {})
        yield from contacts.values()
        if not contacts and interface in self._endpoints:
            yield Message(f"Event: PeerStatus\r\nPeer: {interface}\r\nPeerStatus: Unreachable")
        if interface in self._devices:
            yield self._devices[interface]
        for channel in self.of_interface(interface):
            yield from channel.reporting

    def of_interface(self, interface: str) -> tuple[Channel, ...]:
        """The live channels of an endpoint."""
        return tuple(self._by_interface.get(interface, {}).values())

    def mailbox(self, mailbox: str) -> Message | None:
        """The message that reported how many messages wait in a mailbox."""
        return self._mailboxes.get(mailbox)

    def has_contact(self, interface: str) -> bool:
        """Whether an endpoint has any contact."""
        return bool(self._contacts.get(interface))

    def recall(self, earlier: NodeState) -> None:
        """Take over how calls began and were answered that an earlier state had already (H6)."""
        for uniqueid, channel in self.channels.items():
            before = earlier.channels.get(uniqueid)
            if before is not None and before.up is not None:
                channel.first, channel.up, channel.answer = before.first, before.up, before.answer

    @property
    def dialling_for_users(self) -> list[Channel]:
        """The channels that are up to dial for a user, and of which no other party is known."""
        return [
            channel
            for uniqueid, channel in self.channels.items()
            if is_dialled_for(uniqueid) and channel.state == UP and channel.answer is None
        ]

    def bridges_of_unknown_age(self) -> frozenset[str]:
        """The bridges with channels that are listed as answered; a list does not say since when."""
        return frozenset(one.bridge for one in self.channels.values() if one.bridge and one.only_listed)

    def date(self, bridge: str, at: datetime) -> None:
        """Take over since when a bridge, and so the calls of its listed channels, is there."""
        for channel in self._by_bridge.get(bridge, {}).values():
            if channel.only_listed:
                first, _, state = channel.first.text.partition("\r\n")
                channel.first = channel.up = Message(f"{first}\r\nTimestamp: {at.timestamp()}\r\n{state}")

    def others(self, channel: Channel) -> list[Channel]:
        """The other channels in a channel's bridge."""
        return [one for one in self._by_bridge.get(channel.bridge, {}).values() if one is not channel]

    def pairs(self) -> list[tuple[Channel, Channel]]:
        """Each live channel with each other one in its bridge."""
        return [(one, other) for one in self.channels.values() for other in self.others(one)]

    def unended(self, message: Message) -> tuple[Channel, ...]:
        """The live channels of a device that has none any more, by this message."""
        if message.event != "DeviceStateChange" or message.get("State") not in _IDLE:
            return ()
        return self.of_interface(message.get("Device", ""))

    @property
    def doubtful(self) -> list[Channel]:
        """The live channels whose end no state of a device shows: another call is there, or it is idle."""
        calls = Counter(channel.interface for channel in self.channels.values())
        return [one for one in self.channels.values() if calls[one.interface] > 1 or self._is_idle(one)]

    def _is_idle(self, channel: Channel) -> bool:
        reported = self._devices.get(channel.interface)
        return reported is not None and reported.get("State") in _IDLE

    # -- notes ---------------------------------------------------------------------------------------

    def _device(self, message: Message) -> None:
        device = message.get("Device", "")
        if device.startswith(_PHONE):
            self._devices[device] = message

    def _contact(self, message: Message) -> None:
        endpoint = message.get("EndpointName") or message.get("Endpoint") or message.get("AOR")
        if not endpoint:
            return
        interface, uri = f"{_PHONE}{endpoint}", message.get("URI") or message.get("Uri") or ""
        contacts = self._contacts.pop(interface, {})
        contacts.pop(uri, None)
        if message.get("ContactStatus") != "Removed":
            contacts[uri] = message
        if contacts:
            self._contacts[interface] = contacts

    def _endpoint(self, message: Message) -> None:
        """Note an endpoint, with the fixed contacts of its AORs, which no list of contacts has.

        Such a contact is usable as far as the state of the device tells.
        """
        endpoint = message.get("ObjectName", "")
        interface = f"{_PHONE}{endpoint}"
        self._endpoints.add(interface)
        status = "Unreachable" if message.get("DeviceState") == "Unavailable" else "Unknown"
        for contact in message.get("Contacts", "").split(","):
            uri = contact.partition("/")[2]
            if uri and uri not in self._contacts.get(interface, {}):
                names = f"URI: {uri}\r\nEndpointName: {endpoint}\r\nContactStatus: {status}"
                self._contacts.setdefault(interface, {})[uri] = Message(f"Event: ContactStatus\r\n{names}")

    def _mailbox(self, message: Message) -> None:
        self._mailboxes[message.get("Mailbox", "")] = message

    def _channel(self, message: Message) -> None:
        uniqueid = message.get("Uniqueid", "")
        channel = self.channels.get(uniqueid)
        if channel is None:
            if message.event not in _BEGINS:
                return
            channel = self.channels[uniqueid] = Channel(message, message)
            self._enter(uniqueid, message.get("BridgeId", ""))
        _take_out(self._by_interface, channel.interface, uniqueid)  # its name may be another now
        channel.last = message
        self._by_interface.setdefault(channel.interface, {})[uniqueid] = channel
        if channel.up is None and channel.state == UP:
            channel.up = message
        if message.event in _HOLDS:
            channel.hold = message if message.event == "Hold" else None
            channel.hold_reported = True
        elif message.event in _BRIDGES:
            self._enter(uniqueid, message.get("BridgeUniqueid", "") if message.event == "BridgeEnter" else "")
        if channel.answer is None and channel.bridge and is_dialled_for(uniqueid):
            channel.answer = message

    def _learnt(self, message: Message) -> None:
        """Note what a question about a channel brought to light."""
        if (channel := self.channels.get(message.get("Uniqueid", ""))) is None:
            return
        if message.event == CALL_ID_LEARNT:
            channel.call_id = message
        elif channel.answer is None:
            channel.answer = message

    def _enter(self, uniqueid: str, bridge: str) -> None:
        """A channel is in another bridge, or in none."""
        channel = self.channels[uniqueid]
        _take_out(self._by_bridge, channel.bridge, uniqueid)
        channel.bridge = bridge
        if bridge:
            self._by_bridge.setdefault(bridge, {})[uniqueid] = channel

    def _hangup(self, message: Message) -> None:
        uniqueid = message.get("Uniqueid", "")
        if uniqueid in self.channels:
            self._enter(uniqueid, "")
            channel = self.channels.pop(uniqueid)
            _take_out(self._by_interface, channel.interface, uniqueid)


def _take_out(index: dict[str, dict[str, Channel]], place: str, uniqueid: str) -> None:
    channels = index.get(place)
    if channels is not None:
        channels.pop(uniqueid, None)
        if not channels:
            del index[place]


_BEGINS: Final = frozenset({"Newchannel", "Newstate", "CoreShowChannel"})
_HOLDS: Final = frozenset({"Hold", "Unhold"})
_BRIDGES: Final = frozenset({"BridgeEnter", "BridgeLeave"})
_HANDLERS: Final[Mapping[str, Callable[[NodeState, Message], None]]] = {
    "DeviceStateChange": NodeState._device,
    "ContactStatus": NodeState._contact,
    "ContactList": NodeState._contact,
    "EndpointList": NodeState._endpoint,
    "MessageWaiting": NodeState._mailbox,
    "Hangup": NodeState._hangup,
    **dict.fromkeys((ANSWER_LEARNT, CALL_ID_LEARNT), NodeState._learnt),
    **dict.fromkeys(_BEGINS | _HOLDS | _BRIDGES | {"NewConnectedLine"}, NodeState._channel),
}
