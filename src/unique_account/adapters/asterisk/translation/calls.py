"""How a channel of Asterisk is seen as a call of the account.

Every channel event carries the whole state of its channel, so each makes the whole call. A phone that
dials has its channel start in state *Ring*; that of a phone that is called starts *Down* and then is
*Ringing*. *Down* is reported as well, as *dialling*: a phone that never confirms ringing stays there (R15).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from unique_account.adapters.asterisk.ami.message import Message, one_of, required
from unique_account.adapters.asterisk.wire_names import DIAL_CHANNEL_PREFIX
from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.machine import Device

_UP: Final = "6"
_ID: Final = re.compile(r"(?:^|-)([0-9]{1,10})\.([0-9]{1,18})$")  # a system name may stand before it
_STATES: Final[dict[str, tuple[Direction | None, CallStatus]]] = {
    # By ``ChannelState``: which way a call goes whose channel is first seen so, and how far it is.
    "0": (Direction.INCOMING, CallStatus.DIALLING),  # Down
    "1": (Direction.INCOMING, CallStatus.DIALLING),  # Rsrvd
    "2": (Direction.OUTGOING, CallStatus.DIALLING),  # OffHook
    "3": (Direction.OUTGOING, CallStatus.DIALLING),  # Dialing
    "4": (Direction.OUTGOING, CallStatus.DIALLING),  # Ring
    "5": (Direction.INCOMING, CallStatus.RINGING),  # Ringing
    _UP: (None, CallStatus.TALKING),
    "7": (None, CallStatus.DIALLING),  # Busy
    "8": (Direction.OUTGOING, CallStatus.DIALLING),  # Dialing Offhook
    "9": (Direction.INCOMING, CallStatus.RINGING),  # Pre-ring
}


def interface_of(message: Message) -> str:
    """The endpoint whose channel a message is about; ``PJSIP/alice`` of ``PJSIP/alice-0000000d``."""
    return message.get("Channel", "").rpartition("-")[0]


def new_call(message: Message, device: Device, at: datetime) -> Call:
    """The call of a channel that is reported for the first time.

    One that is up already does not show its direction; but the channel that began a call gave it its
    ``Linkedid``, and that is the caller's. Until another party is connected, the peer of an outgoing
    call is the number dialled.

    Raises:
        UnusableHeader: Its state or its id is missing or wrong.
    """
    direction, status = one_of(message, "ChannelState", _STATES)
    uniqueid = required(message, "Uniqueid")
    linkedid = message.get("Linkedid") or uniqueid
    if uniqueid.startswith(DIAL_CHANNEL_PREFIX):
        direction = Direction.OUTGOING
    if direction is None:
        direction = Direction.OUTGOING if uniqueid == linkedid else Direction.INCOMING
    peer, peer_name = _party(message)
    if direction is Direction.OUTGOING and not peer:
        peer = _dialled(message)
    return Call(
        id=uniqueid,
        device=device,
        direction=direction,
        status=status,
        linked_id=linkedid,
        peer=peer,
        peer_name=peer_name,
        started=call_began(linkedid, at),
        answered=at if status is CallStatus.TALKING else None,
    )


def call_began(linkedid: str, at: datetime) -> datetime:
    """When a call began: the second in its id, which all its legs share (H6); the instant without one."""
    found = _ID.search(linkedid)
    return datetime.fromtimestamp(int(found[1]), UTC) if found else at


def id_order(linkedid: str) -> tuple[int, int, str]:
    """The place of an id among others: by the second in it, then by its counter, and never as text."""
    found = _ID.search(linkedid)
    return (int(found[1]), int(found[2]), linkedid) if found else (0, 0, linkedid)


def changed_call(message: Message, call: Call, at: datetime) -> Call:
    """The call as its channel's next event reports it; a party once known is not forgotten.

    Raises:
        UnusableHeader: Its state is missing or wrong.
    """
    _, status = one_of(message, "ChannelState", _STATES)
    if message["ChannelState"] == _UP and _is_held(message, call):
        status = CallStatus.HELD
    peer, peer_name = _party(message)
    if not peer and not peer_name:
        peer, peer_name = call.peer, call.peer_name
    answered = call.answered
    if answered is None and message["ChannelState"] == _UP:
        answered = at
    linkedid = message.get("Linkedid") or call.linked_id
    return Call(
        id=call.id,
        device=call.device,
        direction=call.direction,
        status=status,
        linked_id=linkedid,
        peer=peer,
        peer_name=peer_name,
        started=call.started if linkedid == call.linked_id else call_began(linkedid, call.started),
        answered=answered,
    )


def _is_held(message: Message, call: Call) -> bool:
    if message.event == "Unhold":
        return False
    return message.event == "Hold" or call.status is CallStatus.HELD


def _party(message: Message) -> tuple[str, str]:
    return _reported(message, "ConnectedLineNum"), _reported(message, "ConnectedLineName")


def _reported(message: Message, header: str) -> str:
    value = message.get(header, "")
    return "" if value == "<unknown>" else value


def _dialled(message: Message) -> str:
    """The extension that the channel entered; ``s`` is where channels go that dialled none."""
    extension = message.get("Exten", "")
    return "" if extension == "s" else extension
