"""XiVO's messages to a client, field for field."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from unique_account.adapters.xuc.protocol.outgoing import message
from unique_account.adapters.xuc.settings import TurnServer
from unique_account.core.account import Call, CallStatus, Direction
from unique_account.core.forwarding import Forward
from unique_account.core.history import CallRecord
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


def line_config(line: SipLine | None) -> dict[str, Any]:
    """``LineConfig``; without a line, XiVO's form of none."""
    if line is None:
        no_fields = dict.fromkeys(("name", "password", "xivoIp", "sipProxyName", "sipPort", "vendor"))
        return {"id": "-", **no_fields, "webRtc": False, "hasDevice": False}
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
    """``PhoneEvent``: the status of a call of this number, or another event of it."""
    return {
        "eventType": event or _EVENTS[call.status],
        "DN": number,
        "otherDN": call.peer,
        "linkedId": call.linked_id or call.id,
        "uniqueId": call.id,
        "userData": {},
    }


def phone_events(before: View | None, after: View) -> list[dict[str, Any]]:
    """A ``PhoneEvent`` for each call that began, changed its status or ended between two views."""
    known = {call.id: call for call in before.calls} if before else {}
    events = [
        phone_event(after.number, call)
        for call in after.calls
        if call.id not in known or known[call.id].status is not call.status
    ]
    live = {call.id for call in after.calls}
    ended = (call for call in known.values() if call.id not in live)
    return [phone_event(after.number, call, RELEASED) for call in ended] + events


Party = tuple[str, str | None, Presence | None]
"""A number in a history, its name, and its presence if the user may see it."""


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
    number, name, presence = party
    first, _, last = (name or "").partition(" ")
    return {
        f"{side}Num": number,
        f"{side}FirstName": first or None,
        f"{side}LastName": last or None,
        f"{side}Username": None,
        f"{side}PhoneStatus": presence,
    }


def hint(number: str, presence: Presence) -> str:
    """``PhoneHintStatusEvent``, as its frame."""
    return message("PhoneHintStatusEvent", {"number": number, "status": int(presence)})


def browser_command(command: str, key: str | None = None, **more: str) -> Mapping[str, Any]:
    """``WebRTCCmd``: what the browser has to do by itself (C2)."""
    return {"command": command, "sipCallId": None, "key": key, **more}
