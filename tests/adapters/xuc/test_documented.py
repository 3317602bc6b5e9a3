"""Every command and every event that XiVO documents for a user, with all its fields and no other.

What a command does is in `test_protocol`; here, that none is missing, and none says more than it should.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import pytest

from tests.adapters.xuc.assistants import ALICE, Installation, installation
from tests.event_loop import in_loop
from tests.paths import ROOT
from unique_account.adapters.xuc import websocket
from unique_account.adapters.xuc.handlers.dispatch import COMMANDS

PAGE: Final = (ROOT / "docs" / "xuc-messages.md").read_text("utf-8")

DOCUMENTED: Final[dict[str, tuple[str, ...]]] = {
    "toggleUniqueAccountDevice": ("deviceType",), "setUserPreference": ("key", "value", "value_type"),
    "getConfig": ("objectType",), "getIceConfig": (), "dnd": ("state",),
    **dict.fromkeys(("uncFwd", "naFwd", "busyFwd"), ("state", "destination")),
    "dial": ("destination", "variables"), "answer": ("uniqueId",), "hangup": ("uniqueId",),
    "hold": ("uniqueId",), "directTransfer": ("destination",), "attendedTransfer": ("destination", "device"),
    "completeTransfer": (), "cancelTransfer": (), "sendDtmf": ("key",), "toggleMicrophone": ("uniqueId",),
    "getUserCallHistory": ("size",), "getUserCallHistoryByDays": ("days",),
    "subscribeToPhoneHints": ("phoneNumbers",), "unsubscribeFromAllPhoneHints": (),
    "getCurrentCallsPhoneEvents": (), **dict.fromkeys(("userStatusUpdate", "changeUserStatus"), ("status",)),
    **dict.fromkeys(("directoryLookUp", "searchContacts"), ("term",)), "displayNameLookup": ("username",),
    "getFavorites": (), **dict.fromkeys(("addFavorite", "removeFavorite"), ("contactId", "source")),
    "pushLogToServer": (),
}  # fmt: skip
"""XiVO's commands, and the fields of each."""

OURS: Final = {"selectDevice", "logout", "getHistoryPage", "getColleagues", "getUserPreferences"}

PHONE_EVENT: Final = {
    "eventType", "DN", "otherDN", "otherDName", "linkedId", "uniqueId", "callDirection", "userData",
}  # fmt: skip
EVENTS: Final[dict[str, set[str]]] = {
    "LoggedOn": set(),
    "LoggedOnError": {"Error"},
    "UserConfigUpdate": {
        "userId", "fullName", "mobileNumber", "voiceMailId", "voiceMailEnabled", "naFwdEnabled",
        "naFwdDestination", "uncFwdEnabled", "uncFwdDestination", "busyFwdEnabled", "busyFwdDestination",
        "dndEnabled",
    },
    "LineConfig": {
        "id", "name", "password", "xivoIp", "sipProxyName", "sipPort", "webRtc", "hasDevice", "vendor",
    },
    "IceConfig": set(),
    "PhoneStatusUpdate": {"status"},
    "PhoneHintStatusEvent": {"number", "status"},
    "PhoneEvent": PHONE_EVENT,
    "CurrentCallsPhoneEvents": {"events"},
    "VoiceMailStatusUpdate": {"voiceMailId", "newMessages", "waitingMessages", "oldMessages"},
    "CallHistory": {
        "start", "duration", "srcNum", "dstNum", "srcFirstName", "srcLastName", "dstFirstName", "dstLastName",
        "srcUsername", "dstUsername", "srcPhoneStatus", "dstPhoneStatus", "srcVideoStatus", "dstVideoStatus",
        "status",
    },
    "UserPreference": {"key", "value", "value_type"},
    "UserStatusUpdate": {"status"},
    "DirectoryResult": {"headers", "entries"},
    "ContactSheet": {"sheets"},
    "Favorites": {"headers", "entries"},
    "FavoriteUpdated": {"action", "contact_id", "source"},
    "UserDisplayName": {"userName", "displayName"},
    "WebRTCCmd": {"command"},
    "Error": {"Error"},
}  # fmt: skip
"""XiVO's events, and the fields of each; of ``CallHistory``, which is a list, of its entries."""

MORE: Final[dict[str, set[str]]] = {
    "IceConfig": {"stunConfig", "turnConfig"},
    "WebRTCCmd": {"sipCallId", "key", "uniqueId", "destination"},
    "Error": {"message", "command", "ref"},
}
"""Fields that may be left out, and fields of ours, in XiVO's events."""


def fields(kind: str, content: Any) -> list[set[str]]:
    """The field names of what an event says."""
    return [set(part) for part in (content if kind == "CallHistory" else [content])]


async def every_command(at: Installation) -> list[dict[str, Any]]:
    """Everything that a server says to a tab of Alice's in which she gives every documented command."""
    tab = await at.browser.tab("alice")
    await at.pbx.leave_messages("1001@default", 1, 0)
    asked: dict[str, dict[str, Any]] = {
        "setUserPreference": {"key": "a", "value": "b", "value_type": "String"},
        "getConfig": {"objectType": "line"}, "getIceConfig": {}, "dnd": {"state": False},
        **{name: {"state": False, "destination": "3000"} for name in ("uncFwd", "naFwd", "busyFwd")},
        "subscribeToPhoneHints": {"phoneNumbers": ["1002"]}, "unsubscribeFromAllPhoneHints": {},
        "userStatusUpdate": {"status": "away"}, "changeUserStatus": {"status": "here"},
        **{name: {"term": "bob"} for name in ("directoryLookUp", "searchContacts")},
        **{name: {"contactId": "1002", "source": "internal"} for name in ("addFavorite", "removeFavorite")},
        "getFavorites": {}, "displayNameLookup": {"username": "bob"}, "pushLogToServer": {"log": "x"},
        "toggleUniqueAccountDevice": {"deviceType": "phone"},
    }  # fmt: skip
    for command, given in asked.items():
        await tab.command(command, **given)
    call = await at.pbx.call("1001", caller="3000")
    (mine,) = at.alice.calls
    for command in ("answer", "hold", "hold", "getCurrentCallsPhoneEvents"):
        await tab.command(command, **({"uniqueId": mine.id} if DOCUMENTED[command] else {}))
    for end in ("cancelTransfer", "completeTransfer"):
        await tab.command("attendedTransfer", destination="1002", device=None)
        for _ in range(2):
            await at.pbx.pick_up(at.pbx.calls[-1])
        await tab.command(end)
    assert not call.over
    await tab.command("toggleUniqueAccountDevice", deviceType="WebRTC")
    await at.pbx.register(ALICE.webrtc)
    await tab.command("dial", destination="1002", variables=None)
    await at.pbx.call("1001", caller="3001")
    (mine,) = at.alice.calls
    await tab.command("answer", uniqueId=mine.id)
    await at.pbx.pick_up(at.pbx.calls[-1])
    for command, given in (
        ("hold", {"uniqueId": mine.id}), ("toggleMicrophone", {"uniqueId": mine.id}),
        ("sendDtmf", {"key": "5"}), ("directTransfer", {"destination": "1002"}),
    ):  # fmt: skip
        await tab.command(command, **given)
    await at.pbx.call("1001", caller="3002")
    await tab.command("hangup", uniqueId=at.alice.calls[0].id)
    await tab.command("getUserCallHistory", size=None)
    await tab.command("getUserCallHistoryByDays", days=1)
    assert {frame["ctiMessage"]["command"] for frame in tab.frames if frame.get("msgType") == "Done"} >= set(
        DOCUMENTED
    )
    assert tab.reported("Error") == []
    await tab.command("getAgentStates")
    return tab.frames


class TestCommands:
    """C1: every command that is documented for a user is known, and is on the page."""

    def test_are_xivos_and_ours(self) -> None:
        assert set(COMMANDS) == {*DOCUMENTED, *OURS}

    def test_are_on_the_page(self) -> None:
        rows = re.findall(
            r"^\| (`\w+`[^|]*)\|", PAGE.partition("## Commands")[2].partition("## Events")[0], re.M
        )
        assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(COMMANDS)


class TestEvents:
    """C1: every documented event is sent, with the documented fields, and no others but those listed."""

    @in_loop
    async def test_have_their_fields(self) -> None:
        async with installation() as at:
            frames = await every_command(at)
            refused = await at.browser.connect("none")
            await refused.closed()
        reported = [frame for frame in [*frames, *refused.frames] if frame.get("msgType") in EVENTS]
        assert {frame["msgType"] for frame in reported} == set(EVENTS)
        for frame in reported:
            assert frame.keys() == {"msgType", "ctiMessage"}
            kind = frame["msgType"]
            for names in fields(kind, frame["ctiMessage"]):
                assert EVENTS[kind] <= names <= EVENTS[kind] | MORE.get(kind, set()), frame

    @in_loop
    async def test_of_calls_have_all_kinds(self) -> None:
        async with installation() as at:
            frames = await every_command(at)
        events = [frame["ctiMessage"] for frame in frames if frame.get("msgType") == "PhoneEvent"]
        kinds = {"EventDialing", "EventRinging", "EventEstablished", "EventOnHold", "EventReleased"}
        assert {event["eventType"] for event in events} == kinds
        (live,) = [
            event
            for frame in frames
            if frame.get("msgType") == "CurrentCallsPhoneEvents"
            for event in frame["ctiMessage"]["events"]
        ]
        assert set(live) == PHONE_EVENT
        orders = [frame["ctiMessage"]["command"] for frame in frames if frame.get("msgType") == "WebRTCCmd"]
        assert orders == ["Dial", "Answer", "Hold", "ToggleMicrophone", "SendDtmf"]

    @in_loop
    async def test_of_a_history_have_all_statuses(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await at.pbx.end(await at.pbx.call("1001", caller="3000"))
            emitted = await at.pbx.call("1002", caller="1001", interface="PJSIP/alice")
            await at.pbx.end(emitted)
            answered = await at.pbx.call("1001", caller="3001")
            await at.pbx.pick_up(answered)
            await at.pbx.end(answered)
            await at.pbx.call("1001", caller="3002")
            entries = await tab.ask("CallHistory", "getUserCallHistory", size=10)
            assert {entry["srcNum"]: entry["status"] for entry in entries} == {
                "3002": "ongoing", "3001": "answered", "1001": "emitted", "3000": "missed",
            }  # fmt: skip


class TestErrors:
    """M4: what is unknown or wrong is answered, and says what it is about."""

    @in_loop
    async def test_say_what_they_are_about(self) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            await tab.command("getAgentStates")
            assert tab.last("Error") == {
                "Error": "unknownCommand", "message": "command: 'getAgentStates' is not known here",
                "command": "getAgentStates", "ref": tab.last("Error")["ref"],
            }  # fmt: skip
            await tab.send("rubbish")
            await tab.until(lambda: len(tab.reported("Error")) == 2)
            assert tab.last("Error") == {"Error": "invalidMessage", "message": "the frame is not JSON"}
            assert tab.open

    @pytest.mark.parametrize("command", sorted(name for name, needed in DOCUMENTED.items() if needed))
    @in_loop
    async def test_are_given_for_fields_of_any_other_kind(self, command: str) -> None:
        async with installation() as at:
            tab = await at.browser.tab("alice")
            for name in set(DOCUMENTED[command]) - {"variables", "device"}:
                word, sentence = await tab.error(command, **{name: {"not": "this"}})
                assert (word, sentence.partition(":")[0] in DOCUMENTED[command]) == ("invalidMessage", True)
            assert tab.open

    @in_loop
    async def test_report_a_service_that_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(websocket, "ENTERS_WITHIN", 0.1)
        async with installation() as at:

            async def hangs(*_: object) -> None:
                await asyncio.sleep(60)

            at.service._store.save = hangs  # type: ignore[method-assign,assignment] # a store that hangs
            tab = await at.browser.connect(await at.browser.log_in("alice"))
            assert await tab.closed() == 1013
            assert tab.frames == [{"msgType": "LoggedOnError", "ctiMessage": {"Error": "loggedOnTimeout"}}]
