"""XiVO's messages to a client, field for field."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from unique_account.adapters.xuc.settings import TurnServer
from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.forwarding import Forward
from unique_account.core.history import CallRecord
from unique_account.core.machine import Device
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.sip_credentials import SipLine

_PORTS: Final = {"wss": 443, "ws": 80}


def user_config(view: View, name: str | None) -> dict[str, Any]:
    """``UserConfigUpdate``, whole."""
    forwarding = view.forwarding
    return {
        "userId": view.user,
        "fullName": name,
        "mobileNumber": None,
        "voiceMailId": view.mailbox,
        "voiceMailEnabled": view.mailbox is not None,
        **_forward("naFwd", forwarding.no_answer),
        **_forward("uncFwd", forwarding.unconditional),
        **_forward("busyFwd", forwarding.busy),
        "dndEnabled": forwarding.do_not_disturb,
    }


def _forward(name: str, forward: Forward | None) -> dict[str, Any]:
    enabled, destination = (False, "") if forward is None else (forward.enabled, forward.destination.written)
    return {f"{name}Enabled": enabled, f"{name}Destination": destination}


_MAIN_PROXY: Final = "default"


def line_config(line: SipLine | None, number: str, *, webrtc: bool) -> dict[str, Any]:
    """``LineConfig``: that the client has to register, or that it steers the deskphone.

    Args:
        line: The WebRTC line; None: the client must not register, since others have all places.
        number: The user's number, which names the line then. XiVO's client logs the user out at ``-``.
        webrtc: Whether WebRTC is selected.
    """
    url = urlsplit("" if line is None else line.url)
    name = (number or "-") if line is None else line.name
    browser = line is not None and webrtc
    return {
        "id": name,
        "name": name,
        "password": "" if line is None else line.password,
        "xivoIp": url.hostname or "",
        "sipProxyName": (line and line.proxy) or _MAIN_PROXY,
        "sipPort": url.port or _PORTS.get(url.scheme),
        "webRtc": browser,
        "hasDevice": not browser,
        "vendor": None,
    }


def ice_config(stun: tuple[str, ...], turn: TurnServer | None, user: str, now: datetime) -> dict[str, Any]:
    """``IceConfig``: with credentials that a TURN server checks by the secret that it shares with us.

    A part that there is not is left out: at null, XiVO's client stops to take these messages.
    """
    return {
        **({"stunConfig": {"urls": list(stun)}} if stun else {}),
        **({} if turn is None else {"turnConfig": _turn(turn, user, now)}),
    }


def _turn(turn: TurnServer, user: str, now: datetime) -> dict[str, Any]:
    username = f"{int((now + turn.ttl).timestamp())}:{user}"
    digest = hmac.new(turn.secret.encode(), username.encode(), hashlib.sha1).digest()
    return {
        "urls": list(turn.urls),
        "username": username,
        "credential": base64.b64encode(digest).decode("ascii"),
        "ttl": int(turn.ttl.total_seconds()),
    }


def voicemail(view: View) -> dict[str, Any] | None:
    """``VoiceMailStatusUpdate``; None without a mailbox, or before its counts are known."""
    if view.mailbox is None or view.messages is None:
        return None
    new, old = view.messages.new, view.messages.old
    return {"voiceMailId": view.mailbox, "newMessages": new, "waitingMessages": new, "oldMessages": old}


_EVENTS: Final = {
    CallStatus.DIALLING: "EventDialing",
    CallStatus.RINGING: "EventRinging",
    CallStatus.TALKING: "EventEstablished",
    CallStatus.HELD: "EventOnHold",
}

RELEASED: Final = "EventReleased"

_NO_NAMES: Final[Mapping[str, str]] = {}

_DIRECTIONS: Final = {Direction.INCOMING: "Incoming", Direction.OUTGOING: "Outgoing"}


def _event_of(call: Call) -> str | None:
    """The event that shows the status of a call; None while XiVO's client must not know of the call.

    At ``EventRinging`` that client reports a call that comes in. So one that its user dials never has it,
    though the user's phone may ring, and one that comes in begins with it. One that is dialled begins when
    its number is known, since the client takes the number from that event.
    """
    if call.direction is Direction.INCOMING:
        return None if call.status is CallStatus.DIALLING else _EVENTS[call.status]
    if call.status in (CallStatus.DIALLING, CallStatus.RINGING):
        return _EVENTS[CallStatus.DIALLING] if call.peer else None
    return _EVENTS[call.status]


def _phone_event(number: str, call: Call, event: str, names: Mapping[str, str]) -> dict[str, Any]:
    """``PhoneEvent``: an event of a call of this number."""
    browser = call.device is Device.WEBRTC and call.sip_call_id
    return {
        "eventType": event,
        "DN": number,
        "otherDN": call.peer,
        "otherDName": call.peer_name or names.get(call.peer, ""),
        "linkedId": call.linked_id or call.id,
        "uniqueId": call.id,
        "callDirection": _DIRECTIONS[call.direction],
        "userData": {"SIPCALLID": call.sip_call_id} if browser else {},
    }


def phone_events(
    before: View | None, after: View, names: Mapping[str, str] = _NO_NAMES
) -> list[dict[str, Any]]:
    """A ``PhoneEvent`` for each call that began, changed its status or ended between two views.

    Args:
        before: The earlier view, or None.
        after: The later view.
        names: The names of parties, by number, where the call shows none.
    """
    known = {call.id: (call, event) for call in before.calls if (event := _event_of(call))} if before else {}
    events = [
        _phone_event(after.number, call, event, names)
        for call in after.calls
        if (event := _event_of(call)) and (call.id not in known or known[call.id][1] != event)
    ]
    live = {call.id for call in after.calls}
    ended = (call for call, _ in known.values() if call.id not in live)
    return [_phone_event(after.number, call, RELEASED, names) for call in ended] + events


Party = tuple[str, str | None, Presence | None, str]
"""A number in a history, its name, its presence if the user may see it, and the id of its user or nothing."""

VIDEO: Final = "Available"
"""The status of everybody's video, which is XiVO's for who is in no meeting."""


def history_entry(entry: CallRecord, own: Party, peer: Party, start: datetime) -> dict[str, Any]:
    """One entry of ``CallHistory``; ``start`` is that of the call, in the time zone of the settings."""
    src, dst = (own, peer) if entry.direction is Direction.OUTGOING else (peer, own)
    return {
        "start": f"{start:%Y-%m-%d %H:%M:%S}",
        "duration": _clock(entry.duration),
        **_party("src", src),
        **_party("dst", dst),
        "status": entry.status.value,
    }


def _clock(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _party(side: str, party: Party) -> dict[str, Any]:
    number, name, presence, user = party
    first, _, last = (name or "").partition(" ")
    return {
        f"{side}Num": number,
        f"{side}FirstName": first or None,
        f"{side}LastName": last or None,
        f"{side}Username": user,
        f"{side}PhoneStatus": presence,
        f"{side}VideoStatus": VIDEO,
    }


def hint(number: str, presence: Presence) -> Mapping[str, Any]:
    """``PhoneHintStatusEvent``."""
    return {"number": number, "status": int(presence)}


def browser_dial(number: str) -> Mapping[str, Any]:
    """``WebRTCCmd`` of ours: the browser has to dial by itself (C2)."""
    return {"command": "Dial", "destination": number}


def browser_command(command: str, call: Call, key: str | None = None) -> Mapping[str, Any]:
    """``WebRTCCmd``: what the browser has to do by itself to one of its calls (C2).

    Fields without a value are left out: to XiVO's client null is the id of a call that it does not have.
    """
    named = {"sipCallId": call.sip_call_id, "key": key, "uniqueId": call.id}
    return {"command": command, **{name: value for name, value in named.items() if value}}
