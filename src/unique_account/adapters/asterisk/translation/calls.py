"""How a channel of Asterisk is seen as a call of the account.

Every channel event carries the whole state of its channel, so each makes the whole call. A phone that
dials has its channel start in state *Ring*; that of a phone that is called starts *Down* and then is
*Ringing*. *Down* is reported as well, as *dialling*: a phone that never confirms ringing stays there (R15).

A phone that rings so that the PBX dials for it is *Up* before anybody else is (R14). Its call is dialling
until another party is there: one in its bridge, or an application such as a mailbox.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from unique_account.adapters.asterisk.ami.message import Message, one_of, required
from unique_account.adapters.asterisk.wire_names import (
    ANSWER_LEARNT,
    CALL_ID_LEARNT,
    DIAL_CHANNEL_PREFIX,
)
from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.machine import Device
from unique_account.core.number import Number

_UP: Final = "6"
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


def linkedid_of(message: Message) -> str:
    """The id of the call that a channel belongs to; its own where none is reported."""
    return message.get("Linkedid") or message.get("Uniqueid", "")


def is_dialled_for(uniqueid: str) -> bool:
    """Whether this is the channel of a phone that rings so that the PBX dials for it."""
    return uniqueid.startswith(DIAL_CHANNEL_PREFIX)


def new_call(message: Message, device: Device, at: datetime, began: datetime) -> Call:
    """The call of a channel that is reported for the first time.

    The channel that began a call gave the call its ``Linkedid``, so its user is the caller: also where a
    program originated it, and the phone rings before it dials (R14). Until another party is connected, the
    peer of an outgoing call is the number dialled.

    Args:
        message: The event.
        device: The device whose channel it is.
        at: The instant of the event.
        began: When the call began.

    Raises:
        UnusableHeader: Its state or its id is missing or wrong.
    """
    direction, status = one_of(message, "ChannelState", _STATES)
    uniqueid = required(message, "Uniqueid")
    linkedid = linkedid_of(message)
    if uniqueid == linkedid or is_dialled_for(uniqueid):
        direction = Direction.OUTGOING
    if status is CallStatus.TALKING and not _is_answered(message, uniqueid):
        status = CallStatus.DIALLING
    direction = direction or Direction.INCOMING
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
        started=began,
        answered=at if status is CallStatus.TALKING else None,
    )


def changed_call(message: Message, call: Call, at: datetime) -> Call:
    """The call as its channel's next event reports it, its id apart; a party once known is not forgotten.

    Raises:
        UnusableHeader: Its state is missing or wrong.
    """
    _, status = one_of(message, "ChannelState", _STATES)
    answered = call.answered
    if answered is None and status is CallStatus.TALKING and _is_answered(message, call.id):
        answered = at
    if status is CallStatus.TALKING:
        status = _status_when_up(message, call, answered)
    peer, peer_name = _party(message)
    if not peer and not peer_name:
        peer, peer_name = call.peer, call.peer_name
    return Call(
        id=call.id,
        device=call.device,
        direction=call.direction,
        status=status,
        linked_id=call.linked_id,
        peer=peer,
        peer_name=peer_name,
        started=call.started,
        answered=answered,
        sip_call_id=_sip_call_id(message) or call.sip_call_id,
    )


def _sip_call_id(message: Message) -> str:
    return message.get("SipCallId", "") if message.event == CALL_ID_LEARNT else ""


def _is_answered(message: Message, uniqueid: str) -> bool:
    """Whether the other party of a channel that is up is there, too."""
    if not is_dialled_for(uniqueid) or message.get("BridgeUniqueid") or message.get("BridgeId"):
        return True
    return message.event == ANSWER_LEARNT


def _status_when_up(message: Message, call: Call, answered: datetime | None) -> CallStatus:
    if answered is None:
        return CallStatus.DIALLING
    return CallStatus.HELD if _is_held(message, call) else CallStatus.TALKING


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
    """The number that the channel dialled; letters are a place in the dialplan, such as ``s``."""
    extension = message.get("Exten", "")
    return extension if Number(extension).is_dialable else ""
