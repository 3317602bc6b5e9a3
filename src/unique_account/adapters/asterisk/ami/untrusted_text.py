"""Strangers' text in events: where it may stand, and what of an event holds if it breaks the lines.

Asterisk writes the state of a channel, its snapshot, as a run of headers in a fixed order. Three of them,
``CallerIDNum``, ``ConnectedLineNum`` and ``Exten``, hold what a stranger sent, as it was sent and up to 79
characters of it; so does ``BridgeName`` where a dialplan names a conference by what is dialled. Asterisk
unescapes SIP addresses, so ``%0d%0a`` in one becomes a line break, and the text may pose as further headers,
as the end of the event, or as events of its own.

The order tells text and headers apart:

- A snapshot ends with ``Priority``, ``Uniqueid`` and ``Linkedid``. An event that ends before them was cut
  in two by a stranger's blank line, and what follows belongs to it, whatever it claims to be (`is_cut`).
- What stands before the first of the three headers is Asterisk's, and so is what stands from the last
  ``Uniqueid`` on. Of an event with a broken snapshot that much is kept (`settled`).
- Other events have no snapshot. One that ends in the rest of a snapshot is forged, and is dropped.
- Where Asterisk stamps its events, one without a stamp is forged (`lacks_stamp`).

To pose as the rest of a snapshot takes more than the 79 characters, and so does an event behind one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_EOL: Final = "\r\n"
_ORDER: Final = (
    *("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum"),
    *("ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid"),
)
"""The headers of a snapshot."""

_PLACES: Final = {name: place for place, name in enumerate(_ORDER)}
_STRANGERS: Final = frozenset(
    {"CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName", "Exten"}
)


def _layout(prefix: str = "") -> tuple[re.Pattern[bytes], ...]:
    """What every snapshot of Asterisk has behind its ``ChannelState``, in this order.

    An id holds a Unix time; a shorter one would leave a stranger room for more behind it.
    """
    names = [f"\r\n{prefix}{name}: " for name in _ORDER[3:11] if name not in ("Language", "AccountCode")]
    ids = "".join(f"\r\n{prefix}{name}: [^\r\n]{{8,}}" for name in ("Uniqueid", "Linkedid"))
    return tuple(re.compile(one.encode()) for one in (*names, rf"\r\n{prefix}Priority: [0-9]+{ids}"))


_SNAPSHOT: Final = _layout()
_LAYOUTS: Final = {
    b"CoreShowChannel": (*_SNAPSHOT, re.compile(rb"\r\nDuration: "), re.compile(rb"\r\nBridgeId: ")),
    b"Pickup": (*_SNAPSHOT, *_layout("Target")),
    b"AttendedTransfer": (*_layout("OrigTransferer"), *_layout("SecondTransferer")),
    b"Hangup": (*_SNAPSHOT, re.compile(rb"\r\nCause: "), re.compile(rb"\r\nCause-txt: ")),
    b"BridgeEnter": _SNAPSHOT,
    b"BridgeLeave": _SNAPSHOT,
    b"CEL": tuple(re.compile(rb"\r\n%b: " % name) for name in (b"EventTime", b"UniqueID", b"LinkedID")),
}
"""Those of events that have more than a snapshot, several, or one behind other text of strangers."""

_UNIQUEID: Final = re.compile(rb"\r\nUniqueid: [^\r\n]{8,}")
_STATE: Final = b"\r\nChannelState: "
_DEVICE: Final = re.compile(rb"\r\nDevice: Local/")
_BODY: Final = b"\r\nUserEvent: "
"""Behind it stands what the sender of a user event wrote, and no snapshot any more."""

_OF_ASTERISK: Final = re.compile(rb"Event: [^\r\n]*\r\n(?:Privilege|ActionID): ")
"""How an event begins that Asterisk wrote; one written by hand may leave headers out."""

_CUT_IN_NAME: Final = re.compile(
    rb"Event: [^\r\n]*\r\n(?:(?:Privilege|Timestamp|SequenceNumber|File|Line|Func|SystemName|ActionID"
    rb"|Bridge[A-Za-z]*): [^\r\n]*\r\n)+"
    rb"Channel: [^\r\n]*\Z"
)
"""An event that ends in the name of its channel; that of a Local channel holds a number dialled."""

_STAMP: Final = rb"\r\nPrivilege: [a-z,<>]*\r\nTimestamp: [0-9]{9,}\.[0-9]{6}\r\n"
_STAMPED: Final = re.compile(rb"Event: [^\r\n]*" + _STAMP)
_OPEN: Final = rb"(?:New(?:channel|state|ConnectedLine)|(?:Unh|H)old|Bridge(?:Enter|Leave))"
_OF_CHANNELS: Final = rb"(?:" + _OPEN + rb"|Hangup)"
_READ: Final = re.compile(
    rb"Event: (?:" + _OF_CHANNELS + rb"|CoreShowChannel|Pickup|AttendedTransfer|UserEvent|DeviceStateChange"
    rb"|Contact(?:Status|List)|PeerStatus|MessageWaiting|FullyBooted|Reload|CEL)(?:\r\n|\Z)"
)
"""The events that are acted on."""

_TEXT: Final = rb"[^\x00-\x1f\x7f]*"
_STATE_AT_END: Final = (
    _STAMP
    + rb"(?:(?:SystemName|Bridge[A-Za-z]*): "
    + _TEXT
    + rb"\r\n)*"
    + b"\r\n".join(name.encode() + b": " + _TEXT for name in _ORDER)
    + rb"[^\x00-\x1f\x7f]{4}"
)
"""A stranger who ends a call of another one in a number needs more than 79 characters."""

_SOUND: Final = re.compile(
    rb"Event: (?:"
    + _OPEN
    + _STATE_AT_END
    + rb"(?:\r\nMusicClass: "
    + _TEXT
    + rb")?|Hangup"
    + _STATE_AT_END
    + rb"\r\nCause: "
    + _TEXT
    + rb"\r\nCause-txt: "
    + _TEXT
    + rb"(?:\r\nTechCause: "
    + _TEXT
    + rb")?"
    + rb"|DeviceStateChange"
    + _STAMP
    + rb"(?:SystemName: "
    + _TEXT
    + rb"\r\n)?Device: "
    + _TEXT
    + rb"\r\nState: [A-Z_]+"
    + rb")"
)
"""The most common of them, sound from end to end."""

_UNBROKEN: Final = re.compile(
    b"\r\n".join(name.encode() + rb": [^\r\n]*" for name in _ORDER[:-2])
    + rb"\r\nUniqueid: [^\r\n]{8,}\r\nLinkedid: [^\r\n]{8,}"
)
"""A snapshot in which every header follows the one before it."""

_LISTED: Final = re.compile(rb"Event: [^\r\n]*\r\nActionID: ")
_BOOTED: Final = re.compile(
    rb"Event: FullyBooted\r\nPrivilege: [^\r\n]*\r\nUptime: [0-9]+\r\nLastReload: [0-9]+\r\nStatus: "
)

_HEAD: Final = re.compile(
    "Event|Privilege|Timestamp|SystemName|SequenceNumber|File|Line|Func|Bridge[A-Za-z]*"
)
"""The headers that may stand before a snapshot."""

_SHOWN: Final = 40
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NEVER_OF_CHANNEL: Final = frozenset(
    {"DeviceStateChange", "ContactStatus", "ContactList", "PeerStatus", "FullyBooted", "Reload"}
)
_WITHOUT_CHANNEL: Final = _NEVER_OF_CHANNEL | {"UserEvent", "MessageWaiting"}
"""Those that need not have one: a message that a caller leaves is reported with the caller's channel."""

_REPEATED: Final = frozenset({"ChanVariable"})
_NEVER_RECOVERED: Final = frozenset({"CoreShowChannel", "Pickup", "AttendedTransfer"})
"""Events in which more of a stranger's text stands behind the snapshot."""


def is_sound(block: bytes) -> bool:
    """Whether a block is, at first sight, an event in which no stranger breaks a line."""
    return _SOUND.fullmatch(block) is not None


def is_stamped(block: bytes) -> bool:
    """Whether an event begins with its class and its instant, as all do once ``timestampevents`` is on."""
    return _STAMPED.match(block) is not None


def lacks_stamp(block: bytes) -> bool:
    """Whether an event that Asterisk stamps has no stamp.

    Those that it lists bear the number of the action, and the first one of a connection has no instant.
    """
    known = _STAMPED.match(block) or _LISTED.match(block) or _BOOTED.match(block)
    return known is None and _READ.match(block) is not None


def is_cut(block: bytes) -> bool:
    """Whether an event ends inside of a snapshot, so that what follows still belongs to it."""
    if not block.startswith(b"Event: "):
        return False
    event, state = block[7 : block.find(b"\r\n")], block.find(_STATE)
    if event == b"DeviceStateChange":
        return _DEVICE.search(block) is not None and b"\r\nState: " not in block
    if state < 0 and event not in _LAYOUTS:
        return _CUT_IN_NAME.match(block) is not None
    if block.find(_BODY, 0, max(state, 0)) > 0:
        return False
    if event not in _LAYOUTS and _UNBROKEN.search(block) is not None:
        return False
    if _OF_ASTERISK.match(block) is None:
        return b"\r\nBridgeName: " in block if state < 0 else _UNIQUEID.search(block, state) is None
    return not _in_order(block, max(state, 0), _LAYOUTS.get(event, _SNAPSHOT))


def _in_order(block: bytes, start: int, needed: Sequence[re.Pattern[bytes]]) -> bool:
    for one in needed:
        found = one.search(block, start)
        if found is None:
            return False
        start = found.end()
    return True


def settled(block: bytes) -> tuple[str, str]:
    """What holds of a message, and what is wrong with it: empty for nothing.

    Returns:
        The text as it is; or without what a stranger could have written; or empty, if nothing holds.
    """
    text = block.decode("utf-8", "replace")
    if _READ.match(block) is None:
        return text, ""
    lines = text.split(_EOL)
    names = [_name(line) for line in lines]
    event = lines[0][7:]
    if event == "CEL":
        return (text, "") if _are_clean(lines, names) else _recovered_log(lines, names)
    if "ChannelState" in names and event not in _NEVER_OF_CHANNEL:
        return (text, "") if _is_sound(lines, names) else _recovered(event, lines, names)
    if event in _WITHOUT_CHANNEL and not _is_plain(lines, names):
        return "", f"{event} holds the rest of another event, or a stranger's line breaks, and is not used"
    return text, ""


def _name(line: str) -> str:
    name, colon, _ = line.partition(":")
    return name if colon else ""


def _is_plain(lines: Sequence[str], names: Sequence[str]) -> bool:
    """Whether an event without a channel has each header once, and none of a snapshot."""
    return _are_clean(lines, names) and not any(name in _PLACES for name in names)


def _is_sound(lines: Sequence[str], names: Sequence[str]) -> bool:
    """Whether no stranger's text breaks the lines of an event with snapshots."""
    if not _are_clean(lines, names) or _is_misplaced(names):
        return False
    return all(_follows(name, after) for name, after in zip(names, [*names[1:], "Linkedid"], strict=True))


def _is_misplaced(names: Sequence[str]) -> bool:
    """Whether the body of an event stands before the end of its snapshot."""
    before = names[: names.index("Uniqueid") if "Uniqueid" in names else None]
    return "UserEvent" in before or "Mailbox" in before


def _are_clean(lines: Sequence[str], names: Sequence[str]) -> bool:
    """Whether every line is a header, and none but those that may come more than once comes twice."""
    once = [name for name in names if name not in _REPEATED]
    return bool(names) and all(names) and len(set(once)) == len(once) and not any(map(_CONTROL.search, lines))


def _follows(name: str, after: str) -> bool:
    """Whether a header may stand behind another: behind a stranger's, only a later one of its snapshot."""
    for stranger in _STRANGERS:
        if name.endswith(stranger):
            prefix = name.removesuffix(stranger)
            return _PLACES.get(after.removeprefix(prefix), -1) > _PLACES[stranger]
    return True


def _recovered(event: str, lines: Sequence[str], names: Sequence[str]) -> tuple[str, str]:
    """What Asterisk itself wrote of a broken event with one snapshot."""
    channel = lines[names.index("ChannelState") - 1].removeprefix("Channel: ")[:_SHOWN]
    problem = f"{event} of {channel!r} holds a stranger's line breaks"
    kept = () if _is_ambiguous(event, names) else _own_lines(names)
    if event in _NEVER_RECOVERED or not _are_clean(
        [lines[one] for one in kept], [names[one] for one in kept]
    ):
        return "", f"{problem} and is not used"
    return _EOL.join(lines[one] for one in kept), f"{problem}; it is used without names and numbers"


def _is_ambiguous(event: str, names: Sequence[str]) -> bool:
    """Whether a stranger's text may stand behind the snapshot as well, so that no id is surely Asterisk's."""
    more = event == "UserEvent" or any(name.startswith("ChanVariable") for name in names)
    return more and names.count("Uniqueid") > 1


def _own_lines(names: Sequence[str]) -> Sequence[int]:
    """The lines before a stranger's first and behind the last one's; none if they cannot be known."""
    state, end = names.index("ChannelState"), _last(names, "Uniqueid")
    head = names[: state - 1]
    if end < state or names[state - 1] != "Channel" or not all(map(_HEAD.fullmatch, head)):
        return ()
    if any("Bridge" in name for name in head) and any("Bridge" in name for name in names[state:]):
        return ()  # the state that was found stands in the name of the bridge
    return (*range(state + 1), *range(end, len(names)))


def _recovered_log(lines: Sequence[str], names: Sequence[str]) -> tuple[str, str]:
    """What Asterisk itself wrote of a broken event of channel event logging: its kind, and the ids."""
    problem = "CEL holds a stranger's line breaks"
    kept = [lines[one] for one in _own_log(names)]
    if not _are_clean(kept, [_name(line) for line in kept]):
        return "", f"{problem} and is not used"
    return _EOL.join(kept), f"{problem}; it is used without names and numbers"


def _own_log(names: Sequence[str]) -> Sequence[int]:
    """The lines of a log before a stranger's first, those of the ids, and the last; none if it is unclear."""
    if names.count("EventTime") != 1 or "AccountCode" not in names:
        return ()
    account, time = names.index("AccountCode"), names.index("EventTime")
    ids = range(time, time + 4)
    if account > time or [*names[time : time + 4]] != ["EventTime", "AMAFlags", "UniqueID", "LinkedID"]:
        return ()
    return (*range(account), *ids, *([len(names) - 1] if names[-1] == "Extra" else ()))


def _last(names: Sequence[str], name: str) -> int:
    return max((place for place, one in enumerate(names) if one == name), default=-1)
