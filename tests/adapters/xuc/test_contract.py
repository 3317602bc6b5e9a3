"""The CTI server keeps the contract of its port, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from tests.adapters.xuc.assistants import Browser, Tab, browsing, server
from unique_account.core.account import Call, CallStatus, Direction, Line, LineStatus, Messages
from unique_account.core.errors import Refused
from unique_account.core.events import DeviceSelected, Event
from unique_account.core.forwarding import Destination, Extension, Forward, Forwarding, Mailbox, Refusal
from unique_account.core.history import CallRecord, HistoryStatus, Page
from unique_account.core.machine import Device, State
from unique_account.core.presence import Presence
from unique_account.core.reasons import Reason
from unique_account.core.routing import DEFAULT_OWNER
from unique_account.core.view import NextCall, View
from unique_account.ports.cti import Cti
from unique_account.ports.inbound.commands import Answer, Command, Dial, HangUp, Hold, Join, Resume, Transfer
from unique_account.ports.pbx import CommandFailed
from unique_account.testing.contracts import Assistants, CtiContract


class ReceivedRefusal(Refused):
    """A refusal of which only the sentence came over the wire."""

    def __init__(self, sentence: str) -> None:
        super().__init__("", "", "", "")
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class AssistantsDriver:
    """The users of the CTI server: one tab each."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._tabs: dict[str, Tab] = {}

    async def _tab(self, user: str) -> Tab:
        if user not in self._tabs or not self._tabs[user].open:
            self._tabs[user] = await self._browser.tab(user)
        return self._tabs[user]

    async def act(self, user: str, event: Event) -> None:
        assert isinstance(event, DeviceSelected)
        *_, answer = await (await self._tab(user)).command("selectDevice", device=event.device)
        if answer["msgType"] == "Error":
            said = answer["ctiMessage"]
            raise (ReceivedRefusal if said["Error"] == "refused" else RuntimeError)(said["message"])

    async def command(self, user: str, command: Command) -> bool:
        answers = await (await self._tab(user)).command(**_frame(command))
        if answers[-1]["msgType"] == "Error":
            raise CommandFailed(answers[-1]["ctiMessage"]["message"])
        return not any(answer["msgType"] == "WebRTCCmd" for answer in answers)

    async def history(self, user: str, size: int, cursor: str | None = None) -> Page:
        page = await (await self._tab(user)).ask("HistoryPage", "getHistoryPage", size=size, cursor=cursor)
        return Page(tuple(_record(user, entry) for entry in page["entries"]), page["next"])

    async def shown(self, user: str) -> View | None:
        shown = (await self._tab(user)).last("UniqueAccount")
        return None if shown is None else _view(shown)

    async def history_changes(self, user: str) -> int:
        return len((await self._tab(user)).reported("HistoryChanged"))

    async def presence(self, number: str) -> Presence | None:
        tab = await self._tab("bob")
        if not any(hint["number"] == number for hint in tab.reported("PhoneHintStatusEvent")):
            await tab.command("subscribeToPhoneHints", phoneNumbers=[number])
        hints = [hint for hint in tab.reported("PhoneHintStatusEvent") if hint["number"] == number]
        return Presence(hints[-1]["status"]) if hints else None


def _frame(command: Command) -> dict[str, Any]:
    match command:
        case Dial(number):
            return {"command": "dial", "destination": number, "variables": {}}
        case Answer(call):
            return {"command": "answer", "uniqueId": call}
        case Hold(call) | Resume(call):
            return {"command": "hold", "uniqueId": call}
        case Transfer(call, number):
            return {"command": "directTransfer", "uniqueId": call, "destination": number}
        case Join():
            return {"command": "completeTransfer"}
        case HangUp(call):
            return {"command": "hangup", "uniqueId": call}


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _record(user: str, said: dict[str, Any]) -> CallRecord:
    return CallRecord(
        id=said["id"],
        user=user,
        start=datetime.fromisoformat(said["start"]),
        status=HistoryStatus(said["status"]),
        direction=Direction(said["direction"]),
        device=said["device"] and Device(said["device"]),
        peer=said["peer"],
        peer_name=said["peerName"],
        answered=_instant(said["answered"]),
        ended=_instant(said["ended"]),
    )


def _view(said: dict[str, Any]) -> View:
    def line(of: dict[str, Any]) -> Line:
        return Line(LineStatus[of["status"].upper()], of["reachable"])

    return View(
        user=said["user"],
        number=said["number"],
        mailbox=said["mailbox"],
        version=said["version"],
        owner=DEFAULT_OWNER,  # which is nothing to a user
        state=State(said["state"]),
        selection=Device(said["selection"]),
        device_in_use=Device(said["deviceInUse"]),
        fallback=said["fallback"],
        presence=Presence(said["presence"]),
        deskphone=line(said["deskphone"]),
        webrtc=line(said["webrtc"]),
        calls=tuple(map(_call, said["calls"])),
        forwarding=_forwarding(said["forwarding"]),
        messages=said["messages"] and Messages(**said["messages"]),
        next_call=_next_call(said),
        forward=_destination(said["forward"]),
    )


def _next_call(said: dict[str, Any]) -> NextCall:
    rings = said["nextCall"]["rings"]
    because = (Reason(why["rule"], why["text"], tuple(why["facts"])) for why in said["because"])
    goes_to = _destination(said["nextCall"]["goesTo"])
    return NextCall(None if rings is None else Device(rings), goes_to, tuple(because))


def _destination(said: dict[str, Any] | None) -> Destination | None:
    match said:
        case {"kind": "number", "number": number}:
            return Extension(number)
        case {"kind": "voicemail", "mailbox": address}:
            return Mailbox(address)
        case {"kind": "refusal", "cause": cause}:
            return Refusal(cause)
    return None


def _call(said: dict[str, Any]) -> Call:
    return Call(
        id=said["uniqueId"],
        device=Device(said["device"]),
        direction=Direction(said["direction"]),
        status=CallStatus(said["status"]),
        started=datetime.fromisoformat(said["started"]),
        answered=_instant(said["answered"]),
        linked_id="" if said["linkedId"] == said["uniqueId"] else said["linkedId"],
        peer=said["otherDN"],
        peer_name=said["otherName"],
    )


def _forwarding(said: dict[str, Any]) -> Forwarding:
    def forward(name: str) -> Forward | None:
        return None if said[name] is None else Forward(said[name]["destination"], said[name]["enabled"])

    return Forwarding(
        do_not_disturb=said["doNotDisturb"],
        unconditional=forward("unconditional"),
        no_answer=forward("noAnswer"),
        busy=forward("busy"),
    )


class TestXucCti(CtiContract):
    """The CTI server, over real sockets."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Cti, Assistants]]:
        cti = server()
        async with browsing(cti) as browser:
            yield cti, AssistantsDriver(browser)
