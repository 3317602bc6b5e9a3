"""Messages to a client, made: XiVO's field for field, and our own in the same style."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from unique_account.adapters.xuc.settings import TurnServer
from unique_account.core.account import Call, CallStatus, Direction, Line
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.history import CallRecord
from unique_account.core.presence import Presence
from unique_account.core.view import View
from unique_account.ports.sip_credentials import SipLine

EXPIRES: Final = 60
"""For how many seconds the browser's line registers."""

HEARTBEAT: Final = '{"claz":"ping"}'

_PORTS: Final = {"wss": 443, "ws": 80}


def message(kind: str, content: object) -> str:
    """One message, as its frame."""
    return json.dumps({"msgType": kind, "ctiMessage": content}, ensure_ascii=False, separators=(",", ":"))


# -- XiVO's ------------------------------------------------------------------------------------------


def user_config(view: View, name: str | None) -> dict[str, Any]:
    """``UserConfigUpdate``, whole."""
    set_ = view.forwarding
    return {
        "userId": view.user,
        "fullName": name,
        "mobileNumber": None,
        "voiceMailId": view.mailbox,
        "voiceMailEnabled": view.mailbox is not None,
        **_forward("naFwd", set_.no_answer),
        **_forward("uncFwd", set_.unconditional),
        **_forward("busyFwd", set_.busy),
        "dndEnabled": set_.do_not_disturb,
    }


def _forward(name: str, forward: Forward | None) -> dict[str, Any]:
    enabled, destination = (False, "") if forward is None else (forward.enabled, forward.destination)
    return {f"{name}Enabled": enabled, f"{name}Destination": destination}


def line_config(line: SipLine | None) -> dict[str, Any]:
    """``LineConfig``; without a line, XiVO's word for none."""
    if line is None:
        nothing = dict.fromkeys(("name", "password", "xivoIp", "sipProxyName", "sipPort", "vendor"))
        return {"id": "-", **nothing, "webRtc": False, "hasDevice": False}
    url = urlsplit(line.url)
    return {
        "id": line.name,
        "name": line.name,
        "password": line.password,
        "xivoIp": url.hostname,
        "sipProxyName": line.proxy,
        "sipPort": url.port or _PORTS.get(url.scheme),
        "webRtc": True,
        "hasDevice": True,
        "vendor": None,
    }


def ice_config(stun: tuple[str, ...], turn: TurnServer | None, user: str, now: datetime) -> dict[str, Any]:
    """``IceConfig``: with credentials that a TURN server checks by the secret that it shares with us."""
    return {
        "stunConfig": {"urls": list(stun)} if stun else None,
        "turnConfig": None if turn is None else _turn(turn, user, now),
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


def phone_event(number: str, call: Call, event: str | None = None) -> dict[str, Any]:
    """``PhoneEvent``: what a call of this number is at, or what became of it."""
    return {
        "eventType": event or _EVENTS[call.status],
        "DN": number,
        "otherDN": call.peer,
        "linkedId": call.linked_id or call.id,
        "uniqueId": call.id,
        "userData": {},
    }


def phone_events(before: View | None, after: View) -> list[dict[str, Any]]:
    """A ``PhoneEvent`` for each call that came, changed what it is at, or went between two views."""
    known = {call.id: call for call in before.calls} if before else {}
    events = [
        phone_event(after.number, call)
        for call in after.calls
        if call.id not in known or known[call.id].status is not call.status
    ]
    there = {call.id for call in after.calls}
    gone = (call for call in known.values() if call.id not in there)
    return [phone_event(after.number, call, RELEASED) for call in gone] + events


Party = tuple[str, str | None, Presence | None]
"""A number in a history, the name behind it, and its presence where that may be seen."""


def history_entry(entry: CallRecord, own: Party, peer: Party, start: datetime) -> dict[str, Any]:
    """One entry of ``CallHistory``; ``start`` is that of the call, in the time zone in which it is told."""
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
    number, name, presence = party
    first, _, last = (name or "").partition(" ")
    return {
        f"{side}Num": number,
        f"{side}FirstName": first or None,
        f"{side}LastName": last or None,
        f"{side}Username": None,
        f"{side}PhoneStatus": presence,
    }


# -- our own -----------------------------------------------------------------------------------------


def account(view: View) -> dict[str, Any]:
    """``UniqueAccount``: the whole account, as its user sees it."""
    messages = view.messages
    return {
        "user": view.user,
        "number": view.number,
        "version": view.version,
        "state": view.state.value,
        "selection": view.selection.value,
        "deviceInUse": view.device_in_use.value,
        "fallback": view.fallback,
        "presence": int(view.presence),
        "deskphone": _line(view.deskphone),
        "webrtc": _line(view.webrtc),
        "calls": [_call(call) for call in view.calls],
        "forwarding": _forwarding(view.forwarding),
        "mailbox": view.mailbox,
        "messages": None if messages is None else {"new": messages.new, "old": messages.old},
        "because": [
            {"rule": reason.rule, "text": reason.text, "facts": list(reason.facts)} for reason in view.because
        ],
    }


def _line(line: Line) -> dict[str, Any]:
    return {"status": line.status.name.lower(), "reachable": line.reachable}


def _call(call: Call) -> dict[str, Any]:
    return {
        "uniqueId": call.id,
        "linkedId": call.linked_id or call.id,
        "device": call.device.value,
        "direction": call.direction.value,
        "status": call.status.value,
        "otherDN": call.peer,
        "otherName": call.peer_name,
        "started": call.started.isoformat(),
        "answered": _instant(call.answered),
    }


def _forwarding(forwarding: Forwarding) -> dict[str, Any]:
    named = {
        "unconditional": forwarding.unconditional,
        "noAnswer": forwarding.no_answer,
        "busy": forwarding.busy,
    }
    forwards = {
        name: None if forward is None else {"destination": forward.destination, "enabled": forward.enabled}
        for name, forward in named.items()
    }
    return {"doNotDisturb": forwarding.do_not_disturb, **forwards}


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def sip_line(line: SipLine | None) -> dict[str, Any] | None:
    """``SipLine``: what the browser's SIP stack needs, ready made."""
    if line is None:
        return None
    return {
        "url": line.url,
        "uri": f"sip:{line.name}@{line.domain}",
        "username": line.name,
        "password": line.password,
        "realm": line.realm,
        "expires": EXPIRES,
    }


def page_entry(entry: CallRecord, name: str | None) -> dict[str, Any]:
    """One entry of ``HistoryPage``."""
    return {
        "id": entry.id,
        "start": entry.start.isoformat(),
        "status": entry.status.value,
        "direction": entry.direction.value,
        "device": None if entry.device is None else entry.device.value,
        "peer": entry.peer,
        "peerName": entry.peer_name or name or "",
        "answered": _instant(entry.answered),
        "ended": _instant(entry.ended),
        "duration": int(entry.duration.total_seconds()),
    }


def hint(number: str, presence: Presence) -> str:
    """``PhoneHintStatusEvent``, as its frame."""
    return message("PhoneHintStatusEvent", {"number": number, "status": int(presence)})


def browser_command(command: str, key: str | None = None, **more: str) -> Mapping[str, Any]:
    """``WebRTCCmd``: what the browser has to do by itself (C2)."""
    return {"command": command, "sipCallId": None, "key": key, **more}
