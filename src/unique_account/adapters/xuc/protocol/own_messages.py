"""Our own messages to a client, in the style of XiVO's."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from unique_account.core.account import Call, Line
from unique_account.core.forwarding import Forwarding
from unique_account.core.history import CallRecord
from unique_account.core.view import View
from unique_account.ports.sip_credentials import SipLine

EXPIRES: Final = 60
"""For how many seconds the browser's line registers."""


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
        name: None
        if forward is None
        else {"destination": forward.destination.written, "enabled": forward.enabled}
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
