"""How Asterisk lays out its events: which are sound, which lack a stamp, and which a stranger has cut.

Asterisk writes the state of a channel, its snapshot, as a run of headers in a fixed order. It ends with
``Priority``, ``Uniqueid`` and ``Linkedid``. An event that ends before them was cut in two by a blank line in
a stranger's text, and what follows belongs to it, whatever it claims to be (`is_cut`). Where Asterisk stamps
its events, one without a stamp is forged (`lacks_stamp`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

SNAPSHOT: Final = (
    *("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum"),
    *("ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid"),
)
"""The headers of a snapshot."""

PLACES: Final = {name: place for place, name in enumerate(SNAPSHOT)}


def _layout(prefix: str = "") -> tuple[re.Pattern[bytes], ...]:
    """What every snapshot of Asterisk has behind its ``ChannelState``, in this order.

    An id holds a Unix time; a shorter one would leave a stranger room for more behind it.
    """
    names = [f"\r\n{prefix}{name}: " for name in SNAPSHOT[3:11] if name not in ("Language", "AccountCode")]
    ids = "".join(f"\r\n{prefix}{name}: [^\r\n]{{8,}}" for name in ("Uniqueid", "Linkedid"))
    return tuple(re.compile(one.encode()) for one in (*names, rf"\r\n{prefix}Priority: [0-9]+{ids}"))


_STATE_LAYOUT: Final = _layout()
_LAYOUTS: Final = {
    b"CoreShowChannel": (*_STATE_LAYOUT, re.compile(rb"\r\nDuration: "), re.compile(rb"\r\nBridgeId: ")),
    b"Pickup": (*_STATE_LAYOUT, *_layout("Target")),
    b"AttendedTransfer": (*_layout("OrigTransferer"), *_layout("SecondTransferer")),
    b"Hangup": (*_STATE_LAYOUT, re.compile(rb"\r\nCause: "), re.compile(rb"\r\nCause-txt: ")),
    b"BridgeEnter": _STATE_LAYOUT,
    b"BridgeLeave": _STATE_LAYOUT,
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
READ: Final = re.compile(
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
    + b"\r\n".join(name.encode() + b": " + _TEXT for name in SNAPSHOT)
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

is_sound: Final = _SOUND.fullmatch
"""Matches an event in which, at first sight, no stranger breaks a line."""

_UNBROKEN: Final = re.compile(
    b"\r\n".join(name.encode() + rb": [^\r\n]*" for name in SNAPSHOT[:-2])
    + rb"\r\nUniqueid: [^\r\n]{8,}\r\nLinkedid: [^\r\n]{8,}"
)
"""A snapshot in which every header follows the one before it."""

_LISTED: Final = re.compile(rb"Event: [^\r\n]*\r\nActionID: ")
_BOOTED: Final = re.compile(
    rb"Event: FullyBooted\r\nPrivilege: [^\r\n]*\r\nUptime: [0-9]+\r\nLastReload: [0-9]+\r\nStatus: "
)


def is_stamped(block: bytes) -> bool:
    """Whether an event begins with its class and its instant, as all do once ``timestampevents`` is on."""
    return _STAMPED.match(block) is not None


def lacks_stamp(block: bytes) -> bool:
    """Whether an event that Asterisk stamps has no stamp.

    Those that it lists bear the number of the action, and the first one of a connection has no instant.
    """
    known = _STAMPED.match(block) or _LISTED.match(block) or _BOOTED.match(block)
    return known is None and READ.match(block) is not None


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
    return not _in_order(block, max(state, 0), _LAYOUTS.get(event, _STATE_LAYOUT))


def _in_order(block: bytes, start: int, needed: Sequence[re.Pattern[bytes]]) -> bool:
    for one in needed:
        found = one.search(block, start)
        if found is None:
            return False
        start = found.end()
    return True
