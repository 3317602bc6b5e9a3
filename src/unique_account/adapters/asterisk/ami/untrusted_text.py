"""Strangers' text in events: where it may stand, and what of an event holds if it breaks the lines.

Three headers of a channel's snapshot, ``CallerIDNum``, ``ConnectedLineNum`` and ``Exten``, hold what a
stranger sent, as it was sent and up to 79 characters of it; so does ``BridgeName`` where a dialplan names a
conference by what is dialled. Asterisk unescapes SIP addresses, so ``%0d%0a`` in one becomes a line break,
and the text may pose as further headers, as the end of the event, or as events of its own.

The order of the headers separates text from headers:

- An event that ends inside of its snapshot was cut (`unique_account.adapters.asterisk.ami.event_layout`).
- What stands before the first of the three headers is Asterisk's, and so is what stands from the last
  ``Uniqueid`` on. Of an event with a broken snapshot that much is kept (`settled`).
- Other events have no snapshot. One that ends in the rest of a snapshot is forged, and is dropped.

To pose as the rest of a snapshot takes more than the 79 characters, and so does an event behind one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from unique_account.adapters.asterisk.ami.event_layout import PLACES, READ

_EOL: Final = "\r\n"
_STRANGERS: Final = frozenset(
    {"CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName", "Exten"}
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


def settled(block: bytes) -> tuple[str, str]:
    """What holds of a message, and what is wrong with it: empty for nothing.

    Returns:
        The text as it is; or without what a stranger could have written; or empty, if nothing holds.
    """
    text = block.decode("utf-8", "replace")
    if READ.match(block) is None:
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
    return _are_clean(lines, names) and not any(name in PLACES for name in names)


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
            return PLACES.get(after.removeprefix(prefix), -1) > PLACES[stranger]
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
