"""A model of XiVO's own client: it keeps its state by that client's rules, as far as its behaviour is known.

It is no copy of that client. What it knows are facts about what starts and stops its SIP stack, what it
reports to its user, and what it cannot bear. `complaints` are what a person would see go wrong.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from attrs import define, frozen

AUTOMATIC_ANSWER: Final = "xivo-autoanswer"

PHONE_EVENTS: Final = ("EventDialing", "EventRinging", "EventEstablished", "EventOnHold", "EventReleased")


class SipStack(Protocol):
    """What carries SIP for the client; it reports to `XivoClient.on_invite` and `XivoClient.on_bye`."""

    async def start(self, line: dict[str, Any]) -> None:
        """Register as a `LineConfig` says, and by nothing else."""

    async def stop(self) -> None:
        """Take the registration back."""

    async def answer(self, call_id: str) -> None:
        """Answer a call."""

    async def hold(self, call_id: str, on: bool) -> None:
        """Put a call on hold, or resume it."""

    async def mute(self, call_id: str, on: bool) -> None:
        """Switch the microphone off for a call, or on again."""

    async def press(self, call_id: str, key: str) -> None:
        """Send the tone of a key."""


@define
class SipCall:
    """A call of the SIP stack."""

    answered: bool = False
    held: bool = False
    muted: bool = False


@frozen(weakref_slot=False)
class ShownCall:
    """A call that the client shows.

    Attributes:
        event: The last event of it.
        number: The other party.
    """

    event: str
    number: str


class XivoClient:
    """The client.

    Args:
        send: Sends a frame to the server.
        sip: Its SIP stack.
        registers: Whether it wants to register; programs that only steer do not.

    Attributes:
        line: The last `LineConfig`.
        stack_runs: Whether its SIP stack runs.
        sip_calls: The calls of that stack, by their ``Call-ID``.
        calls: The calls that it shows.
        notices: The numbers of which it reported that they call.
        searching: Whether its search turns.
        found: What it found.
        logged_out: Why it logged its user out; empty while it did not.
        complaints: What a person would see go wrong.
    """

    def __init__(self, send: Callable[[dict[str, Any]], Any], sip: SipStack, registers: bool = True) -> None:
        self._send = send
        self._sip = sip
        self._registers = registers
        self.line: dict[str, Any] | None = None
        self.stack_runs = False
        self.sip_calls: dict[str, SipCall] = {}
        self.calls: dict[str, ShownCall] = {}
        self.notices: list[str] = []
        self.searching = False
        self.found: list[str] = []
        self.favorites: list[str] = []
        self.config: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.logged_out = ""
        self.errors: list[str] = []
        self.complaints: list[str] = []
        self._ice_works = True

    # -- what its user does --------------------------------------------------------------------------

    async def command(self, command: str, **fields: Any) -> None:
        """Send a command, as that client does: without a reference."""
        await self._send({"claz": "web", "command": command, **fields})

    async def toggle(self, device: str) -> None:
        """Choose a device; for the deskphone, the SIP stack is stopped before the server is asked."""
        if device == "phone":
            await self.stop_stack()
        await self.command("toggleUniqueAccountDevice", deviceType=device)

    async def stop_stack(self) -> None:
        """Stop the SIP stack; only a `LineConfig` starts it again."""
        if self.stack_runs:
            self.stack_runs = False
            await self._sip.stop()

    async def search(self, term: str) -> None:
        """Search the directory: the search turns until there is a result."""
        self.searching = True
        await self.command("directoryLookUp", term=term)

    @property
    def uses_webrtc(self) -> bool:
        """Whether it takes calls in the browser."""
        return self.line is not None and self.line["webRtc"] is True and not self.line["hasDevice"]

    # -- what the server sends -----------------------------------------------------------------------

    async def take(self, frame: dict[str, Any]) -> None:
        """Take a frame."""
        handlers: dict[str, Callable[[Any], Awaitable[None]]] = {
            "LoggedOn": self._logged_on,
            "LineConfig": self._line_config,
            "IceConfig": self._ice_config,
            "PhoneEvent": self._phone_event,
            "CurrentCallsPhoneEvents": self._current_calls,
            "WebRTCCmd": self._webrtc_command,
            "DirectoryResult": self._directory_result,
            "Favorites": self._favorites,
            "UserConfigUpdate": self._user_config,
            "CallHistory": self._call_history,
            "Error": self._error,
        }
        if (handle := handlers.get(frame.get("msgType", ""))) is not None:
            await handle(frame["ctiMessage"])

    async def _logged_on(self, _: Any) -> None:
        self.calls.clear()
        if self._registers:
            await self.command("getConfig", objectType="line")

    async def _line_config(self, line: dict[str, Any]) -> None:
        self.line = line
        if not self._registers:
            return
        if line["id"] == "-":
            self.logged_out = "user without line"
        if not isinstance(line["password"], str):
            self.complaints.append("the password is no text")
        if self.uses_webrtc and not self.stack_runs:
            if not line["sipProxyName"]:
                self.complaints.append("the SIP stack refuses an address without a domain")
            self.stack_runs = True
            await self._sip.start(line)

    async def _ice_config(self, ice: dict[str, Any]) -> None:
        if not self._ice_works or None in ice.values():
            self._ice_works = False
            self.complaints.append("ICE servers are not taken any more")

    async def _current_calls(self, content: dict[str, Any]) -> None:
        for event in content["events"]:
            self.calls[event["uniqueId"]] = ShownCall(event["eventType"], event["otherDN"])

    async def _phone_event(self, event: dict[str, Any]) -> None:
        kind, call, number = event["eventType"], event["uniqueId"], event["otherDN"]
        if kind not in PHONE_EVENTS or not isinstance(event["otherDName"], str):
            self.complaints.append(f"a phone event is not understood: {event}")
        if kind == "EventReleased":
            if self.calls.pop(call, None) is None:
                self.complaints.append("a call ends that was never shown")
            return
        if call not in self.calls:
            self._check_first(kind, event["callDirection"])
        if kind == "EventDialing" and not number:
            self.complaints.append("a call is dialled to no number")
        if kind == "EventRinging":
            self.notices.append(number)
        self.calls[call] = ShownCall(kind, number)

    def _check_first(self, kind: str, direction: str) -> None:
        first = {"Incoming": "EventRinging", "Outgoing": "EventDialing"}.get(direction)
        if kind != first:
            self.complaints.append(f"a call that is {direction} begins with {kind}")

    async def _webrtc_command(self, order: dict[str, Any]) -> None:
        call_id = self._meant(order)
        if call_id is None:
            return
        call = self.sip_calls[call_id]
        match order["command"]:
            case "Answer":
                call.answered = True
                await self._sip.answer(call_id)
            case "Hold":
                call.held = not call.held
                await self._sip.hold(call_id, call.held)
            case "ToggleMicrophone":
                call.muted = not call.muted
                await self._sip.mute(call_id, call.muted)
            case "SendDtmf":
                await self._sip.press(call_id, order["key"])
            case other:
                self.complaints.append(f"{other} is not known, so nothing happens")

    def _meant(self, order: dict[str, Any]) -> str | None:
        """The call that a command means: without an id the only one, and null is the id of none."""
        if not self.sip_calls:  # another tab of the user has the call
            return None
        if "sipCallId" not in order:
            if len(self.sip_calls) > 1:
                self.complaints.append(f"{order['command']} names none of several calls")
            return next(iter(self.sip_calls))
        if order["sipCallId"] not in self.sip_calls:
            self.complaints.append(f"{order['command']} names a call that is not there")
            return None
        return str(order["sipCallId"])

    async def _directory_result(self, result: dict[str, Any]) -> None:
        self.searching = False
        self.found = [entry["entry"][1] for entry in result["entries"]]
        if any(len(entry["entry"]) != len(result["headers"]) for entry in result["entries"]):
            self.complaints.append("columns have no headers")

    async def _favorites(self, result: dict[str, Any]) -> None:
        self.favorites = [entry["contact_id"] for entry in result["entries"]]

    async def _user_config(self, config: dict[str, Any]) -> None:
        self.config = config

    async def _call_history(self, entries: list[dict[str, Any]]) -> None:
        self.history = entries
        if not all(isinstance(entry[f"{side}Username"], str) for entry in entries for side in ("src", "dst")):
            self.complaints.append("a user name is no text")

    async def _error(self, error: dict[str, Any]) -> None:
        self.errors.append(json.dumps(error))

    # -- what its SIP stack reports ------------------------------------------------------------------

    async def on_invite(self, call_id: str, alert_info: str) -> None:
        """A call comes in by SIP; it may have to be answered without ringing."""
        if not self.stack_runs:
            self.complaints.append("a call comes in at a SIP stack that is stopped")
        self.sip_calls[call_id] = SipCall()
        if alert_info == AUTOMATIC_ANSWER:
            self.sip_calls[call_id].answered = True
            await self._sip.answer(call_id)

    def on_bye(self, call_id: str) -> None:
        """A call by SIP is over."""
        self.sip_calls.pop(call_id, None)

    # -- the end -------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise an error if a person sees something wrong now."""
        if self.uses_webrtc and not self.stack_runs:
            self.complaints.append("the browser is to ring, and its SIP stack is stopped for ever")
        if self.searching:
            self.complaints.append("the search turns for ever")
        if self.logged_out:
            self.complaints.append(f"the user is logged out: {self.logged_out}")
        if self.complaints:
            raise AssertionError("; ".join(self.complaints))
