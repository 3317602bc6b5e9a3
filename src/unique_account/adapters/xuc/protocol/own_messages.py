"""Our own messages to a client, in the style of XiVO's."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from unique_account.core.account import Call, Line
from unique_account.core.forwarding import Destination, Extension, Forwarding, Mailbox, Refusal
from unique_account.core.history import CallRecord
from unique_account.core.reasons import Because, Reason
from unique_account.core.view import View
from unique_account.ports.sip_credentials import SipLine

EXPIRES: Final = 60
"""For how many seconds the browser's line registers."""

_DECIDED: Final = frozenset(Because)

REASON_IDS: Final = frozenset(
    [*(step.name.lower() for step in Because), "goes_to_number", "goes_to_voicemail", "goes_to_refusal"]
)
"""The ids of all steps of a decision."""


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
        "nextCall": {"rings": view.next_call.rings, "goesTo": _destination(view.next_call.goes_to)},
        "forward": _destination(view.forward),
        "because": [_reason(reason, view.next_call.goes_to) for reason in view.because],
    }


def _destination(destination: Destination | None) -> dict[str, Any] | None:
    match destination:
        case Extension(number):
            return {"kind": "number", "number": number}
        case Mailbox(address):
            return {"kind": "voicemail", "mailbox": address}
        case Refusal(cause):
            return {"kind": "refusal", "cause": cause}
    return None


def _reason(reason: Reason, goes_to: Destination | None) -> dict[str, Any]:
    """One step of a decision, with the id of its words; the last step names where the call goes (R10)."""
    parameters: dict[str, Any] = {}
    if reason.text in _DECIDED:
        name = Because(reason.text).name.lower()
    else:
        parameters = _destination(goes_to) or {}
        name = f"goes_to_{parameters.get('kind', 'refusal')}"
    texts = {"rule": reason.rule, "text": reason.text, "facts": list(reason.facts)}
    return {**texts, "id": name, "parameters": parameters}


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


def diversion(number: str, do_not_disturb: bool, forwarded: bool) -> dict[str, Any]:
    """``ColleagueDiversion``."""
    return {"number": number, "doNotDisturb": do_not_disturb, "forwarded": forwarded}


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
