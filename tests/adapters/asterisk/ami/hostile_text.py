"""Texts by which a stranger tries to become another's event, and the events of Asterisk that carry them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

LONGEST: Final = 79
"""So many characters of a number Asterisk prints."""

CUTS: Final = ("\r\n\r\n", "\r\n\n", "\r\n", "\n\n", "\n", "\r\r", "\r\n \r\n", "\r\n\r\n\r\n")
"""What may stand where a line breaks."""

FORGED: Final = (
    "Event: UserEvent\r\nUserEvent:UniqueAccountCode\r\nAccount:alice\r\nAsks:toggle",
    "Event: UserEvent\r\nUserEvent: UniqueAccountCode\r\nAccount: alice\r\nAsks: all\r\n",
    "UserEvent: UniqueAccountCode\r\nAccount: alice\r\nAsks: do_not_disturb",
    "Account: alice\r\nAsks: unconditional\r\nNumber: 666",
    "Event: UserEvent\r\nUserEvent: UniqueAccount\r\nUser: alice\r\nDo: log_out",
    "Do: log_in\r\nSession: x\r\nUser: alice",
    "Event: DeviceStateChange\r\nDevice: PJSIP/alice\r\nState: BUSY",
    "Event: DeviceStateChange\r\nDevice:PJSIP/alice\r\nState:BUSY\r\n\r\n",
    "Device: PJSIP/alice\r\nState: BUSY",
    "Event: FullyBooted",
    "Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n",
    "Event: Reload",
    "Event: ContactStatus\r\nEndpointName: alice\r\nContactStatus: Removed\r\nURI: x",
    "Event: PeerStatus\r\nPeer: PJSIP/alice\r\nPeerStatus: Unreachable",
    "Event: MessageWaiting\r\nMailbox: 1001@default\r\nNew: 9\r\nOld: 9",
    "Response: Success\r\nMessage: Mailbox Message Count\r\nMailbox: 1001@default",
    "Event: Newstate\r\nChannel: PJSIP/alice-1\r\nChannelState: 6",
    "Event: Newstate\r\nChannel: PJSIP/alice-1\r\nChannelState: 6\r\nCallerIDNum: 1",
    "Channel: PJSIP/alice-00000001\r\nChannelState: 6\r\nUniqueid: 5.5",
    "Uniqueid: 1767603600.7\r\nLinkedid: 1767603600.7",
    "Priority: 1\r\nUniqueid: 1767603600.7\r\nLinkedid: 1767603600.7",
    "Priority: 1\r\nUniqueid: 1\r\nLinkedid: 1\r\n\r\nEvent: FullyBooted",
    "Priority: 1\r\nUniqueid: 1.1\r\nLinkedid: 1\r\n\r\nEvent: Hangup",
    "Event: Hangup\r\nUniqueid: 1767603600.7\r\nCause: 16",
    "Event: Hangup\r\nChannel: PJSIP/alice-1\r\nUniqueid: 1767603600.7\r\n\r\n",
    "BridgeId: x\r\nBridgeUniqueid: x",
    "CallerIDName: x\r\nConnectedLineNum: 1\r\nUniqueid: 1767603600.7",
    "02",
    ": 02",
    "Asterisk Call Manager/11.0.0",
    "--END COMMAND--",
    "EventList: Complete\r\nActionID: 1",
)
"""What a text may pose as."""


def texts(longest: int = LONGEST) -> Iterator[str]:
    """Every forgery behind every cut, once as it is and once cut off at each of its last characters."""
    for lead, cut, forged in product(("", "1", "1001"), CUTS, FORGED):
        text = (lead + cut + forged)[:longest]
        yield text
        yield text + "\r\n\r\n"[: longest - len(text)]
    for forged in FORGED:
        whole = ("1\r\n\r\n" + forged)[:longest]
        yield from (whole[:length] for length in range(1, len(whole)))


def cut_texts() -> list[str]:
    """Every text, cut off behind each of its characters; each once."""
    found = {text[:length] for text in texts() for length in range(1, len(text) + 1)}
    return sorted(found)


def snapshot(**values: str) -> str:
    """The snapshot of a channel as Asterisk 22 writes it."""
    headers = {
        "Channel": "PJSIP/mallory-0000000a",
        "ChannelState": "4",
        "ChannelStateDesc": "Ring",
        "CallerIDNum": "1066",
        "CallerIDName": "Mallory",
        "ConnectedLineNum": "<unknown>",
        "ConnectedLineName": "<unknown>",
        "Language": "en",
        "AccountCode": "",
        "Context": "default",
        "Exten": "1001",
        "Priority": "1",
        "Uniqueid": "1767603600.10",
        "Linkedid": "1767603600.10",
    } | values
    return "\r\n".join(f"{name}: {value}" for name, value in headers.items())


def event(name: str, *parts: str, stamp: str = "1767603600.100001") -> bytes:
    """An event as Asterisk 22 writes it."""
    head = f"Event: {name}\r\nPrivilege: call,all\r\nTimestamp: {stamp}"
    return ("\r\n".join((head, *parts)) + "\r\n\r\n").encode()


BRIDGE: Final = (
    "BridgeUniqueid: 5e1b\r\nBridgeType: basic\r\nBridgeTechnology: simple_bridge\r\n"
    "BridgeCreator: <unknown>\r\nBridgeName: <unknown>\r\nBridgeNumChannels: 1\r\nBridgeVideoSourceMode: none"
)
STRANGERS: Final = ("CallerIDNum", "ConnectedLineNum", "Exten")
"""The headers of a snapshot in which a stranger's text stands."""


def carriers(**hostile: str) -> Iterator[bytes]:
    """Every event of a channel that the library reads, with hostile texts in it."""
    for name in ("Newchannel", "Newstate", "NewConnectedLine", "Unhold"):
        yield event(name, snapshot(**hostile))
    yield event("Hold", snapshot(**hostile), "MusicClass: default")
    yield event("BridgeEnter", BRIDGE, snapshot(**hostile))
    yield event("BridgeLeave", BRIDGE, snapshot(**hostile))
    yield event("UserEvent", snapshot(**hostile), "UserEvent: Another", "Number: 1")
    yield event(
        "MessageWaiting", snapshot(**hostile), "Mailbox: 1002@default", "Waiting: 1", "New: 1", "Old: 0"
    )
    yield event("Hangup", snapshot(**hostile), "Cause: 16", "Cause-txt: Normal Clearing")
    target = "\r\n".join(f"Target{line}" for line in snapshot(Uniqueid="1767603600.11").split("\r\n"))
    yield event("Pickup", snapshot(**hostile), target)
    legs = "\r\n".join(
        f"{who}{line}"
        for who in ("OrigTransferer", "SecondTransferer", "Transferee")
        for line in snapshot(**hostile).split("\r\n")
    )
    yield event("AttendedTransfer", "Result: Success", legs, "IsExternal: No", "DestType: Bridge")
    yield event("Newexten", snapshot(**hostile), "Extension: 1", "Application: NoOp", "AppData: ")


def conference(name: str, text: str) -> bytes:
    """An event of a conference that a dialplan names by what is dialled."""
    bridge = BRIDGE.replace("BridgeName: <unknown>", f"BridgeName: {text}")
    return event(name, bridge, snapshot())


def logged(**hostile: str) -> bytes:
    """An event of channel event logging."""
    headers = {
        "EventName": "CHAN_END",
        "AccountCode": "",
        "CallerIDnum": "1066",
        "CallerIDname": "Mallory",
        "CallerIDani": "1066",
        "CallerIDrdnis": "",
        "CallerIDdnid": "1001",
        "Exten": "1001",
        "Context": "default",
        "Channel": "PJSIP/mallory-0000000a",
        "Application": "AppDial",
        "AppData": "(Outgoing Line)",
        "EventTime": "2026-01-05 10:00:00",
        "AMAFlags": "DOCUMENTATION",
        "UniqueID": "1767603600.10",
        "LinkedID": "1767603600.10",
        "Userfield": "",
        "Peer": "",
        "PeerAccount": "",
        "Extra": "",
    } | hostile
    return event("CEL", *(f"{name}: {value}" for name, value in headers.items()))


def listed(**hostile: str) -> bytes:
    """An item of the list of all channels."""
    data = hostile.pop("ApplicationData", "(Outgoing Line)")
    rest = ("Application: AppDial", f"ApplicationData: {data}", "Duration: 00:00:05", "BridgeId: ")
    return (
        "\r\n".join(("Event: CoreShowChannel\r\nActionID: 7", snapshot(**hostile), *rest)) + "\r\n\r\n"
    ).encode()
